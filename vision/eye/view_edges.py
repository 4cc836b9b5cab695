"""The edges of a camera by what it looks at: the watch of each preset, edges that have tape only, one row of places.

    frame -> the view that is looked at -> its watch ---------+--> places of the camera (edge_places)
                                      '--> its taped edges ---'

A camera that stands has one view and looks at it always. At no view everything is unknown. An edge with nothing but
tape is not protected by definition: it is told as soon as it is drawn, and needs no look. In: frames and persons, as
`EdgePart`. Out: findings, and a state for each view.
"""

import json
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gateway.model.verdict import Truth
from vision.edges.taped import TapedEdge
from vision.eye.edge_places import EdgePlaces
from vision.picture.finding import Finding, FindingKind
from vision.picture.frame import Frame

log = logging.getLogger(__name__)
Boxes = NDArray[np.float32]


class WatchPart(Protocol):
    """`vision.edges.EdgeWatch`."""

    def step(self, frame: Frame, persons_xyxy_px: Boxes, usable: bool, now_ns: int) -> tuple[Finding, ...]:
        """Which edges are open, by place."""
        ...

    def kept(self, model: str, now_ns: int) -> bytes:
        """What a restart goes on with."""
        ...


@dataclass(frozen=True, slots=True)
class ViewEdges:
    """What judges the edges of one view; `preset` is empty for a camera that stands. `watch` None: there is nothing to
    watch, or (`blind`) nothing to watch it with."""

    preset: str
    watch: WatchPart | None
    taped: tuple[TapedEdge, ...] = ()
    blind: bool = False
    held: Mapping[int, int] = field(default_factory=dict)
    """The camera's places that its gaps had before a restart, by its own."""

    @property
    def any(self) -> bool:
        """Whether an edge is drawn."""
        return self.blind or self.watch is not None or bool(self.taped)

    def step(self, frame: Frame, persons_xyxy_px: Boxes, usable: bool, now_ns: int) -> tuple[Finding, ...]:
        """Findings by the view's own places."""
        parts = (*(() if self.watch is None else (self.watch,)), *self.taped)
        told = [each for part in parts for each in part.step(frame, persons_xyxy_px, usable, now_ns)]
        if self.blind:
            why = {"why": "no reference picture"}
            told.append(Finding(FindingKind.EDGE_OPEN, 1, Truth.UNKNOWN, math.nan, None, why))
        return tuple(told)


class EdgesByView:
    """An `EdgePart` over the views of one camera. `look_at` says which one counts."""

    def __init__(self, views: Sequence[ViewEdges]) -> None:
        self._views = {view.preset: view for view in views}
        self._places = EdgePlaces()
        for view in views:
            self._places.hold(view.preset, view.held)
        self._here: ViewEdges | None = None
        self._left: ViewEdges | None = None

    @property
    def state_of(self) -> str:
        """The preset whose state `kept` gives: one that was just left, else the one that is looked at."""
        view = self._left or self._here
        return "" if view is None else view.preset

    def look_at(self, preset: str | None) -> None:
        """This is looked at from now on; None: none of them."""
        self._left, self._here = self._here, None if preset is None else self._views[preset]

    def step(self, frame: Frame, persons_xyxy_px: Boxes, usable: bool, now_ns: int) -> tuple[Finding, ...]:
        """Findings by the camera's places; none at all where no view has an edge."""
        if not any(view.any for view in self._views.values()):
            return ()
        here = self._here
        told = () if here is None else here.step(frame, persons_xyxy_px, usable, now_ns)
        return self._places.step(None if here is None else here.preset, told)

    def kept(self, model: str, now_ns: int) -> bytes:
        """A line of JSON with the places that the view's gaps have, then what its watch keeps."""
        view, self._left = self._left or self._here, None
        if view is None:
            return b""
        head = json.dumps({"places": self._places.held(view.preset)}).encode()
        return head + b"\n" + (b"" if view.watch is None else view.watch.kept(model, now_ns))


def split_state(preset: str, kept: bytes) -> tuple[dict[int, int], bytes]:
    """The places of a view and what its watch goes on with. Spoilt bytes are as if there were none."""
    if not kept:
        return {}, b""
    head, _, rest = kept.partition(b"\n")
    try:
        return {int(own): int(place) for own, place in json.loads(head)["places"].items()}, rest
    except (ValueError, TypeError, KeyError, AttributeError):
        log.warning("event=edge_places_left preset=%r bytes=%d", preset, len(kept))
        return {}, b""
