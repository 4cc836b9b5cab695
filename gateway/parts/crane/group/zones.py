"""Zones that a crane must keep out of, or must not carry a load over.

In: zones as polygons in the site's frame with a height band, and a crane's outline. Out: which zones are entered, and
which cannot be said. Knows nothing of readings, rules and motion.

    no-lift zone (禁吊区): nothing may hang on the hook there        forbidden zone (禁入区): no part of the crane

Docking practice (standards reference 1.7, 6.2, V1) has up to five no-lift zones of each of two types: B is a polygon of
four (angle, radius) points. Type A is only known by its field's name (ForbidSuspend2): that it is the sector between
two angles and two radii is product design (PD), and so is that angles are bearings from site north, that the points of
type B are joined by straight lines, and that every zone has a height band.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf

import numpy as np
from numpy.typing import NDArray

from gateway.model.plan_geometry import PlanPoint
from gateway.parts.crane.group.outline import Outline
from gateway.parts.crane.group.segments import segment_distance_m

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class ZoneKind(StrEnum):
    """What is forbidden: a load on the hook, or any part of the crane."""

    NO_LIFT = "no_lift"
    FORBIDDEN = "forbidden"


@dataclass(frozen=True, slots=True)
class Zone:
    """One zone. `corners`: at least three (x east, y north), m, in order. Between `bottom_m` and `top_m`, site frame.

    `number` tells it from the others of its kind on one crane, and is what screens and platforms say.
    """

    number: int
    kind: ZoneKind
    corners: tuple[PlanPoint, ...]
    bottom_m: float = -inf
    top_m: float = inf

    def __post_init__(self) -> None:
        if self.number < 1 or len(self.corners) < 3 or not self.bottom_m < self.top_m:
            raise ValueError(f"zone {self.number}: a number from 1, three corners, and a bottom below the top")


class ZoneTable:
    """All zones of one kind around one crane, compiled: edges (2, e) with the zone each belongs to, by number."""

    def __init__(self, zones: Sequence[Zone]) -> None:
        self.zones = tuple(sorted(zones, key=lambda zone: zone.number))
        self.number = np.array([zone.number for zone in self.zones], dtype=np.float64)
        self._bottom_m = np.array([zone.bottom_m for zone in self.zones])[:, None]
        self._top_m = np.array([zone.top_m for zone in self.zones])[:, None]
        sizes = [len(zone.corners) for zone in self.zones]
        self._first = np.cumsum([0, *sizes[:-1]], dtype=np.intp)
        corners = [np.array(zone.corners, dtype=np.float64).T for zone in self.zones]
        self._start = np.concatenate(corners, axis=1)
        self._span = np.concatenate([np.roll(corner, -1, axis=1) - corner for corner in corners], axis=1)

    def entered(self, pieces: Outline) -> Floats:
        """For each zone (z,): 1 when a piece is in it, 0 when none is, NaN when an unknown piece may be."""
        inside = self._gap_m(pieces) <= pieces.half_m
        level = (pieces.low_m - pieces.half_m < self._top_m) & (pieces.high_m + pieces.half_m > self._bottom_m)
        hit = (inside & level).any(axis=1)
        unknown = not pieces.known.all()
        return np.where(hit, 1.0, np.nan if unknown else 0.0)

    def within(self, centre: PlanPoint, reach_m: float) -> "list[Zone]":
        """The zones that a crane at `centre` with this reach can get to at all."""
        here = np.array(centre, dtype=np.float64)[:, None]
        nothing = np.zeros(1)
        point = Outline(here, np.zeros((2, 1)), nothing, nothing, nothing, np.zeros(1, dtype=np.intp))
        near = self._gap_m(point)[:, 0] <= reach_m
        return [zone for zone, reachable in zip(self.zones, near, strict=True) if reachable]

    def _gap_m(self, pieces: Outline) -> Floats:
        """From each zone to each piece in plan (z, n): 0 when they overlap, NaN when the piece is not known."""
        zero = np.zeros((1, 1, 1))
        edge = (_raised(self._start[:, :, None], zero), _raised(self._span[:, :, None], zero))
        piece = (_raised(pieces.start_m[:, None], zero), _raised(pieces.span_m[:, None], zero))
        nearest = np.minimum.reduceat(segment_distance_m(*edge, *piece), self._first, axis=0)
        return np.where(self._holds(pieces.start_m), 0.0, nearest)

    def _holds(self, point: Floats) -> Flags:
        """Whether each zone holds each point (2, n), by the edges that a ray to the east crosses: (z, n)."""
        start, span = self._start[:, :, None], self._span[:, :, None]
        end_y = start[1] + span[1]
        spans = (start[1] > point[1]) != (end_y > point[1])
        rise = np.where(span[1] == 0.0, 1.0, span[1])
        east = start[0] + (point[1] - start[1]) / rise * span[0]
        crossings = np.add.reduceat((spans & (point[0] < east)).astype(np.intp), self._first, axis=0)
        holds: Flags = crossings % 2 == 1
        return holds


def _raised(plan: Floats, zero: Floats) -> Floats:
    """Plan coordinates (2, ...) with a third one that is zero, (3, ...)."""
    return np.concatenate([plan, np.broadcast_to(zero, (1, *plan.shape[1:]))])
