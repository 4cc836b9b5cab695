"""Opening the desk's database: SQLite in a file by default, PostgreSQL by URL; the same statements on both.

    transaction()   one unit of work, durable once the block has ended; rolled back when it raises
    reading()       what is committed; writes are refused by the database itself

SQLite: WAL, synchronous=FULL, one writer at a time (BEGIN IMMEDIATE on a pool of one connection). PostgreSQL: READ
COMMITTED, so a reader needs no transaction, each question sees what is committed; whoever changes what another may
change at the same moment takes the row with `with_for_update()`, which SQLite ignores because it has one writer
anyway. Knows no table.
"""

import errno
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import QueuePool

POOL_SIZE = 8
WAIT_S = 30
UNASKED_S = 1.0
"""How long after its use a connection is believed to live; after a longer rest it is asked."""
LEFT_AT = "left_at_s"
READ_ONLY = "-c default_transaction_read_only=on"


class DeskDatabase:
    """`url`: `sqlite:///path` or `postgresql+psycopg://user@host/name`. Thread-safe. OSError after `close`."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._closed = False
        if self.is_sqlite:
            Path(self.url.database or "").parent.mkdir(parents=True, exist_ok=True)
            self._writer = _sqlite(url, writes=True)
            self._reader = _sqlite(url, writes=False)
        else:
            self._writer = _postgresql(url)
            self._reader = _postgresql(url, options=READ_ONLY).execution_options(isolation_level="AUTOCOMMIT")

    @property
    def engine(self) -> Engine:
        """The engine that writes, for migrations."""
        return self._writer

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All or nothing; durable once the block has ended."""
        self._require_open()
        with self._writer.begin() as db:
            yield db

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read what is committed, on a connection that writes nothing."""
        self._require_open()
        with self._reader.connect() as db:
            yield db

    def close(self) -> None:
        """Let go of all connections, for good: a pool would open new ones."""
        self._closed = True
        self._reader.dispose()
        self._writer.dispose()

    def _require_open(self) -> None:
        if self._closed:
            raise OSError(errno.EBADF, "the desk's database is closed")


def _postgresql(url: str, **arguments: str) -> Engine:
    """Connections that were used a moment ago are taken as they are: asking each first is one more way to and fro."""
    engine = create_engine(url, pool_size=POOL_SIZE, max_overflow=POOL_SIZE, connect_args=arguments)

    @event.listens_for(engine, "checkin")
    def leave(_connection: Any, record: Any) -> None:
        record.info[LEFT_AT] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def ask(connection: Any, record: Any, _proxy: Any) -> None:
        if time.monotonic() - record.info.get(LEFT_AT, time.monotonic()) < UNASKED_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error

    return engine


def _sqlite(url: str, *, writes: bool) -> Engine:
    size = 1 if writes else POOL_SIZE
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=0,
        pool_timeout=WAIT_S,
        connect_args={"check_same_thread": False, "timeout": WAIT_S, "isolation_level": None},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
            connection.execute(f"PRAGMA {pragma}")
        if not writes:
            connection.execute("PRAGMA query_only=ON")

    @event.listens_for(engine, "begin")
    def begin(db: Connection) -> None:
        db.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
