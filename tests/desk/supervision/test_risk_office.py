"""Scores in the database: what changes them, what is kept of them, who sees them, and what is never lowered."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import Connection, func, insert, select, update

from regulator.base.kinds import ProjectStatus, RiskKind, WorkStage, WorkType
from regulator.base.model.actor import Level, Scope
from regulator.base.model.refusals import RefusedError
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Deed, Ledger
from regulator.base.records.tables.coverage import asset_days
from regulator.base.records.tables.hazards import hazards
from regulator.base.records.tables.intake import alarms, boxes
from regulator.base.records.tables.site import site_deliveries, site_notices
from regulator.base.records.tables.supervision import risk_dirty, risk_latest, risk_scores
from regulator.parts.registry.projects.device_office import DangerousWork, put_work
from regulator.parts.registry.projects.project_office import move_project
from regulator.parts.registry.rounds.key_risk import RiskEvent, record_event
from regulator.parts.supervision.risk import Band, Factor, Footing
from regulator.parts.supervision.risk_file import RiskFile, load_risk
from regulator.parts.supervision.risk_office import RiskOffice, mark_dirty
from regulator.parts.supervision.risk_view import RiskDossier, RiskFilters, risk_of, risk_page
from tests.fakes.desk_database import DeskClock
from tests.fakes.registry_desk import ADMIN, CITY_ADMIN, INSPECTOR, VIEWER, RegistryDesk, person
from tests.fakes.rival import Rival

MINUTE_NS = 60_000_000_000


@pytest.fixture
def desk(database: DeskDatabase, ledger: Ledger, clock: DeskClock) -> RegistryDesk:
    made = RegistryDesk(database, ledger, clock)
    made.plant(2)
    made.plant(1, city="4403", county="440303", first=3)
    made.equip("p-001", "crane-1")
    work = DangerousWork("p-001", "w-1", WorkType.LIFTING, "塔机安装", over_scale=False, stage=WorkStage.PLANNED)
    with made.act(ADMIN) as act:
        put_work(act, work)
    return made


@pytest.fixture
def office(desk: RegistryDesk) -> RiskOffice:
    return RiskOffice(desk.database, load_risk(), 1800)


def hear(desk: RegistryDesk, code: str = "p-001", asset: str = "crane-1") -> None:
    """Its box is heard, and the asset measured, up to now."""
    day, now_ns = desk.today.isoformat(), desk.clock()
    minute = {"good_minutes": 5, "minutes": 5, "last_minute_ns": now_ns - MINUTE_NS}
    with desk.database.transaction() as db:
        box = {"box_id": f"box-{code}", "project_code": code, "verified_sha256": "0" * 64}
        if db.execute(update(boxes).where(boxes.c.project_code == code).values(last_seen_ns=now_ns)).rowcount == 0:
            db.execute(insert(boxes).values(**box, last_seen_ns=now_ns))
        db.execute(insert(asset_days).values(project_code=code, day=day, box_id=f"box-{code}", asset=asset, **minute))


def stand(desk: RegistryDesk, alarm_id: str, rule_id: str = "crane.moment.violation", severity: str = "P1") -> None:
    row = {"box_id": "box-p-001", "alarm_id": alarm_id, "project_code": "p-001", "rule_id": rule_id, "active": 1}
    with desk.database.transaction() as db:
        db.execute(insert(alarms).values(**row, severity=severity, raised_event="e", raised_at_ns=desk.clock()))


def overdue(desk: RegistryDesk, hazard_id: str, grade: str = "general", state: str = "ordered") -> None:
    due = {"due_at_ns": desk.clock() - 1, "opened_at_ns": desk.clock() - 10, "event_key": hazard_id}
    row = {"hazard_id": hazard_id, "project_code": "p-001", "channel": "inspection", "kind": "hazard", "title_zh": "甲"}
    with desk.database.transaction() as db:
        db.execute(insert(hazards).values(**row, **due, grade=grade, state=state))


def parts(desk: RegistryDesk, code: str = "p-001") -> dict[Factor, tuple[str, Footing]]:
    found = dossier(desk, code)
    return {part.factor: (str(part.severity), part.footing) for part in found.parts}


def dossier(desk: RegistryDesk, code: str = "p-001") -> RiskDossier:
    with desk.database.reading() as db:
        found = risk_of(db, VIEWER, code)
    assert found is not None
    return found


def test_a_day_scores_everybody_once_and_a_change_is_a_new_row(desk: RegistryDesk, office: RiskOffice) -> None:
    hear(desk)
    office.score_day(desk.clock())
    first = dossier(desk)
    assert parts(desk) == {
        Factor.CRANE: ("0", Footing.KNOWN),
        Factor.PIT: ("0", Footing.ABSENT),
        Factor.WEATHER: ("0", Footing.KNOWN),
        Factor.OVERDUE: ("0", Footing.KNOWN),
        Factor.PEOPLE: ("0.5", Footing.UNKNOWN),
        Factor.PAST: ("0", Footing.KNOWN),
        Factor.WORKS: ("0.2", Footing.KNOWN),
    }
    assert first.latest.score == 15, "1 - (1 - 0.20 * 0.5) * (1 - 0.30 * 0.2) is 0.154"
    assert [reason.factor for reason in first.latest.reasons] == [Factor.PEOPLE, Factor.WORKS]
    office.score_day(desk.clock.move(hours=1))
    assert len(dossier(desk).history) == 1, "nothing changed, and the day has its score"
    stand(desk, "a-1")
    office.score(["p-001"], desk.clock.move(seconds=1))
    assert [row.score for row in dossier(desk).history] == [48, 15], (
        "1 - 0.846 * (1 - 0.35 * 1) * (1 - 0.20 * 0.3): the box has been silent for an hour"
    )
    assert dossier(desk).latest.reasons[0].factor is Factor.CRANE
    with desk.database.reading() as db:
        assert db.scalar(select(func.count()).select_from(risk_latest)) == 3


def test_a_silent_box_keeps_what_was_last_seen(desk: RegistryDesk, office: RiskOffice) -> None:
    hear(desk)
    stand(desk, "a-1")
    office.score(["p-001"], desk.clock())
    before = dossier(desk).latest.score
    with desk.database.transaction() as db:
        db.execute(update(alarms).values(active=0))
    office.score(["p-001"], desk.clock.move(hours=2))
    assert parts(desk)[Factor.CRANE] == ("1.0", Footing.UNKNOWN), "nobody knows whether the alarm's cause is gone"
    assert dossier(desk).latest.score >= before
    office.score(["p-001"], desk.clock.move(days=2))
    assert parts(desk)[Factor.CRANE] == ("1.0", Footing.UNKNOWN)
    hear(desk)
    office.score(["p-001"], desk.clock.move(seconds=1))
    assert parts(desk)[Factor.CRANE] == ("0", Footing.KNOWN)


def test_each_kind_of_record_counts(desk: RegistryDesk, office: RiskOffice) -> None:
    hear(desk)
    overdue(desk, "h-1")
    overdue(desk, "h-2", grade="major")
    overdue(desk, "h-3", state="closed")
    stand(desk, "a-1", "crane.wind.lifting_stop", "P2")
    stand(desk, "a-2", "vision.helmet", "P1")
    with desk.act(INSPECTOR, "扣分") as act:
        record_event(act, RiskEvent(RiskKind.POINTS, date(2026, 2, 1), "扣分", firm_code="f-1", points=10))
    office.score(["p-001"], desk.clock())
    found = parts(desk)
    assert float(found[Factor.OVERDUE][0]) == pytest.approx(0.7)
    assert float(found[Factor.PAST][0]) == 0.25
    assert found[Factor.WEATHER] == ("0.6", Footing.KNOWN)
    assert found[Factor.CRANE] == ("0", Footing.KNOWN), "wind is no state of the crane"
    reason = dossier(desk).latest.reasons[0]
    assert (reason.zh, reason.en) == ("逾期未整改隐患：2 项，其中重大 1 项", "overdue hazards: 2, 1 of them major")


def test_events_mark_and_deeds_are_noticed(desk: RegistryDesk, office: RiskOffice) -> None:
    for code in ("p-001", "p-002"):
        hear(desk, code)
    office.score_day(desk.clock())
    desk.clock.move(seconds=600)
    with desk.database.transaction() as db:
        mark_dirty(db, {"p-001"}, desk.clock())
        mark_dirty(db, {"p-001"}, desk.clock() + 1)
        desk.ledger.append(db, Deed("hazard_opened", "h-1", {}, "p-002"), ADMIN, desk.clock())
    stand(desk, "a-1")
    office.score_changed(desk.clock())
    assert dossier(desk).latest.scored_at_ns == desk.clock()
    assert dossier(desk, "p-002").latest.scored_at_ns < desk.clock(), "nothing of it changed"
    with desk.database.transaction() as db:
        db.execute(update(alarms).values(active=0))
    office.score_changed(desk.clock.move(seconds=60))
    assert len(dossier(desk).history) == 2, "it was marked once, and nothing has marked it since"


@dataclass
class Interrupted:
    """The formula's file; `happens` is called when the first factor is looked up, in the middle of scoring."""

    happens: Callable[[], object]

    def __getattr__(self, name: str) -> Any:
        self.happens()
        return getattr(load_risk(), name)


