import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from contract.chain import ChainHead
from gateway.alarms import AlarmTable
from gateway.evidence.evidence import RecordKind, seen_content
from gateway.line.recorder import MAX_ENTRIES_A_COMMIT, RETRY_S, Entry, Recorder, Route, Told
from gateway.model.alarm import Transition
from gateway.model.verdict import Truth, Verdicts
from gateway.store.alert_store import AlertStore
from kit.clock import SimulatedClock
from tests.fakes.site import BOX, NOW_NS, REGULATOR, info, layout, points, poll, threshold, until

RULE = threshold()


class Bench:
    """A recorder over a real store whose disk the test can fill."""

    def __init__(self, folder: Path, routes: Sequence[Route] = (REGULATOR,)) -> None:
        self.clock = SimulatedClock(NOW_NS)
        self.store = AlertStore(folder, 4096)
        self.recorder = Recorder(self.store, BOX, "PROJECT-1", routes, self.clock)
        self.task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self.task = asyncio.create_task(self.recorder.run())

    async def cancel(self) -> None:
        assert self.task is not None
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        assert self.task.cancelled()

    def disk(self, full: bool) -> None:
        """Bound the file to the size it has, as a full disk does."""
        self.store._writer._connection.execute(f"PRAGMA max_page_count={1 if full else 10**6}")


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.store.close()


def _entry(n: int, padding: int = 0) -> Entry:
    return Entry(RecordKind.STARTED, NOW_NS + n, {"n": n, "padding": "x" * padding})


def _transitions(reportable: bool = True) -> list[Transition]:
    table = AlarmTable(BOX, [threshold(rule=info(reportable=reportable))])
    row = np.array([0], dtype=np.int32)
    steps = [
        Verdicts(row, np.array([t], dtype=np.uint8), np.array([120.0]), NOW_NS + t) for t in (Truth.TRUE, Truth.FALSE)
    ]
    return [transition for verdicts in steps for transition in table.step(verdicts)]


async def _first(found: Callable[[], "asyncio.Task[None] | None"]) -> "asyncio.Task[None]":
    """What is found as soon as it is there."""
    while (task := found()) is None:
        await asyncio.sleep(0)
    return task


def _numbers(store: AlertStore) -> list[int]:
    return [json.loads(record.body)["content"]["n"] for record in store.all_evidence()]


async def test_entries_are_committed_in_the_order_they_came_as_one_chain(bench: Bench) -> None:
    futures = [bench.recorder.record(_entry(n)) for n in range(3)]
    bench.start()
    futures += [bench.recorder.record(_entry(n)) for n in range(3, 250)]
    records = await asyncio.gather(*futures)
    assert [record.seq for record in records] == list(range(1, 251))
    assert _numbers(bench.store) == list(range(250))
    assert bench.store.verify() == bench.recorder.head == records[-1].head
    await bench.cancel()


async def test_listeners_hear_of_it_only_after_the_commit(bench: Bench) -> None:
    heard: list[tuple[int, int]] = []

    def listen(told: Sequence[Told]) -> None:
        heard.extend((t.record.seq, bench.store.head().seq) for t in told)

    bench.recorder.listeners.append(listen)
    bench.start()
    await asyncio.gather(*(bench.recorder.record(_entry(n)) for n in range(150)))
    assert [seq for seq, _ in heard] == list(range(1, 151))
    assert all(seq <= committed for seq, committed in heard)
    await bench.cancel()


async def test_the_last_in_line_stands_for_all_before_it(bench: Bench) -> None:
    assert bench.recorder.last_in_line() is None
    futures = [bench.recorder.record(_entry(n)) for n in range(MAX_ENTRIES_A_COMMIT + 5)]
    last = bench.recorder.last_in_line()
    assert last is futures[-1]
    bench.start()
    await last
    assert all(future.done() for future in futures)
    assert bench.recorder.last_in_line() is None
    await bench.cancel()


