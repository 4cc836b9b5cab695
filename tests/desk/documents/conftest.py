"""A desk's face on a socket, on each of the two databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from regulator.base.records.engine import DeskDatabase
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import DeskFace


@pytest.fixture
def face(tmp_path: Path, database: DeskDatabase, clock: DeskClock) -> Iterator[DeskFace]:
    """A running desk with nothing in it; people come when they are asked for."""
    with DeskFace(tmp_path, clock, database=database) as face:
        yield face
