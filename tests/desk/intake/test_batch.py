"""Items that are kept together leave the same rows as items that are kept one by one; what is not plain is left."""

import base64
import hashlib
import json
from typing import Any

import pytest
from sqlalchemy import select

from contract.canonical import canonical_bytes
from contract.chain import GENESIS, record_digest
from contract.envelope import read_envelope
from contract.faults import ContractFault, InvalidBody
from contract.messages import ITEM_KINDS, Heartbeat, HeartbeatSeen
from regulator.base.intake.acceptance import Delivery
from regulator.base.intake.batch import accept_together
from regulator.base.intake.store import ReceiverStore
from regulator.base.records.tables.intake import alarm_media, alarms, alerts, boxes, chain_records, items, mailbox
from tests.fakes.contract_box import alarm_body
from tests.fakes.sending_box import DeskIntake, SendingBox

PICTURE = b"a picture"


def delivery(box: SendingBox, kind: str, key: str, body: dict[str, Any]) -> Delivery:
    request = box.request(kind, key, body)
    envelope = read_envelope(request.raw)
    return Delivery(envelope, request.raw, request.signature, ITEM_KINDS[kind].model_validate(envelope.body))


def alarm(box: SendingBox, name: str, transition: str = "raised", **changes: Any) -> Delivery:
    said = {"alarm_id": name, "transition": transition, "project_code": box.project} | changes
    return delivery(box, "alarm_transition", f"{name}:{transition}", alarm_body(f"{name}:{transition}", **said))


def picture(box: SendingBox, name: str) -> Delivery:
    said: dict[str, Any] = {"camera_id": "cam-1", "captured_at_ns": 5, "media_type": "image/jpeg", "width_px": 320}
    said |= {"height_px": 180, "sha256": hashlib.sha256(PICTURE).hexdigest(), "event_id": f"{name}:raised"}
    return delivery(box, "thumbnail", f"of-{name}", said | {"data_base64": base64.b64encode(PICTURE).decode()})


def record(box: SendingBox, words: str) -> Delivery:
    prev = box.records[-1][1] if box.records else GENESIS
    text = canonical_bytes({"seq": len(box.records) + 1, "prev": prev, "box_id": box.box_id, "words": words})
    box.records.append((text.decode(), record_digest(text)))
    return delivery(box, "evidence_record", f"r-{words}", {"record": text.decode(), "sha256": record_digest(text)})


def minute(box: SendingBox) -> Delivery:
    point = {"point_id": "pit-1.p0", "unit": "mm", "min": "1", "max": "2", "mean": "1.5", "count": 60, "quality": 0}
    return delivery(box, "minute_summary", "minute", {"minute_at_ns": 60, "asset": "pit-1", "points": [point]})


def told(box: SendingBox) -> list[Delivery]:
    """Every way an item may come: new, early, again, twice in one moment, for an alarm that is held, for nobody."""
    first = [alarm(box, "a"), picture(box, "a"), picture(box, "b"), record(box, "1"), record(box, "2"), minute(box)]
    third, fourth = record(box, "3"), record(box, "4")
    second = [alarm(box, "b"), alarm(box, "a", "acknowledged"), alarm(box, "a", "returned"), fourth, third]
    again = delivery(box, "alarm_transition", "a:raised", first[0].envelope.body)
    return [*first, *second, again, record(box, "5"), alarm(box, "c")]


def keep(store: ReceiverStore, deliveries: list[Delivery], together: int) -> list[str]:
    """Codes of the refusals, '' for what was kept."""
    outcomes: list[str] = []
    for first in range(0, len(deliveries), together):
        some = deliveries[first : first + together]
        with store.database.transaction() as db:
            done = store.accept_together(db, some, frozenset()) if together > 1 else {}
        for place, each in enumerate(some):
            try:
                _ = done[place] if place in done else store.do(store.accept, each)
                outcomes.append("")
            except ContractFault as fault:
                outcomes.append(fault.code)
    return outcomes


def rows(intake: DeskIntake, box: SendingBox) -> dict[str, list[dict[str, Any]]]:
    """All that is held of a box, without what is its own: its name and project, random ids and signatures. Of the
    numbers of its items which there are: what is left to be judged alone comes after the others."""
    held = {}
    own = {"box_id", "body", "envelope", "envelope_signature", "receipt", "message_id", "signed", "sha256", "prev"}
    own |= {"record", "verified_sha256", "body_sha256", "head_sha256", "project_code"}
    with intake.desk.database.reading() as db:
        for table in (items, chain_records, alerts, alarms, alarm_media, mailbox, boxes):
            found = db.execute(select(table).where(table.c.box_id == box.box_id)).all()
            plain = [{name: value for name, value in row._mapping.items() if name not in own} for row in found]
            if table is items:
                held["numbers"] = sorted(
                    ({"number": row.pop("number")} for row in plain), key=lambda row: row["number"]
                )
            held[table.name] = sorted(plain, key=lambda row: json.dumps(row, sort_keys=True))
    return held


@pytest.mark.parametrize("together", [2, 5, 64])
async def test_together_and_alone_leave_the_same(intake: DeskIntake, together: int) -> None:
    alone, grouped = intake.box("box-alone"), intake.box("box-group")
    for box in (alone, grouped):
        assert (await box.enrol()).status == 200
    store = intake.intake.store
    assert keep(store, told(alone), 1) == [""] * 14
    assert keep(store, told(grouped), together) == [""] * 14
    assert rows(intake, grouped) == rows(intake, alone)
    assert store.chain(grouped.box_id) == store.chain(alone.box_id)


