"""Working cycles out of the box's own records into the outbox: each once, in order, over a kill and a new start."""

import pytest

from gateway.model.derivation import AssetEvent
from gateway.store.alert_store import AlertStore
from gateway.store.asset_reader import AssetReader
from gateway.store.asset_store import AssetStore
from gateway.uplinks.docking_cycles import CycleMessages
from kit.clock import SimulatedClock

NS = 10**9


class Box:
    def __init__(self, folder):
        self.clock = SimulatedClock()
        self.alerts = AlertStore(folder, 4096)
        self.assets = AssetStore(folder)
        self.reader = AssetReader(self.assets.path)
        self.done = 0

    def work(self, cycles, asset="crane-1"):
        """So many cycles are over."""
        events = []
        for _ in range(cycles):
            self.done += 1
            content = {"start_ns": self.done * NS, "end_ns": self.done * NS + 1, "driver_no": None}
            events.append(AssetEvent(asset, "crane_cycle", self.done * NS, content))
        self.assets.note(self.done * NS, events)
        self.assets.flush().result()

    def messages(self, **takers):
        return CycleMessages(self.alerts, self.reader, takers or {"town": ("crane-1",)}, self.clock)

    def keys(self, uplink="town"):
        return [item.key for item in self.alerts.pending(uplink, 500)]

    def close(self):
        self.reader.close()
        self.assets.close()
        self.alerts.close()


@pytest.fixture
def box(tmp_path):
    made = Box(tmp_path)
    yield made
    made.close()


async def test_a_new_uplink_begins_with_the_newest_and_misses_none_after_it(box):
    box.work(5)
    messages = box.messages()
    assert await messages.catch_up() == 1
    box.work(3)
    assert await messages.catch_up() == 3
    assert await messages.catch_up() == 0
    assert box.keys() == [f"cycle:crane-1:{number}" for number in (5, 6, 7, 8)]


async def test_after_a_kill_it_goes_on_from_what_the_outbox_holds(box):
    box.work(2)
    await box.messages().catch_up()
    box.work(4)
    assert await box.messages().catch_up() == 4
    assert box.keys() == [f"cycle:crane-1:{number}" for number in (2, 3, 4, 5, 6)]


async def test_cranes_and_uplinks_do_not_mix(box):
    box.work(1, "crane-1")
    box.work(1, "crane-10")
    both = box.messages(town=("crane-1", "crane-10"), county=("crane-10",))
    await both.catch_up()
    box.work(1, "crane-10")
    again = box.messages(town=("crane-1", "crane-10"), county=("crane-10",))
    assert await again.catch_up() == 2
    assert box.keys("county") == ["cycle:crane-10:1", "cycle:crane-10:2"]
    assert sorted(box.keys("town")) == ["cycle:crane-10:1", "cycle:crane-10:2", "cycle:crane-1:1"]


async def test_a_box_without_cycles_waits(box):
    assert await box.messages().catch_up() == 0
    assert box.keys() == []
