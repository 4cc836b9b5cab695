"""`history.db`: every reading in compressed blocks, one-minute roll-ups, and the cursors of the uplinks.

    block    polls of one layout (a device with its points); the block's id is also the log position for uplinks
    rollup   minutes of one layout; several rows may speak of one minute, readers join them
    cursor   how far each uplink has taken the log: a backlog is nothing but blocks beyond the cursor

    append --buffer--> flush (every flush_ms, sooner when someone waits) --writer thread--> block + partial minutes
    tend (every minute): partial minutes -> rollup rows, small blocks of the past -> larger ones, retention

Synchronous is NORMAL: a kill loses nothing committed, a power cut may lose the last moments, never the file. What an
unclean stop lost is told by `lost_since_ns`. Knows no rule and no uplink.
"""

import json
import sqlite3
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gateway.model.quantity import PointTable
from gateway.model.reading import Readings
from gateway.store.blocks import (
    MINUTE_NS,
    Minutes,
    Polls,
    join_minutes,
    join_polls,
    pack_minutes,
    pack_polls,
    roll_up,
    unpack_minutes,
    unpack_polls,
)
from gateway.store.database import Repair, Schema, Writer, open_or_repair

SCHEMA = Schema(
    version=1,
    synchronous="NORMAL",
    tables=("meta", "layout", "block", "rollup", "cursor"),
    ddl="""
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE layout (layout_id INTEGER PRIMARY KEY, device TEXT NOT NULL, points TEXT NOT NULL, UNIQUE(device, points));
CREATE TABLE block (
    block_id INTEGER PRIMARY KEY AUTOINCREMENT, layout_id INTEGER NOT NULL, t_first_ns INTEGER NOT NULL,
    t_last_ns INTEGER NOT NULL, polls INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX block_by_time ON block(layout_id, t_last_ns);
CREATE TABLE rollup (
    rollup_id INTEGER PRIMARY KEY, layout_id INTEGER NOT NULL, t_first_ns INTEGER NOT NULL,
    t_last_ns INTEGER NOT NULL, minutes INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX rollup_by_time ON rollup(layout_id, t_last_ns);
CREATE TABLE cursor (uplink TEXT PRIMARY KEY, block_id INTEGER NOT NULL)
""",
)
BLOCK_POLLS = 1024
JOIN_EVERY_MIN = 10
HOUR_NS = 3_600_000_000_000
DAY_NS = 24 * HOUR_NS
ROLLUP_DAYS = 731


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much raw history may be kept; roll-ups live two years."""

    max_bytes: int
    max_days: int


@dataclass(frozen=True, slots=True)
class Retired:
    """What retention removed: blocks, polls, and polls that some uplink had not taken yet (those are lost to it)."""

    blocks: int = 0
    polls: int = 0
    untaken: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Buffer:
    """Polls of one layout that wait for the next flush. `points` is the layout's text in the database."""

    point_index: NDArray[np.int32]
    points: str
    polls: list[Readings]


@dataclass(frozen=True, slots=True)
class Flushing:
    """A flush under way: `done` holds the id of the last block; on StoreError `polls` were not kept."""

    done: "Future[int]"
    polls: Sequence[Readings]


