"""Histories for the curve's benchmark, written through the real store: a crane's readings at 10 Hz, or 90 days of them.

What is written is what a crane's device says: every point of its register table, values that wander in tenths.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from gateway.model.quantity import PointTable
from gateway.model.reading import Readings
from gateway.store.history_store import Bounds, HistoryStore

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
FLUSH_POLLS = 100
BOUNDS = Bounds(8 * 2**30, 60)


def write_history(folder: Path, points: PointTable, device: str, polls: int, period_ns: int, end_ns: int) -> None:
    """`polls` polls of one device, the last at `end_ns`, flushed and tended as a running box does."""
    first_ns = end_ns - (polls - 1) * period_ns
    store = HistoryStore(folder, points, BOUNDS, first_ns)
    tended_ns = first_ns
    for number, readings in enumerate(_readings(points, device, polls, period_ns, first_ns)):
        store.append(readings)
        at_ns = readings.observed_at_ns
        if number % FLUSH_POLLS == FLUSH_POLLS - 1 or at_ns - tended_ns >= MINUTE_NS:
            store.flush(at_ns).done.result()
        if at_ns - tended_ns >= MINUTE_NS:
            store.tend(at_ns).result()
            tended_ns = at_ns
    store.close(end_ns)


def _readings(points: PointTable, device: str, polls: int, period_ns: int, first_ns: int) -> Iterator[Readings]:
    index = np.array(points.of_device(device), dtype=np.int32)
    rng = np.random.default_rng(7)
    phase = rng.uniform(0, 2 * np.pi, len(index))
    quality = np.zeros(len(index), dtype=np.uint8)
    for number in range(polls):
        at_ns = first_ns + number * period_ns
        load = 40 + 30 * np.sin(number / 900 + phase) + rng.normal(0, 1.5, len(index))
        yield Readings(device, index, np.round(load, 1), quality, at_ns, at_ns)
