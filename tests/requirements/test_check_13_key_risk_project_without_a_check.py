"""Check 13: a key-risk project without a check this month is listed from the last day of the month minus 5 on."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulator.base.days import day_start_ns, month_end
from regulator.base.kinds import ItemLevel, RiskKind
from regulator.base.listed import Listed
from regulator.base.model.refusals import RefusedError
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Ledger
from regulator.parts.registry.rounds.key_risk import RiskEvent, check_done, list_by_rules, record_event
from regulator.parts.registry.rounds.monthly import MonthState, due_list, missed_months, month_state
from tests.fakes.desk_database import (
    DeskClock,
    clock,
    database,
    desk_key,
    desk_url,
    ledger,
    migrated,
    migrated_file,
    postgresql,
)
from tests.fakes.registry_desk import ADMIN, INSPECTOR, PROVINCE, RegistryDesk

__all__ = ["clock", "database", "desk_key", "desk_url", "ledger", "migrated", "migrated_file", "postgresql"]
PROJECT = Listed(ItemLevel.PROJECT, "p-001")


@pytest.fixture
def desk(database: DeskDatabase, ledger: Ledger, clock: DeskClock) -> RegistryDesk:
    made = RegistryDesk(database, ledger, clock)
    made.plant(2)
    return made


def due(desk: RegistryDesk, day: str) -> list[str]:
    """Who is on the list at eight in the morning of a day."""
    desk.clock.at_ns = day_start_ns(date.fromisoformat(day)) + 8 * 3_600_000_000_000
    with desk.database.reading() as db:
        return [task.listed.code for task in due_list(db, PROVINCE, desk.today)]


def test_listed_on_the_last_day_minus_five_unless_somebody_went(desk: RegistryDesk) -> None:
    with desk.act(ADMIN, "通报") as act:
        record_event(act, RiskEvent(RiskKind.ACCIDENT, date(2025, 6, 1), "高处坠落", project_code="p-001"))
    with desk.database.transaction() as db:
        assert list_by_rules(db, desk.ledger, desk.clock()) == 1
        assert list_by_rules(db, desk.ledger, desk.clock()) == 0
    assert due(desk, "2026-03-25") == []
    assert due(desk, "2026-03-26") == ["p-001"]
    assert due(desk, "2026-03-31") == ["p-001"]
    with desk.act(INSPECTOR, "月度检查，无突出问题") as act:
        check_done(act, PROJECT, "p-001")
    assert due(desk, "2026-03-31") == []
    assert due(desk, "2026-04-24") == []
    assert due(desk, "2026-04-25") == ["p-001"]
    assert due(desk, "2026-05-01") == ["p-001"], "a month that nobody went in stays on the list"


def test_a_project_that_is_not_on_the_key_risk_list_is_never_due(desk: RegistryDesk) -> None:
    assert due(desk, "2026-03-31") == []
    with pytest.raises(RefusedError, match="not_listed"), desk.act(INSPECTOR, "x") as act:
        check_done(act, PROJECT, "p-001")


@given(st.dates(date(2024, 1, 1), date(2030, 12, 31)))
def test_exactly_the_last_six_days_of_every_month(day: date) -> None:
    expected = MonthState.DUE if (month_end(day) - day).days <= 5 else MonthState.OPEN
    assert month_state(set(), day) is expected
    assert month_state({day.replace(day=1).isoformat()}, day) is MonthState.DONE
    last_month = day.replace(day=1) - timedelta(days=1)
    assert month_state({last_month.isoformat()}, day) is expected


def test_missed_months_are_counted_from_the_listing() -> None:
    today = date(2026, 4, 10)
    assert missed_months(set(), date(2026, 1, 5), today) == ("2026-01", "2026-02", "2026-03")
    assert missed_months({"2026-02-11"}, date(2026, 1, 27), today) == ("2026-03",)
    assert missed_months(set(), date(2026, 4, 1), today) == ()
