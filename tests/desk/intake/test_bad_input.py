"""Bad input: a clear error, counted, kept aside as it came, nothing lost, nothing executed."""

import asyncio
import base64
import hashlib
from typing import Any

import pytest
from sqlalchemy import select, update

from contract.faults import FAULTS
from contract.signing import generate_key
from regulator.base.intake.reception import Request
from regulator.base.intake.refusals import KEPT_A_DAY, KEPT_BYTES
from regulator.base.intake.watch import CLOCK_LIMIT_S, GAP_LIMIT_S, SECOND_NS
from regulator.base.records.ledger import entries_of
from regulator.base.records.tables.intake import alarms, alerts, items, kept_aside
from regulator.base.records.tables.registry import projects
from tests.fakes.desk_database import DeskClock
from tests.fakes.sending_box import DeskIntake, SendingBox, code_of, reading, reply_of

HOSTILE = "'; DROP TABLE items; --<script>alert(1)</script>\"\\%s{}\u202e"


def aside(intake: DeskIntake) -> list[dict[str, Any]]:
    with intake.desk.database.reading() as db:
        return [dict(row._mapping) for row in db.execute(select(kept_aside).order_by(kept_aside.c.code))]


async def test_a_forged_signature_is_refused_kept_and_named(intake: DeskIntake, box: SendingBox) -> None:
    request = box.request("heartbeat", "heartbeat", {})
    forged = Request(request.raw, generate_key().sign(request.raw), "/v1/messages")
    assert code_of(await box.reception.message(forged)) == "bad_signature"
    (row,) = aside(intake)
    assert (row["box_id"], row["code"], row["size_bytes"]) == (box.box_id, "bad_signature", len(request.raw))
    assert base64.b64decode(row["content_base64"]) == request.raw
    assert row["signature"] == forged.signature
    assert [finding["box_id"] for finding in intake.findings("bad_signature")] == [box.box_id]
    assert intake.intake.store.counters(box.box_id) == {"refused_bad_signature": 1}


async def test_two_gigabytes_are_refused_unread(intake: DeskIntake, box: SendingBox) -> None:
    touched: list[str] = []

    async def read() -> bytes:
        touched.append("read")
        return b""

    body = {"sha256": "0" * 64, "size_bytes": 2 << 30, "offset_bytes": 0, "part_sha256": "0" * 64, "media_type": "x"}
    request = box.request("blob", "blob", body)
    answer = await box.reception.blob(Request(request.raw, request.signature, "/v1/blobs/", "0" * 64, read))
    error = reply_of(answer).error
    assert error is not None
    assert (answer.status, error.code, error.field, error.expected) == (
        413,
        "too_large",
        "body.size_bytes",
        str(256 << 20),
    )
    assert touched == []
    assert intake.intake.store.counters(box.box_id) == {"refused_too_large": 1}


async def test_a_batch_out_of_order_loses_nothing(intake: DeskIntake, box: SendingBox) -> None:
    requests = []
    for number in range(30):
        requests.append(await _sealed_record(box, number))
    await asyncio.gather(*(box.reception.message(request) for request in reversed(requests)))
    chain = intake.intake.store.chain(box.box_id)
    assert (chain.state, chain.verified_seq) == ("ok", 30)
    assert intake.intake.store.stats()["evidence_held"] == 30


async def _sealed_record(box: SendingBox, number: int) -> Request:
    """The next record, sealed and not sent."""
    reception, box.reception = box.reception, _Holding()  # type: ignore[assignment]
    try:
        await box.record(str(number))
    finally:
        box.reception = reception
    return box.sent[-1]


class _Holding:
    """Takes and does nothing: the line is down."""

    async def message(self, request: Request) -> None:
        return None


async def test_a_gap_that_stays_is_found_and_closes_when_it_heals(intake: DeskIntake, box: SendingBox) -> None:
    missing = await _sealed_record(box, 1)
    await box.record("two")
    intake.run("watch")
    assert intake.findings("chain_gap") == []
    intake.clock.move(seconds=GAP_LIMIT_S + 1)
    intake.run("watch")
    assert ["misses record 1" in found["words_en"] for found in intake.findings("chain_gap")] == [True]
    assert (await box.reception.message(missing)).status == 200
    intake.run("watch")
    assert intake.findings("chain_gap") == []


async def test_a_silent_box_is_a_finding_until_it_is_heard(intake: DeskIntake, box: SendingBox) -> None:
    intake.clock.move(seconds=intake.desk.settings.silent_box_s + 1)
    for _ in range(2):
        intake.run("watch")
    (finding,) = intake.findings("silent_box")
    assert "其报警数未知" in finding["words_zh"]
    await box.beat()
    intake.run("watch")
    assert intake.findings("silent_box") == []
    with intake.desk.database.reading() as db:
        kinds = [entry.fields["kind"] for entry in entries_of(db, f"project:{box.project}")]
    assert kinds.count("finding_opened") == 2
    assert kinds.count("finding_closed") == 1


@pytest.mark.parametrize(("off_s", "found"), [(3600, True), (-3600, True), (CLOCK_LIMIT_S - 1, False), (0, False)])
async def test_a_box_whose_clock_is_wrong_is_a_finding_once_a_day_until_it_is_right(
    intake: DeskIntake, box: SendingBox, off_s: int, found: bool
) -> None:
    async def beat(seconds: int) -> list[dict[str, Any]]:
        box.clock = DeskClock(intake.clock() + seconds * SECOND_NS)
        await box.beat()
        for _ in range(2):
            intake.run("watch")
        return intake.findings("clock_off")

    opened = await beat(off_s)
    assert len(opened) == found
    if not found:
        return
    words = f"the clock of box-1 is 3600 s {'ahead' if off_s > 0 else 'behind'}"
    assert str(opened[0]["words_en"]).startswith(words)
    assert await beat(0) == []
    assert await beat(off_s) == [], "one a box and day"
    intake.clock.move(days=1)
    assert len(await beat(off_s)) == 1


