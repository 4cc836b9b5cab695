"""The highest and the lowest that a point said on a day.

In: the history, a span of the day. Out: the extreme of what was good, when, and what doubtful data said beyond it: a
paper hides neither. The newest samples count before they are rolled up: an overload of just now belongs on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gateway.figures.spans import Span
from gateway.model.quantity import Point
from gateway.model.reading import Quality
from gateway.store.history_reader import HistoryReader

MINUTES_A_DAY = 1440
NOT_ROLLED_UP_NS = 3 * 60_000_000_000
LATE_SAMPLES = 500


@dataclass(frozen=True, slots=True)
class Extreme:
    """In the point's unit, and when (UTC ns, to the minute); NaN and 0 when nothing was good. `doubtful` lies beyond
    `value`, or is NaN."""

    value: float
    at_ns: int
    doubtful: float


@dataclass(frozen=True, slots=True)
class _Said:
    """Arrays (n,): when, how much, and whether anything about it was doubtful."""

    at_ns: NDArray[np.int64]
    value: NDArray[np.float64]
    doubtful: NDArray[np.bool_]


class DayExtremes:
    """Asks for one span, at most a day."""

    def __init__(self, history: HistoryReader, span: Span) -> None:
        self._history = history
        self._span = span

    def highest(self, point: Point) -> Extreme:
        """The largest value of this point on that day."""
        return _extreme((self._minutes(point, 1.0), self._latest(point)), 1.0)

    def lowest(self, point: Point) -> Extreme:
        """The smallest value of this point on that day."""
        return _extreme((self._minutes(point, -1.0), self._latest(point)), -1.0)

    def _minutes(self, point: Point, side: float) -> _Said:
        """Highs of minutes (`side` 1) or lows (-1). A minute in which anything was not good is doubtful."""
        last_ns = max(self._span.from_ns, self._span.to_ns - 1)
        minutes = self._history.minutes(point.point_id, self._span.from_ns, last_ns, MINUTES_A_DAY)
        usable = (minutes.count[:, 0] > 0) & (minutes.minute_ns >= self._span.from_ns)
        value = (minutes.high if side > 0 else minutes.low)[usable, 0]
        return _Said(minutes.minute_ns[usable], value, minutes.quality[usable, 0] == Quality.SUSPECT)

    def _latest(self, point: Point) -> _Said:
        from_ns = max(self._span.from_ns, self._span.to_ns - NOT_ROLLED_UP_NS)
        trace = self._history.trace(point.point_id, from_ns, max(from_ns, self._span.to_ns - 1), LATE_SAMPLES)
        usable = (trace.quality != Quality.BAD) & np.isfinite(trace.value)
        return _Said(trace.t_ns[usable], trace.value[usable], trace.quality[usable] == Quality.SUSPECT)


def _extreme(parts: Sequence[_Said], side: float) -> Extreme:
    at_ns = np.concatenate([part.at_ns for part in parts])
    value = np.concatenate([part.value for part in parts])
    doubtful = np.concatenate([part.doubtful for part in parts])
    good = np.flatnonzero(~doubtful)
    best = good[np.argmax(side * value[good])] if len(good) else -1
    known = Extreme(float(value[best]), int(at_ns[best]), np.nan) if best >= 0 else Extreme(np.nan, 0, np.nan)
    if not doubtful.any():
        return known
    beyond = side * float((side * value[doubtful]).max())
    return known if side * beyond <= side * known.value else replace(known, doubtful=beyond)
