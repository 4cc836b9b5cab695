"""Fixtures of the desk's tests: an empty, migrated database, each on SQLite and on a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.signing import SignKey, generate_key
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Ledger
from regulator.base.records.schema import prepare
from tests.fakes.postgresql import PostgreSQL, reachable_folder, remove

HOUR_NS = 3_600_000_000_000
DAY_NS = 24 * HOUR_NS
START_NS = 1_772_323_200_000_000_000
"""2026-03-01 08:00:00 in Shanghai."""


class DeskClock:
    """A clock that stands until it is moved."""

    def __init__(self, now_ns: int = START_NS) -> None:
        self.at_ns = now_ns

    def __call__(self) -> int:
        return self.at_ns

    def move(self, *, days: float = 0, hours: float = 0, seconds: float = 0) -> int:
        """Forward; the new time."""
        self.at_ns += int(days * DAY_NS + hours * HOUR_NS + seconds * 1_000_000_000)
        return self.at_ns


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """One server for all tests of a process."""
    folder = reachable_folder()
    server = PostgreSQL(folder, durable=False)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        remove(folder)


@pytest.fixture(scope="session")
def migrated(postgresql: PostgreSQL) -> str:
    """The name of a migrated database, to copy from."""
    name = postgresql.create()
    database = DeskDatabase(postgresql.url(name))
    prepare(database)
    database.close()
    return name


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to copy from."""
    path = tmp_path_factory.mktemp("desk") / "migrated.db"
    database = DeskDatabase(f"sqlite:///{path}")
    prepare(database)
    database.close()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def desk_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty, migrated database of its own."""
    yield from _empty_desk(request, tmp_path)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_desk_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The same for all tests of a module, which leave room for each other."""
    yield from _empty_desk(request, tmp_path_factory.mktemp("desk"))


def _empty_desk(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    if request.param == "sqlite":
        target = folder / "desk.db"
        target.write_bytes(request.getfixturevalue("migrated_file").read_bytes())
        yield f"sqlite:///{target}"
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    name = server.create(request.getfixturevalue("migrated"))
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def database(desk_url: str) -> Iterator[DeskDatabase]:
    """The same, opened."""
    opened = DeskDatabase(desk_url)
    yield opened
    opened.close()


@pytest.fixture
def desk_key() -> SignKey:
    """The desk's signing key."""
    return generate_key()


@pytest.fixture
def ledger(desk_key: SignKey) -> Ledger:
    """A ledger that signs with `desk_key`."""
    return Ledger(desk_key)


@pytest.fixture
def clock() -> DeskClock:
    """Stands at `START_NS`."""
    return DeskClock()