async def test_a_store_that_fails_keeps_the_line_and_its_order(bench: Bench) -> None:
    bench.disk(full=True)
    futures = [bench.recorder.record(_entry(n, padding=5000)) for n in range(3)]
    bench.start()
    await until(lambda: bool(bench.recorder.failing_since_ns))
    assert bench.recorder.failing_since_ns == NOW_NS
    futures.append(bench.recorder.record(_entry(3)))
    assert not any(future.done() for future in futures)
    assert bench.store.head() == bench.recorder.head == ChainHead()
    bench.disk(full=False)
    await bench.clock.advance(RETRY_S)
    await asyncio.gather(*futures)
    assert _numbers(bench.store) == [0, 1, 2, 3]
    assert bench.recorder.failing_since_ns == 0
    await bench.cancel()


async def test_the_disk_is_not_asked_faster_than_the_retry_time(bench: Bench) -> None:
    asked = []
    bench.store._writer._on_full = lambda: bool(asked.append(bench.clock.monotonic_ns()))
    bench.disk(full=True)
    bench.recorder.record(_entry(0, padding=5000))
    bench.start()
    for n in range(1, 4):
        await until(lambda n=n: len(asked) == n and bool(bench.clock._sleepers))
        await bench.clock.advance(RETRY_S)
    assert asked[:3] == [0, int(RETRY_S * 1e9), int(2 * RETRY_S * 1e9)]
    await until(lambda: len(asked) == 4 and bool(bench.clock._sleepers))
    await bench.cancel()
    bench.disk(full=False)
    await bench.clock.advance(RETRY_S)
    await bench.recorder.drain()
    assert _numbers(bench.store) == [0]


@pytest.mark.parametrize("turns", range(8))
async def test_a_stop_in_the_middle_of_a_commit_hands_nothing_over_twice(bench: Bench, turns: int) -> None:
    futures = [bench.recorder.record(_entry(n)) for n in range(3)]
    bench.start()
    for _ in range(turns):
        await asyncio.sleep(0)
    await bench.cancel()
    await bench.recorder.drain()
    assert [future.result().seq for future in futures] == [1, 2, 3]
    assert _numbers(bench.store) == [0, 1, 2]
    assert bench.recorder.failing_since_ns == 0


async def test_a_drain_does_not_wait_for_ever_on_a_commit_that_has_just_ended(bench: Bench) -> None:
    bench.recorder.record(_entry(0))
    bench.start()
    committing = await _first(lambda: bench.recorder._committing)
    await committing
    await bench.cancel()
    bench.recorder._committing = committing
    bench.recorder.record(_entry(1))
    await bench.recorder.drain()
    assert _numbers(bench.store) == [0, 1]


