"""How near the parts of a group's cranes come to each other, now and while they go on moving as they do.

In: the parts now, and at the moments of a grid ahead. Out: for each pair of cranes the smallest distance now, the
smallest until both could have stopped, and when it first falls below a given distance. Pure numbers: knows nothing of
readings and limits.

Looking ahead costs little because a distance cannot change faster than its two parts move (Lipschitz; Piyavskii 1972):

    d(k)                d between two known moments is at least (d_left + d_right - closing * moments between) / 2;
      \\      /          only where that may matter is the middle looked at, half by half, down to single moments
       \\    /
        `..'            then a dip between two moments is at most half of what the parts move in one of them
"""

from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from gateway.parts.crane.group.bodies import Body, Part, Parts
from gateway.parts.crane.group.segments import segment_distance_m

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

COARSE = 16
"""Moments between the first samples ahead; a power of two that divides the grid."""


@dataclass(frozen=True, slots=True, eq=False)
class PartPairs:
    """Which segments are compared. Arrays (n,) but `first` and `second` (p,): the cranes of each pair.

    `thick_m` is what the two bodies' radii take from the distance of their axes. `bound_m` is what no slewing can go
    below. Masts do not meet masts, and a part meets none of its own crane.
    """

    first: Indices
    second: Indices
    pair: Indices
    a: Indices
    b: Indices
    thick_m: Floats
    bound_m: Floats

    @classmethod
    def of(cls, body: Body) -> "PartPairs":
        """All pairs of a group."""
        cranes = list(combinations(range(body.count), 2))
        kinds = [kind for kind in product(Part, Part) if kind != (Part.MAST, Part.MAST)]
        rows = [(p, a * body.count + i, b * body.count + j) for p, (i, j) in enumerate(cranes) for a, b in kinds]
        pair, a, b = np.array(rows, dtype=np.intp).reshape(-1, 3).T.copy()
        half, reach = body.half_m.ravel(), _reach_m(body)
        base = body.base_m[:2][:, np.arange(body.count * len(Part)) % body.count]
        apart = np.hypot(*(base[:, a] - base[:, b]))
        thick = half[a] + half[b]
        first, second = np.array(cranes, dtype=np.intp).reshape(-1, 2).T.copy()
        return cls(first, second, pair, a, b, thick, apart - reach[a] - reach[b] - thick)

    def smallest(self, distance_m: Floats) -> Floats:
        """Of distances (n,), the smallest of each pair of cranes (p,); infinite where there is none."""
        smallest = np.full(len(self.first), np.inf)
        np.minimum.at(smallest, self.pair, distance_m)
        return smallest

    def matrix(self, of_pair: Floats, count: int) -> Floats:
        """Values of pairs (p,) as a symmetric matrix (k, k), infinite on the diagonal."""
        matrix = np.full((count, count), np.inf)
        matrix[self.first, self.second] = matrix[self.second, self.first] = of_pair
        return matrix


def _reach_m(body: Body) -> Floats:
    """How far the axis of each segment gets from its slewing axis in plan, (5 * k,)."""
    none = np.zeros(body.count)
    return np.concatenate([body.jib_m, body.counter_jib_m, none, body.radius_max_m, body.radius_max_m])


def distances_m(pairs: PartPairs, parts: Parts, on: NDArray[np.bool_]) -> Floats:
    """Now: how far the parts of each compared pair are apart, (n,), 0 when they touch.

    Infinite where a segment is not known, or is not there (`on` (5 * k,) False, an empty hook's load).
    """
    start, span = parts.start[:, :, 0], parts.span[:, :, 0]
    a, b = pairs.a, pairs.b
    apart = segment_distance_m(start[:, a], span[:, a], start[:, b], span[:, b])
    there = on[a] & on[b] & ~np.isnan(apart)
    distance: Floats = np.where(there, np.maximum(apart - pairs.thick_m, 0.0), np.inf)
    return distance


@dataclass(frozen=True, slots=True, eq=False)
class Ahead:
    """What is ahead of each pair of cranes (p,): the smallest distance until they could stop, and the moment at which
    it first falls below the given distance, infinite when it does not."""

    nearest_m: Floats
    first_moment: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """How to look ahead. `stop_moment` (p,): until when a pair's smallest distance counts. Below `exact_below_m` the
    smallest distance is found to the moment; above it, what is found may be too large. `warn_below_m`: what is first
    fallen below."""

    stop_moment: Floats
    warn_below_m: float
    exact_below_m: float


