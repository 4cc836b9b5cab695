"""What was judged of a camera's alarm goes back to the box that raised it, and to no other."""

import json
from typing import Any

import pytest
from pydantic import BaseModel
from sqlalchemy import Connection, insert, select, update

from contract.envelope import SignedText, open_text
from contract.mailbox import AlarmVerdict
from contract.messages import MailboxMessage
from contract.signing import SignKey
from regulator.base.intake import mailbox
from regulator.base.intake.admission import lock_box
from regulator.base.model.actor import SYSTEM
from regulator.base.records.ledger import Deed
from regulator.base.records.tables.intake import boxes
from regulator.base.records.tables.intake import mailbox as letters
from regulator.base.records.tables.review import review_items
from regulator.parts.hazards.opening import open_hazard
from regulator.parts.review.judgement import read_judgement
from regulator.parts.review.office import ReviewOffice
from regulator.parts.review.verdicts import Verdicts
from tests.fakes.review_world import BOX, ReviewWorld
from tests.fakes.rival import Rival


@pytest.fixture
def telling(world: ReviewWorld, desk_key: SignKey) -> ReviewWorld:
    """The world, with a box of p1 whose mailbox is kept and signed as the desk's."""

    def post(db: Connection, box_id: str, kind: str, body: BaseModel, now_ns: int) -> str:
        return mailbox.post(db, box_id, kind, body, desk_key, now_ns)

    world.verdicts = Verdicts(world.ledger, open_hazard, post)
    with world.database.transaction() as db:
        db.execute(insert(boxes).values(box_id=BOX, project_code="p1", verified_sha256="0" * 64))
    return world


def told(world: ReviewWorld, desk_key: SignKey) -> list[AlarmVerdict]:
    with world.database.reading() as db:
        rows = list(db.scalars(select(letters.c.signed).where(letters.c.box_id == BOX).order_by(letters.c.mailbox_seq)))
    messages = [open_text(SignedText.model_validate_json(row), MailboxMessage, desk_key.public) for row in rows]
    assert {message.kind for message in messages} <= {"alarm_verdict"}
    return [AlarmVerdict.model_validate(message.body) for message in messages]


def judged(world: ReviewWorld, alarm_id: str, verdict: str, reason: str = "", **values: Any) -> str:
    item = world.queue_alarm(alarm_id, **values)
    world.judge(world.ling, item, verdict, reason)
    return item


def test_a_verdict_is_told_once_it_stands(telling: ReviewWorld, desk_key: SignKey) -> None:
    item = judged(telling, "a1", "false", "5")
    at_ns = telling.clock()
    assert told(telling, desk_key) == []
    telling.settle()
    (verdict,) = told(telling, desk_key)
    assert (verdict.alarm_id, verdict.verdict, verdict.reason) == ("a1", "false", "helmet_worn")
    assert verdict.judged_at_ns == at_ns
    assert verdict.version == telling.item(item).verdict_number
    telling.settle()
    assert len(told(telling, desk_key)) == 1
    assert "凌一" not in json.dumps(verdict.model_dump(), ensure_ascii=False)


def test_what_is_judged_again_takes_the_first_back(telling: ReviewWorld, desk_key: SignKey) -> None:
    item = judged(telling, "a1", "false", "4")
    telling.settle()
    with telling.database.transaction() as db:
        telling.verdicts.reopen(db, telling.zhao, item, "看错了", telling.clock())
    telling.judge(telling.zhao, item, "true")
    telling.settle()
    said = told(telling, desk_key)
    assert [(each.verdict, each.reason) for each in said] == [("false", "not_a_person"), ("open", ""), ("true", "")]
    assert sorted({each.version for each in said}) == [each.version for each in said]


def test_a_verdict_that_was_taken_back_is_not_told(telling: ReviewWorld, desk_key: SignKey) -> None:
    item = judged(telling, "a1", "true")
    telling.undo(telling.ling, item)
    telling.settle()
    assert told(telling, desk_key) == []


def test_a_crane_and_a_second_look_are_not_told(telling: ReviewWorld, desk_key: SignKey) -> None:
    judged(telling, "c1", "true", asset_kind="tower-crane", subject="crane-1.moment_pct", asset="crane-1")
    second = telling.queue_alarm("a2")
    with telling.database.transaction() as db:
        db.execute(update(review_items).where(review_items.c.item_id == second).values(round=2))
    telling.judge(telling.ling, second, "true")
    telling.settle()
    assert told(telling, desk_key) == []


def test_a_box_that_is_another_projects_by_now_hears_nothing(telling: ReviewWorld, desk_key: SignKey) -> None:
    item = judged(telling, "a1", "true")
    with telling.database.transaction() as db:
        db.execute(update(boxes).where(boxes.c.box_id == BOX).values(project_code="p2"))
    telling.settle()
    assert told(telling, desk_key) == []
    assert telling.item(item).state == "final"


def test_a_revoked_box_holds_up_no_verdict(telling: ReviewWorld, desk_key: SignKey) -> None:
    item = judged(telling, "a1", "true")
    with telling.database.transaction() as db:
        db.execute(update(boxes).where(boxes.c.box_id == BOX).values(revoked_at_ns=telling.clock()))
    telling.settle()
    assert told(telling, desk_key) == []
    assert telling.item(item).state == "final"


@pytest.mark.parametrize("desk_url", ["postgresql"], indirect=True)
def test_a_verdict_with_an_order_and_an_alarm_of_the_same_box(telling: ReviewWorld, desk_key: SignKey) -> None:
    """Both take the box before the ledger's end, so that none is ended as a deadlock."""

    def alarm(db: Connection) -> None:
        lock_box(db, BOX)
        telling.ledger.append(db, Deed("noted", BOX, {}, "p1"), SYSTEM, telling.clock())

    rival = Rival.transaction(telling.database, alarm)

    def post(db: Connection, box_id: str, kind: str, body: BaseModel, now_ns: int) -> str:
        rival.begin()
        return mailbox.post(db, box_id, kind, body, desk_key, now_ns)

    verdicts = Verdicts(telling.ledger, open_hazard, post)
    office = ReviewOffice(telling.database, telling.ledger, verdicts)
    item = telling.queue_alarm("a1")
    office.judge(telling.ling, item, read_judgement("true", "", ""), telling.clock(), at_once=True)
    rival.end()
    assert [each.verdict for each in told(telling, desk_key)] == ["true"]
