"""An intake on both databases, open on the test's event loop."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from contract.signing import SignKey
from regulator.base.records.engine import DeskDatabase
from tests.fakes.desk_database import DeskClock
from tests.fakes.sending_box import DeskIntake, SendingBox, desk_intake


@pytest.fixture
async def intake(
    database: DeskDatabase, desk_key: SignKey, clock: DeskClock, tmp_path: Path
) -> AsyncIterator[DeskIntake]:
    made = desk_intake(database, desk_key, clock, tmp_path)
    made.intake.reception.open()
    yield made
    made.intake.reception.close()


@pytest.fixture
async def box(intake: DeskIntake) -> SendingBox:
    made = intake.box()
    assert (await made.enrol()).status == 200
    return made