def killed() -> None:
    raise SystemExit


def test_a_desk_killed_between_taking_and_scoring_forgets_nothing(desk: RegistryDesk, office: RiskOffice) -> None:
    hear(desk)
    office.score_day(desk.clock())
    desk.clock.move(seconds=600)
    stand(desk, "a-1")
    with desk.database.transaction() as db:
        mark_dirty(db, {"p-001"}, desk.clock())
    with pytest.raises(SystemExit):
        replace(office, file=cast(RiskFile, Interrupted(killed))).score_changed(desk.clock())
    assert len(dossier(desk).history) == 1
    office.score_changed(desk.clock.move(seconds=30))
    assert len(dossier(desk).history) == 1, "the first desk may still be at it"
    office.score_changed(desk.clock.move(seconds=301))
    assert len(dossier(desk).history) == 2
    with desk.database.reading() as db:
        assert db.scalar(select(risk_dirty.c.since_ns)) == 0


def test_what_fails_is_tried_by_the_next_run(desk: RegistryDesk, office: RiskOffice) -> None:
    def fail() -> None:
        raise ValueError("no such factor")

    hear(desk)
    office.score_day(desk.clock())
    stand(desk, "a-1")
    with desk.database.transaction() as db:
        mark_dirty(db, {"p-001"}, desk.clock())
    with pytest.raises(ValueError, match="no such factor"):
        replace(office, file=cast(RiskFile, Interrupted(fail))).score_changed(desk.clock.move(seconds=30))
    office.score_changed(desk.clock.move(seconds=30))
    assert len(dossier(desk).history) == 2


