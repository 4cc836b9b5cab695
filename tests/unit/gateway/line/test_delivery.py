import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.line.delivery import ALERTS_A_BATCH, BACKOFF_FIRST_S, BACKOFF_LIMIT_S, Delivery
from gateway.model.alert import OutboxItem, Receipt
from gateway.store.alert_store import AlertStore, Commit, Message
from gateway.store.history_reader import HistoryReader
from gateway.store.history_store import HistoryStore
from kit.clock import SimulatedClock
from tests.fakes.scripted_uplink import Receiver, ScriptedUplink
from tests.fakes.site import BOUNDS, NOW_NS, SECOND_NS, layout, points, poll, until

LAYOUT = layout()
POINTS = points()


class Box:
    """Stores and a delivery in a folder; `crash` drops everything that is in memory."""

    def __init__(self, folder: Path, uplink: ScriptedUplink, clock: SimulatedClock | None = None) -> None:
        self.clock = clock or SimulatedClock(NOW_NS)
        self.uplink = uplink
        self.alerts = AlertStore(folder, 4096)
        self.history = HistoryStore(folder, POINTS, BOUNDS, NOW_NS)
        reader = HistoryReader(self.history.path, POINTS)
        self.delivery = Delivery(uplink, self.alerts, self.history, reader, self.clock)
        self.task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self.task = asyncio.create_task(self.delivery.run())

    def put(self, *keys: str, kind: str = "alarm_transition", urgency: int = 0) -> None:
        messages = [Message(self.uplink.name, key, kind, key.encode(), urgency) for key in keys]
        self.alerts.commit(Commit(NOW_NS, messages=messages)).result(5)
        self.delivery.wake()

    def polls(self, first: int, last: int) -> None:
        for n in range(first, last):
            self.history.append(poll(LAYOUT, float(n), NOW_NS + n * SECOND_NS))
            self.history.flush(NOW_NS).done.result(5)
        self.delivery.wake()

    async def crash(self) -> None:
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
        self.delivery.close()
        self.alerts.close()
        self.history.close(NOW_NS)


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Box]:
    box = Box(tmp_path, ScriptedUplink(takes_readings=True))
    yield box
    await box.crash()


async def _drained(box: Box) -> None:
    await until(lambda: not box.alerts.pending_counts())


async def _sleeping(box: Box) -> None:
    await until(lambda: bool(box.clock._sleepers))


async def _next_try(box: Box) -> float:
    """Let time pass to the end of the pause, and no further: a quick store would have the try after it in the same go.
    Returns the seconds."""
    await _sleeping(box)
    wait_s = (box.clock._sleepers[0][0] - box.clock.monotonic_ns()) / 1e9
    await box.clock.advance(wait_s + 1e-6)
    return float(wait_s)


async def test_alerts_leave_in_order_and_are_resolved(box: Box) -> None:
    box.start()
    box.put("a", "b")
    box.put("c")
    await _drained(box)
    await until(lambda: box.delivery.alerts_accepted == 3)
    assert list(box.uplink.receiver.held) == ["a", "b", "c"]
    assert box.delivery.accepted_kinds == {"alarm_transition": 3}


async def test_alerts_overtake_the_backlog(box: Box) -> None:
    await asyncio.wrap_future(box.history.start_cursor("regulator"))
    for n in range(5):
        box.polls(n * 1000, n * 1000 + 2)
    box.uplink.reading_answers = [Receipt.retry("busy", after_s=1.0)]
    box.start()
    await _sleeping(box)
    box.put("a")
    await box.clock.advance(60)
    await until(lambda: len(box.uplink.receiver.polls) == 10)
    assert [kind for kind, _ in box.uplink.calls] == ["readings", "alerts", "readings"]


async def test_a_backlog_leaves_in_bounded_batches_with_alerts_looked_for_between(box: Box) -> None:
    await asyncio.wrap_future(box.history.start_cursor("regulator"))
    for n in range(3):
        for i in range(1500):
            box.history.append(poll(LAYOUT, 1.0, NOW_NS + n * 1500 + i))
        box.history.flush(NOW_NS).done.result(5)
    box.put(*[f"k{n}" for n in range(ALERTS_A_BATCH + 1)])
    box.start()
    await until(lambda: len(box.uplink.receiver.polls) == 4500)
    assert box.uplink.calls == [("alerts", ALERTS_A_BATCH), ("alerts", 1), ("readings", 3000), ("readings", 1500)]


async def test_a_new_alert_ends_a_back_off_but_never_hammers(box: Box) -> None:
    box.uplink.alert_answers = [Receipt.retry("gone fishing")] * 9
    box.start()
    box.put("a")
    for _ in range(8):
        await _next_try(box)
    await until(lambda: len(box.uplink.calls) == 9)
    await _sleeping(box)
    box.delivery.wake(urgent=True)
    await box.clock.advance(BACKOFF_FIRST_S - 0.01)
    assert len(box.uplink.calls) == 9
    await box.clock.advance(0.02)
    await until(lambda: len(box.uplink.calls) == 10)
    await _drained(box)


async def test_retry_backs_off_longer_and_longer_within_bounds_and_recovers(
    box: Box, caplog: pytest.LogCaptureFixture
) -> None:
    box.uplink.alert_answers = [Receipt.retry("gone fishing")] * 12
    box.start()
    box.put("a")
    waits = []
    for _ in range(12):
        await _sleeping(box)
        assert box.delivery.down_since_ns
        waits.append(await _next_try(box))
    await _drained(box)
    ceilings = [min(BACKOFF_LIMIT_S, 0.5 * 2**n) for n in range(12)]
    assert all(ceiling / 4 - 1e-6 <= wait <= ceiling for wait, ceiling in zip(waits, ceilings, strict=True))
    assert (box.delivery.retries, box.delivery.last_error) == (12, "gone fishing")
    await until(lambda: not box.delivery.down_since_ns)
    assert caplog.text.count("event=uplink_down") == caplog.text.count("event=uplink_back") == 1


