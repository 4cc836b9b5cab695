"""Questions to `history.db`, on a read-only connection: traces for charts, minutes for reports, blocks for uplinks.

Every call reads what is committed at that moment; memory is bounded by the asked number of samples, not by the range.
"""

import json
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gateway.model.errors import DecodeError
from gateway.model.quantity import Point, PointTable
from gateway.ports import ReadingBlock
from gateway.store.blocks import MINUTE_NS, Minutes, Polls, join_minutes, no_minutes, unpack_minutes, unpack_polls
from gateway.store.column_reader import ColumnReader
from gateway.store.database import FollowingReader
from gateway.store.decimation import Trace, TraceBuilder

log = logging.getLogger(__name__)
MAX_SAMPLES = 100_000
T = TypeVar("T", Polls, Minutes)


class HistoryReader:
    """One connection; calls from several threads wait for each other. `columns` answers curves on another.

    A row whose bytes are no block any more (a disk that forgets) is passed over and logged once: one bad block must
    not keep the rest from a chart or an uplink.
    """

    def __init__(self, path: Path, points: PointTable, *, untouched: bool = False) -> None:
        """`untouched`: nobody writes to the file, and reading must leave nothing beside it."""
        self._db = FollowingReader(path, untouched=untouched)
        self.columns = ColumnReader(path, untouched=untouched)
        self._points = points
        self._lock = threading.Lock()
        self._layouts: dict[int, tuple[str, tuple[Point, ...]]] = {}
        self._unreadable: set[tuple[str, int]] = set()

    def use_points(self, points: PointTable) -> None:
        """Name points by this table from now on."""
        with self._lock:
            self._points = points
            self._layouts = {}

    def trace(self, point_id: str, from_ns: int, to_ns: int, limit: int) -> Trace:
        """Raw samples of a point between two times (UTC ns), at most `limit`, peaks kept. ValueError on bad bounds."""
        builder = TraceBuilder(from_ns, to_ns, min(limit, MAX_SAMPLES))
        with self._lock:
            for layout_id, column in self._columns_of(point_id):
                for polls in self._rows("block", unpack_polls, layout_id, from_ns, to_ns):
                    builder.feed(polls.t_ns, polls.value[:, column], polls.quality[:, column])
        return builder.finish()

    def minutes(self, point_id: str, from_ns: int, to_ns: int, limit: int) -> Minutes:
        """Rolled-up minutes of a point (arrays (m, 1)), joined to at most `limit` equal spans of whole minutes.

        Every minute that overlaps the range counts. ValueError on bad bounds.
        """
        if limit < 1 or to_ns < from_ns:
            raise ValueError(f"minutes need from <= to and a limit of at least 1, found limit {limit}")
        parts = [no_minutes()]
        with self._lock:
            for layout_id, column in self._columns_of(point_id):
                for minutes in self._rows("rollup", unpack_minutes, layout_id, from_ns - MINUTE_NS, to_ns):
                    parts.append(_column(minutes, column, from_ns, to_ns))
        joined = join_minutes(parts)
        return joined if len(joined.minute_ns) <= limit else _coarser(joined, limit)

    def minute(self, minute_ns: int) -> list[tuple[tuple[Point, ...], Minutes]]:
        """What every layout said in one minute (UTC ns of its start): points and one row of roll-up."""
        found: dict[int, list[Minutes]] = {}
        with self._lock:
            for (layout_id,) in self._db.execute("SELECT layout_id FROM layout").fetchall():
                for minutes in self._rows("rollup", unpack_minutes, layout_id, minute_ns, minute_ns):
                    found.setdefault(layout_id, []).append(_of_minute(minutes, minute_ns))
            points_of = {layout_id: self._layout(layout_id)[1] for layout_id in found}
        joined = {layout_id: join_minutes(parts) for layout_id, parts in found.items()}
        return [(points_of[i], minutes) for i, minutes in joined.items() if len(minutes.minute_ns)]

    def kept_minutes(self, first_ns: int, last_ns: int) -> list[int]:
        """The minutes (UTC ns of their starts, both ends included) of which anything is rolled up, oldest first."""
        found: set[int] = set()
        with self._lock:
            for (layout_id,) in self._db.execute("SELECT layout_id FROM layout").fetchall():
                for minutes in self._rows("rollup", unpack_minutes, layout_id, first_ns, last_ns):
                    found.update(minutes.minute_ns.tolist())
        return sorted(minute_ns for minute_ns in found if first_ns <= minute_ns <= last_ns)

    def blocks_after(self, block_id: int, max_polls: int) -> list[ReadingBlock]:
        """The log from just after `block_id`, whole blocks until about `max_polls` (at least one block)."""
        blocks: list[ReadingBlock] = []
        polls = 0
        with self._lock:
            rows = self._db.execute(
                "SELECT block_id, layout_id, polls, body FROM block WHERE block_id > ? ORDER BY block_id", (block_id,)
            )
            for row in rows:
                block = self._reading_block(row)
                if block is None:
                    continue
                blocks.append(block)
                polls += row["polls"]
                if polls >= max_polls:
                    break
            rows.close()
        return blocks

    def last_sample_ns(self) -> int:
        """The time of the newest sample of the newest block; 0 when there is none."""
        with self._lock:
            row = self._db.execute("SELECT t_last_ns FROM block ORDER BY block_id DESC LIMIT 1").fetchone()
        return int(row[0]) if row else 0

    def newest_blocks(self, from_ns: int, max_polls: int) -> list[ReadingBlock]:
        """The newest blocks with samples after `from_ns`, oldest first, whole blocks until about `max_polls`."""
        blocks: list[ReadingBlock] = []
        polls = 0
        with self._lock:
            for row in self._db.execute("SELECT * FROM block ORDER BY block_id DESC"):
                if row["t_last_ns"] < from_ns or polls >= max_polls:
                    break
                block = self._reading_block(row)
                if block is not None:
                    blocks.append(block)
                polls += row["polls"]
        return blocks[::-1]

    def point_ids(self) -> frozenset[str]:
        """Every point that was ever kept."""
        with self._lock:
            found = self._db.execute("SELECT points FROM layout").fetchall()
        return frozenset(point_id for row in found for point_id in json.loads(row["points"]))

    def blocks_by_time(self, from_ns: int, to_ns: int) -> Iterator[ReadingBlock]:
        """Every block with samples in a span (UTC ns), one at a time, in the order of their first samples."""
        with self._lock:
            sql = "SELECT block_id FROM block WHERE t_last_ns >= ? AND t_first_ns <= ? ORDER BY t_first_ns, block_id"
            found = [row["block_id"] for row in self._db.execute(sql, (from_ns, to_ns))]
        for block_id in found:
            with self._lock:
                row = self._db.execute("SELECT * FROM block WHERE block_id = ?", (block_id,)).fetchone()
                block = None if row is None else self._reading_block(row)
            if block is not None:
                yield block

    def rows(self) -> tuple[int, int]:
        """(polls, values) in the raw history."""
        with self._lock:
            found = self._db.execute("SELECT layout_id, sum(polls) FROM block GROUP BY layout_id").fetchall()
            sizes = [(int(polls), len(self._layout(layout_id)[1])) for layout_id, polls in found]
        return sum(polls for polls, _ in sizes), sum(polls * points for polls, points in sizes)

    def close(self) -> None:
        """Let go of the file, once nobody reads it."""
        self.columns.close()
        with self._lock:
            self._db.close()

    def _reading_block(self, row: sqlite3.Row) -> ReadingBlock | None:
        device, points = self._layout(row["layout_id"])
        polls = self._unpacked("block", row["block_id"], unpack_polls, row["body"])
        if polls is None:
            return None
        return ReadingBlock(row["block_id"], device, points, polls.t_ns, polls.value, polls.quality)

    def _layout(self, layout_id: int) -> tuple[str, tuple[Point, ...]]:
        if layout_id not in self._layouts:
            row = self._db.execute("SELECT device, points FROM layout WHERE layout_id = ?", (layout_id,)).fetchone()
            points = tuple(self._point(point_id, row["device"]) for point_id in json.loads(row["points"]))
            self._layouts[layout_id] = (row["device"], points)
        return self._layouts[layout_id]

    def _point(self, point_id: str, device: str) -> Point:
        """The point as configured now; one that is no longer configured is known by its id alone."""
        if point_id in self._points.index_of:
            return self._points[self._points.index_of[point_id]]
        asset, _, key = point_id.rpartition(".")
        return Point(point_id, asset, key, "", device, point_id, point_id)

    def _columns_of(self, point_id: str) -> list[tuple[int, int]]:
        """(layout, column) pairs that hold the point; a device table that changed leaves several layouts."""
        written = json.dumps(point_id)
        found = self._db.execute("SELECT layout_id, points FROM layout WHERE instr(points, ?)", (written,)).fetchall()
        layouts = [(int(row["layout_id"]), json.loads(row["points"])) for row in found]
        return [(layout_id, points.index(point_id)) for layout_id, points in layouts if point_id in points]

    def _rows(self, table: str, unpack: Callable[[bytes], T], layout_id: int, from_ns: int, to_ns: int) -> Iterator[T]:
        """The readable rows of one layout that touch a span of time."""
        sql = f"SELECT {table}_id, body FROM {table} WHERE layout_id = ? AND t_last_ns >= ? AND t_first_ns <= ?"  # noqa: S608
        for row_id, body in self._db.execute(sql, (layout_id, from_ns, to_ns)):
            row = self._unpacked(table, row_id, unpack, body)
            if row is not None:
                yield row

    def _unpacked(self, table: str, row_id: int, unpack: Callable[[bytes], T], body: bytes) -> T | None:
        try:
            return unpack(body)
        except DecodeError as error:
            if (table, row_id) not in self._unreadable:
                self._unreadable.add((table, row_id))
                log.error("event=history_row_unreadable table=%s row=%d reason=%r", table, row_id, str(error))
            return None


