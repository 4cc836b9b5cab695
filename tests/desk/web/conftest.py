"""A desk's face on a socket. What is said of pages here is the same on both databases; accounts are tested on both."""

from collections.abc import Iterator

import pytest

from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import DeskFace


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskFace]:
    """A running desk with nothing in it; people come when they are asked for."""
    with DeskFace(tmp_path_factory.mktemp("face"), DeskClock()) as face:
        yield face
