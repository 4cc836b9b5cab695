"""A history with its reader, filled in a line, tended and killed at will."""

import shutil
import threading
from pathlib import Path

import numpy as np

from gateway.model.quantity import Point, PointTable
from gateway.store.blocks import Minutes
from gateway.store.history_reader import HistoryReader
from gateway.store.history_store import Bounds, HistoryStore
from tests.fakes.site import BOUNDS, MINUTE_NS, SECOND_NS, layout, poll

START_NS = 1_700_000_000_000_000_000 // (10 * MINUTE_NS) * (10 * MINUTE_NS)
POINTS = PointTable(
    tuple(Point(f"crane-{c}.q{q}", f"crane-{c}", f"q{q}", "m", f"host-{c}", "量", "q") for c in (1, 2) for q in (0, 1))
)
ONE, TWO = layout(2, 0), layout(2, 2)


class Box:
    """A history with its reader; `kill` leaves the files as a killed process would."""

    def __init__(self, folder: Path, bounds: Bounds = BOUNDS, start_ns: int = START_NS) -> None:
        self.folder = folder
        self.store = HistoryStore(folder, POINTS, bounds, start_ns)
        self.reader = HistoryReader(self.store.path, POINTS)

    def fill(self, first_s: float, last_s: float, step_s: float = 1.0, flush_every: int = 5) -> None:
        """Polls of crane 1 counting the seconds since the start, two blocks a flush with crane 2's negative ones."""
        at = np.arange(first_s, last_s, step_s)
        for n, second in enumerate(at):
            at_ns = START_NS + round(second * SECOND_NS)
            self.store.append(poll(ONE, [second, second], at_ns, device="host-1"))
            self.store.append(poll(TWO, [-second, -second], at_ns, device="host-2"))
            if n % flush_every == flush_every - 1 or n == len(at) - 1:
                self.flush(at_ns)

    def flush(self, now_ns: int) -> int:
        return self.store.flush(now_ns).done.result(10)

    def tend(self, at_s: float) -> None:
        self.store.tend(START_NS + round(at_s * SECOND_NS)).result(10)

    def seconds(self, point: str = "crane-1.q0") -> list[float]:
        return self.reader.trace(point, 0, 2**62, 100_000).value.tolist()

    def minutes(self, point: str = "crane-1.q0") -> Minutes:
        return self.reader.minutes(point, 0, 2**62, 100_000)

    def blocks(self) -> list[int]:
        return [block.cursor for block in self.reader.blocks_after(0, 10**9)]

    def close(self, at_s: float = 1e6) -> None:
        self.reader.close()
        self.store.close(START_NS + round(at_s * SECOND_NS))

    def killed_copy(self, folder: Path) -> Path:
        """What lies on the disk at this moment: the state that a kill leaves."""
        folder.mkdir()
        for part in self.folder.glob("history.db*"):
            shutil.copy(part, folder / part.name)
        return folder


class Gate:
    """Keeps the history's writer busy, so that what is submitted meanwhile shares one transaction."""

    def __init__(self, box: Box) -> None:
        started, self._go_on = threading.Event(), threading.Event()
        box.store._writer.submit(lambda _: (started.set(), self._go_on.wait(10)))
        assert started.wait(5)

    def release(self) -> None:
        self._go_on.set()


def assert_same(found: Minutes, expected: Minutes) -> None:
    assert found.minute_ns.tolist() == expected.minute_ns.tolist()
    for name in ("low", "high", "count", "quality"):
        assert getattr(found, name).tolist() == getattr(expected, name).tolist(), name
    np.testing.assert_allclose(found.mean, expected.mean)
