"""Robust rate of a quantity per day from its last readings. One bad reading does not change the slope.

In: one reading at a time (UTC ns, value). Out: the median of the slopes between all pairs of readings in the window
(Theil 1950, Sen 1968), and the plain difference to the reading of about a day ago, as a surveyor takes it. Robust means
slow: a jump moves the median only when it has been there for about a third of the window, so that both are said.
A pit may be read once in days (GB 50497-2019 7.0.3: up to ten). Readings that come so rarely that the window holds too
few of them are compared all the same when they come evenly: after a hole in a denser stream nothing is known instead.
Memory is bounded: of a denser stream, readings a thirtieth of the window apart are kept, and always the newest.
"""

from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import isfinite, nan

import numpy as np
from numpy.typing import NDArray

from gateway.assets.derivation import Json

NS_A_DAY = 86_400_000_000_000
KEPT_READINGS = 30
_YOUNGEST_DAY = 0.5
_OLDEST_DAY = 2.0
_FEWEST_SPARSE = 3
_UNEVEN = 2.0
"""Of readings that come rarely: the longest time between two over the shortest, beyond which it is a hole. PD"""


@dataclass(frozen=True, slots=True)
class RateWindow:
    """Readings of the last `window_s`, at least `min_readings` of them, and over at least `min_span_s` (all PD). Of
    readings that come evenly but more rarely the last `min_readings` count (three at least).

    Two readings minutes apart say nothing of millimetres a day: their noise alone would be tens of them.
    """

    window_s: float = 3 * 86_400.0
    min_readings: int = 3
    min_span_s: float = 20 * 3600.0


class RobustRate:
    """The last readings of one quantity. Deterministic, and the same however far the clock is shifted."""

    def __init__(self, window: RateWindow) -> None:
        self._window = window
        self._window_ns = int(window.window_s * 1e9)
        self._spacing_ns = self._window_ns // KEPT_READINGS
        self._fewest_sparse = max(window.min_readings, _FEWEST_SPARSE)
        self._kept: deque[tuple[int, float]] = deque()

    def add(self, at_ns: int, value: float) -> None:
        """One usable reading, later than the last. NaN and what is not later are left out."""
        if not isfinite(value) or (self._kept and at_ns <= self._kept[-1][0]):
            return
        if len(self._kept) > 1 and self._kept[-1][0] - self._kept[-2][0] < self._spacing_ns:
            self._kept.pop()
        self._kept.append((at_ns, value))
        while len(self._kept) > self._fewest_sparse and self._kept[0][0] < at_ns - self._window_ns:
            self._kept.popleft()

    def per_day(self) -> float:
        """Median slope, units per day; NaN with too few readings or too short a span."""
        counted = self._counted()
        if len(counted) < self._window.min_readings or counted[-1][0] - counted[0][0] < self._window.min_span_s * 1e9:
            return nan
        last_ns = counted[-1][0]
        days = np.array([(at_ns - last_ns) / NS_A_DAY for at_ns, _ in counted])
        return median_slope(days, np.array([value for _, value in counted]))

    def since_a_day_per_day(self) -> float:
        """Difference to the reading whose age is nearest to a day, per day; NaN when none is half a day to two old."""
        if not self._kept:
            return nan
        last_ns, last = self._kept[-1]
        aged = [((last_ns - at_ns) / NS_A_DAY, value) for at_ns, value in self._kept]
        usable = [(abs(age - 1.0), age, value) for age, value in aged if _YOUNGEST_DAY <= age <= _OLDEST_DAY]
        if not usable:
            return nan
        _, age, value = min(usable)
        return (last - value) / age

    def shift(self, by: float) -> None:
        """The same readings counted from another zero."""
        self._kept = deque((at_ns, value + by) for at_ns, value in self._kept)

    def clear(self) -> None:
        """Forget the readings, because later ones cannot be compared with them."""
        self._kept.clear()

    def saved(self) -> Json:
        """The kept readings."""
        return [[at_ns, value] for at_ns, value in self._kept]

    def restore(self, saved: Json) -> None:
        """Go on with kept readings. Raises ValueError when they are none."""
        if not isinstance(saved, list):
            raise ValueError("kept readings are not a list")
        self._kept = deque(_pair(entry) for entry in saved)

    def _counted(self) -> list[tuple[int, float]]:
        """The readings in the window; of readings further apart than it allows the last ones, if they come evenly."""
        if not self._kept:
            return []
        oldest_ns = self._kept[-1][0] - self._window_ns
        lately = [reading for reading in self._kept if reading[0] >= oldest_ns]
        if len(lately) >= self._window.min_readings or len(self._kept) < self._fewest_sparse:
            return lately
        last = list(self._kept)[-self._fewest_sparse :]
        gaps_ns = [later - earlier for (earlier, _), (later, _) in pairwise(last)]
        return last if max(gaps_ns) <= _UNEVEN * min(gaps_ns) else lately


def median_slope(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Theil-Sen: the median of the slopes between all pairs (n,), units of y per unit of x; x is strictly rising."""
    first, second = _pairs(len(x))
    return _median((y[second] - y[first]) / (x[second] - x[first]))


def _median(values: NDArray[np.float64]) -> float:
    """Much faster than numpy's for the hundred values it is used for."""
    half = len(values) // 2
    if len(values) % 2:
        return float(np.partition(values, half)[half])
    parted = np.partition(values, (half - 1, half))
    return float(parted[half - 1] + parted[half]) / 2.0


@lru_cache(maxsize=256)
def _pairs(n: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    first, second = np.triu_indices(n, k=1)
    return first, second


def _pair(entry: Json) -> tuple[int, float]:
    match entry:
        case [int(at_ns), int() | float() as value]:
            return at_ns, float(value)
    raise ValueError("a kept reading is not a time and a value")
