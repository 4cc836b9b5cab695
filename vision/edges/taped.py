"""An edge that has nothing but tape: open along its whole length, without a look.

Tape warns and holds nobody, so such an edge is told as soon as it is drawn, and nothing that is seen there protects it.
In: frames and persons, as `EdgeWatch`. Out: findings, and one section.
"""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gateway.model.survey import Edge, EdgeKind, Survey
from gateway.model.verdict import Truth
from vision.edges.people import Presence, box_of, people_at
from vision.edges.places import PLACES, What
from vision.edges.settings import EdgeSettings
from vision.edges.view import View, view_of
from vision.edges.watch import Section
from vision.picture.finding import Finding, FindingKind
from vision.picture.frame import Frame

Boxes = NDArray[np.float32]


def guarded(survey: Survey) -> Survey:
    """The survey with the edges that there is something to watch along."""
    return replace(survey, edges=tuple(edge for edge in survey.edges if edge.protection.protects))


def taped_edges(survey: Survey) -> tuple["TapedEdge", ...]:
    """Those of a survey that have nothing but tape, at places after those of the watch."""
    edges = [edge for edge in survey.edges if not edge.protection.protects]
    return tuple(TapedEdge(edge, PLACES + n) for n, edge in enumerate(edges, 1))


class TapedEdge:
    """An edge with nothing but tape. `place` is its own, after those of the watch."""

    def __init__(self, edge: Edge, place: int) -> None:
        self._edge, self._place = edge, place
        self._settings = EdgeSettings()
        self._presence = Presence()
        self._view: View | None = None
        self._size = (0, 0)
        self._since_ns: int | None = None

    def step(self, frame: Frame, persons_xyxy_px: Boxes, usable: bool, now_ns: int) -> tuple[Finding, ...]:
        """Open along its whole length, and who stands at it."""
        gap, there = FindingKind.EDGE_OPEN, FindingKind.PERSON_AT_EDGE
        about = self._about(now_ns)
        if not usable:
            unknown = (Truth.UNKNOWN, math.nan, None)
            why = about | {"why": "camera not usable"}
            return (Finding(gap, self._place, *unknown, why), Finding(there, self._place, *unknown))
        view = self._laid(frame)
        told = Finding(gap, self._place, Truth.TRUE, self._edge.length_m, view.box_px(view.judged), about)
        row = people_at(view, view.judged, persons_xyxy_px, (0.0, 0.0), self._settings.reach_m)
        self._presence.step(box_of(persons_xyxy_px, row), self._settings, now_ns)
        if not self._presence.is_there:
            return (told, Finding(there, self._place, Truth.FALSE, 0.0))
        somebody = about | {"since_ns": self._presence.since_ns}
        box, fired = self._presence.box_px, self._presence.fired
        return (told, Finding(there, self._place, Truth.TRUE, 1.0, box, somebody, fired))

    @property
    def section(self) -> Section:
        """The edge as it is judged, always."""
        what = What.OPEN_COVER if self._edge.kind is EdgeKind.OPENING else What.GAP
        return Section(self._edge.edge_id, 0.0, self._edge.length_m, str(what))

    def _about(self, now_ns: int) -> dict[str, str | int | float]:
        if self._since_ns is None:
            self._since_ns = now_ns
        edge = self._edge
        what = "open_cover" if edge.kind is EdgeKind.OPENING else "missing"
        names = {"edge": edge.edge_id, "title": edge.title, "what": what, "why": "tape is no protection"}
        return {**names, "from_m": 0.0, "to_m": edge.length_m, "since_ns": self._since_ns}

    def _laid(self, frame: Frame) -> View:
        if self._view is None or self._size != (frame.width_px, frame.height_px):
            self._size = (frame.width_px, frame.height_px)
            self._view = view_of(self._edge, *self._size)
        return self._view
