"""A store that takes nothing silences no alarm: told from memory, sealed later, sent once."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from contract.chain import GENESIS, ChainHead
from gateway.evidence.evidence import RecordKind
from gateway.line.recorder import MOST_WAITING, RETRY_S, Entry, Route
from gateway.model.alert import OutboxItem, Receipt
from gateway.model.errors import StoreError
from tests.fakes.site import NOW_NS, REGULATOR, until
from tests.unit.gateway.line.test_recorder import RULE, Bench, _transitions

ROUTES = (Route("mqtt", True, False, False), REGULATOR)


def read_only(bench: Bench) -> None:
    """As SQLite finds a file on a read-only disk; the next attempt after the retry time finds it writable again."""
    bench.store._writer._connection.execute("PRAGMA query_only=1")


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path, ROUTES)
    bench.start()
    await bench.recorder.record(Entry(RecordKind.STARTED, NOW_NS, {}))
    yield bench
    await bench.cancel()
    bench.store.close()


async def failing(bench: Bench) -> None:
    await until(lambda: bool(bench.recorder.failing_since_ns and bench.clock._sleepers))


async def back(bench: Bench) -> None:
    await bench.clock.advance(RETRY_S)
    await until(lambda: bench.recorder.last_in_line() is None)


def told(bench: Bench, uplink: str) -> list[OutboxItem]:
    return [item for item in bench.store.pending(uplink, 10) if item.kind == "alarm_transition"]


async def test_an_alarm_is_told_at_once_and_names_no_record(bench: Bench) -> None:
    heard = []
    bench.recorder.on_unsealed = lambda: heard.append(bench.recorder.failing_since_ns)
    raised, returned = _transitions()
    read_only(bench)
    sealing = bench.recorder.record_transition(raised, RULE, ())
    await failing(bench)
    assert heard == [bench.recorder.failing_since_ns]
    for uplink in ("mqtt", "regulator"):
        (item,) = told(bench, uplink)
        body = json.loads(item.body)
        assert (item.key, body["evidence_seq"], body["evidence_sha256"]) == (body["event_id"], 0, GENESIS)
    bench.recorder.record_transition(returned, RULE, ())
    assert [item.key.rpartition(":")[2] for item in told(bench, "mqtt")] == ["raised", "returned"], "without waiting"
    assert not sealing.done()
    await back(bench)


async def test_what_was_told_is_sealed_with_both_times_and_not_told_again(bench: Bench) -> None:
    raised, _ = _transitions()
    read_only(bench)
    sealing = bench.recorder.record_transition(raised, RULE, ())
    await failing(bench)
    told_at_ns = bench.clock.now_ns()
    ((sent,), (waiting,)) = told(bench, "mqtt"), told(bench, "regulator")
    bench.store.resolve([(sent, Receipt.accepted("theirs"))], told_at_ns).result(5)
    assert told(bench, "mqtt") == []
    await back(bench)
    record = await sealing
    assert json.loads(record.body)["content"]["told_unsealed"] == {
        "event_id": sent.key,
        "told_at_ns": told_at_ns,
        "sealed_at_ns": told_at_ns + int(RETRY_S * 1e9),
    }
    await until(lambda: bench.store.pending_counts().get("mqtt") is None)
    (row,) = told(bench, "regulator")
    assert (row.key, row.body) == (waiting.key, waiting.body), "the message that was told, byte for byte"
    assert row.outbox_id, "in the file now"
    assert isinstance(bench.store.verify(), ChainHead)


async def test_what_is_no_alarm_waits_for_the_store(bench: Bench) -> None:
    read_only(bench)
    waiting = bench.recorder.record(Entry(RecordKind.CONFIG_CHANGED, NOW_NS, {"user": "wang"}))
    await failing(bench)
    assert bench.store.unsealed.counts() == {}
    await back(bench)
    assert "told_unsealed" not in json.loads((await waiting).body)["content"]


async def test_what_finds_no_room_is_told_given_up_and_admitted(bench: Bench) -> None:
    raised, returned = _transitions()
    read_only(bench)
    bench.recorder.record_transition(raised, RULE, ())
    await failing(bench)
    for n in range(MOST_WAITING - 1):
        bench.recorder.record(Entry(RecordKind.CONFIG_CHANGED, NOW_NS, {"n": n}))
    given_up = bench.recorder.record_transition(returned, RULE, ())
    assert [item.key.rpartition(":")[2] for item in told(bench, "mqtt")] == ["raised", "returned"]
    with pytest.raises(StoreError, match="wait in memory"):
        await given_up
    await back(bench)
    gap = bench.store.last_of(RecordKind.HISTORY_GAP)
    assert gap is not None
    assert json.loads(gap.body)["content"]["lost_records"] == 1


async def test_a_quiet_site_finds_out_by_asking(bench: Bench) -> None:
    await bench.recorder.probe()
    assert not bench.recorder.failing_since_ns
    read_only(bench)
    await bench.recorder.probe()
    assert bench.recorder.failing_since_ns
    await bench.recorder.probe()
    assert not bench.recorder.failing_since_ns, "the file was opened anew"


async def test_a_stop_on_a_dead_disk_still_tells(bench: Bench) -> None:
    read_only(bench)
    await bench.cancel()
    bench.recorder.record_transition(_transitions()[0], RULE, ())
    draining = asyncio.create_task(bench.recorder.drain())
    await failing(bench)
    assert len(told(bench, "regulator")) == 1
    await bench.clock.advance(RETRY_S)
    await draining
    bench.start()
