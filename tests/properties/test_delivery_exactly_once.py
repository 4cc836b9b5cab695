"""Any interleaving of alarm, crash, lost reply, retry, refusal and delivery: each alert is held exactly once.

The box is the real recorder, outbox and delivery over real files; a crash drops every object in memory and opens the
files again. The receiver outlives the crashes and honours idempotency keys.
"""

import asyncio
import json
import tempfile
from enum import Enum
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.chain import ChainHead
from gateway.alarms import AlarmTable
from gateway.line.delivery import Delivery
from gateway.line.recorder import Recorder
from gateway.model.alert import OutboxItem, Receipt
from gateway.model.verdict import Truth, Verdicts
from gateway.store.alert_store import AlertStore
from gateway.store.history_reader import HistoryReader
from gateway.store.history_store import HistoryStore
from kit.clock import SimulatedClock
from tests.fakes.scripted_uplink import Receiver, ScriptedUplink
from tests.fakes.site import BOUNDS, BOX, NOW_NS, REGULATOR, SECOND_NS, points, threshold, until

POINTS = points(1)
RULE = threshold()


class Act(Enum):
    """What may happen next."""

    ALARM = "the condition changes: raised or returned"
    COMMIT = "the recorder commits what waits"
    CRASH = "everything in memory is gone"
    LOST_REPLY = "the receiver will take the next batch, and the answer gets lost"
    RETRY = "the receiver will ask for the next batch again"
    REFUSE = "the receiver will refuse the next batch for good"
    SEND = "the delivery runs until it has nothing to do or backs off"
    SEND_AND_CRASH = "the delivery is stopped at some await in the middle"


class World:
    """The box in a folder, and the receiver outside."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.receiver = Receiver()
        self.uplink = ScriptedUplink(receiver=self.receiver)
        self.refused: set[str] = set()
        self.expected: set[str] = set()
        self.waiting: set[str] = set()
        self.seconds = 0
        self.open()

    def open(self) -> None:
        self.clock = SimulatedClock(NOW_NS)
        self.alerts = AlertStore(self.folder, 4096)
        self.history = HistoryStore(self.folder, POINTS, BOUNDS, NOW_NS)
        self.alarms = AlarmTable(BOX, [RULE])
        self.alarms.restore(self.alerts.open_alarms())
        self.recorder = Recorder(self.alerts, BOX, "PROJECT-1", [REGULATOR], self.clock)
        reader = HistoryReader(self.history.path, POINTS)
        self.delivery = Delivery(self.uplink, self.alerts, self.history, reader, self.clock)

    def close(self) -> None:
        self.delivery.close()
        self.alerts.close()
        self.history.close(NOW_NS)

    def crash(self) -> None:
        """What was not committed is gone, and nobody was told of it."""
        self.waiting.clear()
        self.close()
        self.open()

    def alarm(self) -> None:
        self.seconds += 1
        active = any(alarm.active for alarm in self.alarms.open_alarms())
        truth = np.array([Truth.FALSE if active else Truth.TRUE], dtype=np.uint8)
        at_ns = NOW_NS + self.seconds * SECOND_NS
        for transition in self.alarms.step(Verdicts(np.array([0], dtype=np.int32), truth, np.array([120.0]), at_ns)):
            self.recorder.record_transition(transition, RULE, ())
            self.waiting.add(f"{transition.alarm.alarm_id}:{transition.kind}")

    async def commit(self) -> None:
        await self.recorder.drain()
        self.expected |= self.waiting
        self.waiting.clear()

    def refuse(self) -> None:
        def refusal(item: OutboxItem) -> Receipt:
            if item.key in self.receiver.held:
                return Receipt.accepted("held already")  # what it holds it does not refuse
            self.refused.add(item.key)
            return Receipt.rejected("not for us")

        self.uplink.alert_answers.append(refusal)

    async def send(self, turns: int | None = None) -> None:
        """Run the delivery to rest, or only for some turns of the event loop."""
        task = asyncio.create_task(self.delivery.run())
        if turns is None:
            await until(lambda: bool(self.clock._sleepers) or not self.alerts.pending_counts())
        for _ in range(turns or 0):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
        self.clock = SimulatedClock(NOW_NS)
        self.delivery._clock = self.clock

    async def drain(self) -> None:
        await self.commit()
        self.uplink.alert_answers.clear()
        self.uplink.lost_replies = 0
        while self.alerts.pending_counts():
            await self.send()


async def _play(folder: Path, acts: list[tuple[Act, int]]) -> World:
    world = World(folder)
    for act, turns in acts:
        match act:
            case Act.ALARM:
                world.alarm()
            case Act.COMMIT:
                await world.commit()
            case Act.CRASH:
                world.crash()
            case Act.LOST_REPLY:
                world.uplink.lost_replies += 1
            case Act.RETRY:
                world.uplink.alert_answers.append(Receipt.retry("busy"))
            case Act.REFUSE:
                world.refuse()
            case Act.SEND:
                await world.send()
            case Act.SEND_AND_CRASH:
                await world.send(turns)
                world.crash()
    await world.drain()
    return world


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(Act), st.integers(0, 12)), min_size=4, max_size=30))
def test_each_alert_is_held_exactly_once(acts: list[tuple[Act, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = asyncio.run(_play(Path(folder), acts))
        head = world.alerts.verify()
        records = {json.loads(record.body)["seq"] for record in world.alerts.all_evidence()}
        world.close()
    held = {key for key in world.receiver.held if ":evidence:" not in key}
    refused = {key for key in world.refused if ":evidence:" not in key}
    assert held | refused == world.expected
    assert not held & refused
    assert isinstance(head, ChainHead)
    assert {int(key.rsplit(":", 1)[1]) for key in world.receiver.held if ":evidence:" in key} | {
        int(key.rsplit(":", 1)[1]) for key in world.refused if ":evidence:" in key
    } == records
