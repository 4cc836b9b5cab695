"""At which preset a camera that turns looks now: the live picture beside the reference pictures of its presets.

    live picture --outlines, evened out--> likeness with each preset's references, by day and by night
         the most alike, clearly more than the next, twice in a row: there      none for two looks: at no preset

Outlines, not levels, so that light may change. Read only: nothing here turns a camera. In: grey pictures and a time.
Out: the row of the preset, or None. Whether it stands exactly enough to judge edges, their own registration says.
"""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from vision.health.picture_measures import THUMB_WIDTH_PX, Grey
from vision.health.view_comparison import likeness
from vision.health.view_match import Edges, evened_edges

THERE: Final = 0.32
"""Likeness from which it is that preset (`bench.preset_likeness`, 20 fixed cameras): 90 of 100 pairs of one view, some
of them in other light, reach it, of two cameras none of 600, of a view turned by a twenty-fifth of its width and more
at most 3 in 100."""
CLEARLY: Final = 0.12
"""And by so much more alike than the next preset."""
GONE: Final = 0.22
"""Likeness under which it is no longer the preset that it was."""
LEAST_OUTLINES: Final = 0.25
"""Spread of the outlines under which a picture does not say where it was taken: a covered lens, a black night. Grain
alone gives 0.12, pictures of cameras 0.58 and more."""
LOOKS: Final = 2
LOOK_EVERY_NS: Final = 1_000_000_000


class PresetFinder:
    """Where one camera looks. `references` has the pictures of each preset, grey and of any size, at least one each."""

    def __init__(self, references: Sequence[Sequence[Grey]]) -> None:
        self._pictures = references
        self._edges: list[list[Edges]] = []
        self._size = (0, 0)
        self._next_ns: int | None = None
        self._seen: int | None = None
        self._looks = 0
        self.here: int | None = None

    def due(self, now_mono_ns: int) -> bool:
        """Whether it is time for a look: once a second."""
        return self._next_ns is None or now_mono_ns >= self._next_ns

    def step(self, grey: Grey, now_mono_ns: int) -> int | None:
        """A look; the preset that it is at, None: at none, or not known yet."""
        self._next_ns = now_mono_ns + LOOK_EVERY_NS
        seen = self._look(grey)
        self._looks = self._looks + 1 if seen == self._seen else 1
        self._seen = seen
        if self._looks >= LOOKS:
            self.here = seen
        return self.here

    def _look(self, grey: Grey) -> int | None:
        size = (THUMB_WIDTH_PX, max(24, round(THUMB_WIDTH_PX * grey.shape[0] / grey.shape[1])))
        if size != self._size:
            self._size = size
            self._edges = [[outlines(each, size) for each in pictures] for pictures in self._pictures]
        live = outlines(grey, size)
        if float(live.std()) < LEAST_OUTLINES:
            return self.here
        alike = [max(likeness(each, live) for each in pictures) for pictures in self._edges]
        order = sorted(range(len(alike)), key=lambda row: -alike[row])
        best, lead = order[0], alike[order[0]] - (alike[order[1]] if len(order) > 1 else 0.0)
        if alike[best] >= THERE and lead >= CLEARLY:
            return best
        still = self.here is not None and alike[self.here] >= GONE and alike[best] - alike[self.here] < CLEARLY
        return self.here if still else None


def outlines(grey: Grey, size: tuple[int, int]) -> Edges:
    """What is compared of a picture; `size` (width, height) is that of both."""
    return evened_edges(np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8))
