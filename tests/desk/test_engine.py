"""A connection that the server ended while it rested is replaced before anybody gets it."""

import pytest
from sqlalchemy import text

from regulator.base.records import engine
from regulator.base.records.engine import DeskDatabase

pytestmark = pytest.mark.parametrize("desk_url", ["postgresql"], indirect=True)


def test_a_connection_that_died_at_rest_is_replaced(database: DeskDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "UNASKED_S", 0.0)  # every rest is a long one
    with database.reading() as db:
        resting = db.scalar(text("SELECT pg_backend_pid()"))
    with database.transaction() as db:
        assert db.scalar(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": resting})
    with database.reading() as db:
        assert db.scalar(text("SELECT pg_backend_pid()")) != resting


def test_a_reader_of_postgresql_cannot_write(database: DeskDatabase) -> None:
    with database.reading() as db, pytest.raises(Exception, match="read-only transaction"):
        db.execute(text("CREATE TABLE t (n int)"))
