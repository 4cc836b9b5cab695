"""Columns of `history.db` for curves: readings or minutes of some points, without the other points of their devices.

A block holds every point of a device and is fetched whole. So the points of one device are read together, several
threads open blocks, and only the asked columns are opened and put in order. In: the file, point ids, spans (UTC ns).
Out: arrays in time order. Knows no point's meaning and no screen.
"""

import functools
import json
import logging
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from gateway.model.errors import DecodeError
from gateway.store.blocks import (
    MINUTE_NS,
    Minutes,
    Polls,
    join_minutes,
    join_polls,
    minutes_columns,
    no_minutes,
    polls_columns,
    roll_up,
)
from gateway.store.database import FollowingReader

log = logging.getLogger(__name__)
ROWS_AT_ONCE = 64
UNPACKERS = 2
"""Threads that open blocks for one question: decompression lets go of the interpreter's lock."""
ROWS_BEYOND = 2000
"""Rows that end after a span and may still begin within it. Only what was brought weeks late (a surveyor's table)
reaches so far, and such a device has few rows. Without the bound, a curve of last month would look at each row since.
"""
WITHIN = "layout_id = ? AND t_last_ns BETWEEN ? AND ? AND t_first_ns <= ?"
NOT_ROLLED_UP = "block_id > coalesce((SELECT value FROM meta WHERE name = 'rolled_up_to'), 0)"
T = TypeVar("T", Polls, Minutes)


@dataclass(frozen=True, slots=True)
class RawCover:
    """What raw history there is of some points: since when (UTC ns, None: none at all), and how many values have to be
    opened to read a span of it. `forgotten`: roll-ups know of minutes before it."""

    since_ns: int | None
    cells: int
    forgotten: bool


@dataclass(frozen=True, slots=True)
class _Columns:
    """Some columns of a layout that is `width` points wide."""

    point_ids: tuple[str, ...]
    columns: list[int]
    width: int

    def polls(self, bodies: Sequence[bytes]) -> list[Polls]:
        """The polls that these blocks hold, decoded column by column."""
        return polls_columns(bodies, self.columns)

    def minutes(self, bodies: Sequence[bytes]) -> list[Minutes]:
        """The minutes that these blocks hold, decoded column by column."""
        return minutes_columns(bodies, self.columns)


