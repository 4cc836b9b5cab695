"""The distances in a group of cranes at one moment and ahead of it, with what is not known kept apart.

In: positions and speeds of the cranes, heights of their masts, which hooks are loaded. Out: a `Situation`. Knows
nothing of readings, rules and alarms.

A pair of cranes is known in full, or in part (a mast stands where it stands, also when its crane is silent), or not at
all. So there are two figures for each crane: the smallest distance among what is known, and what the rest cannot be
nearer than. Both together say when an answer is certain.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.parts.crane.group.approach import COARSE, Look, LookAhead, PartPairs, distances_m, furthest_moves_m
from gateway.parts.crane.group.bodies import Body, Part, Parts, Pose, place
from gateway.parts.crane.group.braking import BrakingTable
from gateway.parts.crane.group.envelope import Envelope, Near
from gateway.parts.crane.group.motion import BEARING, HOOK, RADIUS, Motion
from gateway.parts.crane.model.geometry import CraneGeometry

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

MOMENTS = 8 * COARSE
"""Moments of the grid ahead. At 20 s and two tips of 60 m jibs that meet at 0.7 r/min, a dip of 0.7 m may be missed."""


@dataclass(frozen=True, slots=True, eq=False)
class Situation:
    """Of k cranes. Matrices (k, k) hold what is known of each pair, infinite where nothing is; arrays (k,) what a crane
    cannot be nearer to those that are not known in full, infinite when all are. Distances m, times s.

    `first_s`: when the distance ahead first falls below the warning distance, infinite when not within the horizon.
    `within_reach` (k, k): 1 when the row's jib is within reach of the column's crane, 0 when not, NaN when not known.
    """

    now_m: Floats
    now_least_m: Floats
    ahead_m: Floats
    ahead_least_m: Floats
    first_s: Floats
    within_reach: Floats


class GroupField:
    """The geometry of one group, worked out once."""

    def __init__(self, cranes: Sequence[CraneGeometry], braking: BrakingTable, horizon_s: float) -> None:
        self.body = Body.of(cranes)
        self._pairs = PartPairs.of(self.body)
        self._braking = braking
        self._step_s = horizon_s / MOMENTS
        self._ahead_s: Floats = np.arange(MOMENTS + 1, dtype=np.float64) * self._step_s

    def assess(self, motion: Motion, mast_m: Floats, loaded: Flags, warn: tuple[float, float]) -> Situation:
        """Distances now and ahead. `mast_m` (k,), `loaded` (k,): the hook carries something, or may do so; `warn`: the
        warning distance, and below which distances ahead are to be exact, m."""
        still: Floats = np.zeros(1, dtype=np.float64)
        now = place(self.body, self._pose(motion.position, np.zeros_like(motion.speed), mast_m, still))
        ahead = place(self.body, self._pose(motion.position, motion.speed, mast_m, self._ahead_s))
        on = np.ones(len(Part) * self.body.count, dtype=np.bool_)
        on[Part.LOAD * self.body.count :] = loaded
        now_m = distances_m(self._pairs, now, on)
        found = LookAhead(self._pairs, ahead, now_m, self._look(motion, warn)).result()
        least = self._least(now, ahead, on, mast_m)
        count = self.body.count
        return Situation(
            now_m=self._pairs.matrix(self._pairs.smallest(now_m), count),
            now_least_m=self._pairs.matrix(least[0], count).min(axis=1),
            ahead_m=self._pairs.matrix(found.nearest_m, count),
            ahead_least_m=self._pairs.matrix(least[1], count).min(axis=1),
            first_s=self._pairs.matrix(found.first_moment * self._step_s, count),
            within_reach=self._within_reach(now),
        )

    def _pose(self, position: Floats, speed: Floats, mast_m: Floats, ahead_s: Floats) -> Pose:
        at = position[:, :, None] + speed[:, :, None] * ahead_s
        return Pose(at[BEARING], at[RADIUS], at[HOOK], mast_m[:, None])

    def _look(self, motion: Motion, warn: tuple[float, float]) -> Look:
        stop = np.minimum(np.ceil(self._braking.stop_s(motion.speed) / self._step_s), MOMENTS)
        return Look(np.maximum(stop[self._pairs.first], stop[self._pairs.second]), *warn)

    def _least(self, now: Parts, ahead: Parts, on: Flags, mast_m: Floats) -> tuple[Floats, Floats]:
        """Of pairs that are not known in full (p,), what they cannot be nearer than, now and within the horizon."""
        shape = (len(Part), self.body.count)
        complete: Flags = np.asarray(now.known.reshape(shape).all(axis=0))
        foreseen: Flags = np.asarray(ahead.known.reshape(shape).all(axis=0))
        if foreseen.all():
            none = np.full(len(self._pairs.first), np.inf)
            return none, none
        envelope = Envelope.of(self.body, mast_m)
        moves_m = furthest_moves_m(ahead).reshape(shape).max(axis=0) * MOMENTS
        at_once = envelope.at_least_m(self._pairs, Near(now, on, complete, np.zeros(self.body.count)))
        later = envelope.at_least_m(self._pairs, Near(now, on, foreseen, moves_m))
        return at_once, later

    def _within_reach(self, now: Parts) -> Floats:
        count = self.body.count
        jib = slice(Part.JIB * count, (Part.JIB + 1) * count)
        start, span = now.start[:2, jib, 0, None], now.span[:2, jib, 0, None]
        base = self.body.base_m[:2][:, None, :]
        place_on = ((base - start) * span).sum(axis=0) / (span * span).sum(axis=0)
        apart = base - start - np.clip(place_on, 0.0, 1.0) * span
        distance = np.hypot(apart[0], apart[1])
        return np.where(np.isnan(distance), np.nan, (distance < self.body.reach_m).astype(np.float64))


def certain_m(known_m: Floats, least_m: Floats, level_m: float, safe_m: float) -> Floats:
    """What may be said of the smallest distance of each crane (k,), NaN when it is not known.

    `known_m`: the smallest among what is known; `least_m`: what the rest cannot be nearer than. It is certain when the
    rest is further anyway, and certainly too small at or below `level_m`. When the rest is beyond `safe_m`, the smaller
    of both is said: the true distance is not below it.
    """
    certain = (known_m <= least_m) | (known_m <= level_m)
    said: Floats = np.where(certain, known_m, np.where(least_m > safe_m, least_m, np.nan))
    return said
