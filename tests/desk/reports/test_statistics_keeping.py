"""Statistics that are kept: how old they may be when shown, and what is made before anybody asks."""

import threading
from datetime import date, timedelta

import pytest

from regulator.base.model.actor import Level, Scope
from regulator.base.records.engine import DeskDatabase
from regulator.parts.reports.statistics.keeping import DEFAULT_DAYS, FRESH_NS, SHOWN_NS, StatisticsKeeper
from regulator.parts.reports.statistics.roll_up import run_roll_up
from regulator.parts.reports.statistics.selection import Selection
from tests.fakes.statistics_month import PROVINCE, StatisticsMonth, at

NOW = at(4, 3)
LAST = date(2026, 4, 2)
FIRST = LAST - timedelta(days=DEFAULT_DAYS - 1)
ALL = Selection(PROVINCE)
COUNTY = Selection(Scope(Level.COUNTY, "440105"))


@pytest.fixture
def database(file_month: StatisticsMonth, file_database: DeskDatabase) -> DeskDatabase:
    """March, not rolled up yet."""
    return file_database


def _wait_for_makers() -> None:
    for thread in threading.enumerate():
        if thread.name == "statistics":
            thread.join(10)


def test_fresh_ones_are_shown_again_older_ones_are_made_anew_beside_it_very_old_ones_at_once(
    file_month: StatisticsMonth, database: DeskDatabase
) -> None:
    file_month.roll_up()
    keeper = StatisticsKeeper(database)
    first = keeper.get(ALL, FIRST, LAST, NOW)
    assert keeper.get(ALL, FIRST, LAST, NOW + FRESH_NS - 1) is first
    assert keeper.get(ALL, FIRST, LAST, NOW + FRESH_NS).at_ns == NOW
    _wait_for_makers()
    assert keeper.get(ALL, FIRST, LAST, NOW + FRESH_NS).at_ns == NOW + FRESH_NS
    late = NOW + FRESH_NS + SHOWN_NS
    assert keeper.get(ALL, FIRST, LAST, late).at_ns == late


def test_what_was_asked_for_lately_is_made_ahead_and_moves_on_with_the_day(
    file_month: StatisticsMonth, database: DeskDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_month.roll_up()
    keeper = StatisticsKeeper(database, (ALL,))
    keeper.make_ahead(NOW)
    keeper.get(COUNTY, LAST - timedelta(days=6), LAST, at(4, 3, 12))
    tomorrow, next_day = at(4, 4), LAST + timedelta(days=1)
    run_roll_up(database, tomorrow)
    keeper.make_ahead(tomorrow)
    monkeypatch.setattr(
        "regulator.parts.reports.statistics.keeping.statistics_of", None
    )  # nothing is made from here on
    assert keeper.get(ALL, next_day - timedelta(days=DEFAULT_DAYS - 1), next_day, tomorrow).at_ns == tomorrow
    assert keeper.get(COUNTY, next_day - timedelta(days=6), next_day, tomorrow).at_ns == tomorrow


def test_nothing_is_made_ahead_while_alarms_wait_to_be_rolled_up(database: DeskDatabase) -> None:
    keeper = StatisticsKeeper(database, (ALL,))
    keeper.make_ahead(NOW)
    assert not keeper._kept