def _of_minute(minutes: Minutes, minute_ns: int) -> Minutes:
    return _rows(minutes, minutes.minute_ns == minute_ns)


def _rows(minutes: Minutes, chosen: NDArray[np.bool_]) -> Minutes:
    return Minutes(
        minutes.minute_ns[chosen],
        minutes.low[chosen],
        minutes.high[chosen],
        minutes.mean[chosen],
        minutes.count[chosen],
        minutes.quality[chosen],
    )


def _column(minutes: Minutes, column: int, from_ns: int, to_ns: int) -> Minutes:
    inside = (minutes.minute_ns > from_ns - MINUTE_NS) & (minutes.minute_ns <= to_ns)
    cut = (slice(None), slice(column, column + 1))
    rows = _rows(minutes, inside)
    return Minutes(rows.minute_ns, rows.low[cut], rows.high[cut], rows.mean[cut], rows.count[cut], rows.quality[cut])


def _coarser(minutes: Minutes, limit: int) -> Minutes:
    """Join neighbouring minutes into at most `limit` spans of equal length; a span is named by its first minute."""
    first, last = int(minutes.minute_ns[0]), int(minutes.minute_ns[-1])
    span = -(-((last - first) // MINUTE_NS + 1) // limit) * MINUTE_NS
    start = first + (minutes.minute_ns - first) // span * span
    return join_minutes([Minutes(start, minutes.low, minutes.high, minutes.mean, minutes.count, minutes.quality)])
