"""Flip a byte, delete the last chain row, replay, swap keys, forge a receipt: each is caught and named."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Update, delete, select, update

from contract.chain import ChainHead
from contract.envelope import sign_text
from contract.messages import ReceiptText
from contract.signing import generate_key
from regulator.base.intake.recheck import Recheck
from regulator.base.records.ledger import entries_of, verify_ledger
from regulator.base.records.tables.intake import alerts, anchors, box_keys, boxes, chain_records, items
from tests.fakes.sending_box import DeskIntake, SendingBox, code_of


async def a_day(intake: DeskIntake, box: SendingBox) -> None:
    """Three records, an alarm with a clip, an anchor."""
    for words in ("one", "two", "three"):
        await box.record(words)
    await box.alarm()
    await box.segment("s", b"clip of the alarm", "a:raised")
    intake.run("anchors")


def faults(intake: DeskIntake, box: SendingBox) -> list[tuple[str, str]]:
    keys = {intake.desk.key.public.key_id: intake.desk.key.public}
    with intake.desk.database.reading() as db:
        found = Recheck(db, box.box_id, keys, intake.desk.shelf).faults()
        return [(fault.kind, fault.subject.removeprefix(f"{box.box_id}: ")) for fault in found]


async def test_what_was_not_touched_holds(intake: DeskIntake, box: SendingBox) -> None:
    await a_day(intake, box)
    assert faults(intake, box) == []
    intake.run("recheck")
    assert [finding["kind"] for finding in intake.findings()] == ["unregistered_project"]


def flip(text: str) -> str:
    return text.replace("overload", "overlord", 1)


def change(table: Any, column: str, key: str, changed: Callable[[str], str]) -> Callable[[Connection], object]:
    def act(db: Connection) -> None:
        old = db.scalar(select(table.c[column]).where(table.c.key == key))
        assert changed(str(old)) != old
        db.execute(update(table).where(table.c.key == key).values({column: changed(str(old))}))

    return act


def other_receipt(db: Connection) -> None:
    row = db.execute(select(items).where(items.c.key == "a:raised")).one()
    text = ReceiptText.model_validate(json.loads(json.loads(row.receipt)["text"]))
    forged = sign_text(text.model_copy(update={"accepted_at_ns": 1}), generate_key())
    db.execute(update(items).where(items.c.key == "a:raised").values(receipt=forged.model_dump_json()))


def flip_record(db: Connection) -> None:
    text = db.scalar(select(chain_records.c.record).where(chain_records.c.seq == 2))
    changed = str(text).replace("two", "tww")
    db.execute(update(chain_records).where(chain_records.c.seq == 2).values(record=changed))


def drop_record(number: int) -> Callable[[Connection], object]:
    return lambda db: db.execute(delete(chain_records).where(chain_records.c.seq == number))


def drop_item(*numbers: int, then: Update | None = None) -> Callable[[Connection], object]:
    def act(db: Connection) -> None:
        db.execute(delete(items).where(items.c.number.in_(numbers)))
        if then is not None:
            db.execute(then)

    return act


TAMPERING: dict[str, tuple[Callable[[Connection], object], list[tuple[str, str]]]] = {
    "body": (change(items, "body", "a:raised", flip), [("record_changed", "alarm_transition a:raised")]),
    "envelope": (
        change(items, "envelope", "a:raised", flip),
        [("record_changed", "alarm_transition a:raised"), ("bad_signature", "alarm_transition a:raised")],
    ),
    "receipt": (other_receipt, [("receipt_forged", "alarm_transition a:raised")]),
    "record": (flip_record, [("record_changed", "chain 2")]),
    "item": (drop_item(1), [("record_deleted", "items 1")]),
    "items": (drop_item(2, 3), [("record_deleted", "items 2–3")]),
    "last item": (drop_item(5), [("record_deleted", "items 5")]),
    "items and their count": (
        drop_item(4, 5, then=update(boxes).values(items_accepted=3)),
        [("record_deleted", "items 4–5")],
    ),
    "alert": (lambda db: db.execute(delete(alerts)), [("record_deleted", "alert a:raised")]),
    "middle": (drop_record(2), [("record_changed", "chain 3")]),
    "last": (drop_record(3), [("tail_deleted", "chain 3"), ("tail_deleted", "anchor 1")]),
}


@pytest.mark.parametrize("what", TAMPERING)
async def test_a_change_in_the_tables_is_named(intake: DeskIntake, box: SendingBox, what: str) -> None:
    await a_day(intake, box)
    act, named = TAMPERING[what]
    with intake.desk.database.transaction() as db:
        act(db)
    assert faults(intake, box) == named
    intake.run("recheck")
    kinds = [finding["kind"] for finding in intake.findings() if finding["kind"] != "unregistered_project"]
    assert sorted(kinds) == sorted(kind for kind, _ in named)


async def test_a_box_whose_row_was_deleted_is_named(intake: DeskIntake, box: SendingBox) -> None:
    await a_day(intake, box)
    with intake.desk.database.transaction() as db:
        db.execute(delete(boxes))
    intake.run("recheck")
    (finding,) = intake.findings("record_deleted")
    assert finding["words_en"] == "the row of box-1, which was enrolled, is gone"


async def test_a_flipped_byte_of_a_file_is_named(intake: DeskIntake, box: SendingBox, tmp_path: Path) -> None:
    await a_day(intake, box)
    (file,) = [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]
    file.write_bytes(file.read_bytes().replace(b"alarm", b"alarn"))
    assert faults(intake, box) == [("blob_digest", file.name)]
    file.unlink()
    assert faults(intake, box) == [("blob_digest", file.name)]


async def test_a_tail_cut_off_with_its_head_is_shown_by_the_anchor(intake: DeskIntake, box: SendingBox) -> None:
    await a_day(intake, box)
    with intake.desk.database.transaction() as db:
        drop_record(3)(db)
        db.execute(update(boxes).values(verified_seq=2, verified_sha256=box.records[1][1]))
    assert faults(intake, box) == [("tail_deleted", "anchor 1")]
    intake.run("anchors")
    (finding,) = intake.findings("tail_deleted")
    assert "anchor 1 proves that record 3 of box-1 was held" in finding["words_en"]
    with intake.desk.database.reading() as db:
        assert len(db.execute(select(anchors)).all()) == 1


async def test_a_box_that_cut_its_own_tail_is_named_by_its_next_heartbeat(intake: DeskIntake, box: SendingBox) -> None:
    await a_day(intake, box)
    await box.beat(2, box.records[1][1])
    (finding,) = intake.findings("tail_deleted")
    assert "ends at 2 but had sent record 3" in finding["words_en"]


async def test_anchors_stand_in_the_projects_ledger_and_only_when_something_moved(
    intake: DeskIntake, box: SendingBox
) -> None:
    await a_day(intake, box)
    intake.run("anchors")
    await box.record("four")
    intake.run("anchors")
    key = intake.desk.key.public
    with intake.desk.database.reading() as db:
        found = db.execute(select(anchors).order_by(anchors.c.number)).all()
        entries = {entry.seq: entry.fields for entry in entries_of(db, f"project:{box.project}")}
        assert isinstance(verify_ledger(db, f"project:{box.project}", {key.key_id: key}), ChainHead)
    assert [(row.number, row.seq, row.sha256) for row in found] == [
        (1, 3, box.records[2][1]),
        (2, 4, box.records[3][1]),
    ]
    assert [entries[row.ledger_seq]["content"]["sha256"] for row in found] == [row.sha256 for row in found]  # type: ignore[index, call-overload]


async def test_an_old_batch_played_again_changes_nothing_and_is_named(intake: DeskIntake, box: SendingBox) -> None:
    await a_day(intake, box)
    await box.beat(3, box.records[2][1])
    before = intake.intake.store.stats()
    codes = [code_of(await box.reception.message(request)) for request in box.sent]
    assert codes == ["", "", "", "", "", "stale_sequence"]
    after = intake.intake.store.stats()
    assert {name: after[name] for name in ("items_held", "alerts_held", "evidence_held")} == {
        name: before[name] for name in ("items_held", "alerts_held", "evidence_held")
    }
    assert intake.intake.store.counters(box.box_id) == {"duplicates_refused": 5, "replayed": 5, "stale_refused": 1}
    assert [finding["box_id"] for finding in intake.findings("replayed")] == [box.box_id]


async def test_boxes_that_use_each_others_keys_are_named(intake: DeskIntake, box: SendingBox) -> None:
    other = intake.box("box-2")
    await other.enrol()
    box.key, other.key = other.key, box.key
    assert code_of(await box.alarm()) == code_of(await other.alarm()) == "unknown_sender"
    words = sorted(finding["words_en"] for finding in intake.findings("foreign_key"))
    assert words == [
        "a message in the name of box-1 uses the key of box-2",
        "a message in the name of box-2 uses the key of box-1",
    ]


async def test_keys_that_change_places_in_the_table_are_named(intake: DeskIntake, box: SendingBox) -> None:
    other = intake.box("box-2")
    await other.enrol()
    await box.alarm()
    with intake.desk.database.transaction() as db:
        for one, two in ((box, other), (other, box)):
            mine = update(box_keys).where(box_keys.c.box_id == one.box_id)
            db.execute(mine.values(public_text=two.key.public.public_text))
    assert faults(intake, box)[0] == ("foreign_key", box.key.public.key_id)
    assert faults(intake, other) == [("foreign_key", other.key.public.key_id)]
    assert ("bad_signature", "alarm_transition a:raised") in faults(intake, box)


async def test_a_fork_is_named_and_both_sides_are_kept(intake: DeskIntake, box: SendingBox) -> None:
    await box.record("one")
    box.records.clear()
    await box.record("another past")
    assert [finding["words_en"] for finding in intake.findings("chain_fault")] == ["two different records numbered 1"]
    assert intake.intake.store.stats()["evidence_held"] == 2
    assert intake.intake.store.chain(box.box_id).state == "fault"
