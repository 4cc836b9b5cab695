"""A world to review in, on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Ledger
from tests.fakes.desk_database import DeskClock
from tests.fakes.review_world import ReviewWorld


@pytest.fixture
def world(database: DeskDatabase, ledger: Ledger, clock: DeskClock) -> ReviewWorld:
    """Two cities, three projects, nobody has judged anything."""
    return ReviewWorld(database, ledger, clock)


@pytest.fixture(scope="module")
def migrated_database(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskDatabase]:
    """One SQLite database for what must leave it empty."""
    own = tmp_path_factory.mktemp("review") / "desk.db"
    own.write_bytes(migrated_file.read_bytes())
    database = DeskDatabase(f"sqlite:///{own}")
    yield database
    database.close()
