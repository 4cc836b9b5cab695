"""The history's housework, inside the writer's transactions: small blocks become larger ones, old ones leave.

    every minute      blocks of the last minute   -> one block a layout
    every ten         blocks of the last ten      -> one block a layout; minute rows of past hours -> one row an hour
    every minute      too old, or the file too large -> oldest blocks leave, what no uplink had taken is counted

What is too old leaves an hour at a time (roll-ups a day at a time), oldest first: a clock that jumps months ahead and
is set right again has cost hours of the oldest, not the whole history. Too large is too large at once.

A block's id is a log position, so only blocks that every uplink has taken and that the roll-ups know are joined, and
the joined block keeps the lowest id. In: a connection and the time. Knows no buffer, no thread and no uplink.
"""

import logging
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.model.errors import DecodeError
from gateway.store.blocks import (
    MINUTE_NS,
    join_minutes,
    join_polls,
    pack_minutes,
    pack_polls,
    unpack_minutes,
    unpack_polls,
)

log = logging.getLogger(__name__)
BLOCK_POLLS = 1024
JOIN_EVERY_MIN = 10
JOIN_AT_ONCE = 20_000
HOUR_NS = 3_600_000_000_000
DAY_NS = 24 * HOUR_NS
ROLLUP_DAYS = 731
RETIRE_AT_ONCE_NS = {"block": HOUR_NS, "rollup": DAY_NS}


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


def tidy(db: sqlite3.Connection, now_ns: int, rolled_up_to: int) -> None:
    """Join what has become small past. `rolled_up_to` is the newest block that the roll-up rows speak of."""
    upper = min(_taken_by_all(db, rolled_up_to), rolled_up_to)
    _join_since(db, "minute_joined_up_to", upper)
    if now_ns // MINUTE_NS % JOIN_EVERY_MIN == 0:
        _join_since(db, "joined_up_to", upper)
        _join_rollups(db, now_ns)


def leave_unjoined(db: sqlite3.Connection, block_id: int) -> None:
    """Blocks up to this one stay as they are: no younger one is joined to them."""
    for mark in ("minute_joined_up_to", "joined_up_to"):
        db.execute(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
            (mark, block_id),
        )


def retire(db: sqlite3.Connection, bounds: Bounds, now_ns: int) -> Retired:
    """Oldest blocks leave when they are too old or the file is too large; what an uplink never took is counted."""
    db.execute("DELETE FROM rollup WHERE t_last_ns < ?", (_too_old_ns(db, "rollup", now_ns - ROLLUP_DAYS * DAY_NS),))
    too_old = "layout_id IN (SELECT layout_id FROM layout) AND t_last_ns < ?"
    over_size = _last_block_over_size(db, bounds.max_bytes)
    wanted = f"(SELECT block_id FROM block WHERE {too_old} UNION SELECT block_id FROM block WHERE block_id <= ?)"  # noqa: S608
    given = (_too_old_ns(db, "block", now_ns - bounds.max_days * DAY_NS), over_size)
    blocks, polls = db.execute(f"SELECT count(*), sum(polls) FROM block WHERE block_id IN {wanted}", given).fetchone()  # noqa: S608
    if not blocks:
        return Retired()
    beyond = f"cursor JOIN block ON block.block_id > cursor.block_id WHERE block.block_id IN {wanted}"
    untaken = db.execute(f"SELECT uplink, sum(block.polls) FROM {beyond} GROUP BY uplink", given).fetchall()  # noqa: S608
    db.execute(f"DELETE FROM block WHERE block_id IN {wanted}", given)  # noqa: S608
    return Retired(int(blocks), int(polls), {uplink: int(lost) for uplink, lost in untaken})


def _too_old_ns(db: sqlite3.Connection, table: str, limit_ns: int) -> int:
    """Rows older than this leave in this turn: at most a little beyond the oldest row there is."""
    oldest = f"SELECT min(t_last_ns) FROM {table} WHERE {table}.layout_id = layout.layout_id"  # noqa: S608
    (oldest_ns,) = db.execute(f"SELECT min(({oldest})) FROM layout").fetchone()  # noqa: S608
    return limit_ns if oldest_ns is None else min(limit_ns, int(oldest_ns) + RETIRE_AT_ONCE_NS[table])


