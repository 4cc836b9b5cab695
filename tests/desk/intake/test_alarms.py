"""Alarms and their media are the same whatever order they came in; areas hear of items in the item's transaction."""

import itertools
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select

from contract.mailbox import Order
from contract.messages import AlarmTransition
from regulator.base.intake.holdings import Holdings
from regulator.base.model.heard import Heard
from regulator.base.model.refusals import RefusedError
from regulator.base.records.tables.intake import alarm_media, alarms, items
from regulator.base.records.tables.registry import firms, projects
from tests.fakes.desk_database import DeskClock
from tests.fakes.sending_box import DeskIntake, SendingBox, code_of, reply_of

RAISED, ANSWERED, RETURNED = 1_000, 2_000, 3_000
STEPS = {"raised": RAISED, "acknowledged": ANSWERED, "returned": RETURNED}


def rows(intake: DeskIntake, table: Any) -> list[dict[str, Any]]:
    with intake.desk.database.reading() as db:
        return [dict(row._mapping) for row in db.execute(select(table))]


async def step(box: SendingBox, name: str, transition: str) -> None:
    measured = {"raised": "112.5"}.get(transition, "99.0")
    said = {"observed_at_ns": STEPS[transition], "raised_at_ns": RAISED, "measured": measured}
    assert (await box.alarm(name, transition, **said)).status == 200


async def test_an_alarm_stands_the_same_in_every_order_of_arrival(intake: DeskIntake, box: SendingBox) -> None:
    for number, order in enumerate(itertools.permutations(STEPS)):
        for transition in order:
            await step(box, f"alarm-{number}", transition)
    found = rows(intake, alarms)
    names = {"alarm_id", "accepted_at_ns", "raised_event"}
    assert len(found) == 6
    assert len({tuple(sorted((k, v) for k, v in row.items() if k not in names)) for row in found}) == 1
    said = found[0]
    assert (said["active"], said["acknowledged"], said["measured"], said["raised_at_ns"]) == (0, 1, "112.5", RAISED)
    assert {row["raised_event"] for row in found} == {f"alarm-{number}:raised" for number in range(6)}


async def test_without_its_raise_an_alarm_is_active_until_its_return(intake: DeskIntake, box: SendingBox) -> None:
    await step(box, "a", "acknowledged")
    (row,) = rows(intake, alarms)
    assert (row["active"], row["acknowledged"], row["raised_event"]) == (1, 1, "")
    await step(box, "a", "returned")
    assert rows(intake, alarms)[0]["active"] == 0


async def test_the_suspected_hazard_and_its_other_edition_are_kept(intake: DeskIntake, box: SendingBox) -> None:
    codes = {"code": "A.4", "edition": "2024", "other_code": "B.7", "other_edition": "2022"}
    await box.alarm(hazard=codes)
    (row,) = rows(intake, alarms)
    assert [row[f"{name}"] for name in ("hazard_code", "hazard_edition", "other_code", "other_edition")] == [
        "A.4",
        "2024",
        "B.7",
        "2022",
    ]


@pytest.mark.parametrize("media_first", [True, False])
async def test_media_find_their_alarm(intake: DeskIntake, box: SendingBox, clock: DeskClock, media_first: bool) -> None:
    async def media() -> None:
        assert (await box.thumbnail("t", b"\xff\xd8 picture", "a:raised")).status == 200
        assert (await box.segment("s", b"clip", "a:raised")).status == 200
        assert (await box.thumbnail("stray", b"\xff\xd8 stray", "")).status == 200

    if media_first:
        await media()
        clock.move(seconds=5)
    await box.alarm()
    if not media_first:
        await media()
    found = {row["item_key"]: row for row in rows(intake, alarm_media)}
    assert {key: (row["alarm_id"], row["kind"], row["size_bytes"]) for key, row in found.items()} == {
        "t": ("a", "thumbnail", 10),
        "s": ("a", "segment", 4),
    }
    held = Holdings(intake.desk.database)
    assert {said["kind"] for said in held.media_of(held.alerts())[box.box_id, "a:raised"]} == {
        "thumbnail",
        "media_segment",
    }


async def test_an_unregistered_project_is_noted_and_found(intake: DeskIntake, box: SendingBox) -> None:
    (finding,) = intake.findings()
    assert (finding["kind"], finding["project_code"], finding["box_id"]) == ("unregistered_project", "P-1", "box-1")
    (project,) = rows(intake, projects)
    assert (project["project_code"], project["status"]) == ("P-1", "unregistered")
    second = intake.box("box-2", box.project)
    await second.enrol()
    assert len(intake.findings("unregistered_project")) == 1


async def test_listeners_hear_once_inside_the_transaction(intake: DeskIntake, box: SendingBox) -> None:
    heard: list[str] = []

    def listen(db: Connection, said: Heard, now_ns: int) -> None:
        assert isinstance(said.body, AlarmTransition)
        assert (said.box_id, said.project_code, now_ns) == (box.box_id, box.project, intake.clock())
        db.execute(insert(firms).values(firm_code=said.key, name=said.body.alarm_id))
        heard.append(said.key)

    intake.desk.listen("alarm_transition", listen)
    for _ in range(2):
        await box.alarm()
    assert heard == ["a:raised"]
    assert [row["firm_code"] for row in rows(intake, firms)] == ["a:raised"]


async def test_what_a_listener_refuses_is_not_kept_and_leaves_no_trace(intake: DeskIntake, box: SendingBox) -> None:
    def listen(db: Connection, heard: Heard, now_ns: int) -> None:
        db.execute(insert(firms).values(firm_code="half", name="half"))
        raise RefusedError(404, "no_such_order", "没有此交办单", "no such order", "order_id")

    intake.desk.listen("alarm_transition", listen)
    answer = await box.alarm()
    error = reply_of(answer).error
    assert error is not None
    assert (answer.status, error.code, error.field, error.expected) == (
        422,
        "invalid_body",
        "body.order_id",
        "no such order",
    )
    assert rows(intake, firms) == rows(intake, items) == rows(intake, alarms) == []


async def test_a_listener_that_breaks_harms_no_other_item(intake: DeskIntake, box: SendingBox) -> None:
    def listen(db: Connection, heard: Heard, now_ns: int) -> None:
        if heard.key.startswith("bad"):
            db.execute(insert(firms).values(firm_code="x", name=None))

    intake.desk.listen("alarm_transition", listen)
    assert code_of(await box.alarm("bad")) == "unavailable"
    assert (await box.alarm("good")).status == 200
    assert [row["alarm_id"] for row in rows(intake, alarms)] == ["good"]


async def test_the_desk_posts_inside_its_own_transaction(intake: DeskIntake, box: SendingBox) -> None:
    order = Order(
        order_id="o-1", number="1", title_zh="整改", words="", legal_basis="", severity="P1", deadline_at_ns=1
    )
    with pytest.raises(ZeroDivisionError), intake.desk.database.transaction() as db:
        assert intake.desk.post(db, box.box_id, "order", order, 5) == 1 // 0
    with intake.desk.database.transaction() as db:
        message_id = intake.desk.post(db, box.box_id, "order", order, 5)
    answer = reply_of(await box.reception.mailbox(box.request("mailbox_poll", "poll", {"wait_s": 0, "limit": 10})))
    assert answer.body is not None
    (signed,) = answer.body["messages"]
    assert f'"message_id":"{message_id}"' in signed["text"]
    assert '"mailbox_seq":1' in signed["text"]
