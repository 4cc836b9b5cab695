"""Codes are for one box of one project, once, for a day; a second box waits; a new enrolment begins anew."""

from typing import Any

import pytest
from sqlalchemy import select, update

from contract.mailbox import Order
from contract.signing import generate_key
from regulator.base.intake.codes import (
    HOUR_NS,
    MOST_HOURS,
    Issued,
    Wanted,
    code_digest,
    issue_codes,
    keep_codes,
    new_code,
    revoke_open_codes,
)
from regulator.base.model.actor import CONSOLE
from regulator.base.records.box_standing import assigned_box
from regulator.base.records.ledger import entries_about, entries_of
from regulator.base.records.tables.intake import boxes, codes, items
from tests.desk.intake.test_bad_input import aside
from tests.desk.intake.test_batch import alarm, heartbeat, keep
from tests.fakes.sending_box import DeskIntake, SendingBox, code_of, reply_of


def row_of(intake: DeskIntake, box_id: str) -> Any:
    with intake.desk.database.reading() as db:
        return db.execute(select(boxes).where(boxes.c.box_id == box_id)).first()


def orders_go_to(intake: DeskIntake, project: str) -> str:
    with intake.desk.database.reading() as db:
        return assigned_box(db, project)


def kinds(intake: DeskIntake, project: str) -> list[str]:
    with intake.desk.database.reading() as db:
        return [str(entry.fields["kind"]) for entry in entries_of(db, f"project:{project}")]


def admitted(intake: DeskIntake, box_id: str) -> None:
    with intake.desk.database.transaction() as db:
        db.execute(update(boxes).where(boxes.c.box_id == box_id).values(waiting=0))


def test_a_code_can_be_read_aloud_and_typed_carelessly() -> None:
    code = new_code()
    assert [len(group) for group in code.split("-")] == [5] * 5
    assert not set("ILOU01") & set(code)
    assert code_digest(code) == code_digest(f" {code.lower().replace('-', ' ')}\n")
    assert len({new_code() for _ in range(100)}) == 100


async def test_a_leaked_code_enrols_nobody_else_and_no_order_goes_there(intake: DeskIntake) -> None:
    """The attack: a code of P-1 enrolled a second box for P-2, and the next order of P-2 went there."""
    honest, rightful = intake.box("box-2", "P-2"), intake.box("box-1", "P-1")
    assert (await honest.enrol()).status == 200
    for box_id, project in (("thief", "P-2"), ("thief", "P-1"), ("box-1", "P-2"), ("box-2", "P-2")):
        thief = SendingBox(intake.intake.reception, intake.clock, box_id, project, rightful.code)
        answer = await thief.enrol()
        assert (answer.status, code_of(answer)) == (403, "code_refused")
    assert orders_go_to(intake, "P-2") == "box-2"
    assert [finding["box_id"] for finding in intake.findings("code_refused")] == ["box-1"]
    assert (await rightful.enrol()).status == 200, "the code is not spent by those who may not use it"


async def test_a_rightful_box_that_comes_second_is_refused_and_found(intake: DeskIntake) -> None:
    rightful = intake.box()
    thief = SendingBox(intake.intake.reception, intake.clock, "box-1", "P-1", rightful.code)
    assert (await thief.enrol()).status == 200
    for _ in range(3):
        assert code_of(await rightful.enrol()) == "code_refused"
    (finding,) = intake.findings("code_refused")
    assert (finding["project_code"], finding["box_id"], finding["again"]) == ("P-1", "box-1", 2)
    assert "已被另一密钥使用" in finding["words_zh"]
    intake.clock.move(days=1)
    await rightful.enrol()
    assert [finding["again"] for finding in intake.findings("code_refused")] == [2, 0]


async def test_a_box_whose_key_was_replaced_is_found_when_it_goes_on(intake: DeskIntake, box: SendingBox) -> None:
    other = intake.box()
    assert (await other.enrol()).status == 200
    for number in range(3):
        assert code_of(await box.alarm(f"a{number}")) == "unknown_sender"
    (finding,) = intake.findings("retired_key")
    assert (finding["box_id"], finding["again"]) == ("box-1", 2)
    assert intake.findings("foreign_key") == []


async def test_a_lost_reply_may_be_asked_for_again_also_after_the_code_has_expired(
    intake: DeskIntake, box: SendingBox
) -> None:
    intake.clock.move(hours=MOST_HOURS + 1)
    assert (await box.enrol()).status == 200
    assert (await box.alarm()).status == 200
    assert kinds(intake, "P-1").count("box_enrolled") == 1


