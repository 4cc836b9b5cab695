"""The migrations alone make exactly the schema that the tables describe, on both databases; twice is harmless."""

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import inspect, select, text

from regulator.base.intake.codes import Asker, Why, why_refused
from regulator.base.records.blob_senders import sent_by
from regulator.base.records.box_standing import assigned_box
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.schema import METADATA, MIGRATIONS, prepare
from regulator.base.records.tables.intake import codes
from tests.fakes.postgresql import PostgreSQL

Schema = dict[str, object]
ITEMS_BEFORE = [("first", "a", 7), ("first", "b", 5), ("second", "a", 6)]
ITEMS_AFTER = [("first", "b", 1), ("first", "a", 2), ("second", "a", 1)]


@pytest.fixture(params=["sqlite", "postgresql"])
def two_empty(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'a.db'}", f"sqlite:///{tmp_path / 'b.db'}"
    server: PostgreSQL = request.getfixturevalue("postgresql")
    return server.url(server.create()), server.url(server.create())


def test_migrations_make_what_the_tables_say(two_empty: tuple[str, str]) -> None:
    migrated, described = (DeskDatabase(url) for url in two_empty)
    try:
        prepare(migrated)
        prepare(migrated)
        with described.engine.begin() as db:
            METADATA.create_all(db)
        found, expected = _schema(migrated), _schema(described)
    finally:
        migrated.close()
        described.close()
    assert found.pop("alembic_version")
    assert sorted(found) == sorted(expected)
    for table, columns in expected.items():
        assert found[table] == columns, table


def _schema(database: DeskDatabase) -> Schema:
    """Columns, keys and indexes of every table, as the database itself tells them."""
    seen = inspect(database.engine)
    return {
        table: {
            "columns": {
                column["name"]: (str(column["type"]), column["nullable"], column["default"]) for column in columns
            },
            "primary_key": seen.get_pk_constraint(table)["constrained_columns"],
            "unique": sorted(sorted(unique["column_names"]) for unique in seen.get_unique_constraints(table)),
            "references": sorted(str(key["constrained_columns"]) for key in seen.get_foreign_keys(table)),
            "indexes": sorted(_index_texts(database, table)),
        }
        for table in seen.get_table_names()
        for columns in [seen.get_columns(table)]
    }


def _index_texts(database: DeskDatabase, table: str) -> list[str]:
    of_sqlite = "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = :of_table"
    of_postgresql = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = :of_table"
    with database.reading() as db:
        asked = text(of_sqlite if database.is_sqlite else of_postgresql)
        return [" ".join(row[0].split()) for row in db.execute(asked, {"of_table": table})]


def test_a_schema_that_no_migration_leads_from_is_told_and_left_alone(two_empty: tuple[str, str]) -> None:
    """One from before 1.2.0, and one of a version to come."""
    for url, revision, told in zip(two_empty, ("0001", "9999"), ("before 1.2.0", "another version.*9999"), strict=True):
        database = DeskDatabase(url)
        try:
            with database.engine.begin() as db:
                db.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
                db.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})
            with pytest.raises(ValueError, match=told):
                prepare(database)
            assert inspect(database.engine).get_table_names() == ["alembic_version"]
        finally:
            database.close()


def test_a_desk_that_was_there_keeps_its_boxes_orders_and_files(two_empty: tuple[str, str]) -> None:
    """From before codes named their box: the box that was heard last has the orders, old codes let nobody in. What
    came before items had numbers is numbered as it came."""
    database = DeskDatabase(two_empty[0])
    try:
        with database.engine.begin() as db:
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS))
            config.attributes["connection"] = db
            command.upgrade(config, "0003")
            box = "INSERT INTO boxes (box_id, project_code, verified_sha256, enrolled_at_ns, last_seen_ns) VALUES "
            db.execute(text(box + "('first', 'P-1', 'x', 1, 5), ('second', 'P-1', 'x', 2, 9)"))
            db.execute(text("INSERT INTO codes (code_sha256, box_id, issued_at_ns) VALUES ('c', '', 3)"))
            db.execute(
                text("INSERT INTO blobs (sha256, size_bytes, box_id, completed_at_ns) VALUES ('b', 1, 'first', 4)")
            )
            item = "INSERT INTO items (box_id, key, kind, accepted_at_ns, body, body_sha256, envelope,"
            item += " envelope_signature, receipt) VALUES "
            rows = [f"('{box}', '{key}', 'k', {at}, '', '', '', '', '')" for box, key, at in ITEMS_BEFORE]
            db.execute(text(item + ", ".join(rows)))
        prepare(database)
        with database.reading() as db:
            numbered = text("SELECT box_id, key, number FROM items ORDER BY box_id, number")
            assert [tuple(row) for row in db.execute(numbered)] == ITEMS_AFTER
            counted = text("SELECT items_accepted FROM boxes ORDER BY box_id")
            assert list(db.scalars(counted)) == [2, 1]
            assert assigned_box(db, "P-1") == "second"
            assert [tuple(row) for row in db.execute(text("SELECT waiting, revoked_at_ns FROM boxes"))] == [(0, 0)] * 2
            assert sent_by(db, "first", {"b"}) == {"b"}
            assert sent_by(db, "second", {"b"}) == set()
            row = db.execute(select(codes)).one()
            assert why_refused(row, Asker("first", "P-1", "k"), 4) is Why.OTHER_BOX
    finally:
        database.close()
