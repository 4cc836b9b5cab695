"""What one box may have at the desk and how fast it may speak: to the last file, byte and message, and what an honest
box makes of a refusal."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from contract.canonical import canonical_bytes
from contract.chain import GENESIS, record_digest
from contract.faults import Overloaded
from gateway.line.delivery import Delivery
from gateway.model.alert import ReceiptKind
from gateway.store.alert_store import AlertStore, Commit, Message
from gateway.store.history_reader import HistoryReader
from gateway.store.history_store import HistoryStore
from regulator.base.intake import reception as intake_reception
from regulator.base.intake.box_rate import BoxRates, Rate
from regulator.base.intake.loose_files import KEPT_NS, MOST_FILES, MOST_OF_THE_LARGEST
from regulator.base.intake.reception import Request
from regulator.base.records.tables.intake import blob_senders, loose_files
from tests.fakes.contract_box import alarm_body
from tests.fakes.regulator import FakeRegulator
from tests.fakes.regulator_box import BOX, regulator_uplink, simulated, until
from tests.fakes.sending_box import DeskIntake, SendingBox, code_of, reading, reply_of
from tests.fakes.site import BOUNDS, points

LARGEST = 256 << 20
WHOLE = Rate(messages=60, size_bytes=600_000)


async def begin(box: SendingBox, name: str, size_bytes: int = 1000) -> Any:
    """The first ten bytes of a file."""
    first = name.encode().ljust(10)[:10]
    body = {"sha256": hashlib.sha256(name.encode()).hexdigest(), "size_bytes": size_bytes, "offset_bytes": 0}
    body |= {"part_sha256": hashlib.sha256(first).hexdigest(), "media_type": "video/mp4"}
    request = box.request("blob", "blob", body)
    address, read = f"/v1/blobs/{body['sha256']}", reading(first)
    return await box.reception.blob(Request(request.raw, request.signature, address, str(body["sha256"]), read))


def loose(intake: DeskIntake) -> int:
    with intake.desk.database.reading() as db:
        return len(db.execute(select(loose_files)).all())


async def test_as_many_loose_files_as_a_box_may_have_and_one_more(
    intake: DeskIntake, box: SendingBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    await box.alarm()
    assert (await box.file(b"clip")).status == 200
    for number in range(MOST_FILES - 1):
        assert (await begin(box, str(number))).status == 200
    refused = await begin(box, "one more")
    assert (refused.status, code_of(refused)) == (429, "overloaded")
    assert refused.retry_after_s == 60
    error = reply_of(refused).error
    assert error is not None
    assert (error.message_zh, error.expected) == (
        "本机上报超过配额，请稍后重试",
        f"at most {MOST_FILES} files that no message names",
    )
    assert (await begin(box, "0")).status == 200  # one that has begun goes on
    assert (await begin(intake_box := await _another(intake), "one more")).status == 200
    assert intake_box.box_id != box.box_id
    await box.segment("s", b"clip", "a:raised")
    assert (await begin(box, "one more")).status == 200
    assert intake.desk.shelf.read(hashlib.sha256(b"clip").hexdigest()) == b"clip"


async def _another(intake: DeskIntake) -> SendingBox:
    made = intake.box("box-2")
    assert (await made.enrol()).status == 200
    return made


@pytest.mark.parametrize("over", [0, 1])
async def test_as_many_bytes_as_a_box_may_announce_and_one_more(intake: DeskIntake, box: SendingBox, over: int) -> None:
    for number in range(MOST_OF_THE_LARGEST - 1):
        assert (await begin(box, str(number), LARGEST)).status == 200
    assert (await begin(box, "rest", LARGEST - 1000)).status == 200
    last = await begin(box, "last", 1000 + over)
    assert last.status == (429 if over else 200)
    assert bool(intake.findings("over_quota")) is bool(over)


async def test_a_quota_is_one_finding_a_box_and_day(
    intake: DeskIntake, box: SendingBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(MOST_FILES):
        await begin(box, str(number))
    for _ in range(3):
        assert (await begin(box, "more")).status == 429
    (finding,) = intake.findings("over_quota")
    assert (finding["box_id"], finding["again"]) == (box.box_id, 0)
    monkeypatch.setattr(intake_reception, "NOTED_EVERY_S", 0.0)
    await begin(box, "more")
    assert [each["again"] for each in intake.findings("over_quota")] == [1]
    intake.clock.move(hours=24)
    await begin(box, "more")
    assert len(intake.findings("over_quota")) == 2
    assert intake.intake.store.counters(box.box_id)["refused_overloaded"] == 3


async def test_a_day_without_a_part_clears_what_no_message_names_and_nothing_else(
    intake: DeskIntake, box: SendingBox
) -> None:
    await box.alarm()
    await box.segment("s", b"named", "a:raised")
    await box.file(b"whole")
    await begin(box, "begun")
    assert loose(intake) == 2
    whole = hashlib.sha256(b"whole").hexdigest()
    intake.clock.at_ns += KEPT_NS
    intake.run("loose-files")
    assert loose(intake) == 2
    await begin(box, "begun")
    intake.clock.at_ns += 1
    intake.run("loose-files")
    assert loose(intake) == 1
    with intake.desk.database.reading() as db:
        assert whole not in db.scalars(select(blob_senders.c.sha256)).all()
    assert intake.desk.shelf.read(hashlib.sha256(b"named").hexdigest()) == b"named"
    said = {"segment_id": "t", "camera_id": "c", "started_at_ns": 1, "duration_ms": 1, "media_type": "video/mp4"}
    said |= {"blob_sha256": whole, "size_bytes": 5, "event_id": "a:raised"}
    assert code_of(await box.say("media_segment", "t", said)) == "blob_missing"
    await box.file(b"whole")
    assert (await box.say("media_segment", "t", said)).status == 200
    assert intake.desk.shelf.read(whole) == b"whole"


async def test_a_file_that_is_gone_though_it_was_sent_is_asked_for_again(intake: DeskIntake, box: SendingBox) -> None:
    """The file was cleared and the desk died before its rows were."""
    await box.alarm()
    await box.file(b"clip")
    intake.intake.shelf.clear(box.box_id, hashlib.sha256(b"clip").hexdigest())
    said = {"segment_id": "s", "camera_id": "c", "started_at_ns": 1, "duration_ms": 1, "media_type": "video/mp4"}
    said |= {"blob_sha256": hashlib.sha256(b"clip").hexdigest(), "size_bytes": 4, "event_id": "a:raised"}
    assert code_of(await box.say("media_segment", "s", said)) == "blob_missing"
    await box.segment("s", b"clip", "a:raised")
    assert intake.desk.shelf.holds(said["blob_sha256"])


class Watch:
    """A clock for the rates, moved by hand."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_messages_of_a_minute_to_the_last_one() -> None:
    watch = Watch()
    rates = BoxRates(WHOLE, WHOLE, watch)
    for _ in range(60):
        rates.take("box-1", "minute_summary", 1)
    with pytest.raises(Overloaded) as refused:
        rates.take("box-1", "minute_summary", 1)
    assert refused.value.retry_after_s == 1
    rates.take("box-1", "alarm_transition", 1)
    rates.take("box-2", "minute_summary", 1)
    watch.now_s += 1
    rates.take("box-1", "minute_summary", 1)
    with pytest.raises(Overloaded):
        rates.take("box-1", "minute_summary", 1)
    watch.now_s += 3600
    for _ in range(60):
        rates.take("box-1", "minute_summary", 1)
    with pytest.raises(Overloaded):
        rates.take("box-1", "minute_summary", 1)


