"""Motion of cranes: filtered speeds from readings at irregular times, and each crane's present position.

In: bearing, radius and hook height of every crane as read, with the times of observation. Out: positions at `now` and
speeds. NaN where not known. Bearings wrap at +-180 deg. Knows nothing of shapes and of neighbours.

A speed is known only when a channel has been heard for `warm_up_s` without a gap: two readings make no speed that a
stop may be built on. A gap starts the channel anew, and so does a jump that no crane makes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Times = NDArray[np.int64]

BEARING, RADIUS, HOOK = 0, 1, 2


def wrap_deg(angle: Floats) -> Floats:
    """The same turn as -180 to 180 deg."""
    wrapped: Floats = (angle + 180.0) % 360.0 - 180.0
    return wrapped


@dataclass(frozen=True, slots=True)
class MotionParameters:
    """How speeds are filtered. All product design (PD)."""

    smoothing_s: float = 1.5
    """Time constant of the speeds, seconds. PD"""
    warm_up_s: float = 1.0
    """A speed is known after so long without a gap, seconds. PD"""
    max_age_s: float = 3.0
    """A reading older than this says nothing of where a crane is now; a longer gap starts anew, seconds. PD"""
    fastest: tuple[float, float, float] = (15.0, 5.0, 10.0)
    """What is faster is a jump, not a motion: slewing deg/s, radius m/s, hook m/s. PD"""


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """Positions and speeds, arrays (3, k): bearing deg (and deg/s), radius m (m/s), hook height m (m/s)."""

    position: Floats
    speed: Floats


class MotionTracker:
    """Follows k cranes. Its state is the last reading of each channel (3, k), its speed, and how long it has run."""

    def __init__(self, count: int, parameters: MotionParameters) -> None:
        self._parameters = parameters
        self.value = np.full((3, count), np.nan)
        self.at_ns = np.zeros((3, count), dtype=np.int64)
        self.speed = np.full((3, count), np.nan)
        self._fastest = np.array(parameters.fastest)[:, None]
        self._run_s = np.zeros((3, count))
        self._run = np.zeros((3, count))

    def follow(self, value: Floats, observed_at_ns: Times, now_ns: int) -> Motion:
        """Take what was read (3, k), NaN where nothing usable is known, and say where the cranes are at `now_ns`."""
        heard = np.isfinite(value)
        since_s = (observed_at_ns - self.at_ns) / 1e9
        max_gap_s = self._parameters.max_age_s
        step = value - self.value
        step[BEARING] = wrap_deg(step[BEARING])
        jumped = (since_s > 0.0) & (np.abs(step) > self._fastest * since_s)
        anew = heard & (np.isnan(self.value) | (np.abs(since_s) > max_gap_s) | jumped)
        on = heard & ~anew & (since_s > 0.0)
        if on.any():
            self._go_on(on, step, since_s)
        if anew.any():
            self.speed[anew] = np.nan
            self._run_s[anew] = self._run[anew] = 0.0
        taken = on | anew
        self.value[taken] = value[taken]
        self.at_ns[taken] = observed_at_ns[taken]
        return self._at(heard, now_ns)

    def _go_on(self, on: NDArray[np.bool_], step: Floats, since_s: Floats) -> None:
        gap_s = np.where(on, since_s, 1.0)
        self._run_s[on] += gap_s[on]
        self._run[on] += step[on]
        share = 1.0 - np.exp(-gap_s / self._parameters.smoothing_s)
        smoothed = self.speed + share * (step / gap_s - self.speed)
        warm = self._run_s >= self._parameters.warm_up_s
        begun = np.where(warm, self._run / np.maximum(self._run_s, 1e-9), np.nan)
        self.speed = np.where(on, np.where(np.isnan(self.speed), begun, smoothed), self.speed)

    def _at(self, heard: NDArray[np.bool_], now_ns: int) -> Motion:
        age_s = (now_ns - self.at_ns) / 1e9
        fresh = heard & (np.abs(age_s) <= self._parameters.max_age_s)
        speed = np.where(fresh, self.speed, np.nan)
        moved = np.where(np.isnan(speed), 0.0, speed) * np.maximum(age_s, 0.0)
        return Motion(np.where(fresh, self.value + moved, np.nan), speed)
