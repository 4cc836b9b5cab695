"""A project's orders go to one box, and open ones follow when another box takes its place."""

import json
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from contract.signing import SignKey
from regulator.base.intake import mailbox as letters
from regulator.base.model.hazard_states import HazardAction
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import entries_about
from regulator.base.records.tables.hazards import hazard_orders
from regulator.base.records.tables.intake import boxes, mailbox
from regulator.parts.hazards.orders_follow import OrdersFollow
from tests.fakes.desk_database import DeskClock
from tests.fakes.hazard_bench import BOX, LI, WANG, HazardBench, register

A = HazardAction


@pytest.fixture
def bench(database: DeskDatabase, desk_key: SignKey, clock: DeskClock) -> HazardBench:
    register(database)
    made = HazardBench(database, desk_key, clock)

    def post(db: Any, box_id: str, kind: str, body: Any, now_ns: int) -> str:
        return letters.post(db, box_id, kind, body, desk_key, now_ns)

    made.desk.post = post
    return made


def another_box(bench: HazardBench, box_id: str = "box-new", **values: int) -> None:
    with bench.database.transaction() as db:
        row = {"box_id": box_id, "project_code": "p1", "verified_sha256": "0" * 64}
        db.execute(insert(boxes).values(**row, **values))


def change(bench: HazardBench, box_id: str, **values: int) -> None:
    with bench.database.transaction() as db:
        db.execute(update(boxes).where(boxes.c.box_id == box_id).values(**values))


def ordered(bench: HazardBench, **changes: object) -> Any:
    hazard_id = bench.open(**changes)
    bench.act(hazard_id, A.CONFIRM)
    bench.act(hazard_id, A.ORDER, LI)
    with bench.database.reading() as db:
        return db.execute(select(hazard_orders).where(hazard_orders.c.hazard_id == hazard_id)).one()


def order_of(bench: HazardBench, order_id: str) -> Any:
    with bench.database.reading() as db:
        return db.execute(select(hazard_orders).where(hazard_orders.c.order_id == order_id)).one()


def mail(bench: HazardBench, box_id: str) -> list[tuple[str, str]]:
    """Kind, and the order or its state."""
    with bench.database.reading() as db:
        signed = db.scalars(select(mailbox.c.signed).where(mailbox.c.box_id == box_id).order_by(mailbox.c.mailbox_seq))
        said = [json.loads(json.loads(text)["text"]) for text in signed]
    return [(each["kind"], each["body"].get("state", each["body"]["order_id"])) for each in said]


def run(bench: HazardBench) -> None:
    OrdersFollow(bench.desk).run(bench.clock())


def test_orders_go_to_the_assigned_box_whichever_box_raised_the_alarm(bench: HazardBench) -> None:
    another_box(bench, last_seen_ns=bench.clock(), enrolled_at_ns=bench.clock())
    order = ordered(bench, box_id="box-new", alarm_id="a")
    assert order.box_id == BOX
    change(bench, "box-new", assigned_at_ns=bench.clock())
    assert ordered(bench, event_key="inspection/2", place_id="edge-4").box_id == "box-new"


@pytest.mark.parametrize("state", [{"waiting": 1}, {"revoked_at_ns": 1}])
def test_no_order_goes_to_a_box_that_waits_or_was_revoked(bench: HazardBench, state: dict[str, int]) -> None:
    another_box(bench, assigned_at_ns=bench.clock(), last_seen_ns=bench.clock(), **state)
    assert ordered(bench).box_id == BOX


def test_an_open_order_follows_to_the_box_that_takes_over(bench: HazardBench) -> None:
    order = ordered(bench)
    run(bench)
    assert mail(bench, BOX) == [("order", order.order_id)]
    another_box(bench, assigned_at_ns=bench.clock())
    for _ in "twice":
        run(bench)
    assert mail(bench, BOX) == [("order", order.order_id), ("order_state", "withdrawn")]
    assert mail(bench, "box-new") == [("order", order.order_id)]
    assert order_of(bench, order.order_id).box_id == "box-new"
    with bench.database.reading() as db:
        moved = [entry.fields for entry in entries_about(db, order.hazard_id)]
    content = next(entry["content"] for entry in moved if entry["kind"] == "order_handed_over")
    assert content == {"order_id": order.order_id, "from": BOX, "to": "box-new"}


def test_a_revoked_box_is_told_nothing_and_its_orders_wait_for_another(bench: HazardBench) -> None:
    order = ordered(bench)
    change(bench, BOX, revoked_at_ns=bench.clock())
    run(bench)
    assert order_of(bench, order.order_id).box_id == BOX
    another_box(bench, assigned_at_ns=bench.clock())
    run(bench)
    assert mail(bench, BOX) == [("order", order.order_id)]
    assert mail(bench, "box-new") == [("order", order.order_id)]


def test_what_is_over_stays_where_it_was(bench: HazardBench) -> None:
    order = ordered(bench)
    bench.put_right(order.hazard_id)
    bench.act(order.hazard_id, A.CLOSE, WANG, evidence=(bench.photo(),))
    another_box(bench, assigned_at_ns=bench.clock())
    run(bench)
    assert mail(bench, "box-new") == []
