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
import logging
import sqlite3
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gateway.model.errors import DecodeError, StoreError
from gateway.model.quantity import PointTable
from gateway.model.reading import Readings
from gateway.model.repair import Repair
from gateway.store.blocks import (
    Minutes,
    Polls,
    join_minutes,
    pack_minutes,
    pack_polls,
    roll_up,
    unpack_polls,
)
from gateway.store.database import Schema, Writer, is_full, open_or_repair, reopen_connection
from gateway.store.history_upkeep import Bounds as Bounds  # noqa: PLC0414 - part of this module's interface
from gateway.store.history_upkeep import Retired as Retired  # noqa: PLC0414
from gateway.store.history_upkeep import leave_unjoined, retire, tidy
from gateway.store.retiming import Correction, retime, without

log = logging.getLogger(__name__)
NEVER_NS = 2**63 - 1
SCHEMA = Schema(
    version=1,
    synchronous="NORMAL",
    check_up_to_bytes=256 * 2**20,
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
        self.last_block_at_open = _last_block_id(connection)
        if self.repair is not None:
            _mend(connection)
        meta = dict(connection.execute("SELECT name, value FROM meta").fetchall())
        self.lost_since_ns = 0 if meta.get("clean", 1) else int(meta.get("last_flush_ns", 0))
        self._layouts: dict[tuple[str, str], int] = {
            (d, p): i for i, d, p in connection.execute("SELECT layout_id, device, points FROM layout")
        }
        self.summarised_at_open_ns = int(meta.get("summarised_up_to", 0))
        self._partial = _partial_minutes(connection, int(meta.get("rolled_up_to", 0)))
        self._partial_up_to = _last_block_id(connection)
        self._partial_since_ns = NEVER_NS
        _note_unclean(connection, start_ns)
        self._lost = 0
        self._writer = Writer("history-writer", connection, reopen=self._reopened)
        self._buffers: dict[int, _Buffer] = {}
        self.buffered_polls = 0

    repair: Repair | None
    last_block_at_open: int

    @property
    def alive(self) -> bool:
        """Whether the writer still takes jobs."""
        return self._writer.alive

    def _reopened(self) -> sqlite3.Connection:
        """In the writer's thread, after the disk had failed. What had not been synced may be gone, layouts too: what
        is known of the file is read anew. Numbers go on above what was given before, or an uplink that holds those
        would never be given the new ones."""
        connection = reopen_connection(self.path, SCHEMA)
        found, given = _last_block_id(connection), self._partial_up_to
        meta = dict(connection.execute("SELECT name, value FROM meta").fetchall())
        self._layouts = {(d, p): i for i, d, p in connection.execute("SELECT layout_id, device, points FROM layout")}
        self._partial = _partial_minutes(connection, int(meta.get("rolled_up_to", 0)))
        if found < given:
            _go_on_above(connection, given)
            self._lost += given - found
        return connection

    def take_lost(self) -> int:
        """Blocks that were gone when the disk came back, since this was asked last."""
        lost, self._lost = self._lost, 0
        return lost

    def use_points(self, points: PointTable) -> None:
        """From now on `point_index` means positions in this table. Layouts already in the buffer keep their names."""
        self._points = points

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
        since_ns = self.buffered_since_ns()
        waiting = [(buffer.points, buffer.polls) for buffer in self._buffers.values() if buffer.polls]
        for buffer in self._buffers.values():
            buffer.polls = []
        self.buffered_polls = 0
        rolled: list[tuple[int, Minutes]] = []
        done = self._writer.submit(lambda db: self._write(db, waiting, rolled, now_ns))
        done.add_done_callback(lambda future: self._note_flushed(rolled, since_ns, future))
        return Flushing(done, [readings for _, polls in waiting for readings in polls])

    def drop_buffered(self) -> int:
        """Give up the buffer (the disk has no room); the number of polls lost."""
        dropped = self.buffered_polls
        for buffer in self._buffers.values():
            buffer.polls = []
        self.buffered_polls = 0
        return dropped

    def buffered_since_ns(self) -> int:
        """When the first poll that waits for a flush was received (UTC ns), `NEVER_NS` when none waits."""
        polls = (readings.received_at_ns for buffer in self._buffers.values() for readings in buffer.polls)
        return min(polls, default=NEVER_NS)

    def unrolled_since_ns(self) -> int:
        """The same, of polls that wait or that no roll-up speaks of yet. The roll-ups hold all that came before."""
        return min(self.buffered_since_ns(), self._partial_since_ns)

    def note_summarised(self, minute_ns: int) -> "Future[None]":
        """Keep how far minutes were summarised for the uplinks, for the next start (`summarised_at_open_ns`)."""

        def job(db: sqlite3.Connection) -> None:
            """Note, in the writer's thread, up to where minutes are summarised."""
            db.execute("INSERT OR REPLACE INTO meta VALUES ('summarised_up_to', ?)", (minute_ns,))

        return self._writer.submit(job)

    def tend(self, now_ns: int) -> "Future[Retired]":
        """The minute's work: roll-ups, joining small blocks, retention."""
        staged = _Staged()
        done = self._writer.submit(lambda db: self._tend(db, staged, now_ns))
        done.add_done_callback(lambda future: self._note_tended(staged, future))
        return done

    def keep_apart(self) -> "Future[None]":
        """This run's blocks are never joined to older ones: its times may have to be corrected."""
        return self._writer.submit(lambda db: leave_unjoined(db, self.last_block_at_open))

    def retime(self, corrections: Sequence[Correction]) -> "Future[int]":
        """Move what this run has written so far to the right times; the number of polls that moved."""

        def job(db: sqlite3.Connection) -> int:
            """Move the times, in the writer's thread; how many rows."""
            done = retime(db, (self.last_block_at_open, self._partial_up_to), corrections)
            for layout_id, concerned in done.concerned.items():
                known = self._partial.pop(layout_id, None)
                left = without(known, concerned) if known is not None else None
                if left is not None:
                    self._partial[layout_id] = left
            self._add_partial(done.minutes.items())
            return done.polls

        return self._writer.submit(job)

    def last_block_id(self) -> "Future[int]":
        """The newest position of the block log, 0 before the first."""
        return self._writer.submit(_last_block_id)

    def start_cursor(self, uplink: str) -> "Future[int]":
        """The uplink's position; a new uplink starts at the end of the log."""
        return self._writer.submit(lambda db: _start_cursor(db, uplink))

    def keep_cursors(self, uplinks: Sequence[str]) -> "Future[None]":
        """Forget uplinks that are not configured any more: their backlog would hold up the upkeep for ever."""

        def job(db: sqlite3.Connection) -> None:
            """Keep the cursors of the uplinks, in the writer's thread."""
            marks = ",".join("?" * len(uplinks))
            db.execute(f"DELETE FROM cursor WHERE uplink NOT IN ({marks})", tuple(uplinks))  # noqa: S608

        return self._writer.submit(job)

    def advance(self, uplink: str, block_id: int) -> "Future[None]":
        """The uplink holds everything up to and including this block."""

        def job(db: sqlite3.Connection) -> None:
            """Move the cursor of an uplink on, in the writer's thread."""
            db.execute("UPDATE cursor SET block_id = ? WHERE uplink = ? AND block_id < ?", (block_id, uplink, block_id))

        return self._writer.submit(job)

    def close(self, now_ns: int) -> None:
        """Write what is buffered, roll up, and note that the stop was clean. On a full disk it was not: the next
        start then tells what is missing."""
        try:
            if self.buffered_polls:
                self.flush(now_ns).done.result()
            self._writer.submit(lambda db: self._note_clean(db, now_ns)).result()
        except StoreError as error:
            log.error("event=history_not_closed file=%s reason=%r", self.path, str(error))
        self._writer.close()

    def _note_clean(self, db: sqlite3.Connection, now_ns: int) -> None:
        self._write_partial(db, _Staged(self._partial, self._partial_up_to))
        db.execute("INSERT OR REPLACE INTO meta VALUES ('clean', 1), ('last_flush_ns', ?)", (now_ns,))

    def _write(
        self,
        db: sqlite3.Connection,
        waiting: list[tuple[str, list[Readings]]],
        rolled: list[tuple[int, Minutes]],
        now_ns: int,
    ) -> int:
        rolled.clear()
        for points, polls in waiting:
            layout_id = self._layout_id(db, (polls[0].device, points))
            block = Polls(
                np.array([readings.observed_at_ns for readings in polls], dtype=np.int64),
                np.array([readings.value for readings in polls]),
                np.array([readings.quality for readings in polls]),
            )
            _insert_block(db, layout_id, block)
            rolled.append((layout_id, roll_up(block)))
        db.execute("INSERT OR REPLACE INTO meta VALUES ('clean', 0), ('last_flush_ns', ?)", (now_ns,))
        return _last_block_id(db)

    def _note_flushed(self, rolled: list[tuple[int, Minutes]], since_ns: int, future: "Future[int]") -> None:
        """After the commit, still in the writer's thread: the minutes of what was kept."""
        if future.cancelled() or future.exception():
            return
        self._add_partial(rolled)
        self._partial_up_to = future.result()
        self._partial_since_ns = min(self._partial_since_ns, since_ns)

    def _note_tended(self, staged: "_Staged", future: "Future[Retired]") -> None:
        """Publish the committed data and take back data that was not committed."""
        if future.cancelled() or future.exception():
            self._add_partial(staged.minutes.items())
            self._partial_since_ns = min(self._partial_since_ns, staged.since_ns)
        else:
            self._layouts = staged.layouts

    def _add_partial(self, rolled: Iterable[tuple[int, Minutes]]) -> None:
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

    def _tend(self, db: sqlite3.Connection, staged: "_Staged", now_ns: int) -> Retired:
        """A flush in this same transaction is not in the partial minutes yet, so it stays for the next turn."""
        if not staged.minutes:
            staged.minutes, self._partial = self._partial, {}
            staged.up_to = self._partial_up_to
            staged.since_ns, self._partial_since_ns = self._partial_since_ns, NEVER_NS
        staged.layouts = {(d, p): i for i, d, p in db.execute("SELECT layout_id, device, points FROM layout")}
        self._write_partial(db, staged)
        tidy(db, now_ns, staged.up_to)
        return retire(db, self._bounds, now_ns)

    def _write_partial(self, db: sqlite3.Connection, staged: "_Staged") -> None:
        for layout_id, minutes in staged.minutes.items():
            _insert_rollup(db, layout_id, minutes)
        db.execute("INSERT OR REPLACE INTO meta VALUES ('rolled_up_to', ?)", (staged.up_to,))


@dataclass(slots=True)
class _Staged:
    """What one turn of `tend` takes out of the partial minutes and into its transaction. `up_to` is the newest block
    that those minutes speak of, `since_ns` when the first of their polls was received."""

    minutes: dict[int, Minutes] = field(default_factory=dict)
    up_to: int = 0
    since_ns: int = NEVER_NS
    layouts: dict[tuple[str, str], int] = field(default_factory=dict)


def _partial_minutes(db: sqlite3.Connection, rolled_up_to: int) -> dict[int, Minutes]:
    """Minutes without a roll-up row, left by an unclean stop."""
    parts: dict[int, Minutes] = {}
    rows = db.execute("SELECT block_id, layout_id, body FROM block WHERE block_id > ?", (rolled_up_to,))
    for block_id, layout_id, body in rows:
        try:
            minutes = roll_up(unpack_polls(body))
        except DecodeError as error:
            log.error("event=history_block_unreadable block=%d reason=%r", block_id, str(error))
            continue
        known = parts.get(layout_id)
        parts[layout_id] = join_minutes([known, minutes]) if known is not None else minutes
    return parts


def _mend(db: sqlite3.Connection) -> None:
    """After a repair: rows whose layout is gone mean nothing any more (they lie in the damaged file), and new blocks
    must come after whatever an uplink has already taken, or it would never be given them."""
    for table in ("block", "rollup"):
        gone = db.execute(f"DELETE FROM {table} WHERE layout_id NOT IN (SELECT layout_id FROM layout)").rowcount  # noqa: S608
        if gone:
            log.error("event=history_rows_without_layout table=%s rows=%d", table, gone)
    newest = _last_block_id(db)
    if db.execute("SELECT 1 FROM rollup LIMIT 1").fetchone():
        db.execute("INSERT OR IGNORE INTO meta VALUES ('rolled_up_to', ?)", (newest,))
    marks = (
        "SELECT block_id AS at FROM cursor UNION SELECT value FROM meta WHERE name IN ('rolled_up_to', 'joined_up_to')"
    )
    highest = int(db.execute(f"SELECT coalesce(max(at), 0) FROM ({marks})").fetchone()[0])  # noqa: S608
    if highest > newest:
        _go_on_above(db, highest)


def _go_on_above(db: sqlite3.Connection, block_id: int) -> None:
    db.execute("DELETE FROM sqlite_sequence WHERE name = 'block'")
    db.execute("INSERT INTO sqlite_sequence(name, seq) VALUES ('block', ?)", (block_id,))


def _note_unclean(db: sqlite3.Connection, start_ns: int) -> None:
    """Until a clean stop says otherwise. A disk too full for this row is no reason not to start."""
    try:
        db.execute("INSERT OR REPLACE INTO meta VALUES ('clean', 0), ('last_flush_ns', ?)", (start_ns,))
    except sqlite3.OperationalError as error:
        if not is_full(error):
            raise StoreError(f"history.db: cannot be written: {error}") from None
        log.error("event=history_not_marked_open reason=%r", str(error))


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
