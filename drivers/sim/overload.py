"""The course of one injected overload: load moment in percent over time.

In: where the moment stands, the peak, how long it stays at or above 100 %. Out: percent at each instant. It rises and
falls monotonously, so that it crosses every limit once each way; the plateau breathes by less than 0.6 %.
Pure; knows nothing of cranes, logs or clocks.

    peak          ~~~~~~~~~~~~
    100 % - - - -/- - - - - - \\- - - -
                / |<duration>| \\
    base  _____/                \\_____ back
               | ramp |
"""

import math
from dataclasses import dataclass

LIMIT_PCT = 100.0
"""Rated moment. At or above it the twin counts an overload."""

VIOLATION_PCT = 110.0
"""Above this the crane's own limiter should long have cut the motion."""

PEAK_RANGE_PCT = (112.6, 117.4)
"""Peaks are drawn from here; with the plateau's breathing the moment stays within 112-118 %."""

MINIMUM_DURATION_S = 2.0
_BREATH_PCT = 0.6
_BREATH_PERIOD_S = 2.5


@dataclass(frozen=True, slots=True)
class OverloadProfile:
    """From `base_pct` up to `peak_pct` and down to `back_pct`, at or above 100 % for `duration_s` in all."""

    base_pct: float
    peak_pct: float
    back_pct: float
    duration_s: float
    ramp_s: float = 1.5

    def __post_init__(self) -> None:
        if self.duration_s < MINIMUM_DURATION_S:
            raise ValueError(f"overload duration_s: found {self.duration_s}, expected at least {MINIMUM_DURATION_S}")
        if not max(self.base_pct, self.back_pct) < LIMIT_PCT < self.peak_pct:
            raise ValueError(
                f"overload: found base {self.base_pct}, back {self.back_pct}, peak {self.peak_pct} %, "
                "expected base and back below 100 and the peak above"
            )

    @property
    def hold_s(self) -> float:
        """Length of the plateau: what is left of the duration after the parts of both ramps that lie above 100 %."""
        return self.duration_s - self._above_s(self.base_pct) - self._above_s(self.back_pct)

    @property
    def total_s(self) -> float:
        """From the first rise to the end of the fall."""
        return self.hold_s + 2 * self.ramp_s

    def at(self, elapsed_s: float) -> float:
        """Percent of the rated moment `elapsed_s` after the rise began."""
        if elapsed_s < self.ramp_s:
            return _between(self.base_pct, self.peak_pct, elapsed_s / self.ramp_s)
        into_hold_s = elapsed_s - self.ramp_s
        if into_hold_s < self.hold_s:
            return self.peak_pct + self._breath(into_hold_s)
        return _between(self.peak_pct, self.back_pct, (into_hold_s - self.hold_s) / self.ramp_s)

    def _breath(self, into_hold_s: float) -> float:
        """The load swings a little on its rope; fades in and out so that the ramps stay monotone."""
        window = math.sin(math.pi * into_hold_s / self.hold_s)
        return _BREATH_PCT * window * math.sin(2 * math.pi * into_hold_s / _BREATH_PERIOD_S)

    def _above_s(self, foot_pct: float) -> float:
        """How long a ramp between `foot_pct` and the peak is at or above 100 %: the inverse of the smooth step."""
        height = (LIMIT_PCT - foot_pct) / (self.peak_pct - foot_pct)
        crossing = 0.5 - math.sin(math.asin(1 - 2 * height) / 3)
        return (1 - crossing) * self.ramp_s


def _between(from_pct: float, to_pct: float, share: float) -> float:
    """A smooth step from `from_pct` (share 0) to `to_pct` (share 1): monotone, level at both ends."""
    share = max(0.0, min(1.0, share))
    return from_pct + (to_pct - from_pct) * share * share * (3 - 2 * share)
