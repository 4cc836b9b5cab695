"""Many rows with one statement: what a storm brings is written set by set, and a set costs what a row costs.

    PostgreSQL   the rows travel as one JSON text, which the database reads back into rows of the table
    SQLite       the driver's own executemany: there is no way to and fro to be saved

A row holds only texts, whole numbers, booleans and None. Statements are built once for each table and set of columns,
so that they stay prepared. In: a transaction, a table, rows. Out: rows written. Knows no meaning.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Connection, Executable, Table, TextClause, bindparam, insert, text, update
from sqlalchemy.dialects import sqlite

Columns = tuple[str, ...]
Rows = Sequence[Mapping[str, object]]


def insert_rows(db: Connection, table: Table, rows: Rows) -> None:
    """Insert all. Rows may name different columns; what a row does not name gets the column's default."""
    for columns, some in _alike(rows).items():
        if db.dialect.name == "postgresql":
            db.execute(_inserting(table, columns), {"rows": as_json(some)})
        else:
            db.execute(_insert(table), [dict(row) for row in some])


def update_rows(db: Connection, table: Table, rows: Rows) -> None:
    """Set, in the row that each one's primary key names, the other columns that it names."""
    for columns, some in _alike(rows).items():
        if db.dialect.name == "postgresql":
            db.execute(_updating(table, columns), {"rows": as_json(some)})
        else:
            db.execute(_update(table, columns), [{f"new_{name}": row[name] for name in columns} for row in some])


def as_json(rows: Rows) -> str:
    """Rows as PostgreSQL's `json_populate_recordset` reads them."""
    return orjson.dumps(rows).decode()


def _alike(rows: Rows) -> dict[Columns, list[Mapping[str, object]]]:
    """Rows by the columns that they name, in their order."""
    groups: dict[Columns, list[Mapping[str, object]]] = {}
    for row in rows:
        groups.setdefault(tuple(row), []).append(row)
    return groups


@lru_cache(maxsize=256)
def _inserting(table: Table, columns: Columns) -> TextClause:
    names = ", ".join(f'"{table.c[name].name}"' for name in columns)
    return text(f'INSERT INTO "{table.name}" ({names}) SELECT {names} FROM {_given(table)}')  # noqa: S608 - names of our own tables


@lru_cache(maxsize=256)
def _updating(table: Table, columns: Columns) -> TextClause:
    keys = {column.name for column in table.primary_key}
    changes = ", ".join(f'"{name}" = given."{name}"' for name in columns if table.c[name].name not in keys)
    same = " AND ".join(f'held."{name}" = given."{name}"' for name in sorted(keys))
    return text(f'UPDATE "{table.name}" AS held SET {changes} FROM {_given(table)} WHERE {same}')  # noqa: S608 - names of our own tables


def _given(table: Table) -> str:
    return f'json_populate_recordset(CAST(NULL AS "{table.name}"), CAST(:rows AS json)) AS given'


@lru_cache(maxsize=64)
def _insert(table: Table) -> Executable:
    return insert(table)


@lru_cache(maxsize=256)
def _update(table: Table, columns: Columns) -> Executable:
    keys = {column.name for column in table.primary_key}
    changing: Any = update(table)
    for name in sorted(keys):
        changing = changing.where(table.c[name] == bindparam(f"new_{name}"))
    return changing.values({name: bindparam(f"new_{name}") for name in columns if name not in keys})  # type: ignore[no-any-return]


def insert_new(db: Connection, table: Table, rows: Rows) -> set[str]:
    """Insert those that no unique index knows; the first column of the key of those that were new."""
    first = next(iter(table.primary_key)).name
    if db.dialect.name != "postgresql":
        adding = sqlite.insert(table).on_conflict_do_nothing().returning(table.c[first])
        added = (db.scalar(adding, dict(row)) for row in rows)
        return {str(name) for name in added if name is not None}
    found: set[str] = set()
    for columns, some in _alike(rows).items():
        found.update(map(str, db.scalars(_inserting_new(table, columns, first), {"rows": as_json(some)})))
    return found


@lru_cache(maxsize=64)
def _inserting_new(table: Table, columns: Columns, first: str) -> TextClause:
    return text(f'{_inserting(table, columns).text} ON CONFLICT DO NOTHING RETURNING "{first}"')
