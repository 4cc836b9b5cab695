"""Gates of the inverse-velocity method (逆速度): when it may be used, standards 7.1 (PD).

In: the readings since the acceleration began, moving in the positive direction, and their noise. Out: open or not.
Closed never means safe.
"""

from dataclasses import dataclass
from math import atan, nan, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from gateway.assets.trend import median, moving_mean, window_means
from gateway.assets.trend_track import Series

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CreepGates:
    """The gates; all PD. The rate must reach `floor_mm_d` and `sigmas` times its own error, over `readings` at least.
    The short moving mean must have risen over `rises` windows and lie above the long one; the line through 1/v must
    fall with p below `p_value` and explain `r_squared` of it."""

    floor_mm_d: float = 0.5
    sigmas: float = 3.0
    readings: int = 6
    rises: int = 3
    p_value: float = 0.05
    r_squared: float = 0.8
    windows: int = 8
    short: int = 2
    long: int = 4


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


def gates_open(series: Series, sigma_mm: float, gates: CreepGates) -> bool:
    """Whether every gate is met by the readings since the acceleration began, freed of the daily wave and of steps."""
    if len(series) < gates.readings:
        return False
    span_d = float(series.t_d[-1] - series.t_d[0])
    rates = window_rates(series, max(median(np.diff(series.t_d)), span_d / gates.windows), sigma_mm)
    if len(rates.mm_d) < gates.rises + gates.short:
        return False
    fast = rates.mm_d[-1] >= max(gates.floor_mm_d, gates.sigmas * rates.error_mm_d[-1])
    return bool(fast) and accelerates(rates, gates) and inverse_falls(rates, gates)


def accelerates(rates: Rates, gates: CreepGates) -> bool:
    """Whether the short moving mean has risen over enough windows and lies above the long one."""
    smooth = moving_mean(rates.mm_d, gates.short)
    rising = np.diff(smooth)[-gates.rises :]
    return bool((rising > 0).all()) and bool(smooth[-1] > rates.mm_d[-gates.long :].mean())


def inverse_falls(rates: Rates, gates: CreepGates) -> bool:
    """Whether 1/v of the smoothed rates falls on a line. A rate that is not positive has no inverse: only what came
    after it counts."""
    smooth, at_d = moving_mean(rates.mm_d, gates.short), moving_mean(rates.at_d, gates.short)
    backward = np.flatnonzero(smooth <= 0)
    first = int(backward[-1]) + 1 if len(backward) else 0
    line = fall_of_line(at_d[first:], 1 / smooth[first:])
    return line.slope < 0 and line.p_value < gates.p_value and line.r_squared >= gates.r_squared


@dataclass(frozen=True, slots=True)
class Line:
    """A least-squares line: its slope, the two-sided p of no slope, and R squared. NaN under 4 points."""

    slope: float = nan
    p_value: float = nan
    r_squared: float = nan


def fall_of_line(t: Floats, y: Floats) -> Line:
    """The line through (t, y)."""
    if len(t) < 4:
        return Line()
    dt, dy = t - t.mean(), y - y.mean()
    stt, sty, syy = float(dt @ dt), float(dt @ dy), float(dy @ dy)
    if syy == 0:
        return Line(0.0, 1.0, 0.0)
    r_squared = min(1.0, sty * sty / stt / syy)
    freedom = len(t) - 2
    if r_squared == 1.0:
        return Line(sty / stt, 0.0, 1.0)
    return Line(sty / stt, student_p(sqrt(r_squared * freedom / (1 - r_squared)), freedom), r_squared)


def student_p(t_value: float, freedom: int) -> float:
    """Two-sided p of Student's t for whole degrees of freedom (Abramowitz and Stegun 26.7.3 and 26.7.4)."""
    angle = atan(abs(t_value) / sqrt(freedom))
    sine, cosine = np.sin(angle), np.cos(angle)
    odd = freedom % 2
    term = cosine if odd else 1.0
    total = 0.0
    for k in range(odd + 1, freedom + 1 - odd, 2):
        total += term
        term *= cosine * cosine * k / (k + 1)
    inside = 2 / pi * (angle + sine * total) if odd else sine * total
    return max(0.0, 1.0 - float(inside))
