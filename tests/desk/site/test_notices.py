"""Permits and warnings go to every box of a range, and nobody is said to know what no box has said it keeps."""

from collections.abc import Callable
from typing import Any

import pytest

from contract.signing import SignKey
from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.model.refusals import RefusedError
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import entries_about, verify_ledger
from regulator.base.records.tables.site import site_deliveries, site_notices
from regulator.parts.site.office import Arrival
from tests.fakes.desk_database import DeskClock
from tests.fakes.site_world import CITY, COUNTY, OTHER, SiteWorld, permit, person, warning


@pytest.fixture
def world(database: DeskDatabase, desk_key: SignKey, clock: DeskClock) -> SiteWorld:
    return SiteWorld(database, desk_key, clock)


def arrivals(world: SiteWorld, notice_id: str, scope: Scope = CITY) -> dict[str, Arrival]:
    return {row.project_code: row.arrival for row in world.office.shown(notice_id, person(scope))[1]}


def test_a_warning_goes_to_every_box_of_the_city_and_a_project_without_a_box_is_named(world: SiteWorld) -> None:
    notice_id = world.office.enter(warning(), CITY, person(CITY), world.clock())
    assert arrivals(world, notice_id) == {"p1": Arrival.WAITING, "p2": Arrival.WAITING, "p4": Arrival.NO_BOX}
    (message,) = world.mail("box-1")
    assert (message.kind, message.body["warning_id"], message.body["level"]) == ("weather_warning", notice_id, "orange")
    assert world.mail("box-3") == []
    (listed,) = world.office.listed(person(CITY))
    assert (listed.projects, listed.counts[Arrival.KEPT], listed.counts[Arrival.NO_BOX]) == (3, 0, 1)


def test_each_step_is_shown_as_it_came(world: SiteWorld) -> None:
    notice_id = world.office.enter(warning(), CITY, person(CITY), world.clock())
    world.box_keeps("box-1")
    world.box_keeps("box-2", "unsupported")
    assert arrivals(world, notice_id) == {"p1": Arrival.KEPT, "p2": Arrival.UNSUPPORTED, "p4": Arrival.NO_BOX}
    world.clock.move(seconds=60)
    world.hears("box-1", warning_id=notice_id)
    (row, *_) = world.office.shown(notice_id, person(CITY))[1]
    assert (row.arrival, row.acknowledged_by) == (Arrival.ACKNOWLEDGED, "安全员 (an)")
    assert row.acknowledged_at_ns == world.clock()


@pytest.mark.parametrize(
    "said",
    [
        {"warning_id": "of another desk"},
        {"version": 2},
        {"version": "1"},
        {"event": "checked"},
        {"kind": "work_permit"},
        {"warning_id": 7},
    ],
)
def test_a_record_about_something_else_acknowledges_nothing(world: SiteWorld, said: dict[str, Any]) -> None:
    notice_id = world.office.enter(warning(), CITY, person(CITY), world.clock())
    world.hears("box-1", **({"warning_id": notice_id} | said))
    world.hears("box-3", warning_id=notice_id)  # a box that was never told
    assert Arrival.ACKNOWLEDGED not in arrivals(world, notice_id).values()


def test_the_same_record_twice_is_one_entry_of_the_ledger(world: SiteWorld) -> None:
    notice_id = world.office.enter(warning(), CITY, person(CITY), world.clock())
    for _ in range(2):
        world.hears("box-1", warning_id=notice_id)
    with world.database.reading() as db:
        kinds = [entry.fields["kind"] for entry in entries_about(db, notice_id)]
        keys = {world.desk.key.public.key_id: world.desk.key.public}
        assert verify_ledger(db, "project:p1", keys).seq == 2  # type: ignore[union-attr]
    assert sorted(kinds) == ["site_acknowledged", *["weather_warning_told"] * 3]


def test_a_withdrawal_is_a_version_that_goes_the_same_way_and_nothing_is_lost(world: SiteWorld) -> None:
    notice_id = world.office.enter(warning(), CITY, person(CITY), world.clock())
    world.office.withdraw(notice_id, "气象台已解除", person(CITY), world.clock.move(hours=1))
    bodies = [message.body for message in world.mail("box-1")]
    assert [(body["version"], body["withdrawn"]) for body in bodies] == [(1, False), (2, True)]
    assert (world.count(site_notices), world.count(site_deliveries)) == (2, 6)
    with pytest.raises(RefusedError, match="withdrawn_already"):
        world.office.withdraw(notice_id, "再次", person(CITY), world.clock())
    (listed,) = world.office.listed(person(CITY))
    assert (listed.notice.withdrawn, listed.reason) == (True, "气象台已解除")