async def test_what_is_not_plain_is_left_to_be_judged_alone(intake: DeskIntake, box: SendingBox) -> None:
    used = alarm(box, "a")
    stranger = intake.box("box-unknown")
    early = (record(box, "1"), record(box, "2"))[1]
    items_sent = [used, alarm(box, "b", project_code="P-other"), alarm(stranger, "c"), early]
    replayed = Delivery(used.envelope.model_copy(update={"key": "d:raised"}), used.raw, used.signature, used.body)
    store = intake.intake.store
    with store.database.transaction() as db:
        done = store.accept_together(db, [*items_sent, replayed], frozenset())
    assert set(done) == {0}
    assert keep(store, [*items_sent[1:], replayed], 1) == ["other_project", "unknown_sender", "", "invalid_body"]


async def test_an_area_that_refuses_one_item_leaves_nothing_of_the_transaction(
    intake: DeskIntake, box: SendingBox
) -> None:
    def refuse(db: Any, heard: Any, now_ns: int) -> None:
        if heard.body.alarm_id == "b":
            raise InvalidBody("body.alarm_id", "another alarm")

    intake.desk.listen("alarm_transition", refuse)
    store = intake.intake.store
    sent = [alarm(box, "a"), alarm(box, "b")]
    with pytest.raises(InvalidBody), store.database.transaction() as db:
        store.accept_together(db, sent, frozenset())
    assert keep(store, sent, 1) == ["", "invalid_body"]
    assert [row["alarm_id"] for row in rows(intake, box)["alarms"]] == ["a"]


def heartbeat(box: SendingBox, seq: int, sha256: str) -> Delivery:
    said = {"chain": {"seq": seq, "sha256": sha256}, "started_at_ns": 0, "counters": {"waiting": seq}}
    request = box.request("heartbeat", f"beat-{seq}", said)
    envelope = read_envelope(request.raw)
    return Delivery(envelope, request.raw, request.signature, Heartbeat.model_validate(envelope.body))


def hear(store: ReceiverStore, deliveries: list[Delivery], together: bool) -> list[Any]:
    """What each is answered, heartbeats with what they were told."""
    with store.database.transaction() as db:
        done = store.accept_together(db, deliveries, frozenset()) if together else {}
    answers: list[Any] = []
    for place, each in enumerate(deliveries):
        if place not in done:
            alone: Any = store.hear if isinstance(each.body, Heartbeat) else store.accept
            arguments = (each.envelope, each.body) if isinstance(each.body, Heartbeat) else (each,)
            done = {**done, place: store.do(alone, *arguments)}
        answers.append(done[place] if isinstance(each.body, Heartbeat) else None)
    return answers


def beats(box: SendingBox) -> list[Delivery]:
    """A box's word on its chain: before any record, at its end, ahead of what was sent, after a gap."""
    first = [heartbeat(box, 0, GENESIS), record(box, "1"), record(box, "2")]
    first += [heartbeat(box, 2, box.records[-1][1]), heartbeat(box, 9, "ab" * 32)]
    record(box, "lost")
    return [*first, record(box, "4"), heartbeat(box, 4, box.records[-1][1])]


async def test_heartbeats_heard_together_and_alone_are_told_the_same(intake: DeskIntake) -> None:
    alone, grouped = intake.box("box-alone"), intake.box("box-group")
    for box in (alone, grouped):
        assert (await box.enrol()).status == 200
    store = intake.intake.store
    answers = hear(store, beats(alone), together=False)
    together = hear(store, beats(grouped), together=True)
    assert [heard_as(each) for each in together] == [heard_as(each) for each in answers]
    assert [each.chain.state for each in answers if each] == ["ok", "ok", "ok", "gap"]
    assert [each.messages_waiting for each in answers if each] == [0, 2, 2, 3]
    assert rows(intake, grouped) == rows(intake, alone)


def heard_as(answer: HeartbeatSeen | None) -> tuple[Any, ...]:
    """What two boxes may be told alike: a checkpoint names the box, so only its record's number counts."""
    if answer is None:
        return ()
    checkpoint = json.loads(answer.checkpoint.text)["seq"] if answer.checkpoint is not None else 0
    return answer.chain, answer.messages_waiting, checkpoint


async def test_a_heartbeat_that_denies_a_record_is_not_heard_with_the_others(
    intake: DeskIntake, box: SendingBox
) -> None:
    store = intake.intake.store
    assert keep(store, [record(box, "1"), record(box, "2")], 2) == ["", ""]
    other_digest, shorter = heartbeat(box, 2, "cd" * 32), heartbeat(box, 1, box.records[0][1])
    with store.database.transaction() as db:
        assert store.accept_together(db, [other_digest, shorter], frozenset()) == {}
    assert hear(store, [shorter], together=True)[0].chain.state == "fault"


async def test_a_batch_asks_a_fixed_number_of_questions(intake: DeskIntake, box: SendingBox) -> None:
    store, asked = intake.intake.store, []

    class Counting:
        def __init__(self, db: Any) -> None:
            self._db, self.dialect = db, db.dialect

        def execute(self, *said: Any) -> Any:
            asked.append(said[0])
            return self._db.execute(*said)

    counts = []
    for size in (2, 40):
        asked.clear()
        sent = [record(box, f"{size}-{number}") for number in range(size)]
        with store.database.transaction() as db:
            done = accept_together(Counting(db), store._acceptance, sent, frozenset(), 1)  # type: ignore[arg-type]
        assert len(done) == size
        counts.append(len(asked))
    assert counts[0] == counts[1]
