"""Gates of the inverse-velocity method (逆速度): when it may be used, standards 7.1 (PD).

In: the readings since the acceleration began, moving in the positive direction, and their noise. Out: open or not.
Closed never means safe.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from gateway.assets.trend import curvature_sigmas, median, slope, window_means
from gateway.assets.trend_track import Series

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CreepGates:
    """The gates; all PD. The rate must reach `floor_mm_d` and `sigmas` times its own error, over `readings` at least.
    The readings but for the last `rises` windows must curve upwards by `curved_sigmas` already: the acceleration has
    lasted. The line through 1/v, each weighted by its error, must fall by `fall_sigmas`. The speed must be `outruns`
    times what the point has survived before, and the newest rate the fastest, but for `newest_sigmas` of its error."""

    floor_mm_d: float = 0.5
    sigmas: float = 3.0
    readings: int = 6
    rises: int = 3
    curved_sigmas: float = 1.2
    fall_sigmas: float = 2.2
    outruns: float = 1.6
    newest_sigmas: float = 0.5
    windows: int = 8


@dataclass(frozen=True, slots=True, eq=False)
class Rates:
    """Rates between neighbouring windows (k,): when, how fast, and the standard error of each, days and mm/d."""

    at_d: Floats
    mm_d: Floats
    error_mm_d: Floats


def window_rates(series: Series, window_d: float, sigma_mm: float) -> Rates:
    """Rates between the means of windows counted back from the last reading."""
    t, x, weight = window_means(series.t_d, series.x_mm, series.weight, window_d)
    apart = np.diff(t)
    error = sigma_mm * np.sqrt(1 / weight[1:] + 1 / weight[:-1]) / apart
    return Rates((t[1:] + t[:-1]) / 2, np.diff(x) / apart, error)


def gates_open(series: Series, sigma_mm: float, window_d: float, gates: CreepGates) -> bool:
    """Whether every gate is met by the readings since the acceleration began, freed of the daily wave and of steps.
    `window_d` is the shortest window that tells a rate."""
    if len(series) < gates.readings:
        return False
    span_d = float(series.t_d[-1] - series.t_d[0])
    rates = window_rates(series, max(median(np.diff(series.t_d)), span_d / gates.windows), sigma_mm)
    return (
        lasting_sigmas(series, sigma_mm, gates.rises * min(window_d, span_d / gates.windows)) >= gates.curved_sigmas
        and inverse_fall_sigmas(rates) >= gates.fall_sigmas
    )


def lasting_sigmas(series: Series, sigma_mm: float, last_d: float) -> float:
    """By how many standard errors the readings curve upwards without the last so many days: what a storm or one bad
    reading brings is not yet in them. 0 where too few are left."""
    early = series.part(series.t_d < series.t_d[-1] - last_d * 0.99)
    return curvature_sigmas(early.t_d, early.x_mm, early.weight, sigma_mm)


def inverse_fall_sigmas(rates: Rates) -> float:
    """By how many standard errors the line through 1/v falls, 0 under 4 rates. The error of 1/v is that of v over v
    squared: the slow rates of long ago, whose inverse is nearly noise, hardly count. A rate that is not positive has no
    inverse and is left out."""
    forwards = rates.mm_d > 0
    if np.count_nonzero(forwards) < 4 or not forwards[-1]:
        return 0.0
    at_d, speed = rates.at_d[forwards], rates.mm_d[forwards]
    weight = (speed * speed / np.maximum(rates.error_mm_d[forwards], 1e-12)) ** 2
    centred = at_d - float(weight @ at_d) / float(weight.sum())
    spread = weight * centred
    return -float(spread @ (1 / speed)) / sqrt(float(spread @ centred))


def still_growing(rates: Rates, sigmas: float) -> bool:
    """Whether the newest rate is the fastest, but for so many of its errors: a movement that is past its fastest comes
    to rest."""
    reached = rates.mm_d[-1] + sigmas * rates.error_mm_d[-1]
    return len(rates.mm_d) > 1 and bool(reached >= rates.mm_d[:-1].max())


def outruns(series: Series, creeping: Series, window_d: float, gates: CreepGates) -> bool:
    """Whether the point is faster now, by `gates.outruns`, than it ever was before the later half of its acceleration.
    A speed that the ground has survived is no sign of failure."""
    creeping_d = float(creeping.t_d[-1] - creeping.t_d[0])
    span_d = gates.rises * min(window_d, creeping_d / gates.windows)
    middle_d = float(creeping.t_d[-1]) - 0.5 * creeping_d
    before = series.part(series.t_d < middle_d)
    last = series.since(min(float(series.t_d[-1]) - 1.05 * span_d, float(series.t_d[-2])))
    now_mm_d = abs(slope(last.t_d, last.x_mm, last.weight, 1.0).mm_d)
    if len(before) < 2:
        return True
    t, x, _ = window_means(before.t_d, before.x_mm, before.weight, span_d)
    fastest = float(np.abs(np.diff(x) / np.diff(t)).max()) if len(t) > 1 else 0.0
    return now_mm_d >= gates.outruns * fastest