async def test_the_receiver_may_ask_for_more_time(box: Box) -> None:
    box.uplink.alert_answers = [Receipt.retry("busy", after_s=300.0)]
    box.start()
    box.put("a")
    await _sleeping(box)
    await box.clock.advance(299.0)
    assert box.uplink.receiver.held == {}
    await box.clock.advance(1.1)
    await _drained(box)


async def test_what_is_rejected_is_put_aside_and_the_rest_goes_on(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    def refuse_b(item: OutboxItem) -> Receipt:
        return Receipt.rejected("no such project") if item.key == "b" else Receipt.accepted()

    box.uplink.alert_answers = [refuse_b]
    box.start()
    box.put("a", "b", "c")
    await _drained(box)
    await until(lambda: box.delivery.alerts_accepted == 2)
    assert list(box.uplink.receiver.held) == ["a", "c"]
    assert box.delivery.alerts_rejected == 1
    assert "event=alert_rejected uplink=regulator key=b reason='no such project'" in caplog.text
    assert not box.delivery.down_since_ns


async def test_only_what_needs_it_is_sent_again(box: Box) -> None:
    def later_b(item: OutboxItem) -> Receipt:
        return Receipt.retry("locked") if item.key == "b" else Receipt.accepted()

    box.uplink.alert_answers = [later_b]
    box.start()
    box.put("a", "b", "c")
    await _sleeping(box)
    await box.clock.advance(1.0)
    await _drained(box)
    assert box.uplink.receiver.times_sent == {"a": 1, "b": 1, "c": 1}
    assert box.uplink.calls == [("alerts", 3), ("alerts", 1)]


async def test_a_cursor_moves_only_past_what_was_accepted(tmp_path: Path) -> None:
    uplink = ScriptedUplink(takes_readings=True)
    box = Box(tmp_path, uplink)
    await asyncio.wrap_future(box.history.start_cursor("regulator"))
    box.polls(0, 3)
    uplink.reading_answers = [Receipt.retry("busy")]
    box.start()
    await _sleeping(box)
    assert box.delivery.cursor == 0
    await box.crash()
    again = Box(tmp_path, uplink)
    again.start()
    await until(lambda: again.delivery.polls_sent == 3)
    await until(lambda: again.delivery.cursor == 3)
    await again.crash()
    third = Box(tmp_path, uplink)
    third.start()
    third.polls(3, 5)
    await until(lambda: third.delivery.polls_sent == 2)
    await third.crash()
    assert [t for _, t in uplink.receiver.polls] == [NOW_NS + n * SECOND_NS for n in range(5)]


async def test_readings_that_are_rejected_do_not_stop_the_backlog(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    await asyncio.wrap_future(box.history.start_cursor("regulator"))
    box.polls(0, 2)
    box.uplink.reading_answers = [Receipt.rejected("never heard of it")]
    box.start()
    await until(lambda: box.delivery.cursor == 2)
    box.polls(2, 3)
    await until(lambda: len(box.uplink.receiver.polls) == 1)
    assert "event=readings_rejected" in caplog.text


async def test_a_crash_between_send_and_receipt_sends_the_same_key_again(tmp_path: Path) -> None:
    receiver = Receiver()
    box = Box(tmp_path, ScriptedUplink(receiver=receiver))
    box.uplink.lost_replies = 1
    box.start()
    box.put("a", "b")
    await _sleeping(box)
    await box.crash()
    again = Box(tmp_path, ScriptedUplink(receiver=receiver))
    again.start()
    await _drained(again)
    await again.crash()
    assert receiver.times_sent == {"a": 2, "b": 2}
    assert receiver.held == {"a": b"a", "b": b"b"}


async def test_receipts_that_the_disk_does_not_take_are_remembered_and_nothing_is_sent_again(box: Box) -> None:
    box.put("a")
    box.alerts._writer._connection.execute("PRAGMA query_only=1")
    box.start()
    await until(lambda: box.delivery.alerts_accepted == 1)
    assert box.alerts.pending_counts() == {"regulator": 1}
    box.delivery.wake()
    await until(lambda: box.delivery.caught_up)
    assert box.alerts.pending("regulator", 10) == []
    box.alerts.probe(NOW_NS).result(5)
    assert box.alerts.pending_counts() == {}
    assert box.uplink.receiver.times_sent == {"a": 1}


async def test_a_dead_receiver_delays_no_other(tmp_path: Path) -> None:
    box = Box(tmp_path, ScriptedUplink("dead"))
    box.uplink.hold = asyncio.Event()
    other = ScriptedUplink("mqtt")
    second = Delivery(other, box.alerts, box.history, HistoryReader(box.history.path, POINTS), box.clock)
    tasks = [asyncio.create_task(second.run())]
    box.start()
    messages = [Message(name, "a", "alarm_transition", b"x", 0) for name in ("dead", "mqtt")]
    box.alerts.commit(Commit(NOW_NS, messages=messages)).result(5)
    box.delivery.wake()
    second.wake()
    await until(lambda: box.alerts.pending_counts() == {"dead": 1})
    tasks[0].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    second.close()
    await box.crash()