class LookAhead:
    """One look ahead at all pairs. `parts` at moments 0 ... last (a multiple of COARSE); `now_m` from `distances_m`."""

    def __init__(self, pairs: PartPairs, parts: Parts, now_m: Floats, look: Look) -> None:
        self._pairs, self._parts, self._look = pairs, parts, look
        self._moments = parts.start.shape[2]
        self._nearest = pairs.smallest(now_m)
        self._first = np.where(self._nearest < look.warn_below_m, 0.0, np.inf)
        moves_m = furthest_moves_m(parts)
        closing = moves_m[pairs.a] + moves_m[pairs.b]
        self._rows = np.flatnonzero(self._worth(now_m, closing))
        self._pair, self._closing = pairs.pair[self._rows], closing[self._rows]
        self._a, self._b = pairs.a[self._rows], pairs.b[self._rows]
        self._thick = pairs.thick_m[self._rows]
        self._now = now_m[self._rows]

    def result(self) -> Ahead:
        """Sample coarsely, then halve the spans that may still matter."""
        if len(self._rows):
            row, moment, left, right = self._coarse()
            stride = COARSE
            while stride > 1 and len(row):
                keep = self._matters(row, moment, left + right - self._closing[row] * stride)
                row, moment, left, right = row[keep], moment[keep], left[keep], right[keep]
                stride //= 2
                middle = self._sample(row, moment + stride)
                row, moment = np.concatenate([row, row]), np.concatenate([moment, moment + stride])
                left, right = np.concatenate([left, middle]), np.concatenate([middle, right])
        return Ahead(self._nearest, self._first)

    def _worth(self, now_m: Floats, closing: Floats) -> NDArray[np.bool_]:
        """Which pairs of parts may come so near within the whole grid that either crane is told something else."""
        nearest = np.minimum(self._of_either(self._nearest), self._look.exact_below_m)
        sooner = np.where(self._of_either(self._first) > 0.0, self._look.warn_below_m, 0.0)
        limit = np.maximum(nearest, sooner)[self._pairs.pair]
        worth: NDArray[np.bool_] = (now_m - closing * (self._moments - 1) < limit) & (self._pairs.bound_m < limit)
        rows = np.flatnonzero(worth)
        low, high = _heights_m(self._parts)
        a, b = self._pairs.a[rows], self._pairs.b[rows]
        worth[rows] = np.maximum(low[a] - high[b], low[b] - high[a]) - self._pairs.thick_m[rows] < limit[rows]
        return worth

    def _coarse(self) -> tuple[Indices, Indices, Floats, Floats]:
        """Spans of COARSE moments: their row, first moment, and the distances at both ends."""
        start, span = self._parts.start[:, :, ::COARSE].copy(), self._parts.span[:, :, ::COARSE].copy()
        a, b = self._a, self._b
        apart = segment_distance_m(start[:, a], span[:, a], start[:, b], span[:, b])
        apart = np.maximum(apart - self._thick[:, None], 0.0)
        apart[:, 0] = self._now
        spans = apart.shape[1] - 1
        row = np.repeat(np.arange(len(a)), spans)
        moment = np.tile(np.arange(spans) * COARSE, len(a))
        left, right = apart[:, :-1].ravel(), apart[:, 1:].ravel()
        self._note(row, moment + COARSE, right)
        return row, moment, left, right

    def _sample(self, row: Indices, moment: Indices) -> Floats:
        """The distances of some rows at some moments, which are noted."""
        start, span = self._parts.start.reshape(3, -1), self._parts.span.reshape(3, -1)
        a, b = self._a[row] * self._moments + moment, self._b[row] * self._moments + moment
        apart = segment_distance_m(start[:, a], span[:, a], start[:, b], span[:, b])
        apart = np.maximum(apart - self._thick[row], 0.0)
        self._note(row, moment, apart)
        return apart

    def _note(self, row: Indices, moment: Indices, apart: Floats) -> None:
        pair = self._pair[row]
        in_time = moment <= self._look.stop_moment[pair]
        np.minimum.at(self._nearest, pair[in_time], apart[in_time])
        near = apart < self._look.warn_below_m
        np.minimum.at(self._first, pair[near], moment[near].astype(np.float64))

    def _matters(self, row: Indices, moment: Indices, twice_least: Floats) -> NDArray[np.bool_]:
        """Whether a span may hold a distance that changes what either crane of its pair is told."""
        pair, least = self._pair[row], twice_least / 2
        nearest = np.minimum(self._of_either(self._nearest), self._look.exact_below_m)[pair]
        first = self._of_either(self._first)[pair]
        nearer = (moment < self._look.stop_moment[pair]) & (least < nearest)
        earlier = (moment < first) & (least < self._look.warn_below_m)
        return nearer | earlier

    def _of_either(self, of_pair: Floats) -> Floats:
        """For each pair (p,), the larger of its two cranes' smallest values."""
        count = int(self._pairs.second.max()) + 1
        smallest = self._pairs.matrix(of_pair, count).min(axis=1)
        larger: Floats = np.maximum(smallest[self._pairs.first], smallest[self._pairs.second])
        return larger


def furthest_moves_m(parts: Parts) -> Floats:
    """The furthest that any point of each segment (5 * k,) moves from one moment to the next; NaN when not known."""
    moved = np.diff(parts.start, axis=2)
    start_m2 = (moved * moved).sum(axis=0)
    moved += np.diff(parts.span, axis=2)
    end_m2 = (moved * moved).sum(axis=0)
    furthest: Floats = np.sqrt(np.maximum(start_m2, end_m2).max(axis=1))
    return furthest


def _heights_m(parts: Parts) -> tuple[Floats, Floats]:
    """Lowest and highest point of each segment's axis over all moments, (5 * k,)."""
    top, bottom = parts.start[2], parts.start[2] + parts.span[2]
    return np.minimum(top, bottom).min(axis=1), np.maximum(top, bottom).max(axis=1)
