"""Rule packs at the desk: two people, signed offers in the mailbox, answers from the box's own chain alone."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from contract.canonical import canonical_bytes
from contract.chain import GENESIS, record_digest
from contract.mailbox import MAX_PACK_CHARACTERS, RulePackOffer
from contract.packs import pack_sha256
from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.model.refusals import RefusedError
from regulator.base.records.tables.fleet import pack_offers
from regulator.base.records.tables.intake import boxes, mailbox
from regulator.base.records.tables.ledger import ledger_entries
from regulator.base.records.tables.registry import projects
from regulator.parts.fleet.offers import OfferHearing
from regulator.parts.fleet.packs import read_pack
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import DeskFace
from tests.fakes.sending_box import PROJECT, DeskIntake, SendingBox

TEXT = "version: 1\npack: county\ntitle_zh: 县<b>包</b>\ntitle_en: County\nrules: []\n"
SHA = pack_sha256({"county.yaml": TEXT})
CITY = Scope(Level.CITY, "4401")


@pytest.fixture
def face(tmp_path: Path, desk_url: str, clock: DeskClock) -> Iterator[DeskFace]:
    with DeskFace(tmp_path, clock, url=desk_url) as face:
        with face.database.transaction() as db:
            for code, city in (("p-1", "4401"), ("p-2", "4403")):
                db.execute(insert(projects).values(project_code=code, name=code, city_code=city))
            for box, project in (("box-1", "p-1"), ("box-2", "p-1"), ("far", "p-2")):
                row = {"box_id": box, "project_code": project, "verified_sha256": "0" * 64}
                db.execute(insert(boxes).values(**row))
        yield face


def hand_in(face: DeskFace, text: str = TEXT, name: str = "county.yaml", duty: Duty = Duty.ADMINISTRATOR) -> Any:
    files = {"files": (name, text.encode(), "application/yaml")}
    return face.client(duty).submit("/fleet/packs", "/fleet/packs/import", files=files, note="县文件第1号")


def offers(face: DeskFace) -> list[Any]:
    with face.database.reading() as db:
        return list(db.execute(select(pack_offers).order_by(pack_offers.c.offered_at_ns, pack_offers.c.box_id)).all())


def test_a_pack_is_handed_in_by_one_and_offered_by_another(face: DeskFace) -> None:
    assert hand_in(face).headers["location"] == f"/fleet/packs/{SHA}"
    approver = face.client(Duty.APPROVER)
    page = f"/fleet/packs/{SHA}"
    assert "<b>包" not in approver.get(page).text
    answer = approver.submit(page, f"{page}/offer", box=["box-1", "box-2"], reason="县规定")
    assert answer.headers["location"] == f"{page}?done=offered"
    assert [(row.box_id, row.outcome, row.withdrawn) for row in offers(face)] == [("box-1", "", 0), ("box-2", "", 0)]
    with face.database.reading() as db:
        signed = [json.loads(text) for text in db.scalars(select(mailbox.c.signed))]
        told = db.scalars(select(ledger_entries.c.kind).where(ledger_entries.c.project_code == "p-1")).all()
    assert told.count("rule_pack_offered") == 2
    message = json.loads(signed[0]["text"])
    face.desk.key.public.verify(signed[0]["signature"], signed[0]["text"].encode())
    offer = RulePackOffer.model_validate(message["body"])
    assert (message["kind"], offer.sha256, offer.files[0].text) == ("rule_pack", SHA, TEXT)
    assert "已下发，尚未取走" in approver.get(page).text


def test_who_handed_it_in_may_not_offer_it(face: DeskFace) -> None:
    both = face.add("both", "两职一身", [(Scope(Level.PROVINCE, ""), [Duty.ADMINISTRATOR, Duty.APPROVER])])
    client = face.client_of(both)
    files = {"files": ("county.yaml", TEXT.encode(), "application/yaml")}
    client.submit("/fleet/packs", "/fleet/packs/import", files=files, note="县文件第1号")
    refused = client.submit("/me", f"/fleet/packs/{SHA}/offer", box="box-1", reason="县规定")
    assert (refused.status_code, offers(face)) == (403, [])


@pytest.mark.parametrize("duty", [Duty.VIEWER, Duty.REVIEWER, Duty.ADMINISTRATOR, Duty.RESPONDER])
def test_only_an_approver_offers(face: DeskFace, duty: Duty) -> None:
    hand_in(face)
    refused = face.client(duty).submit("/me", f"/fleet/packs/{SHA}/offer", box="box-1", reason="县规定")
    assert (refused.status_code, offers(face)) == (403, [])


def test_another_citys_box_is_not_there(face: DeskFace) -> None:
    hand_in(face)
    client = face.client(Duty.APPROVER, CITY)
    page = f"/fleet/packs/{SHA}"
    assert "far" not in client.get(page).text
    assert client.submit(page, f"{page}/offer", box=["box-1", "far"], reason="县规定").status_code == 404
    assert offers(face) == []


def test_firms_and_projects_are_not_told_that_there_are_packs(face: DeskFace) -> None:
    hand_in(face)
    client = face.client(Duty.RESPONDER, Scope(Level.PROJECT, "p-1"))
    assert client.get("/fleet/packs").status_code == client.get(f"/fleet/packs/{SHA}").status_code == 404


def test_a_box_that_fetches_nothing_is_not_buried(face: DeskFace, clock: DeskClock) -> None:
    hand_in(face)
    client, page = face.client(Duty.APPROVER), f"/fleet/packs/{SHA}"
    answers = []
    for _ in range(5):
        clock.move(seconds=1)
        answers.append(client.submit(page, f"{page}/offer", box="box-1", reason="县规定").status_code)
    assert answers == [303] * 4 + [409]


def test_a_pack_is_taken_back_from_where_it_was_offered_last(face: DeskFace, clock: DeskClock) -> None:
    hand_in(face)
    client, page = face.client(Duty.APPROVER), f"/fleet/packs/{SHA}"
    assert client.submit("/me", f"{page}/withdraw", reason="有误").status_code == 409
    client.submit(page, f"{page}/offer", box="box-1", reason="县规定")
    clock.move(seconds=1)
    assert client.submit(page, f"{page}/withdraw", reason="有误").status_code == 303
    assert [(row.box_id, row.withdrawn) for row in offers(face)] == [("box-1", 0), ("box-1", 1)]
    clock.move(seconds=1)
    assert client.submit(page, f"{page}/withdraw", reason="有误").status_code == 409


WRONG = [
    ([("county.yaml", b"rules: [")], "YAML"),
    ([("county.yaml", b"- 1")], "mapping"),
    ([("county.yaml", b"version: 2\npack: county")], "version: 1"),
    ([("other.yaml", TEXT.encode())], "county.yaml"),
    ([("a.yaml", TEXT.encode()), ("b.yaml", TEXT.encode())], "pack.yaml"),
    ([("pack.yaml", TEXT.encode()), ("b.yaml", b"version: 1\npack: another")], "same pack"),
    ([("../county.yaml", TEXT.encode())], "plain"),
    ([("county.yaml", b"\xff\xfe")], "UTF-8"),
    ([("county.yaml", TEXT.encode() + b"# \0")], "control"),
    ([("county.yaml", b"[" * 100_000)], "YAML"),
    ([("county.yaml", b"#" * (MAX_PACK_CHARACTERS + 1))], str(MAX_PACK_CHARACTERS)),
    ([], "choose"),
]


@pytest.mark.parametrize(("files", "words"), WRONG)
def test_what_is_no_pack_is_refused_with_its_file(files: list[tuple[str, bytes]], words: str) -> None:
    with pytest.raises(RefusedError) as caught:
        read_pack(files)
    assert caught.value.status == 422
    assert words in caught.value.message_en


async def offered(intake: DeskIntake, box: SendingBox, offer_id: str = "k-1") -> None:
    intake.desk.listen("evidence_record", OfferHearing(intake.desk.ledger).hear)
    row = {"offer_id": offer_id, "sha256": SHA, "name": "county", "box_id": box.box_id, "project_code": PROJECT}
    with intake.desk.database.transaction() as db:
        db.execute(insert(pack_offers).values(**row, offered_by="[]", message_id="m", offered_at_ns=1))


def answer(outcome: str, offer_id: str = "k-1") -> dict[str, Any]:
    content = {"offer_id": offer_id, "name": "county", "sha256": SHA, "outcome": outcome, "user": "system"}
    return {"kind": "rule_pack", "at_ns": 7, "content": content | {"words_zh": "已按其判定", "words_en": "in force"}}


def outcome(intake: DeskIntake) -> tuple[str, int]:
    with intake.desk.database.reading() as db:
        row = db.execute(select(pack_offers)).one()
    return row.outcome, row.evidence_seq


async def test_what_the_boxs_chain_says_is_the_offers_outcome(intake: DeskIntake, box: SendingBox) -> None:
    await offered(intake, box)
    await box.record(**answer("waiting"))
    assert outcome(intake) == ("waiting", 1)
    await box.record(**answer("active"))
    assert outcome(intake) == ("active", 2)
    with intake.desk.database.reading() as db:
        kinds = db.scalars(select(ledger_entries.c.kind)).all()
    assert kinds.count("rule_pack_answered") == 2


async def test_another_boxs_word_or_nonsense_changes_nothing(intake: DeskIntake, box: SendingBox) -> None:
    await offered(intake, box)
    other = intake.box("box-2")
    await other.enrol()
    await other.record(**answer("active"))
    await box.record(**answer("in force, honestly"))
    await box.record(**answer("active", "another offer"))
    await box.record(kind="rule_pack", content=["active"])
    assert outcome(intake) == ("", 0)


async def test_an_older_record_that_arrives_late_does_not_undo_a_newer_one(intake: DeskIntake, box: SendingBox) -> None:
    await offered(intake, box)
    fields = {"seq": 1, "prev": GENESIS, "box_id": box.box_id} | answer("waiting")
    first = canonical_bytes(fields)
    box.records.append((first.decode(), record_digest(first)))
    await box.record(**answer("active"))
    await box.say("evidence_record", "late", {"record": first.decode(), "sha256": record_digest(first)})
    assert outcome(intake) == ("active", 2)