def test_a_permit_goes_to_its_project_alone(world: SiteWorld) -> None:
    target = Scope(Level.PROJECT, "p1")
    notice_id = world.office.enter(permit(), target, person(COUNTY), world.clock())
    (message,) = world.mail("box-1")
    assert (message.kind, message.body["permit_id"], message.body["asset"]) == ("work_permit", notice_id, "crane-1")
    assert (world.mail("box-2"), world.mail("box-3")) == ([], [])


def test_scope_is_kept_in_every_question(world: SiteWorld) -> None:
    notice_id = world.office.enter(warning(), CITY, person(CITY), world.clock())
    assert world.office.listed(person(OTHER)) == []
    with pytest.raises(RefusedError, match="no_such_notice"):
        world.office.shown(notice_id, person(OTHER))
    assert set(arrivals(world, notice_id, COUNTY)) == {"p1", "p4"}
    for scope in (OTHER, COUNTY):  # a county sees its part of a city's warning and does not withdraw it
        with pytest.raises(RefusedError, match="no_such_notice"):
            world.office.withdraw(notice_id, "理由", person(scope), world.clock())


def test_a_target_reaches_no_further_than_the_actor(world: SiteWorld) -> None:
    notice_id = world.office.enter(warning(), Scope(Level.PROVINCE, "44"), person(COUNTY), world.clock())
    assert set(arrivals(world, notice_id)) == {"p1", "p4"}
    with pytest.raises(RefusedError, match="no_projects"):
        world.office.enter(warning(), OTHER, person(CITY), world.clock())


@pytest.mark.parametrize(
    "actor",
    [
        person(CITY, Duty.VIEWER),
        person(CITY, Duty.ADMINISTRATOR),
        person(Scope(Level.FIRM, "f1")),
        person(Scope(Level.PROJECT, "p1"), Duty.RESPONDER),
    ],
)
def test_only_supervision_bodies_issue(world: SiteWorld, actor: Any) -> None:
    with pytest.raises(RefusedError, match="not_your_duty"):
        world.office.enter(warning(), CITY, actor, world.clock())
    notice_id = world.office.enter(warning(), CITY, person(CITY), world.clock())
    with pytest.raises(RefusedError, match="not_your_duty"):
        world.office.withdraw(notice_id, "理由", actor, world.clock())


def test_a_box_that_enrols_later_is_told_once_while_the_warning_lasts(world: SiteWorld) -> None:
    notice_id = world.office.enter(warning(), CITY, person(CITY), world.clock())
    world.enrol("box-4", "p4")
    for _ in range(2):
        world.office.catch_up(world.clock.move(seconds=60))
    assert [message.body["warning_id"] for message in world.mail("box-4")] == [notice_id]
    world.enrol("box-5", "p4")
    world.office.catch_up(world.clock.move(hours=4))
    assert world.mail("box-5") == []


def test_a_withdrawn_warning_is_told_to_no_new_box(world: SiteWorld) -> None:
    notice_id = world.office.enter(warning(), CITY, person(CITY), world.clock())
    world.office.withdraw(notice_id, "误发", person(CITY), world.clock())
    world.enrol("box-4", "p4")
    world.office.catch_up(world.clock.move(seconds=60))
    assert world.mail("box-4") == []


def test_what_cannot_be_posted_leaves_nothing_behind(world: SiteWorld) -> None:
    def full(*_: Any) -> str:
        raise OSError(28, "No space left on device")

    world.desk.post = full
    with pytest.raises(OSError, match="No space"):
        world.office.enter(warning(), CITY, person(CITY), world.clock())
    assert (world.count(site_notices), world.count(site_deliveries)) == (0, 0)


@pytest.mark.parametrize(
    ("make", "changes", "field"),
    [
        (warning, {"source": " "}, "source"),
        (warning, {"level": "purple"}, "level"),
        (warning, {"kind": "snow"}, "kind"),
        (warning, {"valid_until_ns": 1}, "valid_until"),
        (warning, {"valid_until_ns": 2**62}, "valid_until"),
        (warning, {"words": "字" * 2001}, "words"),
        (warning, {"source": "a\x00b"}, "source"),
        (permit, {"asset": ""}, "asset"),
        (permit, {"number": ""}, "number"),
        (permit, {"holder": "x" * 201}, "holder"),
        (permit, {"work": "digging"}, "work"),
        (permit, {"work": "hot_work"}, "place"),
    ],
)
def test_what_is_wrong_is_named(make: Callable[..., object], changes: dict[str, Any], field: str) -> None:
    with pytest.raises(RefusedError) as refused:
        make(**changes)
    assert (refused.value.status, refused.value.field) == (422, field)
    assert refused.value.message_zh
