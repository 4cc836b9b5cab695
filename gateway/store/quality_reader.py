"""Asks the roll-ups of `history.db` how much of a span every point was known.

In: the file's path, a window (UTC ns), the points. Out: minutes of each kind by point. One pass over the rows of the
span for all points; a connection of its own, for any thread. What is not rolled up yet (the last minute) is not asked.
"""

import json
import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gateway.figures.quality import MinuteShares, minute_shares, minute_states
from gateway.figures.spans import Span
from gateway.model.errors import DecodeError
from gateway.model.quantity import Point
from gateway.store.blocks import MINUTE_NS, unpack_minutes
from gateway.store.database import open_reader

log = logging.getLogger(__name__)
LONGEST_HOLD_NS = 24 * 3_600_000_000_000
"""A reading counts for a day at most, however rarely its point is read: beyond that the point is missing here."""
_Parts = dict[str, list[tuple[NDArray[np.int64], NDArray[np.uint8]]]]


class QualityReader:
    """Shares of good, doubtful, bad and missing minutes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def shares(self, points: Sequence[Point], windows: Sequence[Span]) -> list[dict[str, MinuteShares]]:
        """point id -> minutes, for each window. Every given point is there: one that was never heard is missing."""
        longest_ns = max((_hold_ns(point) for point in points), default=0)
        begin_ns = min((window.from_ns for window in windows), default=0) - longest_ns
        end_ns = max((window.to_ns for window in windows), default=0)
        known = self._known({point.point_id for point in points}, Span(begin_ns, end_ns))
        joined = {point.point_id: _joined(known.get(point.point_id, ())) for point in points}
        return [
            {point.point_id: minute_shares(*joined[point.point_id], window, _hold_ns(point)) for point in points}
            for window in windows
        ]

    def _known(self, wanted: set[str], span: Span) -> _Parts:
        parts: _Parts = {}
        with closing(open_reader(self._path)) as db:
            for layout_id, text in db.execute("SELECT layout_id, points FROM layout").fetchall():
                columns = [(i, name) for i, name in enumerate(json.loads(text)) if name in wanted]
                if not columns:
                    continue
                for minute_ns, state in _rows(db, layout_id, span):
                    for column, name in columns:
                        parts.setdefault(name, []).append((minute_ns, state[:, column]))
        return parts


def _hold_ns(point: Point) -> int:
    return max(MINUTE_NS, min(LONGEST_HOLD_NS, round(point.stale_after_s * 1e9)))


def _rows(db: sqlite3.Connection, layout_id: int, span: Span) -> Iterator[tuple[NDArray[np.int64], NDArray[np.uint8]]]:
    sql = "SELECT rollup_id, body FROM rollup WHERE layout_id = ? AND t_last_ns >= ? AND t_first_ns < ?"
    for rollup_id, body in db.execute(sql, (layout_id, span.from_ns, span.to_ns)):
        try:
            minutes = unpack_minutes(body)
        except DecodeError as error:
            log.warning("event=rollup_unreadable row=%d reason=%r", rollup_id, str(error))
            continue
        yield minutes.minute_ns, minute_states(minutes.count, minutes.quality)


def _joined(
    parts: Sequence[tuple[NDArray[np.int64], NDArray[np.uint8]]],
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """One state a minute, in order: of several rows that speak of one minute the worst counts."""
    if not parts:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.uint8)
    minute_ns = np.concatenate([minutes for minutes, _ in parts])
    state = np.concatenate([states for _, states in parts])
    order = np.lexsort((-state.astype(np.int8), minute_ns))
    minutes, first = np.unique(minute_ns[order], return_index=True)
    return minutes, state[order][first]
