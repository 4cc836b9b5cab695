"""A world to review in, on both databases."""

import pytest

from regulator.records.engine import DeskDatabase
from regulator.records.ledger import Ledger
from tests.fakes.desk_database import DeskClock
from tests.fakes.review_world import ReviewWorld


@pytest.fixture
def world(database: DeskDatabase, ledger: Ledger, clock: DeskClock) -> ReviewWorld:
    """Two cities, three projects, nobody has judged anything."""
    return ReviewWorld(database, ledger, clock)
