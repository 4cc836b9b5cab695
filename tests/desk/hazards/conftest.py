"""A bench on each database."""

import pytest

from contract.signing import SignKey
from regulator.base.records.engine import DeskDatabase
from tests.fakes.desk_database import DeskClock
from tests.fakes.hazard_bench import HazardBench, register


@pytest.fixture
def bench(database: DeskDatabase, desk_key: SignKey, clock: DeskClock) -> HazardBench:
    """With its projects registered."""
    register(database)
    return HazardBench(database, desk_key, clock)
