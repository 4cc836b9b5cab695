"""One SQLite file, one writer thread, many readers.

    caller --submit(job)--> queue --> writer thread: BEGIN; job, job, job; COMMIT --> futures done

Jobs that arrive while a commit runs share the next transaction, so a slow fsync is paid once for many. A future is
done only after its commit. A job that fails is rolled back alone (savepoint); a commit that fails fails all its jobs.
A file that is damaged is moved aside, never deleted; what can still be read of it is carried over (`salvage`).
"""

import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from gateway.model.errors import StoreError

log = logging.getLogger(__name__)
T = TypeVar("T")
Job = Callable[[sqlite3.Connection], Any]
MAX_JOBS_A_COMMIT = 200


@dataclass(frozen=True, slots=True)
class Schema:
    """A file's tables and version. `synchronous` is FULL (survives a power cut) or NORMAL (may lose the last commits,
    never the file). `tables` are carried over by a salvage, in this order."""

    version: int
    ddl: str
    synchronous: str
    tables: Sequence[str]


@dataclass(frozen=True, slots=True)
class Repair:
    """A damaged file was moved aside: where it lies now, and how many rows of each table could be carried over."""

    aside: Path
    reason: str
    rows: dict[str, int]


def open_connection(path: Path, schema: Schema) -> sqlite3.Connection:
    """A writing connection in WAL mode with the schema in place. Raises StoreError on a newer schema version."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10.0)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={schema.synchronous}")
    connection.execute("PRAGMA journal_size_limit=16777216")
    connection.execute("PRAGMA cache_size=-8000")
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > schema.version:
        connection.close()
        raise StoreError(f"{path}: schema version {version}, expected at most {schema.version}; this program is older")
    if version == 0:
        connection.executescript(f"BEGIN IMMEDIATE;{schema.ddl};PRAGMA user_version={schema.version};COMMIT;")
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """A read-only connection for queries; sees every finished commit."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, check_same_thread=False, timeout=10.0)
    connection.row_factory = sqlite3.Row
    return connection


def open_or_repair(path: Path, schema: Schema) -> tuple[sqlite3.Connection, Repair | None]:
    """Open a file; one that is damaged is moved aside and what it still yields is carried into a new file."""
    try:
        connection = open_connection(path, schema)
        answer = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
        if answer == "ok":
            return connection, None
        connection.close()
    except sqlite3.DatabaseError as error:
        answer = str(error)
    return _repair(path, schema, answer)


def _repair(path: Path, schema: Schema, reason: str) -> tuple[sqlite3.Connection, Repair]:
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    connection = open_connection(path, schema)
    rows = {table: _salvage(aside, table, connection) for table in schema.tables}
    log.error("event=database_repaired file=%s aside=%s reason=%r rows=%s", path, aside, reason, rows)
    return connection, Repair(aside, reason, rows)


def _salvage(damaged: Path, table: str, into: sqlite3.Connection) -> int:
    """Copy rows one rowid at a time, from both ends towards the damage; the number of rows that could be read."""
    copied = 0
    try:
        source = sqlite3.connect(damaged, timeout=1.0)
    except sqlite3.DatabaseError:
        return 0
    into.execute("BEGIN IMMEDIATE")
    seen: set[int] = set()
    for order in ("ASC", "DESC"):
        try:
            for rowid, *row in source.execute(f"SELECT rowid, * FROM {table} ORDER BY rowid {order}"):  # noqa: S608
                if rowid in seen:
                    break
                marks = ",".join("?" * len(row))
                into.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row)  # noqa: S608
                seen.add(rowid)
                copied += 1
        except sqlite3.DatabaseError:
            continue
    into.execute("COMMIT")
    source.close()
    return copied


class Writer:
    """The only thread that writes to one file. `on_full` may free space; a commit is tried once more after it."""

    def __init__(self, name: str, connection: sqlite3.Connection, on_full: Callable[[], bool] = lambda: False) -> None:
        self._connection = connection
        self._on_full = on_full
        self._queue: queue.SimpleQueue[tuple[Job, Future[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, job: Callable[[sqlite3.Connection], T]) -> "Future[T]":
        """Run `job` inside the next transaction; the future holds its result once that has been committed."""
        if not self._thread.is_alive():
            raise StoreError(f"{self._thread.name}: the writer has stopped")
        future: Future[T] = Future()
        self._queue.put((job, future))
        return future

    def close(self) -> None:
        """Finish what was submitted, then close the file."""
        self._queue.put(None)
        self._thread.join()
        self._connection.close()

    def _work(self) -> None:
        open_for_work = True
        while open_for_work:
            jobs = [self._queue.get()]
            while len(jobs) < MAX_JOBS_A_COMMIT and not self._queue.empty():
                jobs.append(self._queue.get())
            open_for_work = None not in jobs
            work = [job for job in jobs if job is not None]
            try:
                self._commit(work)
            finally:
                _fail_rest(work)

    def _commit(self, jobs: list[tuple[Job, "Future[Any]"]]) -> None:
        if not jobs:
            return
        outcomes = self._transaction_with_reserve(jobs)
        for (_, future), (result, failure) in zip(jobs, outcomes, strict=True):
            if failure is not None:
                future.set_exception(failure)
            else:
                future.set_result(result)

    def _transaction_with_reserve(self, jobs: list[tuple[Job, "Future[Any]"]]) -> list[tuple[Any, Exception | None]]:
        try:
            return self._transaction(jobs)
        except sqlite3.Error as error:
            if not (is_full(error) and self._on_full()):
                return [(None, StoreError(str(error)))] * len(jobs)
        try:
            return self._transaction(jobs)
        except sqlite3.Error as error:
            return [(None, StoreError(str(error)))] * len(jobs)

    def _transaction(self, jobs: list[tuple[Job, "Future[Any]"]]) -> list[tuple[Any, Exception | None]]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            outcomes = [self._run(job) for job, _ in jobs]
            self._connection.execute("COMMIT")
        except sqlite3.Error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        return outcomes

    def _run(self, job: Job) -> tuple[Any, Exception | None]:
        """One job in its own savepoint. Errors of the file itself end the whole transaction."""
        self._connection.execute("SAVEPOINT job")
        try:
            result = job(self._connection)
        except (sqlite3.IntegrityError, sqlite3.InterfaceError, StoreError, ValueError, TypeError) as error:
            self._connection.execute("ROLLBACK TO job")
            self._connection.execute("RELEASE job")
            return None, error
        self._connection.execute("RELEASE job")
        return result, None


def is_full(error: sqlite3.Error) -> bool:
    """Whether the disk, and not the program, is at fault: full, or no room for the shared-memory file."""
    name = getattr(error, "sqlite_errorname", "")
    return name == "SQLITE_FULL" or name.startswith("SQLITE_IOERR")


def _fail_rest(jobs: list[tuple[Job, "Future[Any]"]]) -> None:
    """Only a bug leaves futures open: nobody may wait for ever on a thread that died of it."""
    for _, future in jobs:
        if not future.done():
            future.set_exception(StoreError("the writer stopped before this was kept"))
