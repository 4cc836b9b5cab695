"""The recorded history of a box as a recording: its polls as they were kept, in the order of time.

In: a `history.db` or the data folder that holds it, and the site's points. Out: a `Recording`. Reads without leaving
anything beside the file: a file that nobody has open is read as it lies; one that a running box writes to through a
reader's connection; what a crash left is copied to a scratch folder first. Memory holds the blocks that overlap.
"""

import heapq
import itertools
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from gateway.model.quantity import PointTable
from gateway.model.reading import Readings
from gateway.ports import ReadingBlock
from gateway.store.history_reader import HistoryReader
from sitewarden.replay.series import Layouts, Recording, ReplayError

HISTORY_FILE = "history.db"
_Waiting = tuple[int, int, Readings]


def read_history(
    path: Path, points: PointTable, derived: frozenset[int], scratch: Path, span_ns: tuple[int, int]
) -> Recording:
    """Polls within `span_ns` (from, to; UTC ns). `derived` are points that asset models make. Raises ReplayError."""
    file = path / HISTORY_FILE if path.is_dir() else path
    try:
        reader = _open(file, points, scratch)
        kept, first = reader.point_ids(), reader.blocks_by_time(*span_ns)
        blocks = itertools.chain([block] if (block := next(first, None)) else [], first)
    except (OSError, sqlite3.Error) as error:
        raise ReplayError(f"{file}: cannot be read as a history: {error}") from None
    recording = Recording(iter(()), frozenset(points.index_of[each] for each in kept if each in points.index_of))
    recording.polls = _in_order(blocks, _Columns(points, derived, recording), span_ns)
    return recording


def _open(file: Path, points: PointTable, scratch: Path) -> HistoryReader:
    if not file.is_file():
        raise FileNotFoundError(2, "no such file", str(file))
    unfinished, shared = (file.with_name(file.name + suffix) for suffix in ("-wal", "-shm"))
    if not unfinished.exists():
        return HistoryReader(file, points, untouched=True)
    if not shared.exists():
        scratch.mkdir(parents=True, exist_ok=True)
        for part in (file, unfinished):
            shutil.copyfile(part, scratch / part.name)
        file = scratch / file.name
    return HistoryReader(file, points)


class _Columns:
    """What of a block is replayed: the points that the site has and that no model makes."""

    def __init__(self, points: PointTable, derived: frozenset[int], recording: Recording) -> None:
        self._points = points
        self._derived = derived
        self._recording = recording
        self._layouts = Layouts()

    def polls_of(self, block: ReadingBlock) -> Iterator[Readings]:
        """The block's polls, cut to those points."""
        positions = [self._points.index_of.get(point.point_id, -1) for point in block.points]
        for point, index in zip(block.points, positions, strict=True):
            if index < 0:
                self._recording.unknown[point.point_id] += len(block.observed_at_ns)
            elif index in self._derived:
                self._recording.recomputed[point.point_id] += len(block.observed_at_ns)
        columns = [i for i, index in enumerate(positions) if index >= 0 and index not in self._derived]
        if not columns:
            return
        layout = self._layouts.same(np.array([positions[i] for i in columns], dtype=np.int32))
        value, quality = block.value[:, columns], block.quality[:, columns]
        for i, t_ns in enumerate(block.observed_at_ns.tolist()):
            yield Readings(block.device, layout, value[i], quality[i], t_ns, t_ns)


def _in_order(blocks: Iterator[ReadingBlock], columns: _Columns, span_ns: tuple[int, int]) -> Iterator[Readings]:
    """Merge blocks, which come in the order of their first samples: what is older than the next block can go."""
    waiting: list[_Waiting] = []
    count = itertools.count()
    for block in blocks:
        yield from _until(waiting, int(block.observed_at_ns.min()))
        for readings in columns.polls_of(block):
            if span_ns[0] <= readings.observed_at_ns <= span_ns[1]:
                heapq.heappush(waiting, (readings.observed_at_ns, next(count), readings))
    yield from _until(waiting, 2**63 - 1)


def _until(waiting: list[_Waiting], t_ns: int) -> Iterator[Readings]:
    while waiting and waiting[0][0] < t_ns:
        yield heapq.heappop(waiting)[2]