def test_an_alarm_in_the_middle_of_scoring_is_scored_by_the_next_run(desk: RegistryDesk, office: RiskOffice) -> None:
    def alarm() -> None:
        with desk.database.transaction() as db:
            mark_dirty(db, {"p-001"}, desk.clock() + 1)

    hear(desk)
    office.score_day(desk.clock())
    with desk.database.transaction() as db:
        mark_dirty(db, {"p-001"}, desk.clock.move(seconds=600))
    replace(office, file=cast(RiskFile, Interrupted(alarm))).score_changed(desk.clock())
    stand(desk, "a-1")
    assert len(dossier(desk).history) == 1
    office.score_changed(desk.clock.move(seconds=30))
    assert len(dossier(desk).history) == 2


def test_a_deed_of_a_desk_that_stopped_is_scored_when_it_runs_again(desk: RegistryDesk, office: RiskOffice) -> None:
    hear(desk)
    office.score_day(desk.clock())
    office.score_changed(desk.clock.move(seconds=30))
    overdue(desk, "h-1", grade="major")
    with desk.database.transaction() as db:
        desk.ledger.append(db, Deed("deadline_overdue", "h-1", {}, "p-001"), ADMIN, desk.clock.move(seconds=10))
    office.score_changed(desk.clock.move(hours=1))
    assert parts(desk)[Factor.OVERDUE][1] is Footing.KNOWN
    assert parts(desk)[Factor.OVERDUE][0] != "0"


def test_two_desks_at_the_same_moment_keep_a_score_once(desk: RegistryDesk, office: RiskOffice) -> None:
    if desk.database.is_sqlite:
        pytest.skip("one writer: there is no same moment")
    other = DeskDatabase(desk.database.url.render_as_string(hide_password=False))
    rival = Rival(desk.database, lambda: replace(office, database=other).score_day(desk.clock() + 1))

    @contextmanager
    def transaction() -> Iterator[Connection]:
        with desk.database.transaction() as db:
            yield db
            rival.begin()

    slow = cast(DeskDatabase, SimpleNamespace(transaction=transaction, reading=desk.database.reading))
    replace(office, database=slow).score_day(desk.clock())
    rival.end()
    other.close()
    assert len(dossier(desk).history) == 1


