"""Questions to `assets.db`, on a read-only connection: working cycles, other events, hand readings.

In: assets, time ranges (UTC ns, from included, to excluded) and limits. Out: rows, oldest first unless said otherwise.
Every call reads what is committed at that moment, and at most `limit` rows.
"""

import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import orjson

from gateway.model.derivation import AssetEvent
from gateway.model.papers import local_day
from gateway.store.asset_records import Cycle, HandReading
from gateway.store.database import FollowingReader

MAX_ROWS = 20_000
_HOUR_NS = 3_600_000_000_000
_ZONE_NS = 8 * _HOUR_NS


@dataclass(frozen=True, slots=True)
class Shifts:
    """The hours (local, UTC+8) at which shifts (班次) begin, in order. PD: day shift 8:00, night shift 20:00."""

    begin_h: tuple[float, ...] = (8.0, 20.0)

    def __post_init__(self) -> None:
        fits = all(0 <= hour < 24 for hour in self.begin_h)
        if not self.begin_h or not fits or list(self.begin_h) != sorted(set(self.begin_h)):
            raise ValueError(f"shifts begin at {self.begin_h}, expected different hours from 0 to 24 in order")

    def of(self, at_ns: int) -> tuple[date, int]:
        """The local day on which the shift began, and which one it is (0 the first). The hours before the day's first
        shift belong to the last shift of the day before."""
        hour = (at_ns + _ZONE_NS) % (24 * _HOUR_NS) / _HOUR_NS
        begun = sum(1 for begin in self.begin_h if begin <= hour)
        day = local_day(at_ns)
        return (day, begun - 1) if begun else (day - timedelta(days=1), len(self.begin_h) - 1)


@dataclass(frozen=True, slots=True, order=True)
class CycleCount:
    """How many cycles one driver did in one shift. `driver` is empty where nobody was logged in."""

    day: date
    shift: int
    driver: str
    cycles: int


class AssetReader:
    """One connection; calls from several threads wait for each other."""

    def __init__(self, path: Path) -> None:
        self._db = FollowingReader(path)
        self._lock = threading.Lock()

    def cycles(self, asset: str, from_ns: int, to_ns: int, limit: int) -> list[Cycle]:
        """Cycles by their time. No two of a crane share one, so the next page begins at the last one's `at_ns` + 1."""
        rows = self._rows(
            "SELECT * FROM cycle WHERE asset = ? AND at_ns >= ? AND at_ns < ? ORDER BY at_ns LIMIT ?",
            (asset, from_ns, to_ns, _bounded(limit)),
        )
        return [_cycle(row) for row in rows]

    def last_cycles(self, asset: str, limit: int, before: int = 2**62) -> list[Cycle]:
        """The newest cycles, or the newest before number `before`, newest first."""
        rows = self._rows(
            "SELECT * FROM cycle WHERE asset = ? AND number < ? ORDER BY number DESC LIMIT ?",
            (asset, before, _bounded(limit)),
        )
        return [_cycle(row) for row in rows]

    def cycles_kept(self, asset: str) -> int:
        """How many cycles of the crane are on the disk."""
        return int(self._rows("SELECT count(*) FROM cycle WHERE asset = ?", (asset,))[0][0])

    def cycle_counts(self, asset: str, from_ns: int, to_ns: int, shifts: Shifts | None = None) -> list[CycleCount]:
        """Cycles by shift and driver, in that order; a cycle belongs to the shift in which it ended."""
        rows = self._rows(
            "SELECT at_ns, driver FROM cycle WHERE asset = ? AND at_ns >= ? AND at_ns < ?", (asset, from_ns, to_ns)
        )
        shifts = shifts or Shifts()
        counts: dict[tuple[date, int, str], int] = {}
        for at_ns, driver in rows:
            key = (*shifts.of(at_ns), driver)
            counts[key] = counts.get(key, 0) + 1
        return sorted(CycleCount(*key, cycles) for key, cycles in counts.items())

    def events(self, asset: str, kind: str, from_ns: int, to_ns: int, limit: int) -> list[AssetEvent]:
        """Events of one kind other than cycles."""
        rows = self._rows(
            "SELECT * FROM event WHERE asset = ? AND kind = ? AND at_ns >= ? AND at_ns < ?"
            " ORDER BY at_ns, event_id LIMIT ?",
            (asset, kind, from_ns, to_ns, _bounded(limit)),
        )
        return [_event(row) for row in rows]

    def last_events(self, asset: str, limit: int) -> list[AssetEvent]:
        """The newest events of any kind other than cycles, newest first."""
        rows = self._rows(
            "SELECT * FROM event WHERE asset = ? ORDER BY at_ns DESC, event_id DESC LIMIT ?", (asset, _bounded(limit))
        )
        return [_event(row) for row in rows]

    def readings(self, point_id: str, from_ns: int, to_ns: int, limit: int) -> list[HandReading]:
        """Hand readings of a point by the time they were observed; of several for one time, the last entered last."""
        rows = self._rows(
            "SELECT * FROM reading WHERE point_id = ? AND observed_at_ns >= ? AND observed_at_ns < ?"
            " ORDER BY observed_at_ns, entered_at_ns, reading_id LIMIT ?",
            (point_id, from_ns, to_ns, _bounded(limit)),
        )
        return [_reading(row) for row in rows]

    def close(self) -> None:
        """Let go of the file that it reads from."""
        with self._lock:
            self._db.close()

    def _rows(self, sql: str, parameters: Sequence[str | int]) -> list[sqlite3.Row]:
        with self._lock:
            return self._db.execute(sql, tuple(parameters)).fetchall()


def _bounded(limit: int) -> int:
    if limit < 1:
        raise ValueError(f"limit {limit}, expected at least 1")
    return min(limit, MAX_ROWS)


def _cycle(row: sqlite3.Row) -> Cycle:
    return Cycle(row["asset"], row["number"], row["at_ns"], row["driver"], orjson.loads(row["body"]))


def _event(row: sqlite3.Row) -> AssetEvent:
    return AssetEvent(row["asset"], row["kind"], row["at_ns"], orjson.loads(row["body"]))


def _reading(row: sqlite3.Row) -> HandReading:
    return HandReading(*(row[name] for name in HandReading.__dataclass_fields__))