def test_bytes_of_a_minute_to_the_last_one() -> None:
    watch = Watch()
    rates = BoxRates(WHOLE, WHOLE, watch)
    rates.take("box-1", "evidence_record", WHOLE.size_bytes)
    rates.take("box-1", "evidence_record", 20_000)  # what is there is counted, what is owed is waited for
    with pytest.raises(Overloaded) as refused:
        rates.take("box-1", "evidence_record", 1)
    assert refused.value.retry_after_s == 2
    watch.now_s += 2
    rates.take("box-1", "evidence_record", 1)
    rates.add("box-1", "blob", 100 * WHOLE.size_bytes)
    with pytest.raises(Overloaded) as refused:
        rates.take("box-1", "evidence_record", 1)
    assert refused.value.retry_after_s == 60


async def test_alarms_pass_where_a_backlog_has_to_wait(
    intake: DeskIntake, box: SendingBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake.intake.reception, "_rates", BoxRates(WHOLE, WHOLE, Watch()))
    answers = [await box.record(str(number)) for number in range(61)]
    assert [answer.status for answer in answers] == [200] * 60 + [429]
    assert answers[-1].retry_after_s == 1
    assert (await box.alarm()).status == 200
    assert (await box.beat(60, box.records[59][1])).status == 200


@pytest.fixture
async def regulator(tmp_path: Path) -> AsyncIterator[FakeRegulator]:
    with FakeRegulator(tmp_path / "regulator") as regulator:
        yield regulator