def test_what_is_over_is_scored_no_more_and_what_nobody_registered_is_unknown(
    desk: RegistryDesk, office: RiskOffice
) -> None:
    with desk.act(ADMIN, "竣工") as act:
        move_project(act, "p-002", ProjectStatus.FINISHED, desk.today)
    office.score_day(desk.clock())
    with desk.database.reading() as db:
        assert set(db.scalars(select(risk_scores.c.project_code))) == {"p-001", "p-003"}
        assert {row.code for row in risk_page(db, VIEWER, RiskFilters()).rows} == {"p-001", "p-003"}
    assert parts(desk, "p-003")[Factor.WEATHER] == ("0.3", Footing.UNKNOWN)
    assert parts(desk, "p-003")[Factor.WORKS] == ("0.5", Footing.UNKNOWN)


def test_the_list_goes_by_score_and_by_scope(desk: RegistryDesk, office: RiskOffice) -> None:
    hear(desk)
    overdue(desk, "h-1", grade="major")
    overdue(desk, "h-2", grade="major")
    office.score_day(desk.clock())
    other = person("other", Scope(Level.CITY, "4403"))
    with desk.database.reading() as db:
        rows = risk_page(db, VIEWER, RiskFilters()).rows
        assert [row.score for row in rows] == sorted((row.score for row in rows), reverse=True)
        assert rows[0].code == "p-001"
        assert [row.code for row in risk_page(db, VIEWER, RiskFilters(), rows[0].key).rows] == [
            row.code for row in rows[1:]
        ]
        assert [row.code for row in risk_page(db, other, RiskFilters()).rows] == ["p-003"]
        overdue_only = risk_page(db, CITY_ADMIN, RiskFilters(factor=Factor.OVERDUE))
        assert [row.code for row in overdue_only.rows] == ["p-001"]
        assert sum(overdue_only.counts.values()) == 2
        assert risk_page(db, CITY_ADMIN, RiskFilters(band=Band.HIGH, words="nobody")).rows == ()
        with pytest.raises(RefusedError, match="no_such_project"):
            risk_of(db, other, "p-001")
        with pytest.raises(RefusedError, match="bad_page"):
            risk_page(db, VIEWER, RiskFilters(), "x")


def test_kept_reasons_are_those_that_others_read(desk: RegistryDesk, office: RiskOffice) -> None:
    office.score_day(desk.clock())
    with desk.database.reading() as db:
        row = db.execute(select(risk_latest).where(risk_latest.c.project_code == "p-001")).one()
    reasons = json.loads(row.reasons)
    assert 1 <= len(reasons) <= 3
    assert all(set(each) == {"factor", "share", "zh", "en"} for each in reasons)
    assert row.version == "risk-2026.1"
    factors = json.loads(row.factors)
    product = 1.0
    for each in factors:
        product *= 1 - float(each["weight"]) * float(each["severity"])
    assert row.score == int(100 * (1 - product) + 0.5), "the score can be recomputed from what is kept"


def test_a_warning_counts_where_it_was_sent_and_while_it_is_in_force(desk: RegistryDesk, office: RiskOffice) -> None:
    now, day_ns = desk.clock(), 86_400_000_000_000

    def warn(notice_id: str, version: int, withdrawn: int = 0, *, kind: str = "wind", begins: int = now) -> None:
        body = json.dumps({"kind": kind, "level": "orange", "valid_from_ns": begins})
        row = {"notice_id": notice_id, "version": version, "kind": "weather_warning", "body": body}
        rest = {"target_level": "project", "target_code": "p-001", "withdrawn": withdrawn, "entered_by": "x"}
        sent = {"notice_id": notice_id, "version": version, "project_code": "p-001", "box_id": "box-p-001"}
        with desk.database.transaction() as db:
            db.execute(insert(site_notices).values(**row, **rest, valid_until_ns=now + day_ns))
            db.execute(insert(site_deliveries).values(**sent))

    def weather() -> tuple[str, Footing]:
        office.score(["p-001"], desk.clock.move(seconds=1))
        return parts(desk)[Factor.WEATHER]

    hear(desk)
    warn("heat", 1, kind="heat")
    warn("later", 1, begins=now + 2 * day_ns)
    assert weather() == ("0", Footing.KNOWN), "heat is no wind, and tomorrow's is not in force"
    warn("w", 1)
    assert weather() == ("0.8", Footing.KNOWN)
    with desk.database.reading() as db:
        assert dossier(desk).latest.reasons[0].factor is Factor.WEATHER
        found = risk_of(db, VIEWER, "p-002")
    assert found is None, "nobody has scored it"
    warn("w", 2, withdrawn=1)
    assert weather() == ("0", Footing.KNOWN)