def _taken_by_all(db: sqlite3.Connection, newest: int) -> int:
    row = db.execute("SELECT min(block_id) FROM cursor").fetchone()
    return int(row[0]) if row[0] is not None else newest


def _join_since(db: sqlite3.Connection, mark: str, upper: int) -> None:
    """Join the small blocks between the mark and `upper`, a bounded number at a time, and move the mark."""
    rows = db.execute(
        "SELECT block_id, layout_id, polls FROM block WHERE block_id <= ? AND polls < ?"
        " AND block_id > coalesce((SELECT value FROM meta WHERE name = ?), 0) ORDER BY block_id LIMIT ?",
        (upper, BLOCK_POLLS // 2, mark, JOIN_AT_ONCE),
    ).fetchall()
    runs: dict[int, list[tuple[int, int]]] = {}
    for block_id, layout_id, polls in rows:
        runs.setdefault(layout_id, []).append((block_id, polls))
    for run in runs.values():
        _join_run(db, run)
    reached = rows[-1][0] if len(rows) == JOIN_AT_ONCE else upper
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (mark, reached))


def _join_run(db: sqlite3.Connection, run: Sequence[tuple[int, int]]) -> None:
    chunk: list[int] = []
    size = 0
    for block_id, polls in [*run, (0, BLOCK_POLLS)]:
        if size + polls > BLOCK_POLLS:
            if len(chunk) > 1:
                _join_chunk(db, chunk)
            chunk, size = [], 0
        chunk.append(block_id)
        size += polls


def _join_chunk(db: sqlite3.Connection, block_ids: Sequence[int]) -> None:
    marks = ",".join("?" * len(block_ids))
    bodies = db.execute(f"SELECT body FROM block WHERE block_id IN ({marks}) ORDER BY block_id", block_ids)  # noqa: S608
    try:
        joined = join_polls([unpack_polls(body) for (body,) in bodies])
    except DecodeError as error:
        log.error("event=history_blocks_not_joined first_block=%d reason=%r", block_ids[0], str(error))
        return
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
        _join_hour(db, layout_id, [int(rollup_id) for rollup_id in ids.split(",")])


def _join_hour(db: sqlite3.Connection, layout_id: int, rollup_ids: Sequence[int]) -> None:
    marks = ",".join("?" * len(rollup_ids))
    bodies = db.execute(f"SELECT body FROM rollup WHERE rollup_id IN ({marks})", rollup_ids).fetchall()  # noqa: S608
    try:
        joined = join_minutes([unpack_minutes(body) for (body,) in bodies])
    except DecodeError as error:
        log.error("event=rollups_not_joined layout=%d reason=%r", layout_id, str(error))
        return
    row = (int(joined.minute_ns.min()), int(joined.minute_ns.max()), len(joined.minute_ns), pack_minutes(joined))
    db.execute(f"DELETE FROM rollup WHERE rollup_id IN ({marks})", rollup_ids)  # noqa: S608
    sql = "INSERT INTO rollup(layout_id, t_first_ns, t_last_ns, minutes, body) VALUES (?, ?, ?, ?, ?)"
    db.execute(sql, (layout_id, *row))


def _last_block_over_size(db: sqlite3.Connection, max_bytes: int) -> int:
    """The newest block that has to go for the file to shrink by a twentieth below its bound; 0 when it fits."""
    pages, free, size = (
        int(db.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_count", "freelist_count", "page_size")
    )
    excess = (pages - free) * size - max_bytes
    if excess <= 0:
        return 0
    excess += max_bytes // 20
    last = 0
    for block_id, length in db.execute("SELECT block_id, length(body) FROM block ORDER BY block_id"):
        last = int(block_id)
        excess -= length
        if excess <= 0:
            break
    return last
