"""The envelope of a silent crane: it is somewhere within the circle that it sweeps.

In: the parts that are known, and which cranes are not known in full. Out: for each pair with such a crane, a distance
that the two cannot have fallen below. Without it one silent crane would make a whole site unknown, also what is out of
its reach. Knows nothing of readings and limits.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.parts.crane.group.approach import PartPairs
from gateway.parts.crane.group.bodies import Body, Part, Parts
from gateway.parts.crane.group.segments import point_distance_m

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Near:
    """What is known: the parts now, which segments are there (5 * k,), which cranes (k,) are known in full, and how far
    the parts of each of those may move meanwhile (k,), m."""

    parts: Parts
    on: Flags
    complete: Flags
    moves_m: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Envelope:
    """The cylinders that the cranes sweep: `top_m` (k,) is the highest that any part gets, infinite if not known."""

    body: Body
    top_m: Floats

    @classmethod
    def of(cls, body: Body, mast_m: Floats) -> "Envelope":
        """From the heights of the masts (k,), NaN where not known."""
        axis_m = np.where(body.luffing, body.jib_m, body.half_m[Part.JIB])
        above_m = np.maximum(body.head_m, axis_m) + body.half_m.max(axis=0)
        top_m = body.base_m[2] + mast_m + above_m
        return cls(body, np.where(np.isnan(top_m), np.inf, top_m))

    def at_least_m(self, pairs: PartPairs, near: Near) -> Floats:
        """What the pairs (p,) cannot be nearer than; infinite for a pair whose cranes are both known in full."""
        i, j = pairs.first, pairs.second
        base = self.body.base_m[:2]
        circles = np.hypot(*(base[:, i] - base[:, j])) - self.body.reach_m[i] - self.body.reach_m[j]
        gap = self._gap_m(near.parts, near.on) - near.moves_m[:, None]
        one = np.where(near.complete[i], gap[i, j], 0.0)
        other = np.where(near.complete[j], gap[j, i], 0.0)
        least = np.maximum(np.maximum(circles, 0.0), np.maximum(one, other))
        both: Floats = np.where(near.complete[i] & near.complete[j], np.inf, least)
        return both

    def _gap_m(self, parts: Parts, on: Flags) -> Floats:
        """From every crane's known parts to the cylinder of every other, (k, k)."""
        count = self.body.count
        start, span = parts.start[:, :, 0], parts.span[:, :, 0]
        half = self.body.half_m.reshape(-1, 1)
        plan = point_distance_m(self.body.base_m[:2][:, None, :], start[:2, :, None], span[:2, :, None])
        beside = np.maximum(plan - half - self.body.reach_m, 0.0)
        lowest = np.minimum(start[2], start[2] + span[2])[:, None] - half
        above = np.maximum(lowest - self.top_m, 0.0)
        gap = np.where(on[:, None], np.hypot(beside, above), np.inf)
        smallest: Floats = gap.reshape(len(Part), count, count).min(axis=0)
        return smallest
