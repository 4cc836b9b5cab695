"""Breaks in a series that ground cannot cause: a spike of one reading, a step to another level.

A prism that is knocked shifts everything after it; a bird in front of it shifts one reading. Neither is movement. The
last reading is left alone: whether it is a spike, a step or the beginning of the end shows only with the next one.
"""

import numpy as np
from numpy.typing import NDArray

from gateway.parts.pit.forecast.trend_track import Series

Floats = NDArray[np.float64]

MOST_STEPS = 2
NEIGHBOURS = 3


def without_spikes(series: Series, sigma_mm: float, sigmas: float = 6.0) -> Series:
    """The series without readings that lie outside both neighbours by so many sigma. A steady or accelerating movement
    never does that."""
    x = series.x_mm
    if len(x) < 3:
        return series
    low, high = np.minimum(x[:-2], x[2:]), np.maximum(x[:-2], x[2:])
    outside = np.maximum(low - x[1:-1], x[1:-1] - high)
    beside = np.concatenate(([0.0], outside, [0.0]))
    # the neighbours of a spike lie outside theirs too, but less far
    spike = (outside > sigmas * sigma_mm) & (outside > beside[:-2]) & (outside > beside[2:])
    good = np.concatenate(([True], ~spike, [True]))
    return series if good.all() else series.part(good)


def steps(series: Series, sigma_mm: float, sigmas: float = 8.0) -> list[int]:
    """Bins before which the level jumps: by more than so many sigma beyond what the faster of the movements before and
    after would bring. At most two, the largest."""
    t, x = series.t_d, series.x_mm
    if len(x) < 2 * NEIGHBOURS + 2:
        return []
    rise, apart = np.diff(x), np.diff(t)
    at = np.arange(NEIGHBOURS, len(rise) - NEIGHBOURS)
    before = (x[at] - x[at - NEIGHBOURS]) / (t[at] - t[at - NEIGHBOURS])
    after = (x[at + 1 + NEIGHBOURS] - x[at + 1]) / (t[at + 1 + NEIGHBOURS] - t[at + 1])
    low, high = np.minimum(before, after) * apart[at], np.maximum(before, after) * apart[at]
    excess = np.maximum(rise[at] - high, low - rise[at])
    largest = np.argsort(-excess)[:MOST_STEPS]
    return sorted(int(at[i]) + 1 for i in largest if excess[i] > sigmas * sigma_mm)
