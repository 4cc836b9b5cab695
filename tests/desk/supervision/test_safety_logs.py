"""Safety logs on both databases: what is flagged when, what ends a finding, and what a record cannot do."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from contract.canonical import canonical_bytes
from contract.chain import GENESIS, record_digest
from contract.messages import EvidenceRecord
from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.model.heard import Heard
from regulator.base.model.refusals import RefusedError
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Ledger
from regulator.base.records.tables.intake import boxes, findings
from regulator.base.records.tables.registry import projects
from regulator.base.records.tables.supervision import check_ins, safety_log_flags, safety_logs
from regulator.parts.supervision.safety_file import load_safety
from regulator.parts.supervision.safety_hearing import SafetyHearing
from regulator.parts.supervision.safety_logs import Role, enter_check_in, enter_log, flag_due
from regulator.parts.supervision.safety_view import last_days, log_day, own_projects
from tests.fakes.desk_database import DeskClock
from tests.fakes.registry_desk import VIEWER, RegistryDesk, person

FILE = load_safety()
SITE = person("site", Scope(Level.PROJECT, "p-001"), Duty.RESPONDER)
HOUR_NS = 3_600_000_000_000


@pytest.fixture
def desk(database: DeskDatabase, ledger: Ledger, clock: DeskClock) -> RegistryDesk:
    made = RegistryDesk(database, ledger, clock)
    made.plant(2)
    with database.transaction() as db:
        db.execute(insert(boxes).values(box_id="box-1", project_code="p-002", verified_sha256=GENESIS))
    clock.move(days=1)
    return made


def hear(desk: RegistryDesk, kind: str, at_ns: object, box_id: str = "box-1", **content: object) -> None:
    """A record as the box seals it."""
    body = canonical_bytes(
        {"version": 1, "seq": 7, "prev": GENESIS, "box_id": box_id, "kind": kind, "at_ns": at_ns, "content": content}  # type: ignore[dict-item]
    )
    told = EvidenceRecord(record=body.decode(), sha256=record_digest(body))
    with desk.database.transaction() as db:
        SafetyHearing(desk.ledger).hear(db, Heard(box_id, "p-002", told, "k"), desk.clock())


def flags(desk: RegistryDesk) -> list[tuple[str, str, str, bool]]:
    at = safety_log_flags.c
    with desk.database.reading() as db:
        rows = db.execute(select(safety_log_flags).order_by(at.project_code, at.day)).all()
    return [(row.project_code, row.day, row.ground, row.came_at_ns > 0) for row in rows]


def open_findings(desk: RegistryDesk) -> list[str]:
    with desk.database.reading() as db:
        return list(db.scalars(select(findings.c.subject).where(findings.c.closed_at_ns == 0)))


def test_a_check_in_at_the_desk_without_yesterdays_log(desk: RegistryDesk) -> None:
    yesterday = desk.today - timedelta(days=1)
    with desk.act(SITE, "x") as act:
        assert enter_check_in(act, "p-001", Role.OFFICER, "安全员")
    with desk.act(SITE, "x") as act:
        assert enter_check_in(act, "p-001", Role.MANAGER, "项目负责人"), "it is still missing"
    assert flags(desk) == [("p-001", yesterday.isoformat(), "check_in", False)]
    assert open_findings(desk) == [f"p-001:{yesterday}"], "one finding, however many check in"
    with desk.act(SITE, "x") as act:
        enter_log(act, "p-001", yesterday, "补：巡查正常")
    assert flags(desk) == [("p-001", yesterday.isoformat(), "check_in", True)]
    assert open_findings(desk) == []
    with desk.database.reading() as db:
        (_, before), *_ = (each for each in last_days(db, "p-001", desk.today) if each[0] == yesterday)
        assert before.ground is not None
        assert not before.from_box
        assert own_projects(db, SITE) == [("p-001", "项目p-001")]


def test_the_due_time_flags_every_quiet_project_once(desk: RegistryDesk) -> None:
    yesterday = desk.today - timedelta(days=1)
    hear(desk, "safety_log", desk.clock() - 20 * HOUR_NS, filed_under=f"safety_log:{yesterday}", stage="signed",
         user="officer", sha256="a" * 64, bytes=1)  # fmt: skip
    assert flag_due(desk.database, desk.ledger, FILE, desk.clock()) == 0, "it is eight"
    desk.clock.move(hours=1)
    assert flag_due(desk.database, desk.ledger, FILE, desk.clock()) == 1
    assert flag_due(desk.database, desk.ledger, FILE, desk.clock()) == 0
    assert flags(desk) == [("p-001", yesterday.isoformat(), "due_time", False)]
    assert open_findings(desk) == []
    with desk.database.reading() as db:
        day = log_day(db, VIEWER, yesterday)
        assert (day.expected, day.there, day.left_over) == (2, 1, 1)
        assert [line.code for line in day.missing] == ["p-001"]
        before = log_day(db, VIEWER, yesterday - timedelta(days=1))
        assert (before.expected, before.missing) == (0, ()), "nobody was registered then"


def test_a_shift_taken_over_after_the_log_was_signed_is_in_order(desk: RegistryDesk) -> None:
    yesterday = desk.today - timedelta(days=1)
    now = desk.clock()
    hear(desk, "shift_handover", now - HOUR_NS, filed_under="handover:00000001", stage="taken", user="in-1")
    assert flags(desk) == [("p-002", yesterday.isoformat(), "check_in", False)]
    hear(desk, "safety_log", now - 2 * HOUR_NS, filed_under=f"safety_log:{yesterday}", stage="signed", user="o")
    assert open_findings(desk) == [], "it was signed before, and came after"
    hear(desk, "shift_handover", now, filed_under="handover:00000002", stage="taken", user="in-2")
    assert len(flags(desk)) == 1
    with desk.database.reading() as db:
        assert {row.person for row in db.execute(select(check_ins))} == {"in-1", "in-2"}


def test_records_that_say_nothing_change_nothing(desk: RegistryDesk) -> None:
    day = desk.today.isoformat()
    hear(desk, "safety_log", desk.clock(), filed_under=f"safety_log:{day}", stage="draft", user="o")
    hear(desk, "safety_log", desk.clock(), filed_under="safety_log:morgen", stage="signed", user="o")
    hear(desk, "safety_log", "soon", filed_under=f"safety_log:{day}", stage="signed", user="o")
    hear(desk, "shift_handover", desk.clock(), stage="handed", user="o")
    hear(desk, "alarm_note", desk.clock(), words='"safety_log"', stage="signed")
    with desk.database.reading() as db:
        assert db.execute(select(safety_logs)).all() == []
        assert db.execute(select(check_ins)).all() == []


def test_whose_duty_it_is_and_when_none_is_owed(desk: RegistryDesk) -> None:
    inspector = person("i", Scope(Level.PROVINCE, "44"), Duty.INSPECTOR)
    with pytest.raises(RefusedError, match="not_your_duty"), desk.act(inspector, "x") as act:
        enter_log(act, "p-001", desk.today, "x")
    with pytest.raises(RefusedError, match="no_such_project"), desk.act(SITE, "x") as act:
        enter_log(act, "p-002", desk.today, "x")
    with pytest.raises(RefusedError, match="wrong_days"), desk.act(SITE, "x") as act:
        enter_log(act, "p-001", desk.today + timedelta(days=1), "x")
    with pytest.raises(RefusedError, match="missing"), desk.act(SITE, "x") as act:
        enter_log(act, "p-001", desk.today, " ")
    with pytest.raises(RefusedError, match="not_a_role"), desk.act(SITE, "x") as act:
        enter_check_in(act, "p-001", Role.SHIFT, "x")
    with desk.database.transaction() as db:
        db.execute(update(projects).where(projects.c.project_code == "p-001").values(status="stopped"))
    with desk.act(SITE, "x") as act:
        assert not enter_check_in(act, "p-001", Role.OFFICER, "安全员")
    assert flags(desk) == []