def backlog(count: int) -> list[Message]:
    """A chain of records, and an alarm at its end, as a week without a line leaves them."""
    messages, prev = [], GENESIS
    for seq in range(1, count + 1):
        text = canonical_bytes({"seq": seq, "prev": prev, "box_id": BOX, "words": str(seq)})
        prev = record_digest(text)
        body = canonical_bytes({"record": text.decode(), "sha256": prev})
        messages.append(Message("regulator", f"record-{seq}", "evidence_record", body, 1))
    return [*messages, Message("regulator", "a", "alarm_transition", canonical_bytes(alarm_body("a")), 1)]


async def test_a_backlog_over_the_quota_arrives_whole_in_order_and_once(
    regulator: FakeRegulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The box's own delivery, outbox and uplink over a real socket; only its pauses are simulated."""
    caplog.set_level(logging.WARNING)
    watch, clock, folder = Watch(), simulated(), tmp_path / "box"
    folder.mkdir()
    regulator._reception._rates = BoxRates(WHOLE, WHOLE, lambda: clock.monotonic_ns() / 1e9 + watch.now_s)
    store = AlertStore(folder, 4096)
    history = HistoryStore(folder, points(), BOUNDS, clock.now_ns())
    store.commit(Commit(clock.now_ns(), messages=backlog(150))).result(5)
    began_ns = clock.monotonic_ns()
    async with regulator_uplink(folder, regulator, clock) as uplink:
        delivery = Delivery(uplink, store, history, HistoryReader(history.path, points()), clock)
        running = asyncio.create_task(delivery.run())
        try:
            await until(lambda: not store.pending_counts(), clock, 0.5)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            delivery.close()
            store.close()
            history.close(clock.now_ns())
    waited_s = (clock.monotonic_ns() - began_ns) / 1e9
    held = sorted(regulator.store.items("evidence_record"), key=lambda row: row["number"])
    came = [int(row["key"].removeprefix("record-")) for row in held]
    assert sorted(came) == list(range(1, 151))
    assert max(abs(number - place) for place, number in enumerate(came, start=1)) < 16  # eight are on their way at once
    assert (delivery.accepted_kinds, delivery.alerts_rejected) == ({"evidence_record": 150, "alarm_transition": 1}, 0)
    chain = regulator.store.chain(BOX)
    assert (chain.state, chain.verified_seq) == ("ok", 150)
    stats = regulator.store.stats()
    assert (stats["duplicates_refused"], stats["conflicts_refused"], stats["alerts_held"]) == (0, 0, 1)
    assert delivery.retries > 30
    assert 90 <= waited_s < 180
    assert not [record for record in caplog.records if "uplink_down" in record.getMessage()]


async def test_a_file_over_the_quota_waits_and_its_box_loses_nothing(regulator: FakeRegulator, tmp_path: Path) -> None:
    folder = tmp_path / "box"
    folder.mkdir()
    async with regulator_uplink(folder, regulator) as uplink:
        files = [f"file {number}".encode() for number in range(MOST_FILES + 1)]
        receipts = [await uplink.send_blob(content, "video/mp4") for content in files]
        assert [receipt.kind for receipt in receipts[:-1]] == [ReceiptKind.ACCEPTED] * MOST_FILES
        assert (receipts[-1].kind, receipts[-1].retry_after_s) == (ReceiptKind.RETRY, 60.0)
        assert uplink.health().refused == ""
        with regulator.store.database.transaction() as db:
            db.execute(loose_files.delete().where(loose_files.c.sha256 == hashlib.sha256(files[0]).hexdigest()))
        assert (await uplink.send_blob(files[-1], "video/mp4")).kind is ReceiptKind.ACCEPTED
