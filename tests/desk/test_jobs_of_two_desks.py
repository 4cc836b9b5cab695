"""On PostgreSQL: what happens with time happens once, also when two desks begin it at the same moment.

The second desk begins after the first has written its first entry and before it has committed.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import date

import pytest
from sqlalchemy import Connection, insert, select, update

from contract.signing import SignKey
from regulator.base.desk import Desk
from regulator.base.intake.watch import WatchJob
from regulator.base.kinds import ItemLevel, RiskKind
from regulator.base.listed import Listed
from regulator.base.model.actor import SYSTEM
from regulator.base.packs import load_packs
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Deed, Ledger
from regulator.base.records.tables.intake import boxes, findings
from regulator.base.records.tables.ledger import ledger_entries
from regulator.base.records.tables.rounds import key_risks
from regulator.base.records.tables.site import site_deliveries
from regulator.parts.hazards.catalogue_file import load_catalogue
from regulator.parts.hazards.office import HazardOffice
from regulator.parts.hazards.opening import open_hazard
from regulator.parts.hazards.watch import HazardWatch
from regulator.parts.registry.rounds.key_risk import RiskEvent, list_by_hand, list_by_rules, record_event
from regulator.parts.review.verdicts import Verdicts
from regulator.parts.site.office import NoticeOffice
from tests.fakes.desk_database import DeskClock
from tests.fakes.hazard_bench import HazardBench, register
from tests.fakes.registry_desk import ADMIN, RegistryDesk
from tests.fakes.review_world import ReviewWorld
from tests.fakes.rival import MeetingLedger, Rival
from tests.fakes.site_world import CITY, SiteWorld, person, warning

pytestmark = pytest.mark.parametrize("desk_url", ["postgresql"], indirect=True)


def entries(database: DeskDatabase, kind: str) -> list[str]:
    with database.reading() as db:
        return list(db.scalars(select(ledger_entries.c.subject).where(ledger_entries.c.kind == kind)))


@dataclass(slots=True)
class OwnDesk(Desk):
    """A desk whose ledger is another one."""

    mine: Ledger | None = None

    @property
    def ledger(self) -> Ledger:
        assert self.mine is not None
        return self.mine


def own(desk: Desk, ledger: Ledger) -> Desk:
    """The same desk with this ledger."""
    return OwnDesk(**{each.name: getattr(desk, each.name) for each in fields(Desk)}, mine=ledger)


def at_once(database: DeskDatabase, key: SignKey, kind: str, job: Callable[[Ledger], object]) -> None:
    """`job` by two desks; the second begins when the first has written its first entry of a kind."""
    rival = Rival(database, lambda: job(Ledger(key)))
    job(MeetingLedger(key, kind, rival.begin))
    rival.end()


def test_a_key_risk_is_listed_once(database: DeskDatabase, ledger: Ledger, desk_key: SignKey, clock: DeskClock) -> None:
    desk = RegistryDesk(database, ledger, clock)
    desk.plant(2)
    with desk.act(ADMIN, "登记") as act:
        for code in ("p-001", "p-002"):
            record_event(act, RiskEvent(RiskKind.ACCIDENT, date(2026, 2, 1), "登记", project_code=code))

    def job(mine: Ledger) -> None:
        with database.transaction() as db:
            list_by_rules(db, mine, clock())

    with database.transaction() as db:
        before = len(db.execute(select(key_risks)).all())
    at_once(database, desk_key, "key_risk_listed", job)
    with database.reading() as db:
        assert len(db.execute(select(key_risks)).all()) - before == 2
    assert sorted(entries(database, "key_risk_listed")) == ["p-001", "p-002"]


def test_a_key_risk_is_listed_by_hand_once(
    database: DeskDatabase, ledger: Ledger, desk_key: SignKey, clock: DeskClock
) -> None:
    desk = RegistryDesk(database, ledger, clock)
    desk.plant(1)

    def by_hand(mine: Ledger) -> None:
        with desk.act(ADMIN, "隐患突出") as act:
            list_by_hand(replace(act, ledger=mine), Listed(ItemLevel.PROJECT, "p-001"))

    with pytest.raises(AssertionError, match="already_listed"):
        at_once(database, desk_key, "key_risk_listed", by_hand)
    assert entries(database, "key_risk_listed") == ["p-001"]


def test_a_box_that_came_late_is_told_once(database: DeskDatabase, desk_key: SignKey, clock: DeskClock) -> None:
    world = SiteWorld(database, desk_key, clock)
    notice_id = world.office.enter(warning(), CITY, person(CITY), clock())
    world.enrol("box-late", "p4")

    def job(mine: Ledger) -> None:
        NoticeOffice(own(world.desk, mine)).catch_up(clock())

    at_once(database, desk_key, "weather_warning_told", job)
    assert [message.body["warning_id"] for message in world.mail("box-late")] == [notice_id]
    with database.reading() as db:
        told = select(site_deliveries.c.project_code).where(site_deliveries.c.box_id == "box-late")
        assert list(db.scalars(told)) == ["p4"]


def test_a_box_that_came_late_is_not_told_what_is_withdrawn_at_that_moment(
    database: DeskDatabase, desk_key: SignKey, clock: DeskClock
) -> None:
    world = SiteWorld(database, desk_key, clock)
    notice_id = world.office.enter(warning(), CITY, person(CITY), clock())
    world.enrol("box-late", "p4")
    rival = Rival(database, lambda: world.office.catch_up(clock()))
    late = MeetingLedger(desk_key, "weather_warning_told", rival.begin)

    NoticeOffice(own(world.desk, late)).withdraw(notice_id, "预警解除", person(CITY), clock())
    rival.end()
    assert [message.body["withdrawn"] for message in world.mail("box-late")] == [True]


def test_a_silent_box_is_found_once_and_the_watch_waits_for_nobody_in_a_ring(
    database: DeskDatabase, desk_key: SignKey, clock: DeskClock
) -> None:
    with database.transaction() as db:
        for code in ("p1", "p2"):
            row = {"box_id": f"box-{code}", "project_code": code, "verified_sha256": "0" * 64, "last_seen_ns": 1}
            db.execute(insert(boxes).values(**row))

    def intake(db: Connection) -> None:
        for code in ("p2", "p1"):
            Ledger(desk_key).append(db, Deed("noted", code, {}, code), SYSTEM, clock())

    def job(mine: Ledger) -> None:
        WatchJob(database, mine, 60).run(clock())

    rival = Rival.transaction(database, intake)
    job(MeetingLedger(desk_key, "finding_opened", rival.begin))
    rival.end()
    assert sorted(entries(database, "finding_opened")) == ["box-p1", "box-p2"]
    with database.transaction() as db:
        db.execute(update(boxes).values(last_seen_ns=clock()))
    at_once(database, desk_key, "finding_closed", job)
    assert sorted(entries(database, "finding_closed")) == ["box-p1", "box-p2"]
    with database.transaction() as db:
        db.execute(update(boxes).values(last_seen_ns=1))
    at_once(database, desk_key, "finding_opened", job)
    assert len(entries(database, "finding_opened")) == 4
    with database.reading() as db:
        assert len(db.execute(select(findings)).all()) == 4


def test_what_is_overdue_is_noted_once(database: DeskDatabase, desk_key: SignKey, clock: DeskClock) -> None:
    register(database)
    bench = HazardBench(database, desk_key, clock)
    bench.major()
    clock.move(days=400)

    def job(mine: Ledger) -> None:
        office = HazardOffice(own(bench.desk, mine), load_packs(("national", "pack-zj-2021")), load_catalogue())
        HazardWatch(database, office).run(clock())

    at_once(database, desk_key, "deadline_overdue", job)
    noted = entries(database, "deadline_overdue")
    again = HazardWatch(database, bench.office)
    again.run(clock())
    assert entries(database, "deadline_overdue") == noted
    assert len(entries(database, "hazard_escalated")) == 1


def test_a_verdict_becomes_final_once(
    database: DeskDatabase, ledger: Ledger, desk_key: SignKey, clock: DeskClock
) -> None:
    world = ReviewWorld(database, ledger, clock)
    item = world.queue_alarm("a1")
    world.lease(world.ling, item)
    world.judge(world.ling, item, "true")
    clock.move(seconds=60)
    at_once(
        database,
        desk_key,
        "hazard_opened",
        lambda mine: Verdicts(mine, open_hazard).finalise_due(database, clock()),
    )
    assert len(entries(database, "hazard_opened")) == 1
    assert world.item(item).state == "final"