async def test_a_project_that_is_registered_is_no_finding_any_more(intake: DeskIntake, box: SendingBox) -> None:
    intake.run("watch")
    assert len(intake.findings("unregistered_project")) == 1
    with intake.desk.database.transaction() as db:
        db.execute(update(projects).values(status="registered"))
    intake.run("watch")
    assert intake.findings("unregistered_project") == []


TEXTS = ("rule_id", "subject", "asset", "asset_kind", "title_zh", "title_en", "unit", "limit_source", "clause")
TEXTS += ("certainty", "user", "reason")


async def test_sql_and_html_in_every_text_are_only_text(intake: DeskIntake, box: SendingBox) -> None:
    said = dict.fromkeys(TEXTS, HOSTILE)
    name = HOSTILE[:150]
    codes = dict.fromkeys(("code", "edition", "other_code", "other_edition"), HOSTILE)
    assert (await box.alarm(name, **said, hazard=codes)).status == 200
    assert (await box.thumbnail(HOSTILE, b"\xff\xd8", HOSTILE)).status == 200
    assert (await box.record(HOSTILE)).status == 200
    reply = {"order_id": HOSTILE, "answer": "rectified", "words": HOSTILE, "user": HOSTILE, "answered_at_ns": 1}
    assert (await box.say("order_reply", "reply", reply | {"blob_sha256": []})).status == 200
    with intake.desk.database.reading() as db:
        (alarm,) = db.execute(select(alarms)).all()
        (alert,) = db.execute(select(alerts)).all()
        assert {alarm.subject, alarm.clause, alarm.hazard_code, alert.user_name, alert.reason} == {HOSTILE}
        assert alarm.alarm_id == name
        assert len(db.execute(select(items)).all()) == 4


async def test_a_hostile_project_code_enrols_as_text(intake: DeskIntake) -> None:
    box = intake.box("box-h", HOSTILE)
    assert (await box.enrol()).status == 200
    with intake.desk.database.reading() as db:
        assert db.scalars(select(projects.c.project_code)).all() == [HOSTILE]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "malformed"),
        (b"\xff\xfe", "malformed"),
        (b'{"version":2}', "wrong_version"),
        (b'{"a":1,"a":2}', "malformed"),
        (b'{"version":1.0}', "malformed"),
        (b"[" * 100_000, "malformed"),
        (b'{"version":1,"x":"\\u0000"}', "malformed"),
    ],
)
async def test_bytes_that_are_no_message_are_kept_aside(intake: DeskIntake, raw: bytes, code: str) -> None:
    answer = await intake.intake.reception.message(Request(raw, "x" * 1000, "/v1/messages"))
    assert code_of(answer) == code
    (row,) = aside(intake)
    assert (row["code"], row["box_id"], row["size_bytes"]) == (code, "", len(raw))
    assert base64.b64decode(row["content_base64"]) == raw[:KEPT_BYTES]
    assert row["sha256"] == hashlib.sha256(raw).hexdigest()
    assert intake.findings() == []


async def test_a_flood_of_rubbish_is_counted_to_the_last_and_kept_to_a_bound(intake: DeskIntake) -> None:
    sent = KEPT_A_DAY + 20
    for _ in range(sent):
        await intake.intake.reception.message(Request(b"rubbish", "", "/v1/messages"))
    assert len(aside(intake)) == KEPT_A_DAY
    assert intake.intake.store.counters("") == {"refused_malformed": sent}


async def test_a_file_with_another_digest_is_named(intake: DeskIntake, box: SendingBox) -> None:
    digest = hashlib.sha256(b"what it claims").hexdigest()
    part = {"sha256": digest, "size_bytes": 5, "offset_bytes": 0, "media_type": "video/mp4"}
    request = box.request("blob", "blob", part | {"part_sha256": hashlib.sha256(b"other").hexdigest()})
    sent = Request(request.raw, request.signature, "/v1/blobs/", digest, reading(b"other"))
    assert code_of(await box.reception.blob(sent)) == "digest_mismatch"
    assert len(intake.findings("blob_digest")) == 1


async def test_media_without_its_file_is_refused_until_it_came(intake: DeskIntake, box: SendingBox) -> None:
    said = {"segment_id": "s", "camera_id": "c", "started_at_ns": 1, "duration_ms": 1, "media_type": "video/mp4"}
    said |= {"blob_sha256": hashlib.sha256(b"clip").hexdigest(), "size_bytes": 4, "event_id": "a:raised"}
    assert code_of(await box.say("media_segment", "s", said)) == "blob_missing"
    await box.file(b"clip")
    assert (await box.say("media_segment", "s", said)).status == 200


async def test_a_retired_key_is_refused_though_it_was_used_just_now(intake: DeskIntake, box: SendingBox) -> None:
    await box.alarm()
    old, new = box.key, generate_key()
    intake.clock.move(seconds=1)
    proof = new.sign(f"r-1:{box.box_id}:{new.public.public_text}".encode())
    said = {"rotation_id": "r-1", "whose": "box", "public_key": new.public.public_text, "proof": proof}
    assert (await box.say("key_rotation_reply", "rotate", said)).status == 200
    box.key = new
    assert (await box.beat()).status == 200
    box.key = old
    assert code_of(await box.alarm()) == "unknown_sender"


def test_every_fault_has_words_in_both_languages() -> None:
    assert all(fault.message_zh and fault.message_en for fault in FAULTS.values())
