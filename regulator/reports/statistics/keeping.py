"""Statistics that were made a moment ago are shown again: days that are over change only by what comes late.

In: a database and the clock's time. Out: statistics with the time of their making, at most a quarter of an hour ago.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import date

from regulator.records.engine import DeskDatabase
from regulator.reports.statistics.gathering import Statistics, statistics_of
from regulator.reports.statistics.making import span_of
from regulator.reports.statistics.selection import Selection

KEPT_NS = 900_000_000_000
MOST_KEPT = 200
_Key = tuple[Selection, date, date]


@dataclass(frozen=True, slots=True)
class Made:
    """Statistics and when they were made, UTC ns."""

    statistics: Statistics
    at_ns: int


class StatisticsKeeper:
    """One for a process. Thread-safe."""

    def __init__(self, database: DeskDatabase) -> None:
        self._database = database
        self._kept: OrderedDict[_Key, Made] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, selection: Selection, first_day: date, last_day: date, now_ns: int) -> Made:
        """Those of a selection and days, made now unless they are kept."""
        key = (selection, first_day, last_day)
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None and 0 <= now_ns - kept.at_ns < KEPT_NS:
            return kept
        with self._database.reading() as db:
            made = Made(statistics_of(db, selection, span_of(db, selection, first_day, last_day)), now_ns)
        with self._lock:
            self._kept[key] = made
            self._kept.move_to_end(key)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return made
