"""Whatever order of noting, flushing, a disk without room and restarts: nothing is lost, nothing twice, the newest
state wins."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model.derivation import AssetEvent
from gateway.model.errors import StoreError
from gateway.store.asset_reader import AssetReader
from gateway.store.asset_store import AssetStore

DEVICE = "crane-1:derived"
steps = st.lists(st.sampled_from(["cycle", "event", "state", "flush", "full", "room", "restart"]), max_size=40)


class Box:
    """A store, a disk that has room or not, and what must be found in the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.room = True
        self.noted: dict[str, list[int]] = {"crane_cycle": [], "climb": []}
        self.state: int | None = None
        self._n = 0
        self.store = self._opened()

    def _opened(self) -> AssetStore:
        return AssetStore(self.folder, may_write=lambda: self.room)

    def step(self, step: str) -> None:
        self._n += 1
        if step in ("cycle", "event"):
            kind = "crane_cycle" if step == "cycle" else "climb"
            self.noted[kind].append(self._n)
            self.store.note(self._n, [AssetEvent("crane-1", kind, self._n, {"n": self._n})])
        elif step == "state":
            self.state = self._n
            self.store.note(self._n, states={DEVICE: self._n})
        elif step == "flush":
            self._flush()
        elif step == "restart" and self.room:
            self.store.close()
            self.store = self._opened()
        else:
            self.room = step != "full"

    def _flush(self) -> None:
        try:
            self.store.flush().result(10)
        except StoreError:
            assert not self.room


@settings(max_examples=60, deadline=None)
@given(steps)
def test_nothing_is_lost_or_kept_twice(taken: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        box = Box(Path(name))
        for step in taken:
            box.step(step)
        box.room = True
        box.store.close()
        reader = AssetReader(box.store.path)
        cycles = reader.cycles("crane-1", 0, 2**62, 100)
        events = reader.events("crane-1", "climb", 0, 2**62, 100)
        reader.close()
        again = AssetStore(box.folder)
        found = again.states_at_open().get(DEVICE)
        again.close()
    assert [cycle.at_ns for cycle in cycles] == box.noted["crane_cycle"]
    assert [cycle.number for cycle in cycles] == list(range(1, len(cycles) + 1))
    assert [event.at_ns for event in events] == box.noted["climb"]
    assert (found.state if found else None) == box.state
