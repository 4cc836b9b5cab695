"""When the twins overload their cranes: a seeded plan, the same for the same seed.

In: plan parameters, seed, crane. Out: the instants, lengths and peaks of the overloads, counted from the start of the
story. Pure. Knows nothing of cranes' states, logs or clocks.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

from drivers.sim.overload import MINIMUM_DURATION_S, PEAK_RANGE_PCT

ROOM_S = 4.0
"""Least time below 100 % between two overloads of one crane: both ramps, and an alarm's off-delay (2 s) to return."""


@dataclass(frozen=True, slots=True)
class PlannedOverload:
    """Begin at `at_s`, stay at or above 100 % for `duration_s`, peak at `peak_pct`."""

    at_s: float
    duration_s: float
    peak_pct: float


@dataclass(frozen=True, slots=True)
class OverloadPlan:
    """First after `first_after_s`, then every `every_s` ± `jitter_s`, for `duration_s` each, none beginning so late
    that it would not be over by `until_s`. Each crane has its own jitter. `every_s` 0 means none at all.
    """

    first_after_s: float = 3.0
    every_s: float = 12.0
    jitter_s: float = 1.0
    duration_s: float = 6.0
    until_s: float = math.inf

    def __post_init__(self) -> None:
        if self.every_s == 0:
            return
        if self.duration_s < MINIMUM_DURATION_S:
            raise ValueError(f"overload duration_s: found {self.duration_s}, expected at least {MINIMUM_DURATION_S}")
        least_s = self.duration_s + 2 * self.jitter_s + ROOM_S
        if self.every_s < least_s:
            raise ValueError(
                f"overload every_s: found {self.every_s}, expected 0 (none) or at least {least_s} "
                f"(duration + 2 jitter + {ROOM_S} for the ramps)"
            )

    def schedule(self, seed: int, crane: str) -> Iterator[PlannedOverload]:
        """The overloads of one crane in order; endless when `until_s` is infinite."""
        if self.every_s == 0:
            return
        source = random.Random(f"{seed}:{crane}:overloads")
        count = 0
        while True:
            nominal_s = self.first_after_s + count * self.every_s
            at_s = max(0.0, nominal_s + source.uniform(-self.jitter_s, self.jitter_s))
            peak_pct = source.uniform(*PEAK_RANGE_PCT)
            if at_s + self.duration_s + ROOM_S > self.until_s:
                return
            yield PlannedOverload(at_s, self.duration_s, peak_pct)
            count += 1
