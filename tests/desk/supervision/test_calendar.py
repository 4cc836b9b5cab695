"""The reporting calendar: which days there are, what the desk knows by itself, what people mark, and for whom."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from regulator.base.days import day_start_ns
from regulator.base.kinds import ItemLevel, RiskKind
from regulator.base.listed import Listed
from regulator.base.model.actor import Actor, Duty, Level, Scope
from regulator.base.model.refusals import RefusedError
from regulator.base.packs import PackError, config_root
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Ledger, entries_of
from regulator.base.records.tables.hazards import hazard_deadlines
from regulator.base.records.tables.rounds import rounds
from regulator.base.records.tables.supervision import draws, round_targets
from regulator.parts.registry.rounds.key_risk import RiskEvent, check_done, list_by_rules, record_event
from regulator.parts.supervision.calendar_file import When, load_calendar
from regulator.parts.supervision.calendar_ics import ics
from regulator.parts.supervision.calendar_office import Line, State, clocks, lines, mark_done, state_of
from regulator.parts.supervision.themes import NewTheme, set_theme
from tests.fakes.desk_database import DeskClock
from tests.fakes.registry_desk import ADMIN, INSPECTOR, VIEWER, RegistryDesk, person

FILE = load_calendar()
TEXT = (config_root() / "desk" / "supervision" / "calendar.yaml").read_text("utf-8")
COUNTY = Scope(Level.COUNTY, "440105")
COUNTY_ADMIN = person("county-admin", COUNTY, Duty.ADMINISTRATOR)
FIRM = person("firm", Scope(Level.FIRM, "f-1"), Duty.RESPONDER)


@pytest.fixture
def desk(database: DeskDatabase, ledger: Ledger, clock: DeskClock) -> RegistryDesk:
    made = RegistryDesk(database, ledger, clock)
    made.plant(2)
    return made


def at(desk: RegistryDesk, day: str) -> None:
    desk.clock.at_ns = day_start_ns(date.fromisoformat(day)) + 8 * 3_600_000_000_000


def line(desk: RegistryDesk, actor: Actor, entry_id: str, due: str) -> Line:
    with desk.database.reading() as db:
        found = lines(db, FILE, actor, desk.today)
    (one,) = (each for each in found if (each.what.entry.id, each.what.due.isoformat()) == (entry_id, due))
    return one


def test_every_dated_row_of_the_notices_is_in_the_calendar() -> None:
    """Section 5 of the requirements: what has a date or a rhythm. Hours and days from an event are clocks."""
    rows = {row for entry in FILE.entries for row in entry.source}
    assert rows == {
        "A1", "A2", "A8", "A14", "A15", "A22", "A34", "B1", "B3", "B17", "D1", "D2", "D4", "D11", "D23", "D24", "E11",
    }  # fmt: skip
    summary = FILE.entry("summary")
    assert summary is not None
    assert summary.when.due_days(2026) == [date(2026, 6, 30), date(2026, 12, 31)]


@given(st.integers(2024, 2040))
def test_rhythms(year: int) -> None:
    months = When(every="month").due_days(year)
    assert len(months) == 12
    assert all((day + timedelta(days=1)).day == 1 for day in months)
    assert When(every="quarter").due_days(year) == months[2::3]
    assert When(every="half_year").due_days(year) == months[5::6]
    weeks = When(every="week").due_days(year)
    assert len(weeks) in (52, 53)
    assert all(day.weekday() == 6 and day.year == year for day in weeks)


def test_states_turn_at_midnight() -> None:
    due = date(2026, 6, 30)
    turns = [state_of(None, due, due + timedelta(days=days), 10) for days in (-11, -10, 0, 1)]
    assert turns == [State.OPEN, State.DUE, State.DUE, State.OVERDUE]
    assert state_of(due, due, due, 10) is State.DONE
    assert state_of(due + timedelta(days=1), due, due, 10) is State.LATE


def test_two_rounds_of_full_coverage_and_a_drawn_one_is_none(desk: RegistryDesk) -> None:
    def closed(round_id: str, day: str) -> None:
        row = {
            "round_id": round_id,
            "name": round_id,
            "level": "province",
            "scope_code": "44",
            "starts_on": "2026-01-01",
        }
        rest = {
            "due_on": day,
            "state": "closed",
            "opened_by": "x",
            "closed_at_ns": day_start_ns(date.fromisoformat(day)),
        }
        with desk.database.transaction() as db:
            db.execute(insert(rounds).values(**row, **rest))

    at(desk, "2026-07-15")
    assert line(desk, VIEWER, "full_rounds", "2026-06-30").state is State.OVERDUE
    closed("r-drawn", "2026-05-01")
    with desk.database.transaction() as db:
        db.execute(insert(round_targets).values(round_id="r-drawn", project_code="p-001"))
    assert line(desk, VIEWER, "full_rounds", "2026-06-30").state is State.OVERDUE
    closed("r-1", "2026-06-20")
    assert line(desk, VIEWER, "full_rounds", "2026-06-30").state is State.DONE
    closed("r-2", "2026-11-02")
    at(desk, "2026-11-03")
    assert line(desk, VIEWER, "full_rounds", "2026-10-31").state is State.LATE
    assert line(desk, COUNTY_ADMIN, "full_rounds", "2026-10-31").state is State.OVERDUE, "each body its own"


def test_draws_and_themes_are_counted_for_the_bodies_below(desk: RegistryDesk) -> None:
    at(desk, "2026-06-25")
    row = {"draw_id": "d-1", "name": "一", "level": "county", "scope_code": "440105", "on_day": "2026-05-01"}
    rest = {"state": "revealed", "pool": "{}", "pool_sha256": "", "nonce": "", "nonce_sha256": "", "frozen_by": "x"}
    with desk.database.transaction() as db:
        db.execute(insert(draws).values(**row, **rest))
    with desk.act(COUNTY_ADMIN, "计划") as act:
        set_theme(act, NewTheme("2026-06", "汛期", 100))
    drawn = line(desk, VIEWER, "double_random", "2026-06-30")
    assert drawn.state is None, "no duty of the province"
    assert [(each.level.value, each.done, each.all) for each in drawn.below] == [("city", 0, 2), ("county", 1, 3)]
    assert line(desk, COUNTY_ADMIN, "double_random", "2026-06-30").state is State.DONE
    assert line(desk, COUNTY_ADMIN, "monthly_theme", "2026-06-30").state is State.DONE
    assert line(desk, COUNTY_ADMIN, "monthly_theme", "2026-07-31").state is State.OPEN
    city = person("c", Scope(Level.CITY, "4401"), Duty.VIEWER)
    assert [(each.done, each.all) for each in line(desk, city, "monthly_theme", "2026-06-30").below] == [(1, 2)]


def test_the_key_risk_month_is_done_when_everybody_was_checked(desk: RegistryDesk) -> None:
    with desk.act(ADMIN, "通报") as act:
        for code in ("p-001", "p-002"):
            record_event(act, RiskEvent(RiskKind.ACCIDENT, date(2025, 6, 1), "高处坠落", project_code=code))
    with desk.database.transaction() as db:
        list_by_rules(db, desk.ledger, desk.clock())
    assert line(desk, VIEWER, "key_risk_check", "2026-03-31").state is State.OPEN
    assert line(desk, VIEWER, "key_risk_check", "2026-02-28").state is State.DONE, "nobody was on the list"
    with desk.act(INSPECTOR, "已检查") as act:
        check_done(act, Listed(ItemLevel.PROJECT, "p-001"), "p-001")
    assert line(desk, VIEWER, "key_risk_check", "2026-03-31").state is State.OPEN
    with desk.act(INSPECTOR, "已检查") as act:
        check_done(act, Listed(ItemLevel.PROJECT, "p-002"), "p-002")
    done = line(desk, VIEWER, "key_risk_check", "2026-03-31")
    assert (done.state, done.done_on) == (State.DONE, desk.today)
    assert [(each.level.value, each.done) for each in done.below] == [("city", 1), ("county", 1)]
    at(desk, "2026-05-01")
    assert line(desk, VIEWER, "key_risk_check", "2026-04-30").state is State.OVERDUE


def test_what_nobody_can_know_is_marked_once_and_kept(desk: RegistryDesk) -> None:
    at(desk, "2026-06-29")
    with desk.act(FIRM, "x") as act:
        mark_done(act, FILE, "leader_quarter", date(2026, 6, 30), "第二季度带队检查，记录 3 份")
    assert line(desk, FIRM, "leader_quarter", "2026-06-30").state is State.DONE
    at(desk, "2026-07-02")
    with desk.act(COUNTY_ADMIN, "x") as act:
        mark_done(act, FILE, "verification", date(2026, 6, 30), "已核验")
    assert line(desk, COUNTY_ADMIN, "verification", "2026-06-30").state is State.LATE
    with desk.database.reading() as db:
        (entry,) = entries_of(db, "calendar:firm:f-1")
    assert entry.fields["kind"] == "calendar_done"
    wrong = [
        ("leader_quarter", date(2026, 6, 30), FIRM, "marked"),
        ("leader_quarter", date(2026, 6, 29), FIRM, "no_such_day"),
        ("verification", date(2026, 6, 30), FIRM, "no_such_day"),
        ("nothing", date(2026, 6, 30), FIRM, "no_such_day"),
        ("full_rounds", date(2026, 6, 30), COUNTY_ADMIN, "known"),
        ("leader_quarter", date(2026, 9, 30), person("v", FIRM.scope, Duty.VIEWER), "not_your_duty"),
    ]
    for entry_id, due, actor, code in wrong:
        with pytest.raises(RefusedError, match=code), desk.act(actor, "x") as act:
            mark_done(act, FILE, entry_id, due, "再说一次")
    with pytest.raises(RefusedError, match="missing"), desk.act(FIRM, "x") as act:
        mark_done(act, FILE, "leader_quarter", date(2026, 9, 30), " ")


def test_clocks_run_from_events_in_the_scope(desk: RegistryDesk) -> None:
    now = desk.clock()
    with desk.database.transaction() as db:
        for number, (what, due) in enumerate([("accident_province", -1), ("accident_province", 5), ("listing", 7)]):
            row = {
                "deadline_id": f"d-{number}",
                "hazard_id": "h",
                "project_code": "p-001",
                "what": what,
                "rule_id": "r",
            }
            words = {"pack": "national", "rule_zh": "甲", "rule_en": "a"}
            db.execute(insert(hazard_deadlines).values(**row, **words, due_at_ns=now + due))
        found = {clock.what: (clock.running, clock.overdue, clock.next_due_ns) for clock in clocks(db, VIEWER, now)}
        outside = clocks(db, person("o", Scope(Level.CITY, "4403"), Duty.VIEWER), now)
    assert found["accident_province"] == (2, 1, now + 5)
    assert found["listing"] == (1, 0, now + 7)
    assert found["accident_national"] == (0, 0, 0)
    assert all(clock.running == 0 for clock in outside)


def test_the_calendar_file_is_folded_and_escaped(desk: RegistryDesk) -> None:
    with desk.database.reading() as db:
        found = lines(db, FILE, VIEWER, desk.today)
    text = ics(found, "某市; 审查台, 一\\号", desk.clock(), chinese=True)
    assert text.startswith("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n")
    assert text.endswith("END:VCALENDAR\r\n")
    assert all(len(row.encode()) <= 75 for row in text.split("\r\n"))
    assert "X-WR-CALNAME:某市\\; 审查台\\, 一\\\\号" in text
    unfolded = text.replace("\r\n ", "")
    assert unfolded.count("BEGIN:VEVENT") == len(found)
    assert "DTSTART;VALUE=DATE:20260331\r\nDTEND;VALUE=DATE:20260401" in unfolded


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('dates: ["04-30"]', 'dates: ["02-29"]', "a day that every year has"),
        ('dates: ["04-30"]', 'dates: ["04-30"], every: month', "expected one of dates, once, every"),
        ("id: summary", "id: plan", "twice are plan"),
        ("source: [A34]", "source: [Z1]", "entries.0.source.0"),
        ("shown_by: mark", "shown_by: magic", "entries.0.shown_by"),
    ],
)
def test_a_wrong_file_is_refused_with_its_key(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in TEXT
    path = tmp_path / "calendar.yaml"
    path.write_text(TEXT.replace(old, new, 1), "utf-8")
    with pytest.raises(PackError, match=told):
        load_calendar(path)
