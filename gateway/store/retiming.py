"""Readings that were taken before the clock was right, moved to the time at which they were taken.

    polls of this run whose time lies in a correction's span -> the same polls, that much later
    minutes that a poll left or came to                      -> rolled up again from the blocks

A block keeps its id: an uplink that has not taken it yet gets the right times, one that has is not given it again.
In: a connection of the history's writer. Out: how many polls moved, and the minutes. Knows no clock.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gateway.store.blocks import (
    MINUTE_NS,
    Minutes,
    Polls,
    join_minutes,
    pack_minutes,
    pack_polls,
    roll_up,
    unpack_minutes,
    unpack_polls,
)


@dataclass(frozen=True, slots=True)
class Correction:
    """What the wrong clock called `from_ns` to `to_ns` was `offset_ns` later. UTC nanoseconds; `offset_ns` above 0."""

    from_ns: int
    to_ns: int
    offset_ns: int


@dataclass(slots=True)
class Retimed:
    """`polls` moved; of each layout the minutes concerned, and their new content where anything is known of them."""

    polls: int = 0
    concerned: dict[int, NDArray[np.int64]] = field(default_factory=dict)
    minutes: dict[int, Minutes] = field(default_factory=dict)


def retime(db: sqlite3.Connection, blocks: tuple[int, int], corrections: Sequence[Correction]) -> Retimed:
    """Move polls of the blocks above the first id up to the second. Raises DecodeError for a block that is damaged.

    The latest span first: what has moved lies in no span that is still to come.
    """
    done = Retimed()
    for correction in reversed(corrections):
        found = db.execute(
            "SELECT block_id, layout_id, body FROM block WHERE block_id > ? AND block_id <= ?"
            " AND t_last_ns >= ? AND t_first_ns <= ?",
            (*blocks, correction.from_ns, correction.to_ns),
        ).fetchall()
        for block_id, layout_id, body in found:
            _move(db, (block_id, layout_id), unpack_polls(body), correction, done)
    for layout_id, concerned in done.concerned.items():
        _forget_minutes(db, layout_id, concerned)
        again = _rolled_again(db, layout_id, concerned, blocks[1])
        if again is not None:
            done.minutes[layout_id] = again
    return done


def without(minutes: Minutes, gone: NDArray[np.int64]) -> Minutes | None:
    """The minutes that are not among `gone`; None when none is left."""
    kept = ~np.isin(minutes.minute_ns, gone)
    if not kept.any():
        return None
    return Minutes(
        minutes.minute_ns[kept],
        minutes.low[kept],
        minutes.high[kept],
        minutes.mean[kept],
        minutes.count[kept],
        minutes.quality[kept],
    )


def _move(db: sqlite3.Connection, block: tuple[int, int], polls: Polls, correction: Correction, done: Retimed) -> None:
    block_id, layout_id = block
    wrong = (polls.t_ns >= correction.from_ns) & (polls.t_ns <= correction.to_ns)
    if not wrong.any():
        return
    t_ns = np.where(wrong, polls.t_ns + correction.offset_ns, polls.t_ns)
    db.execute(
        "UPDATE block SET t_first_ns = ?, t_last_ns = ?, body = ? WHERE block_id = ?",
        (int(t_ns.min()), int(t_ns.max()), pack_polls(Polls(t_ns, polls.value, polls.quality)), block_id),
    )
    both = np.concatenate([polls.t_ns[wrong], t_ns[wrong]]) // MINUTE_NS * MINUTE_NS
    known = done.concerned.get(layout_id)
    done.concerned[layout_id] = np.unique(both if known is None else np.concatenate([known, both]))
    done.polls += int(wrong.sum())


def _forget_minutes(db: sqlite3.Connection, layout_id: int, gone: NDArray[np.int64]) -> None:
    span = (layout_id, int(gone.min()), int(gone.max()))
    sql = "SELECT rollup_id, body FROM rollup WHERE layout_id = ? AND t_last_ns >= ? AND t_first_ns <= ?"
    for rollup_id, body in db.execute(sql, span).fetchall():
        minutes = unpack_minutes(body)
        if not np.isin(minutes.minute_ns, gone).any():
            continue
        left = without(minutes, gone)
        if left is None:
            db.execute("DELETE FROM rollup WHERE rollup_id = ?", (rollup_id,))
            continue
        row = (int(left.minute_ns.min()), int(left.minute_ns.max()), len(left.minute_ns), pack_minutes(left))
        sql_row = "UPDATE rollup SET t_first_ns = ?, t_last_ns = ?, minutes = ?, body = ? WHERE rollup_id = ?"
        db.execute(sql_row, (*row, rollup_id))


def _rolled_again(db: sqlite3.Connection, layout_id: int, concerned: NDArray[np.int64], newest: int) -> Minutes | None:
    sql = "SELECT body FROM block WHERE layout_id = ? AND block_id <= ? AND t_last_ns >= ? AND t_first_ns < ?"
    parts = []
    for (body,) in db.execute(sql, (layout_id, newest, int(concerned.min()), int(concerned.max()) + MINUTE_NS)):
        polls = unpack_polls(body)
        mine = np.isin(polls.t_ns // MINUTE_NS * MINUTE_NS, concerned)
        if mine.any():
            parts.append(roll_up(Polls(polls.t_ns[mine], polls.value[mine], polls.quality[mine])))
    return join_minutes(parts) if parts else None
