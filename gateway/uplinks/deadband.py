"""Which polls are worth reporting: those in which a value has left its deadband. Pure.

In: history blocks in the order of their cursors. Out: which polls of a series to report. Knows no protocol, no limits.

A deadband thins what is reported, and nothing else: history, rules, alarms and evidence get every value before this
module sees it, so that it can hide no limit crossing from them. A series (the values that share a line) is reported
when one of its values differs from the one last reported by more than its deadband, when a quality is not or was not
good, and at least every `HEARTBEAT_S`; a value without a deadband is always due. A block that comes again (its sending
failed) is treated as if nothing had been reported: a repetition may say too much, never too little.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.model.quantity import Point
from gateway.model.reading import Quality
from gateway.ports import ReadingBlock

HEARTBEAT_NS = 60 * 1_000_000_000


@dataclass(slots=True, eq=False)
class _Series:
    """What one series last reported: values (k,), whether all were good, when."""

    cursor: int
    points: tuple[Point, ...]
    value: NDArray[np.float64]
    good: bool
    observed_at_ns: int


class Deadbands:
    """What one receiver has been told, by series."""

    def __init__(self) -> None:
        self._series: dict[tuple[str, int], _Series] = {}

    def rows(self, block: ReadingBlock, columns: Sequence[int] | NDArray[np.intp]) -> NDArray[np.bool_]:
        """True (p,) for every poll to report of the series that these columns make."""
        points = tuple(block.points[column] for column in columns)
        deadband = np.array([point.deadband for point in points])
        if not deadband.all():
            return np.ones(len(block.value), dtype=np.bool_)
        key = (block.device, int(columns[0]))
        value, good = block.value[:, columns], (block.quality[:, columns] == Quality.GOOD).all(axis=1).tolist()
        known = self._series.get(key)
        if known is None or block.cursor <= known.cursor or known.points != points:
            known = _Series(block.cursor, points, value[0], False, 0)
        known.cursor = block.cursor
        self._series[key] = known
        kept = [
            _due(known, deadband, value[row], good[row], at_ns)
            for row, at_ns in enumerate(block.observed_at_ns.tolist())
        ]
        return np.array(kept, dtype=np.bool_)


def _due(series: _Series, deadband: NDArray[np.float64], value: NDArray[np.float64], good: bool, at_ns: int) -> bool:
    recent = 0 <= at_ns - series.observed_at_ns < HEARTBEAT_NS
    if recent and good and series.good and bool((np.abs(value - series.value) <= deadband).all()):
        return False
    series.value, series.good, series.observed_at_ns = value, good, at_ns
    return True
