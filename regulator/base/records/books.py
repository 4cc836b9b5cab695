"""Progress of jobs, a row for each job. A replica locks the row before it continues."""

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from regulator.base.records.tables.reports import statistics_books

_books = statistics_books.c


def take_book(db: Connection, name: str) -> int:
    """Hold the book until the transaction ends; up to when it was read, UTC ns, 0 when nobody has begun."""
    dialect = postgresql if db.dialect.name == "postgresql" else sqlite
    db.execute(dialect.insert(statistics_books).values(name=name).on_conflict_do_nothing())
    return db.scalar(select(_books.read_up_to_ns).where(_books.name == name).with_for_update()) or 0


def read_book(db: Connection, name: str) -> int:
    """Where the book stands, read without holding it."""
    return db.scalar(select(_books.read_up_to_ns).where(_books.name == name)) or 0


def turn_book(db: Connection, name: str, read_up_to_ns: int) -> None:
    """It was read up to then; never back."""
    forward = _books.read_up_to_ns < read_up_to_ns
    db.execute(update(statistics_books).where(_books.name == name, forward).values(read_up_to_ns=read_up_to_ns))
