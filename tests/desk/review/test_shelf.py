"""Acknowledging and shelving: neither judges, both are on record; the shelf has a bound, a reason and an end."""

import pytest
from sqlalchemy import select

from regulator.base.model.actor import Duty
from regulator.base.model.refusals import RefusedError
from regulator.base.records.ledger import entries_about
from regulator.base.records.tables.hazards import hazards
from regulator.base.records.tables.review import review_items
from regulator.parts.review.queue import count_waiting, read_queue, read_row
from regulator.parts.review.sheets import lay_out
from regulator.parts.review.shelf import ShelfRequest, acknowledge, fetch_back, read_shelf_request, shelf_of, shelve
from tests.fakes.desk_database import HOUR_NS
from tests.fakes.review_world import ReviewWorld, reviewer

ASKED = ShelfRequest("现场正在处理", 2)


def put_aside(world: ReviewWorld, item: str, asked: ShelfRequest = ASKED) -> int:
    with world.database.transaction() as db:
        return shelve(db, world.ledger, world.ling, item, asked, world.clock())


def waiting(world: ReviewWorld) -> list[str]:
    with world.database.reading() as db:
        return [row.item_id for row in read_queue(db, world.zhao, world.clock()).rows]


def test_an_acknowledgement_is_said_once_and_changes_no_hazard(world: ReviewWorld) -> None:
    item = world.queue_alarm("a1", severity="P1")
    with world.database.transaction() as db:
        assert acknowledge(db, world.ledger, world.ling, item, world.clock())
        assert not acknowledge(db, world.ledger, world.ling, item, world.clock())
        assert acknowledge(db, world.ledger, world.zhao, item, world.clock() + 1)
    with world.database.reading() as db:
        assert read_row(db, world.zhao, item, world.clock()).acknowledged_by == ("凌一", "赵二")
        assert db.scalar(select(review_items.c.state).where(review_items.c.item_id == item)) == "open"
        assert db.execute(select(hazards)).first() is None
        kinds = [entry.fields["kind"] for entry in entries_about(db, item)]
    assert kinds == ["review_queued", "review_acknowledged", "review_acknowledged"]


def test_what_is_shelved_is_back_by_itself(world: ReviewWorld) -> None:
    item, other = world.queue_alarm("a1", severity="P2"), world.queue_alarm("a2", severity="P2")
    assert put_aside(world, item) == world.clock() + 2 * HOUR_NS
    assert waiting(world) == [other]
    with world.database.reading() as db:
        assert count_waiting(db, world.ling, world.clock())["P2"] == 1
        (row,) = shelf_of(db, world.zhao, world.clock())
        assert (row.item_id, row.reason, row.user_name) == (item, "现场正在处理", "凌一")
        assert shelf_of(db, world.wei, world.clock()) == []
    world.clock.move(hours=2)
    assert sorted(waiting(world)) == sorted([item, other])
    with world.database.reading() as db:
        assert shelf_of(db, world.ling, world.clock()) == []


def test_it_can_be_fetched_back_and_shelved_again(world: ReviewWorld) -> None:
    item = world.queue_alarm("a1", severity="P2")
    put_aside(world, item)
    with pytest.raises(RefusedError, match="on the shelf already"):
        put_aside(world, item)
    with world.database.transaction() as db:
        fetch_back(db, world.ledger, world.zhao, item, world.clock())
    assert waiting(world) == [item]
    with pytest.raises(RefusedError, match="not on the shelf"), world.database.transaction() as db:
        fetch_back(db, world.ledger, world.zhao, item, world.clock())
    put_aside(world, item)
    with world.database.reading() as db:
        kinds = [entry.fields["kind"] for entry in entries_about(db, item)]
    assert kinds == ["review_queued", "review_shelved", "review_fetched_back", "review_shelved"]


@pytest.mark.parametrize("values", [{"severity": "P1"}, {"severity": "P2", "hazard_code": "5.1"}])
def test_a_p1_and_a_suspected_major_hazard_are_never_shelved(world: ReviewWorld, values: dict[str, str]) -> None:
    item = world.queue_alarm("a1", **values)
    if "hazard_code" in values:
        with world.database.transaction() as db:
            db.execute(review_items.update().values(risk_reasons="repeated major"))
    with pytest.raises(RefusedError, match="never shelved") as refused:
        put_aside(world, item)
    assert refused.value.status == 409
    assert waiting(world) == [item]


def test_who_may_not_judge_may_not_shelve_either(world: ReviewWorld) -> None:
    item = world.queue_alarm("a1", severity="P2")
    looker = reviewer("u-look", "看客", world.ling.scope, Duty.INSPECTOR)
    for actor, status in ((looker, 403), (world.wei, 404)):
        for act in (
            lambda db, by: shelve(db, world.ledger, by, item, ASKED, world.clock()),
            lambda db, by: acknowledge(db, world.ledger, by, item, world.clock()),
            lambda db, by: fetch_back(db, world.ledger, by, item, world.clock()),
        ):
            with pytest.raises(RefusedError) as refused, world.database.transaction() as db:
                act(db, actor)
            assert refused.value.status == status
    world.lease(world.zhao, item)
    with pytest.raises(RefusedError, match="looking at this item"):
        put_aside(world, item)


def test_what_is_shelved_is_on_no_sheet(world: ReviewWorld) -> None:
    same = {"subject": "cam-7.bare_head_1", "severity": "P2"}
    first, second = (world.queue_alarm(name, **same) for name in ("a1", "a2"))
    put_aside(world, first)
    with world.database.transaction() as db:
        assert lay_out(db, world.ledger, world.zhao, second, world.clock()).item_ids == (second,)


@pytest.mark.parametrize(
    ("reason", "hours", "field"),
    [("", "2", "reason"), ("x" * 501, "2", "reason"), ("在修", "9", "hours"), ("在修", "", "hours")],
)
def test_a_reason_and_an_end_are_needed(reason: str, hours: str, field: str) -> None:
    with pytest.raises(RefusedError) as refused:
        read_shelf_request(reason, hours)
    assert (refused.value.status, refused.value.field) == (422, field)