class ColumnReader:
    """A connection of its own, opened with the first question, so that a long curve keeps no other reader waiting.

    A row whose bytes are no block any more is passed over and logged once.
    """

    def __init__(self, path: Path, *, untouched: bool = False) -> None:
        """`untouched`: nobody writes to the file, and reading must leave nothing beside it."""
        self._open = functools.partial(FollowingReader, path, untouched=untouched)
        self._connection: FollowingReader | None = None
        self._lock = threading.Lock()
        self._unpackers = ThreadPoolExecutor(UNPACKERS, "history-unpacker")
        self._unreadable: set[tuple[str, int]] = set()

    def raw_cover(self, point_ids: Sequence[str], from_ns: int, to_ns: int) -> RawCover:
        """Since when the raw history speaks of any of these points, and what reading them in a span would cost."""
        raw_ns, rolled_ns, cells = [], [], 0
        for layout_id, columns in self._layouts_of(point_ids).items():
            raw_ns += self._oldest("block", layout_id)
            rolled_ns += self._oldest("rollup", layout_id)
            bounds = self._bounds("block", layout_id, from_ns, to_ns)
            ((polls,),) = self._asked(f"SELECT coalesce(sum(polls), 0) FROM block WHERE {WITHIN}", bounds)  # noqa: S608
            cells += int(polls) * columns.width
        since_ns = min(raw_ns, default=None)
        forgotten = bool(rolled_ns) and (since_ns is None or min(rolled_ns) < since_ns // MINUTE_NS * MINUTE_NS)
        return RawCover(since_ns, cells, forgotten)

    def polls_of(self, point_ids: Sequence[str], from_ns: int, to_ns: int) -> dict[str, Polls]:
        """Every raw sample of some points in a span, arrays (p,) and (p, 1). Ask `raw_cover` first what it costs."""
        found: dict[str, list[Polls]] = {point_id: [] for point_id in point_ids}
        for layout_id, columns in self._layouts_of(point_ids).items():
            parts = self._opened(f"block WHERE {WITHIN}", (layout_id, from_ns, to_ns), columns.polls)
            for i, point_id in enumerate(columns.point_ids):
                found[point_id] += [_readings(part, i, from_ns, to_ns) for part in parts]
        return {point_id: _in_time_order(parts) for point_id, parts in found.items()}

    def minutes_of(self, point_ids: Sequence[str], from_ns: int, to_ns: int) -> dict[str, Minutes]:
        """Every minute of some points that overlaps a span, arrays (m,) and (m, 1); the newest polls, which no roll-up
        speaks of yet, are rolled up here."""
        found: dict[str, list[Minutes]] = {point_id: [] for point_id in point_ids}
        for layout_id, columns in self._layouts_of(point_ids).items():
            span = (layout_id, from_ns - MINUTE_NS, to_ns)
            parts = self._opened(f"rollup WHERE {WITHIN}", span, columns.minutes)
            newest = self._opened(f"block WHERE {WITHIN} AND {NOT_ROLLED_UP}", span, columns.polls)
            parts += [roll_up(polls) for polls in newest]
            for i, point_id in enumerate(columns.point_ids):
                found[point_id] += [_minutes(part, i, from_ns, to_ns) for part in parts]
        return {point_id: join_minutes(parts or [no_minutes()]) for point_id, parts in found.items()}

    def close(self) -> None:
        """Let go of the file, once nobody reads it."""
        self._unpackers.shutdown()
        with self._lock:
            if self._connection is not None:
                self._connection.close()

    def _asked(self, sql: str, given: Sequence[object]) -> list[sqlite3.Row]:
        with self._lock:
            return self._db().execute(sql, given).fetchall()

    def _db(self) -> FollowingReader:
        if self._connection is None:
            self._connection = self._open()
        return self._connection

    def _layouts_of(self, point_ids: Sequence[str]) -> dict[int, _Columns]:
        """layout -> the columns of it that hold any of these points; a device table that changed leaves several."""
        held: dict[int, _Columns] = {}
        for layout_id, text in self._asked("SELECT layout_id, points FROM layout", ()):
            if not any(json.dumps(point_id) in text for point_id in point_ids):
                continue
            points = json.loads(text)
            own = tuple(point_id for point_id in point_ids if point_id in points)
            if own:
                held[layout_id] = _Columns(own, [points.index(point_id) for point_id in own], len(points))
        return held

    def _bounds(self, table: str, layout_id: int, from_ns: int, to_ns: int) -> tuple[int, int, int, int]:
        """Parameters of `WITHIN`."""
        beyond = f"SELECT t_last_ns FROM {table} WHERE layout_id = ? AND t_last_ns > ? ORDER BY t_last_ns LIMIT ?"  # noqa: S608
        sql = f"SELECT coalesce(max(t_last_ns), ?) FROM ({beyond})"  # noqa: S608
        ((last_ns,),) = self._asked(sql, (to_ns, layout_id, to_ns, ROWS_BEYOND))
        return layout_id, from_ns, int(last_ns), to_ns

    def _oldest(self, table: str, layout_id: int) -> list[int]:
        """When the oldest row of a layout begins; empty without one."""
        sql = f"SELECT t_first_ns FROM {table} WHERE layout_id = ? ORDER BY t_last_ns LIMIT 1"  # noqa: S608
        return [int(row[0]) for row in self._asked(sql, (layout_id,))]

    def _opened(self, where: str, span: tuple[int, int, int], unpack: Callable[[Sequence[bytes]], list[T]]) -> list[T]:
        """The readable rows of a table in a span (layout, from, to). Several questions take turns row by row."""
        table = where.partition(" ")[0]
        open_some = functools.partial(self._unpacked, table, unpack)
        bounds = self._bounds(table, *span)
        with self._lock:
            cursor = self._db().execute(f"SELECT {table}_id, body FROM {where}", bounds)  # noqa: S608
        opened: list[T] = []
        while True:
            with self._lock:
                rows = cursor.fetchmany(ROWS_AT_ONCE)
            if not rows:
                return opened
            for parts in self._unpackers.map(open_some, [rows[start::UNPACKERS] for start in range(UNPACKERS)]):
                opened += parts

    def _unpacked(
        self, table: str, unpack: Callable[[Sequence[bytes]], list[T]], rows: Sequence[sqlite3.Row]
    ) -> list[T]:
        """Together; when one of them is no block any more, one by one."""
        try:
            return unpack([row[1] for row in rows])
        except DecodeError:
            return [part for row in rows for part in self._alone(table, unpack, row)]

    def _alone(self, table: str, unpack: Callable[[Sequence[bytes]], list[T]], row: sqlite3.Row) -> list[T]:
        try:
            return unpack([row[1]])
        except DecodeError as error:
            if (table, row[0]) not in self._unreadable:
                self._unreadable.add((table, row[0]))
                log.error("event=history_row_unreadable table=%s row=%d reason=%r", table, row[0], str(error))
            return []


def _readings(polls: Polls, column: int, from_ns: int, to_ns: int) -> Polls:
    """One point's samples within a span."""
    inside = (polls.t_ns >= from_ns) & (polls.t_ns <= to_ns)
    cut = slice(column, column + 1)
    if inside.all():
        return Polls(polls.t_ns, polls.value[:, cut], polls.quality[:, cut])
    return Polls(polls.t_ns[inside], polls.value[inside, cut], polls.quality[inside, cut])


def _minutes(minutes: Minutes, column: int, from_ns: int, to_ns: int) -> Minutes:
    """One point's minutes that overlap a span."""
    inside = (minutes.minute_ns > from_ns - MINUTE_NS) & (minutes.minute_ns <= to_ns)
    cut = slice(column, column + 1)
    cells = (minutes.low, minutes.high, minutes.mean)
    low, high, mean = (cell[inside, cut] for cell in cells)
    return Minutes(minutes.minute_ns[inside], low, high, mean, minutes.count[inside, cut], minutes.quality[inside, cut])


def _in_time_order(parts: list[Polls]) -> Polls:
    """Blocks overlap where a device delivered late."""
    if not parts:
        return Polls(np.empty(0, np.int64), np.empty((0, 1)), np.empty((0, 1), np.uint8))
    joined = join_polls(parts)
    if (np.diff(joined.t_ns) >= 0).all():
        return joined
    order = np.argsort(joined.t_ns, kind="stable")
    return Polls(joined.t_ns[order], joined.value[order], joined.quality[order])