async def test_a_code_lives_a_day_at_most(intake: DeskIntake) -> None:
    late, early = intake.box("box-1"), intake.box("box-2")
    with intake.desk.database.transaction() as db:
        wanted = [Wanted("P-3", "box-3")]
        issued = issue_codes(db, intake.desk.ledger, wanted, CONSOLE, intake.clock(), hours=1000)
    assert issued[0].expires_at_ns == intake.clock() + MOST_HOURS * HOUR_NS
    intake.clock.move(hours=MOST_HOURS, seconds=-1)
    assert (await early.enrol()).status == 200
    intake.clock.move(seconds=1)
    assert code_of(await late.enrol()) == "code_refused"
    (finding,) = intake.findings("code_refused")
    assert "已过期" in finding["words_zh"]


async def test_a_newer_code_and_a_revoked_one_let_nobody_in(intake: DeskIntake) -> None:
    first, second = intake.box(), intake.box()
    assert code_of(await first.enrol()) == "code_refused"
    with intake.desk.database.transaction() as db:
        assert revoke_open_codes(db, intake.desk.ledger, ["box-1"], "遗失", CONSOLE, intake.clock()) == 1
        assert revoke_open_codes(db, intake.desk.ledger, ["box-1"], "遗失", CONSOLE, intake.clock()) == 0
    assert code_of(await second.enrol()) == "code_refused"
    assert kinds(intake, "P-1").count("code_issued") == kinds(intake, "P-1").count("code_revoked") == 2


async def test_a_code_from_before_names_no_project_and_is_refused(intake: DeskIntake) -> None:
    old = intake.box()
    with intake.desk.database.transaction() as db:
        db.execute(update(codes).values(project_code="", box_id="", expires_at_ns=0))
    assert code_of(await old.enrol()) == "code_refused"


async def test_every_deed_is_in_the_ledger_and_no_code_is(intake: DeskIntake, box: SendingBox) -> None:
    with intake.desk.database.reading() as db:
        entries = entries_about(db, "box-1")
    assert [entry.fields["kind"] for entry in entries] == ["code_issued", "box_enrolled"]
    assert all(box.code not in entry.body for entry in entries)
    assert entries[0].fields["content"]["code_sha256"] == code_digest(box.code)  # type: ignore[index, call-overload]


async def test_a_second_box_is_not_heard_before_it_is_admitted(intake: DeskIntake, box: SendingBox) -> None:
    second = intake.box("box-b", "P-1")
    answer = reply_of(await second.enrol())
    assert answer.body is not None
    assert answer.body["admitted"] is False
    for sent in (await second.alarm("b"), await second.beat(), await second.record("one"), await second.file(b"clip")):
        assert (sent.status, code_of(sent)) == (403, "not_admitted")
    polled = await second.reception.mailbox(second.request("mailbox_poll", "poll", {"wait_s": 0, "limit": 10}))
    assert code_of(polled) == "not_admitted"
    (finding,) = intake.findings("box_waiting")
    assert (finding["project_code"], finding["box_id"]) == ("P-1", "box-b")
    with intake.desk.database.reading() as db:
        assert db.scalar(select(items.c.key).where(items.c.box_id == "box-b")) is None
    assert orders_go_to(intake, "P-1") == "box-1"
    assert intake.intake.store.counters("box-b") == {"refused_not_admitted": 5}
    intake.clock.move(seconds=intake.desk.settings.silent_box_s + 1)
    await box.beat()
    intake.run("watch")
    assert intake.findings("silent_box") == []
    admitted(intake, "box-b")
    assert (await second.alarm("b")).status == 200
    assert orders_go_to(intake, "P-1") == "box-1", "an admitted box has the orders only when an approver says so"


async def test_a_second_box_waits_also_beside_others_in_one_batch(intake: DeskIntake, box: SendingBox) -> None:
    second = intake.box("box-b", "P-1")
    await second.enrol()
    store = intake.intake.store

    sent = [alarm(box, "a"), alarm(second, "b")]
    assert keep(store, sent, 2) == ["", "not_admitted"]
    with store.database.transaction() as db:
        assert store.accept_together(db, [heartbeat(second, 0, "0" * 64)], frozenset()) == {}


async def test_the_same_box_with_a_new_code_keeps_its_place(intake: DeskIntake, box: SendingBox) -> None:
    second = intake.box("box-b", "P-1")
    await second.enrol()
    admitted(intake, "box-b")
    again = intake.box()
    answer = reply_of(await again.enrol())
    assert answer.body is not None
    assert answer.body["admitted"] is True
    assert (await again.alarm()).status == 200
    assert orders_go_to(intake, "P-1") == "box-1"


