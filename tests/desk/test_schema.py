"""The migrations alone make exactly the schema that the tables describe, on both databases; twice is harmless."""

from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from regulator.records.engine import DeskDatabase
from regulator.records.schema import METADATA, prepare
from tests.fakes.postgresql import PostgreSQL

Schema = dict[str, object]


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
