"""A month that can be worked out by hand: on both databases for the figures, on SQLite for what no database decides."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from regulator.base.records.engine import DeskDatabase
from tests.fakes.statistics_month import StatisticsMonth


@pytest.fixture
def month(database: DeskDatabase) -> StatisticsMonth:
    """March 2026, full, on each of the two databases."""
    made = StatisticsMonth(database)
    made.fill()
    return made


@pytest.fixture
def file_database(migrated_file: Path, tmp_path: Path) -> Iterator[DeskDatabase]:
    """An empty SQLite file."""
    path = tmp_path / "desk.db"
    path.write_bytes(migrated_file.read_bytes())
    database = DeskDatabase(f"sqlite:///{path}")
    yield database
    database.close()


@pytest.fixture
def file_month(file_database: DeskDatabase) -> StatisticsMonth:
    """March 2026, full, in a SQLite file."""
    made = StatisticsMonth(file_database)
    made.fill()
    return made
