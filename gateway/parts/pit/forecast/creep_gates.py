"""Gates of the inverse-velocity method (逆速度): when it may be used, standards 7.1 (PD).

In: the readings since the acceleration began, moving in the positive direction, and their noise. Out: open or not.
Closed never means safe. Frequent readings show by themselves how each window moved; of readings a day apart the same
is asked in standard errors, of all points that move together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import atan, nan, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from gateway.parts.pit.forecast.creep import Creeping
from gateway.parts.pit.forecast.trend import curvature_sigmas, median, moving_mean, slope, window_means
from gateway.parts.pit.forecast.trend_track import Series

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CreepGates:
    """The gates; all PD. The rate must reach `floor_mm_d` and `sigmas` times its own error, over `readings` at least.

    Frequent readings: the short moving mean must have risen over `rises` windows and lie above the long one; the line
    through 1/v must fall with p below `p_value` and explain `r_squared` of it.

    Seldom ones: the readings but for the last `rises` windows curve upwards by `lasting_sigmas` already; the line
    through 1/v, each weighted by its error, falls by `fall_sigmas`; the newest rate is the fastest, but for
    `newest_sigmas`; the speed is `outruns` times what the point has survived before; the scatter around the fit is at
    most `misfit` and `misfit_of_few` over the root of the readings times that between neighbouring readings.
    """

    floor_mm_d: float = 0.5
    sigmas: float = 3.0
    readings: int = 6
    rises: int = 3
    p_value: float = 0.05
    r_squared: float = 0.8
    windows: int = 8
    short: int = 2
    long: int = 4
    lasting_sigmas: float = 1.5
    fall_sigmas: float = 2.75
    newest_sigmas: float = -1.5
    outruns: float = 2.0
    misfit: float = 1.04
    misfit_of_few: float = 4.0


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


def seldom_gates_open(series: Series, points: Sequence[Creeping], window_d: float, gates: CreepGates) -> bool:
    """Whether every gate is met by points that are read seldom and move together. `series` is all that is known of the
    first; `window_d` is the shortest window that tells its rate."""
    root = sqrt(len(points))
    lasting = sum(_lasting_sigmas(point, window_d, gates) for point in points) / root
    falls = sum(inverse_fall_sigmas(_span_rates(point, gates)) for point in points) / root
    newest = [newest_sigmas(window_rates(point.series, window_d, point.sigma_mm)) for point in points]
    return (
        lasting >= gates.lasting_sigmas
        and falls >= gates.fall_sigmas
        and sum(newest) / root >= gates.newest_sigmas
        and fits(points, gates)
        and outruns(series, points[0], window_d, gates)
    )


def fits(points: Sequence[Creeping], gates: CreepGates) -> bool:
    """Whether the law explains the readings about as well as they agree with each other: beyond that it is wrong,
    however much better it is than others. Few readings tell either badly."""
    misfit = sqrt(sum((point.sigma_mm / point.noise_mm) ** 2 for point in points) / len(points))
    return misfit <= gates.misfit + gates.misfit_of_few / sqrt(points[0].readings)


def _span_rates(point: Creeping, gates: CreepGates) -> Rates:
    window_d = max(median(np.diff(point.series.t_d)), point.lasted_d / gates.windows)
    return window_rates(point.series, window_d, point.sigma_mm)


def _lasting_sigmas(point: Creeping, window_d: float, gates: CreepGates) -> float:
    """By how many standard errors the readings curve upwards without the last windows: what a storm or one bad reading
    brings is not yet in them. 0 where too few are left."""
    series = point.series
    last_d = gates.rises * min(window_d, point.lasted_d / gates.windows)
    early = series.part(series.t_d < series.t_d[-1] - last_d * 0.99)
    return curvature_sigmas(early.t_d, early.x_mm, early.weight, point.sigma_mm)


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


def newest_sigmas(rates: Rates) -> float:
    """By how many of its errors the newest rate exceeds the fastest before: a movement that is past its fastest comes
    to rest. Far below 0 under 2 rates."""
    if len(rates.mm_d) < 2:
        return -np.inf
    return float((rates.mm_d[-1] - rates.mm_d[:-1].max()) / rates.error_mm_d[-1])


def outruns(series: Series, point: Creeping, window_d: float, gates: CreepGates) -> bool:
    """Whether the point is faster now, by `gates.outruns`, than it clearly ever was before the later half of its
    acceleration. A speed that the ground has survived is no sign of failure; one that noise may have made is none."""
    span_d = gates.rises * min(window_d, point.lasted_d / gates.windows)
    before = series.part(series.t_d < float(point.series.t_d[-1]) - 0.5 * point.lasted_d)
    last = series.since(min(float(series.t_d[-1]) - 1.05 * span_d, float(series.t_d[-2])))
    now_mm_d = abs(slope(last.t_d, last.x_mm, last.weight, 1.0).mm_d)
    if len(before) < 2:
        return True
    survived = window_rates(before, span_d, point.noise_mm)
    clearly_mm_d = np.abs(survived.mm_d) - survived.error_mm_d
    return now_mm_d >= gates.outruns * float(clearly_mm_d.max(initial=0.0))


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