async def test_a_box_that_moves_to_another_project_waits_where_there_is_one(
    intake: DeskIntake, box: SendingBox
) -> None:
    await box.alarm()
    other = intake.box("box-2", "P-2")
    await other.enrol()
    moved = intake.box("box-1", "P-2")
    answer = reply_of(await moved.enrol())
    assert answer.body is not None
    assert answer.body["admitted"] is False
    assert "box_left" in kinds(intake, "P-1")
    assert (orders_go_to(intake, "P-1"), orders_go_to(intake, "P-2")) == ("", "box-2")
    order = Order(order_id="o", number="1", title_zh="整改", words="", legal_basis="", severity="P1", deadline_at_ns=1)
    with intake.desk.database.transaction() as db:
        intake.desk.post(db, "box-1", "order", order, intake.clock())
    polled = await moved.reception.mailbox(moved.request("mailbox_poll", "poll", {"wait_s": 0, "limit": 10}))
    assert code_of(polled) == "not_admitted"


async def test_one_number_does_not_silence_a_box(intake: DeskIntake, box: SendingBox) -> None:
    """The attack: seq 2^63-1, sent once, made every later number an old one."""
    number, box.seq = box.seq, 2**63 - 2
    assert code_of(await box.beat()) == "stale_sequence"
    box.seq = number
    assert (await box.alarm()).status == 200
    (finding,) = intake.findings("sequence_jump")
    assert finding["box_id"] == "box-1"


@pytest.mark.parametrize("same_key", [True, False])
async def test_a_new_enrolment_heals_a_box_that_was_silenced_before(
    intake: DeskIntake, box: SendingBox, same_key: bool
) -> None:
    with intake.desk.database.transaction() as db:
        db.execute(update(boxes).values(seq_highest=2**63 - 1, seq_bits="1"))
    assert code_of(await box.alarm()) == "stale_sequence"
    again = intake.box()
    if same_key:
        again.key, again.seq = box.key, box.seq
    assert (await again.enrol()).status == 200
    assert (await again.alarm()).status == 200
    assert row_of(intake, "box-1").seq_highest == again.seq


async def test_an_enrolment_with_such_a_number_spoils_nothing(intake: DeskIntake) -> None:
    box = intake.box()
    box.seq = 2**63 - 2
    assert (await box.enrol()).status == 200
    box.seq = 0
    assert (await box.alarm()).status == 200


async def test_after_a_new_enrolment_with_the_same_key_nothing_old_is_heard_again(
    intake: DeskIntake, box: SendingBox
) -> None:
    await box.beat()
    old = box.sent[-1]
    again = intake.box()
    again.key, again.seq = box.key, box.seq
    await again.enrol()
    assert code_of(await box.reception.message(old)) == "stale_sequence"


async def test_a_key_that_was_replaced_signs_nothing_any_more_although_numbers_begin_anew(
    intake: DeskIntake, box: SendingBox
) -> None:
    await box.beat()
    again = intake.box()
    again.key = generate_key()
    await again.enrol()
    assert code_of(await box.reception.message(box.sent[-1])) == "unknown_sender"


async def test_a_refused_enrolment_is_kept_aside_without_its_code(intake: DeskIntake) -> None:
    box = intake.box("box-1", "P-1")
    box.project = "P-2"
    await box.enrol()

    (row,) = aside(intake)
    assert (row["code"], row["content_base64"]) == ("code_refused", "")


async def test_codes_of_five_hundred_boxes_are_issued_at_once(intake: DeskIntake) -> None:
    wanted = [Wanted(f"P-{number}", f"box-{number}") for number in range(500)]
    with intake.desk.database.transaction() as db:
        issued = issue_codes(db, intake.desk.ledger, wanted, CONSOLE, intake.clock())
    assert len({each.code for each in issued}) == 500
    box = SendingBox(intake.intake.reception, intake.clock, "box-499", "P-499", issued[-1].code)
    assert (await box.enrol()).status == 200
    assert kinds(intake, "P-17") == ["code_issued"]


async def test_a_code_that_somebody_chose_works_as_one_that_was_made(intake: DeskIntake) -> None:
    chosen = Issued("P-1", "box-1", "chosen-by-the-demo", intake.clock() + HOUR_NS)
    with intake.desk.database.transaction() as db:
        keep_codes(db, intake.desk.ledger, [chosen], CONSOLE, intake.clock())
    box = SendingBox(intake.intake.reception, intake.clock, "box-1", "P-1", chosen.code)
    assert (await box.enrol()).status == 200
