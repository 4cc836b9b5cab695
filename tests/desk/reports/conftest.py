"""A month that can be worked out by hand, on both databases."""

import pytest

from regulator.records.engine import DeskDatabase
from tests.fakes.statistics_month import StatisticsMonth


@pytest.fixture
def month(database: DeskDatabase) -> StatisticsMonth:
    """March 2026, full."""
    made = StatisticsMonth(database)
    made.fill()
    return made
