"""Robust rate of a quantity per day from its last readings. One bad reading does not change the slope.

In: one reading at a time (UTC ns, value). Out: the median of the slopes between all pairs of readings in the window
(Theil 1950, Sen 1968), and the plain change to readings before, as a surveyor takes it. Robust means slow: a jump moves
the median only when it has been there for about a third of the window, so that both are said.

    plain change: the larger of   this - the reading before it, when that is half a day old or older
                                  this - the readings of about a day ago (their median, of a dense stream)

A reading that is measured again within half a day and is nearer to the reading before it than to its repetition was a
misreading: it is forgotten. A reading that is not believed turns no slope. Its plain change is said all the same, and
what was seen last is what the next reading is compared with: a jump out of a flat line is the jump of one reading.
A pit may be read once in days (GB 50497-2019 7.0.3: up to ten). Readings that come so rarely that the window holds too
few of them are compared all the same when they come evenly: after a hole in a denser stream nothing is known instead.
Memory is bounded: of a denser stream, readings a thirtieth of the window apart are kept, and always the newest.
"""

from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import isfinite, nan
from statistics import median

import numpy as np
from numpy.typing import NDArray

from gateway.model.derivation import Json

NS_A_DAY = 86_400_000_000_000
KEPT_READINGS = 30
_YOUNGEST_DAY = 0.5
_OLDEST_DAY = 2.0
_ABOUT_A_DAY = (0.75, 1.25)
_DENSE = 3
_WITH_A_FORERUNNER = 2
_DIGITS = 9
"""A change is rounded so far: 9.2 less 7.2 is 2.0, and a limit of 2.0 is reached."""
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
        self._seen: tuple[int, float] | None = None
        self._seen_before_last: tuple[int, float] | None = None

    def see(self, at_ns: int, value: float) -> None:
        """One reading that is not believed and may be true: the next one is compared with it."""
        if isfinite(value):
            self._seen = (at_ns, value)

    def add(self, at_ns: int, value: float) -> None:
        """One usable reading, later than the last. NaN and what is not later are left out."""
        if not isfinite(value) or (self._kept and at_ns <= self._kept[-1][0]):
            return
        if self._withdraws(at_ns, value) or self._is_dense():
            self._kept.pop()
        self._kept.append((at_ns, value))
        self._seen_before_last, self._seen = self._seen, None
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

    def change_per_day(self) -> float:
        """The plain change of the last reading, units per day; NaN when no reading is half a day old."""
        if not self._kept:
            return nan
        last_ns, last = self._kept[-1]
        aged = [((last_ns - at_ns) / NS_A_DAY, value) for at_ns, value in self._kept]
        seen = [] if self._seen_before_last is None else [self._seen_before_last]
        before = [((last_ns - at_ns) / NS_A_DAY, value) for at_ns, value in seen] or aged[-2:-1]
        changes = [(last - value) / age for age, value in (*_half_a_day_old(before), *_a_day_ago(aged))]
        largest: float = max(changes, key=abs, default=nan)
        return round(largest, _DIGITS)

    def change_to_per_day(self, at_ns: int, value: float) -> float:
        """The plain change to a reading that is not believed, since the one before it; NaN when that is less than half
        a day old, as in a dense stream: its next reading tells."""
        before = [*self._kept, *([] if self._seen is None else [self._seen])][-1:]
        aged = _half_a_day_old([((at_ns - before_ns) / NS_A_DAY, kept) for before_ns, kept in before])
        return round((value - aged[0][1]) / aged[0][0], _DIGITS) if aged else nan

    def shift(self, by: float) -> None:
        """The same readings counted from another zero."""
        self._kept = deque((at_ns, value + by) for at_ns, value in self._kept)
        self._seen = None if self._seen is None else (self._seen[0], self._seen[1] + by)

    def clear(self) -> None:
        """Forget the readings, because later ones cannot be compared with them."""
        self._kept.clear()
        self._seen = self._seen_before_last = None

    def saved(self) -> Json:
        """The kept readings, and what was seen after them."""
        seen = None if self._seen is None else list(self._seen)
        return {"kept": [[at_ns, value] for at_ns, value in self._kept], "seen": seen}

    def restore(self, saved: Json) -> None:
        """Go on with kept readings. Raises ValueError when they are none."""
        match saved:
            case {"kept": list(kept), "seen": seen}:
                last = None if seen is None else _pair(seen)
            case list(kept):  # as versions before kept it
                last = None
            case _:
                raise ValueError("kept readings are not a list")
        self._kept, self._seen = deque(_pair(entry) for entry in kept), last

    def _is_dense(self) -> bool:
        """The last reading is nearer to the one before it than a dense stream's readings are kept."""
        return len(self._kept) > 1 and self._kept[-1][0] - self._kept[-2][0] < self._spacing_ns

    def _withdraws(self, at_ns: int, value: float) -> bool:
        """This reading, of half a day at most after the last one, shows that the last one was a misreading."""
        if len(self._kept) < _WITH_A_FORERUNNER:
            return False
        (before_ns, before), (doubted_ns, doubted) = self._kept[-2], self._kept[-1]
        half_a_day_ns = _YOUNGEST_DAY * NS_A_DAY
        alone = doubted_ns - before_ns >= half_a_day_ns >= at_ns - doubted_ns
        return alone and abs(value - before) < abs(value - doubted)

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


def _half_a_day_old(aged: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Of readings as (age in days, value), those that are half a day old or older."""
    return [reading for reading in aged if reading[0] >= _YOUNGEST_DAY]


def _a_day_ago(aged: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """What was read about a day ago, as (age in days, value): of a dense stream the median of a few readings."""
    youngest, oldest = _ABOUT_A_DAY
    several = [reading for reading in aged if youngest <= reading[0] <= oldest]
    if len(several) >= _DENSE:
        ages, values = zip(*several, strict=True)
        return [(median(ages), median(values))]
    usable = [(abs(age - 1.0), age, value) for age, value in aged if _YOUNGEST_DAY <= age <= _OLDEST_DAY]
    return [min(usable)[1:]] if usable else []


def median_slope(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Theil-Sen: the median of the slopes between all pairs (n,), units of y per unit of x; x is strictly rising."""
    first, second = _pairs(len(x))
    return _median((y[second] - y[first]) / (x[second] - x[first]))


def _median(values: NDArray[np.float64]) -> float:
    """Much faster than numpy's for the hundred values it is used for."""
    half, ordered = len(values) // 2, np.sort(values)
    if len(values) % 2:
        return ordered.item(half)
    return float(ordered[half - 1] + ordered[half]) / 2.0


@lru_cache(maxsize=256)
def _pairs(n: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    first, second = np.triu_indices(n, k=1)
    return first, second


def _pair(entry: Json) -> tuple[int, float]:
    match entry:
        case [int(at_ns), int() | float() as value]:
            return at_ns, float(value)
    raise ValueError("a kept reading is not a time and a value")
