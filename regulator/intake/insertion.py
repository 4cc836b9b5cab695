"""Inserts that leave a row alone when it is there already, on both databases.

In: a table and a row. Out: whether the row was new. Knows no meaning.
"""

from collections.abc import Mapping

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_once(db: Connection, table: Table, row: Mapping[str, object]) -> bool:
    """Insert unless a unique index says that it is there; whether it was inserted."""
    dialect = postgresql if db.dialect.name == "postgresql" else sqlite
    return db.execute(dialect.insert(table).on_conflict_do_nothing(), dict(row)).rowcount == 1