async def test_a_drain_on_a_full_disk_ends_and_says_what_is_lost(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.disk(full=True)
    future = bench.recorder.record(_entry(0, padding=5000))
    draining = asyncio.create_task(bench.recorder.drain())
    await until(lambda: bool(bench.clock._sleepers))
    await bench.clock.advance(RETRY_S)
    await draining
    assert not future.done()
    assert "event=evidence_lost_at_stop entries=1" in caplog.text


async def test_after_a_crash_of_its_loop_what_waits_is_still_committed(bench: Bench) -> None:
    """A listener with a bug: the supervisor starts the loop again, and nothing new needs to come for it to go on."""

    def bug(told: Sequence[Told]) -> None:
        if told[0].record.seq == 1:
            raise RuntimeError("a listener's bug")

    bench.recorder.listeners.append(bug)
    futures = [bench.recorder.record(_entry(n)) for n in range(MAX_ENTRIES_A_COMMIT + 1)]
    with pytest.raises(RuntimeError):
        await bench.recorder.run()
    assert not futures[-1].done()
    bench.start()
    assert (await futures[-1]).seq == MAX_ENTRIES_A_COMMIT + 1
    await bench.cancel()


@pytest.mark.parametrize("content", [{"limit": 1.5}, {"reason": "\ud800"}])
async def test_what_cannot_be_sealed_fails_alone(bench: Bench, content: dict[str, object]) -> None:
    before = bench.recorder.record(_entry(0))
    bad = bench.recorder.record(Entry(RecordKind.STARTED, NOW_NS, content))  # type: ignore[arg-type]
    after = bench.recorder.record(_entry(1))
    bench.start()
    assert ((await before).seq, (await after).seq) == (1, 2)
    with pytest.raises((TypeError, ValueError)):
        await bad
    assert _numbers(bench.store) == [0, 1]
    await bench.cancel()


async def test_a_caller_that_gave_up_waiting_does_not_stop_the_commit(bench: Bench) -> None:
    gone, stays = bench.recorder.record(_entry(0)), bench.recorder.record(_entry(1))
    gone.cancel()
    bench.start()
    assert (await stays).seq == 2
    assert _numbers(bench.store) == [0, 1]
    await bench.cancel()


async def test_a_transition_brings_alarm_evidence_and_messages_in_one_commit(bench: Bench) -> None:
    raised, returned = _transitions()
    bench.start()
    seen = seen_content([poll(layout(2), [120.0, np.nan])], points(), 0)
    record = await bench.recorder.record_transition(raised, RULE, seen)
    assert [alarm.active for alarm in bench.store.open_alarms()] == [True]
    assert [r.seq for r in bench.store.evidence_of(raised.alarm.alarm_id)] == [record.seq]
    alert, evidence = bench.store.pending("regulator", 10)
    assert (alert.kind, alert.key) == ("alarm_transition", f"{raised.alarm.alarm_id}:raised")
    assert json.loads(alert.body)["evidence_sha256"] == record.sha256
    assert (evidence.kind, json.loads(evidence.body)["sha256"]) == ("evidence_record", record.sha256)
    content = json.loads(record.body)["content"]
    assert content["samples"][0]["value"] == ["120.0", None]
    assert content["samples"][0]["raw_words"] == [[0, [1, 65535]]]
    assert content["rule"]["limit"] == "100.0"
    await bench.recorder.record_transition(returned, RULE, seen)
    assert [alarm.active for alarm in bench.store.open_alarms()] == [False]
    await bench.cancel()


@pytest.mark.parametrize(
    ("reportable", "kinds"), [(True, ["alarm_transition", "evidence_record"]), (False, ["evidence_record"])]
)
async def test_a_regulator_is_told_of_reportable_alarms_only(bench: Bench, reportable: bool, kinds: list[str]) -> None:
    bench.start()
    await bench.recorder.record_transition(_transitions(reportable)[0], None, ())
    assert [item.kind for item in bench.store.pending("regulator", 10)] == kinds
    await bench.cancel()


async def test_each_route_gets_what_it_takes(tmp_path: Path) -> None:
    routes = (Route("mqtt", True, False, False), Route("influx", False, False, False), REGULATOR)
    bench = Bench(tmp_path, routes)
    bench.start()
    await bench.recorder.record_transition(_transitions(reportable=False)[0], RULE, ())
    await bench.recorder.record(_entry(0))
    assert [item.kind for item in bench.store.pending("mqtt", 10)] == ["alarm_transition"]
    assert bench.store.pending("influx", 10) == []
    assert [item.kind for item in bench.store.pending("regulator", 10)] == ["evidence_record"] * 2
    await bench.cancel()
    bench.store.close()


async def test_a_restart_goes_on_with_the_same_chain(tmp_path: Path) -> None:
    for expected in (1, 2):
        bench = Bench(tmp_path)
        bench.start()
        assert (await bench.recorder.record(_entry(expected))).seq == expected
        await bench.cancel()
        assert bench.store.verify() == bench.recorder.head
        bench.store.close()