class HistoryStore:
    """Opens (and where needed repairs) the file. `append` and `flush` belong to one caller: the pipeline."""

    def __init__(self, folder: Path, points: PointTable, bounds: Bounds, start_ns: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "history.db"
        self._points = points
        self._bounds = bounds
        connection, self.repair = open_or_repair(self.path, SCHEMA)
        meta = dict(connection.execute("SELECT name, value FROM meta").fetchall())
        self.lost_since_ns = 0 if meta.get("clean", 1) else int(meta.get("last_flush_ns", 0))
        self._layouts: dict[tuple[str, str], int] = {
            (d, p): i for i, d, p in connection.execute("SELECT layout_id, device, points FROM layout")
        }
        self._partial = _partial_minutes(connection, int(meta.get("rolled_up_to", 0)))
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('clean', 0), ('last_flush_ns', ?)", (start_ns,))
        self._writer = Writer("history-writer", connection)
        self._buffers: dict[int, _Buffer] = {}
        self.buffered_polls = 0

    repair: Repair | None

    def append(self, readings: Readings) -> None:
        """Take a poll into the buffer; durable after the next flush."""
        buffer = self._buffers.get(id(readings.point_index))
        if buffer is None or buffer.point_index is not readings.point_index:
            points = json.dumps([self._points[int(i)].point_id for i in readings.point_index])
            buffer = self._buffers[id(readings.point_index)] = _Buffer(readings.point_index, points, [])
        buffer.polls.append(readings)
        self.buffered_polls += 1

    def flush(self, now_ns: int) -> Flushing:
        """Write the buffer in one transaction. The caller gives polls that could not be kept to `append` again."""
        waiting = [(buffer.points, buffer.polls) for buffer in self._buffers.values() if buffer.polls]
        for buffer in self._buffers.values():
            buffer.polls = []
        self.buffered_polls = 0
        rolled: list[tuple[int, Minutes]] = []
        done = self._writer.submit(lambda db: self._write(db, waiting, rolled, now_ns))
        done.add_done_callback(lambda future: None if future.exception() else self._add_partial(rolled))
        return Flushing(done, [readings for _, polls in waiting for readings in polls])

    def drop_buffered(self) -> int:
        """Give up the buffer (the disk has no room); the number of polls lost."""
        dropped = self.buffered_polls
        for buffer in self._buffers.values():
            buffer.polls = []
        self.buffered_polls = 0
        return dropped

    def tend(self, now_ns: int) -> "Future[Retired]":
        """The minute's work: roll-ups, joining small blocks, retention."""
        done = self._writer.submit(lambda db: self._tend(db, now_ns))
        done.add_done_callback(lambda future: None if future.exception() else self._partial.clear())
        return done

    def last_block_id(self) -> "Future[int]":
        """The newest log position."""
        return self._writer.submit(_last_block_id)

    def start_cursor(self, uplink: str) -> "Future[int]":
        """The uplink's position; a new uplink starts at the end of the log."""
        return self._writer.submit(lambda db: _start_cursor(db, uplink))

    def advance(self, uplink: str, block_id: int) -> "Future[None]":
        """The uplink holds everything up to and including this block."""

        def job(db: sqlite3.Connection) -> None:
            db.execute("UPDATE cursor SET block_id = ? WHERE uplink = ? AND block_id < ?", (block_id, uplink, block_id))

        return self._writer.submit(job)

    def close(self, now_ns: int) -> None:
        """Write what is buffered, roll up, and note that the stop was clean."""
        if self.buffered_polls:
            self.flush(now_ns).done.result()

        def job(db: sqlite3.Connection) -> None:
            self._write_partial(db)
            db.execute("INSERT OR REPLACE INTO meta VALUES ('clean', 1), ('last_flush_ns', ?)", (now_ns,))

        self._writer.submit(job).result()
        self._writer.close()

    def _write(
        self,
        db: sqlite3.Connection,
        waiting: list[tuple[str, list[Readings]]],
        rolled: list[tuple[int, Minutes]],
        now_ns: int,
    ) -> int:
        for points, polls in waiting:
            layout_id = self._layout_id(db, (polls[0].device, points))
            block = Polls(
                np.array([readings.observed_at_ns for readings in polls], dtype=np.int64),
                np.array([readings.value for readings in polls]),
                np.array([readings.quality for readings in polls]),
            )
            _insert_block(db, layout_id, block)
            rolled.append((layout_id, roll_up(block)))
        db.execute("UPDATE meta SET value = ? WHERE name = 'last_flush_ns'", (now_ns,))
        return _last_block_id(db)

    def _add_partial(self, rolled: list[tuple[int, Minutes]]) -> None:
        """After the commit, still in the writer's thread: the minutes of what was kept."""
        for layout_id, minutes in rolled:
            known = self._partial.get(layout_id)
            self._partial[layout_id] = join_minutes([known, minutes]) if known is not None else minutes

    def _layout_id(self, db: sqlite3.Connection, key: tuple[str, str]) -> int:
        """The layout's row. Only what `tend` has seen committed is remembered: a rolled back row must not be."""
        if key in self._layouts:
            return self._layouts[key]
        db.execute("INSERT OR IGNORE INTO layout(device, points) VALUES (?, ?)", key)
        found = db.execute("SELECT layout_id FROM layout WHERE device = ? AND points = ?", key).fetchone()
        return int(found[0])

    def _tend(self, db: sqlite3.Connection, now_ns: int) -> Retired:
        self._layouts = {(d, p): i for i, d, p in db.execute("SELECT layout_id, device, points FROM layout")}
        self._write_partial(db)
        if now_ns // MINUTE_NS % JOIN_EVERY_MIN == 0:
            _join_small_blocks(db, now_ns)
            _join_rollups(db, now_ns)
        return _retire(db, self._bounds, now_ns)

    def _write_partial(self, db: sqlite3.Connection) -> None:
        for layout_id, minutes in self._partial.items():
            _insert_rollup(db, layout_id, minutes)
        db.execute("INSERT OR REPLACE INTO meta VALUES ('rolled_up_to', ?)", (_last_block_id(db),))


def _partial_minutes(db: sqlite3.Connection, rolled_up_to: int) -> dict[int, Minutes]:
    """Minutes of the blocks that no roll-up row speaks of yet: what an unclean stop left undone."""
    parts: dict[int, list[Minutes]] = {}
    for layout_id, body in db.execute("SELECT layout_id, body FROM block WHERE block_id > ?", (rolled_up_to,)):
        parts.setdefault(layout_id, []).append(roll_up(unpack_polls(body)))
    return {layout_id: join_minutes(minutes) for layout_id, minutes in parts.items()}


def _insert_block(db: sqlite3.Connection, layout_id: int, polls: Polls) -> None:
    row = (layout_id, int(polls.t_ns.min()), int(polls.t_ns.max()), len(polls.t_ns), pack_polls(polls))
    db.execute("INSERT INTO block(layout_id, t_first_ns, t_last_ns, polls, body) VALUES (?, ?, ?, ?, ?)", row)


def _insert_rollup(db: sqlite3.Connection, layout_id: int, minutes: Minutes) -> None:
    span = (int(minutes.minute_ns.min()), int(minutes.minute_ns.max()))
    row = (layout_id, *span, len(minutes.minute_ns), pack_minutes(minutes))
    db.execute("INSERT INTO rollup(layout_id, t_first_ns, t_last_ns, minutes, body) VALUES (?, ?, ?, ?, ?)", row)


def _last_block_id(db: sqlite3.Connection) -> int:
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'block'").fetchone()
    return int(row[0]) if row else 0


def _start_cursor(db: sqlite3.Connection, uplink: str) -> int:
    db.execute("INSERT OR IGNORE INTO cursor VALUES (?, ?)", (uplink, _last_block_id(db)))
    return int(db.execute("SELECT block_id FROM cursor WHERE uplink = ?", (uplink,)).fetchone()[0])


def _taken_by_all(db: sqlite3.Connection) -> int:
    row = db.execute("SELECT min(block_id) FROM cursor").fetchone()
    return int(row[0]) if row[0] is not None else _last_block_id(db)


def _join_small_blocks(db: sqlite3.Connection, now_ns: int) -> None:
    """Join runs of small past blocks that every uplink has taken; the joined block keeps the lowest id."""
    upper = _taken_by_all(db)
    rows = db.execute(
        "SELECT layout_id, block_id, polls FROM block WHERE block_id <= ? AND t_last_ns < ? AND polls < ?"
        " AND block_id > coalesce((SELECT value FROM meta WHERE name = 'joined_up_to'), 0)"
        " ORDER BY layout_id, block_id LIMIT 50000",
        (upper, now_ns - 5_000_000_000, BLOCK_POLLS // 2),
    ).fetchall()
    runs: dict[int, list[tuple[int, int]]] = {}
    for layout_id, block_id, polls in rows:
        runs.setdefault(layout_id, []).append((block_id, polls))
    for run in runs.values():
        _join_run(db, run)
    db.execute("INSERT OR REPLACE INTO meta VALUES ('joined_up_to', ?)", (upper,))


def _join_run(db: sqlite3.Connection, run: list[tuple[int, int]]) -> None:
    chunk: list[int] = []
    size = 0
    for block_id, polls in [*run, (0, BLOCK_POLLS)]:
        if size + polls > BLOCK_POLLS:
            if len(chunk) > 1:
                _join_chunk(db, chunk)
            chunk, size = [], 0
        chunk.append(block_id)
        size += polls


def _join_chunk(db: sqlite3.Connection, block_ids: list[int]) -> None:
    marks = ",".join("?" * len(block_ids))
    bodies = db.execute(f"SELECT body FROM block WHERE block_id IN ({marks}) ORDER BY block_id", block_ids)  # noqa: S608
    joined = join_polls([unpack_polls(body) for (body,) in bodies])
    span = (int(joined.t_ns.min()), int(joined.t_ns.max()))
    db.execute(
        "UPDATE block SET t_first_ns = ?, t_last_ns = ?, polls = ?, body = ? WHERE block_id = ?",
        (*span, len(joined.t_ns), pack_polls(joined), block_ids[0]),
    )
    db.execute(f"DELETE FROM block WHERE block_id IN ({marks}) AND block_id <> ?", (*block_ids, block_ids[0]))  # noqa: S608


def _join_rollups(db: sqlite3.Connection, now_ns: int) -> None:
    """Once an hour is over its minute rows become one."""
    hour_ns = now_ns // HOUR_NS * HOUR_NS
    rows = db.execute(
        "SELECT layout_id, t_first_ns / ?, group_concat(rollup_id) FROM rollup WHERE t_last_ns < ? AND t_last_ns > ?"
        " GROUP BY layout_id, t_first_ns / ? HAVING count(*) > 1",
        (HOUR_NS, hour_ns, hour_ns - 3 * HOUR_NS, HOUR_NS),
    ).fetchall()
    for layout_id, _, ids in rows:
        marks = [int(rollup_id) for rollup_id in ids.split(",")]
        places = ",".join("?" * len(marks))
        bodies = db.execute(f"SELECT body FROM rollup WHERE rollup_id IN ({places})", marks).fetchall()  # noqa: S608
        _insert_rollup(db, layout_id, join_minutes([unpack_minutes(body) for (body,) in bodies]))
        db.execute(f"DELETE FROM rollup WHERE rollup_id IN ({places})", marks)  # noqa: S608


def _retire(db: sqlite3.Connection, bounds: Bounds, now_ns: int) -> Retired:
    """Oldest blocks leave when they are too old or the file is too large; what an uplink never took is counted."""
    db.execute("DELETE FROM rollup WHERE t_last_ns < ?", (now_ns - ROLLUP_DAYS * DAY_NS,))
    too_old = "layout_id IN (SELECT layout_id FROM layout) AND t_last_ns < ?"
    over_size = _last_block_over_size(db, bounds.max_bytes)
    wanted = f"(SELECT block_id FROM block WHERE {too_old} UNION SELECT block_id FROM block WHERE block_id <= ?)"  # noqa: S608
    given = (now_ns - bounds.max_days * DAY_NS, over_size)
    blocks, polls = db.execute(f"SELECT count(*), sum(polls) FROM block WHERE block_id IN {wanted}", given).fetchone()  # noqa: S608
    if not blocks:
        return Retired()
    beyond = f"cursor JOIN block ON block.block_id > cursor.block_id WHERE block.block_id IN {wanted}"
    untaken = db.execute(f"SELECT uplink, sum(block.polls) FROM {beyond} GROUP BY uplink", given).fetchall()  # noqa: S608
    db.execute(f"DELETE FROM block WHERE block_id IN {wanted}", given)  # noqa: S608
    return Retired(int(blocks), int(polls), {uplink: int(lost) for uplink, lost in untaken})


def _last_block_over_size(db: sqlite3.Connection, max_bytes: int) -> int:
    """The newest block that has to go for the file to shrink by a twentieth below its bound; 0 when it fits."""
    pages, free, size = (
        int(db.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_count", "freelist_count", "page_size")
    )
    excess = (pages - free) * size - max_bytes
    if excess <= 0:
        return 0
    excess += max_bytes // 20
    for block_id, length in db.execute("SELECT block_id, length(body) FROM block ORDER BY block_id"):
        excess -= length
        if excess <= 0:
            return int(block_id)
    return _last_block_id(db)
