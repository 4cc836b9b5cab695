"""Statistics that were made a moment ago are shown again: days that are over change only by what comes late.

    asked for --> made within a quarter of an hour: shown | within an hour: shown, made anew beside it | else made now
    every some minutes --> what was asked for lately, and the province's last thirty days, is made ahead

In: a database and the clock's time. Out: statistics with the time of their making, an hour ago at most. With a year of
alarms stored a making takes seconds, and nobody should wait for it who only opens the page.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import date, timedelta

from regulator.base.days import day_of
from regulator.base.records.engine import DeskDatabase
from regulator.parts.reports.statistics.gathering import Statistics, statistics_of
from regulator.parts.reports.statistics.making import span_of
from regulator.parts.reports.statistics.roll_up import is_rolled_up
from regulator.parts.reports.statistics.selection import Selection

FRESH_NS = 900_000_000_000
SHOWN_NS = 3_600_000_000_000
AHEAD_EVERY_S = 120.0
AHEAD_FOR_NS = 86_400_000_000_000
MOST_AHEAD = 8
"""So many of the selections that were asked for within a day are kept ready; making is work for the database."""
DEFAULT_DAYS = 30
MOST_KEPT = 200
_Key = tuple[Selection, date, date]


@dataclass(frozen=True, slots=True)
class Made:
    """Statistics and when they were made, UTC ns."""

    statistics: Statistics
    at_ns: int


class StatisticsKeeper:
    """One for a process. `always`: selections whose last thirty days are kept ready from the start. Thread-safe."""

    def __init__(self, database: DeskDatabase, always: tuple[Selection, ...] = ()) -> None:
        self._database = database
        self._always = always
        self._kept: OrderedDict[_Key, Made] = OrderedDict()
        self._asked: OrderedDict[tuple[Selection, int], int] = OrderedDict()
        self._making: set[_Key] = set()
        self._lock = threading.Lock()

    def get(self, selection: Selection, first_day: date, last_day: date, now_ns: int) -> Made:
        """Those of a selection and days: kept ones, or made now."""
        key = (selection, first_day, last_day)
        self._note(key, now_ns)
        with self._lock:
            kept, made_now = self._kept.get(key), key in self._making
        if kept is None or not 0 <= now_ns - kept.at_ns < SHOWN_NS:
            return self._make(key, now_ns)
        if now_ns - kept.at_ns >= FRESH_NS and not made_now:
            threading.Thread(target=self._make_once, args=(key, now_ns), name="statistics", daemon=True).start()
        return kept

    def make_ahead(self, now_ns: int) -> None:
        """A job: what will be asked for is there before. Spans that end yesterday move on with the day. Nothing is
        made ahead while alarms of those days still wait to be rolled up."""
        last_day = day_of(now_ns) - timedelta(days=1)
        with self._database.reading() as db:
            if not is_rolled_up(db, day_of(now_ns)):
                return
        with self._lock:
            lately = [asked for asked, at_ns in reversed(self._asked.items()) if now_ns - at_ns < AHEAD_FOR_NS]
        wanted = [(selection, DEFAULT_DAYS) for selection in self._always] + lately[:MOST_AHEAD]
        for selection, days in dict.fromkeys(wanted):
            key = (selection, last_day - timedelta(days=days - 1), last_day)
            with self._lock:
                kept = self._kept.get(key)
            if kept is None or now_ns - kept.at_ns >= FRESH_NS // 2:
                self._make_once(key, now_ns)

    def _note(self, key: _Key, now_ns: int) -> None:
        selection, first_day, last_day = key
        if last_day != day_of(now_ns) - timedelta(days=1):
            return
        asked = (selection, (last_day - first_day).days + 1)
        with self._lock:
            self._asked[asked] = now_ns
            self._asked.move_to_end(asked)
            while len(self._asked) > MOST_KEPT:
                self._asked.popitem(last=False)

    def _make_once(self, key: _Key, now_ns: int) -> None:
        """Unless another thread is at it."""
        with self._lock:
            if key in self._making:
                return
            self._making.add(key)
        try:
            self._make(key, now_ns)
        finally:
            with self._lock:
                self._making.discard(key)

    def _make(self, key: _Key, now_ns: int) -> Made:
        selection, first_day, last_day = key
        with self._database.reading() as db:
            made = Made(statistics_of(db, selection, span_of(db, selection, first_day, last_day)), now_ns)
        with self._lock:
            self._kept[key] = made
            self._kept.move_to_end(key)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return made
