"""Inserts that leave a row alone when it is there already, on both databases.

In: a table and a row. Out: whether the row was new. Knows no meaning.
"""

from collections.abc import Mapping

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_once(db: Connection, table: Table, row: Mapping[str, object]) -> bool:
    """Insert unless a unique index says that it is there; whether it was inserted."""
    dialect = postgresql if db.dialect.name == "postgresql" else sqlite
    first = next(iter(table.primary_key))
    adding = dialect.insert(table).on_conflict_do_nothing().returning(first)
    return db.execute(adding, dict(row)).first() is not None  # a driver may not count the rows of an insert
