"""What a displacement series does: its noise, its rate, whether the rate grows, how far the limit is.

Pure functions over arrays in time order: `t_d` days, `x_mm` millimetres. NaN out where the data cannot say. Knows
nothing of failure models.
"""

from dataclasses import dataclass
from functools import cache
from math import atan2, degrees, erfc, nan, sqrt

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FAR_AWAY_D = 999.0


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate with its standard error, both mm/d."""

    mm_d: float
    error_mm_d: float

    def exceeds(self, floor_mm_d: float, sigmas: float) -> bool:
        """Whether its size is above the floor and above so many standard errors. NaN: no."""
        return abs(self.mm_d) >= floor_mm_d and abs(self.mm_d) >= sigmas * self.error_mm_d


UNKNOWN_RATE = Rate(nan, nan)


def noise_mm(t_d: Floats, x_mm: Floats, weight: Floats) -> float:
    """The scatter of one reading: how far each lies from the line between its neighbours, by the median (a step or a
    spike hardly moves it). NaN under 5 readings."""
    if len(t_d) < 5:
        return nan
    share = (t_d[1:-1] - t_d[:-2]) / (t_d[2:] - t_d[:-2])
    off = x_mm[1:-1] - (1 - share) * x_mm[:-2] - share * x_mm[2:]
    spread = 1 / weight[1:-1] + (1 - share) ** 2 / weight[:-2] + share**2 / weight[2:]
    return 1.4826 * median(np.abs(off) / np.sqrt(spread))


def median(values: Floats) -> float:
    """The upper of the middle values; several times faster on short arrays than numpy's own."""
    return float(np.sort(values)[len(values) // 2])


def slope(t_d: Floats, x_mm: Floats, weight: Floats, sigma_mm: float) -> Rate:
    """The weighted least-squares rate. Its error comes from `sigma_mm`. Unknown under 2 readings."""
    if len(t_d) < 2:
        return UNKNOWN_RATE
    centred = t_d - np.dot(weight, t_d) / weight.sum()
    spread = float(np.dot(weight, centred * centred))
    return Rate(float(np.dot(weight * centred, x_mm)) / spread, sigma_mm / sqrt(spread))


def curvature_sigmas(t_d: Floats, x_mm: Floats, weight: Floats, sigma_mm: float) -> float:
    """How many standard errors the movement bends upwards (a least-squares parabola). 0 under 4 readings."""
    if len(t_d) < 4 or not sigma_mm > 0:
        return 0.0 if len(t_d) < 4 else np.inf
    total = float(weight.sum())
    line = t_d - float(weight @ t_d) / total
    spread = weight * line
    square = line * line
    bent = square - float(weight @ square) / total - line * (float(spread @ square) / float(spread @ line))
    weighted = weight * bent
    return float(weighted @ x_mm) / sqrt(float(weighted @ bent)) / sigma_mm


def window_means(t_d: Floats, x_mm: Floats, weight: Floats, window_d: float) -> tuple[Floats, Floats, Floats]:
    """Weighted means of time and displacement, and the weights, of windows counted back from the last reading."""
    number = ((t_d[-1] - t_d) / window_d).astype(np.int64)
    start = np.concatenate(([0], np.flatnonzero(np.diff(number)) + 1))
    total = np.add.reduceat(weight, start)
    return np.add.reduceat(weight * t_d, start) / total, np.add.reduceat(weight * x_mm, start) / total, total


def moving_mean(values: Floats, width: int) -> Floats:
    """Means over `width` neighbours, shape (n - width + 1,); empty when there are fewer."""
    if len(values) < width:
        return np.empty(0)
    summed = np.concatenate(([0.0], np.cumsum(values)))
    return (summed[width:] - summed[:-width]) / width


def mann_kendall_p(values: Floats) -> float:
    """One-sided p of no growth against growth (Mann-Kendall, normal approximation with continuity correction; ties
    ignored). Small: it grows. Near 1: it falls. NaN under 4 values."""
    n = len(values)
    if n < 4:
        return nan
    later, earlier = _pairs(n)
    score = float(np.sign(values[later] - values[earlier]).sum())
    deviation = sqrt(n * (n - 1) * (2 * n + 5) / 18)
    return 0.5 * erfc((score - np.sign(score)) / deviation / sqrt(2))


@cache
def _pairs(n: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return np.tril_indices(n, -1)


def tangent_deg(rate_mm_d: float, steady_rate_mm_d: float) -> float:
    """The improved tangent angle (改进切线角, standards 7.2, M-H): 45 when as fast as in the steady stage. NaN when a
    rate is not known or the steady rate is not above zero."""
    if not steady_rate_mm_d > 0:
        return nan
    return degrees(atan2(rate_mm_d, steady_rate_mm_d))


def days_to_limit(displacement_mm: float, rate_mm_d: float, limit_mm: float) -> float:
    """Days until the displacement's size reaches the control value at this rate (standards 7.2, PD). 0 when it is
    there, at most 999, NaN when one of the three is not known."""
    if not limit_mm > 0 or not np.isfinite(displacement_mm):
        return nan
    if abs(displacement_mm) >= limit_mm:
        return 0.0
    if not np.isfinite(rate_mm_d):
        return nan
    if rate_mm_d == 0:
        return FAR_AWAY_D
    left_mm = limit_mm - displacement_mm if rate_mm_d > 0 else limit_mm + displacement_mm
    return min(FAR_AWAY_D, left_mm / abs(rate_mm_d))


def non_convergence_ratio(last_rate_mm_d: float, mean_rate_mm_d: float) -> float:
    """Last rate over the least-squares mean rate; 1.2 and more with at least 0.05 mm/d means that it does not converge
    (standards 7.2, V2). NaN when the mean rate is zero or one is not known."""
    if not abs(mean_rate_mm_d) > 0:
        return nan
    return last_rate_mm_d / mean_rate_mm_d
