"""Alarms that a box told before it could seal them: held, shown as such, and one alarm with their later record."""

import hashlib

import pytest
from sqlalchemy import select

from contract.canonical import canonical_bytes
from regulator.base.records.tables.intake import alarms
from tests.fakes.sending_box import DeskIntake, SendingBox

ZEROS = "0" * 64
EVENT = "a:raised"


def sealing(event_id: str) -> tuple[bytes, str]:
    told = {"event_id": event_id, "told_at_ns": 1_500, "sealed_at_ns": 9_000}
    content = {"transition": "raised", "alarm": {"alarm_id": "a"}, "told_unsealed": told}
    record = {"version": 1, "seq": 1, "prev": ZEROS, "kind": "alarm_transition", "at_ns": 1_000, "content": content}
    body = canonical_bytes(record | {"box_id": "box-1"})
    return body, hashlib.sha256(body).hexdigest()


def evidence_of(intake: DeskIntake) -> list[tuple[int, str]]:
    with intake.desk.database.reading() as db:
        return [(row.evidence_seq, row.evidence_sha256) for row in db.execute(select(alarms))]


@pytest.mark.parametrize("order", ["told, sealed", "sealed, told"])
async def test_a_record_that_comes_later_seals_the_alarm_that_was_told(
    intake: DeskIntake, box: SendingBox, order: str
) -> None:
    body, digest = sealing(EVENT)
    body = body.replace(b'"box-1"', b'"%s"' % box.box_id.encode())
    digest = hashlib.sha256(body).hexdigest()
    for what in order.split(", "):
        if what == "told":
            assert (await box.alarm("a", evidence_seq=0, evidence_sha256=ZEROS)).status == 200
        else:
            said = {"record": body.decode(), "sha256": digest}
            assert (await box.say("evidence_record", "evidence:1", said)).status == 200
    assert evidence_of(intake) == [(1, digest)]


async def test_a_record_of_another_message_seals_nothing(intake: DeskIntake, box: SendingBox) -> None:
    body, _ = sealing("b:raised")
    body = body.replace(b'"box-1"', b'"%s"' % box.box_id.encode())
    assert (await box.alarm("a", evidence_seq=0, evidence_sha256=ZEROS)).status == 200
    said = {"record": body.decode(), "sha256": hashlib.sha256(body).hexdigest()}
    assert (await box.say("evidence_record", "evidence:1", said)).status == 200
    assert evidence_of(intake) == [(0, ZEROS)]
