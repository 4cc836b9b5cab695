"""One SQLite file, one writer thread, many readers.

    caller --submit(job)--> queue --> writer thread: BEGIN; job, job, job; COMMIT --> futures done

Jobs that arrive while a commit runs share the next transaction, so a slow fsync is paid once for many. A future is
done only after its commit. A job that fails is rolled back alone (savepoint); a commit that fails fails all its jobs.
A job may be cancelled until the thread takes it up; from then on it runs to its end, whoever stopped waiting for it.
A file that is damaged is moved aside, never deleted; what can still be read of it is carried over (`salvage`). A disk
that is full or a file that may not be opened is no damage: the file stays where it is and StoreError says why.

A disk that failed may come back as another mount at the same path: what is open still means the dead one. So after
a fault of the disk the writer opens its file anew before the next transaction. It never makes a new file then: an empty
folder is what a disk leaves behind that is away.
"""

import contextlib
import logging
import queue
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from gateway.model.errors import DecodeError, StoreError
from gateway.model.repair import Repair
from gateway.store.salvage import fill_torn_end, salvage_table

log = logging.getLogger(__name__)
T = TypeVar("T")
Job = Callable[[sqlite3.Connection], Any]
_Work = tuple[Job, "Future[Any]"]
_Outcome = tuple[Any, Exception | None]
MAX_JOBS_A_COMMIT = 200
CACHE_KIB = 2000
"""Pages that one connection keeps in memory. A box has eleven open and one an uplink; each fills its share: that is the
memory that grows after a start. More saves no processor time: the system's own cache answers."""
DAMAGE = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
# What one job may do wrong without harm to the others in its transaction.
JOB_FAULTS = (DecodeError, StoreError, ValueError, TypeError, LookupError, ArithmeticError)


class DiskFaultError(StoreError):
    """The disk does not let the file be opened for writing: read-only, broken."""


class DiskFullError(DiskFaultError):
    """The disk has no room even to open a file; freeing some may help."""


@dataclass(frozen=True, slots=True)
class Schema:
    """A file's tables and version. `synchronous` is FULL (survives a power cut) or NORMAL (may lose the last commits,
    never the file). `tables` are carried over by a salvage, in this order. `added`: tables of later releases, made in a
    file where they are missing (`CREATE TABLE IF NOT EXISTS`); an older release leaves them alone. A file beyond
    `check_up_to_bytes` is not read through at every start: a site must not wait for that, and damage shows at the
    read."""

    version: int
    ddl: str
    synchronous: str
    tables: Sequence[str]
    added: Sequence[str] = ()
    check_up_to_bytes: int = 2**63


def open_connection(path: Path, schema: Schema) -> sqlite3.Connection:
    """A writing connection in WAL mode with the schema in place. Raises StoreError on a newer schema version."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10.0)
    try:
        _prepare(connection, path, schema)
    except (sqlite3.Error, StoreError):
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path, schema: Schema) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={schema.synchronous}")
    connection.execute("PRAGMA journal_size_limit=16777216")
    if schema.synchronous == "FULL":  # its log must fit into a small reserve when the disk is full
        connection.execute("PRAGMA wal_autocheckpoint=128")
    connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > schema.version:
        raise StoreError(f"{path}: schema version {version}, expected at most {schema.version}; this program is older")
    if version == 0:
        connection.executescript(f"BEGIN IMMEDIATE;{schema.ddl};PRAGMA user_version={schema.version};COMMIT;")
    for ddl in schema.added:
        connection.execute(ddl)


def reopen_connection(path: Path, schema: Schema) -> sqlite3.Connection:
    """A writing connection to a file that must be there already, if only as an empty one: what was never synced is gone
    after a disk's failure. Raises sqlite3.Error or StoreError."""
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?mode=rw", uri=True, isolation_level=None, check_same_thread=False, timeout=10.0
    )
    try:
        _prepare(connection, path, schema)
    except (sqlite3.Error, StoreError):
        connection.close()
        raise
    return connection


def open_reader(path: Path, *, untouched: bool = False) -> sqlite3.Connection:
    """A read-only connection for queries; sees every finished commit. `untouched`: of a file that nobody writes to;
    no lock is taken and no file made beside it. So is one on a read-only disk that was closed in order."""
    if not untouched and not _log_of(path).exists() and not _writable(path.parent):
        untouched = True
    how = "immutable=1" if untouched else "mode=ro"
    connection = sqlite3.connect(f"file:{path}?{how}", uri=True, check_same_thread=False, timeout=10.0)
    connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
    connection.row_factory = sqlite3.Row
    return connection


class FollowingReader:
    """A connection for queries that stays open and follows its path: where another file lies there (a disk came back as
    another mount), that one is asked from then on. While there is none, the old one answers as far as it can. A file
    without a log may have been opened as one that never changes: it is opened again once there is a log."""

    def __init__(self, path: Path, *, untouched: bool = False) -> None:
        self._path = path
        self._untouched = untouched
        self._at: tuple[int, int] | None = None
        self._frozen = False
        self._connection: sqlite3.Connection | None = None
        self._before: sqlite3.Connection | None = None
        self.connection()

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run one statement on the newest database; raises sqlite3.Error."""
        return self.connection().execute(sql, parameters)

    def connection(self) -> sqlite3.Connection:
        """The connection of this moment; it may be another one later."""
        at = self._place()
        moved = at is not None and (at != self._at or (self._frozen and _log_of(self._path).exists()))
        if self._connection is None or moved:
            self._frozen = not self._untouched and not _log_of(self._path).exists()
            fresh = open_reader(self._path, untouched=self._untouched)
            if self._before is not None:
                self._before.close()
            self._before = self._connection  # an answer of it may still be read
            self._connection, self._at = fresh, at
        return self._connection

    def close(self) -> None:
        """Let go of the file until the next question."""
        for each in (self._connection, self._before):
            if each is not None:
                each.close()
        self._connection = self._before = None

    def _place(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino


def _log_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _writable(folder: Path) -> bool:
    """Whether a file can be made there; asked only where SQLite would have to make one."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def open_or_repair(path: Path, schema: Schema) -> tuple[sqlite3.Connection, Repair | None]:
    """Open a file; one that is damaged is moved aside and what it still yields is carried into a new file.

    Raises StoreError when it cannot be opened for another reason: `DiskFaultError` when the disk does not let it be
    opened, `DiskFullError` when it has no room for that.
    """
    try:
        connection = open_connection(path, schema)
    except sqlite3.Error as error:
        if not is_damage(error):
            kind = DiskFullError if is_full(error) else DiskFaultError if is_disk_fault(error) else StoreError
            raise kind(f"{path}: cannot be opened: {error}") from None
        return _repair(path, schema, str(error))
    answer = _quick_check(connection) if path.stat().st_size <= schema.check_up_to_bytes else "ok"
    if answer == "ok":
        return connection, None
    connection.close()
    return _repair(path, schema, answer)


def _quick_check(connection: sqlite3.Connection) -> str:
    try:
        return str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        return str(error)


def _repair(path: Path, schema: Schema, reason: str) -> tuple[sqlite3.Connection, Repair]:
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    fill_torn_end(aside)
    connection = open_connection(path, schema)
    rows = {table: salvage_table(aside, table, connection) for table in schema.tables}
    log.error("event=database_repaired file=%s aside=%s reason=%r rows=%s", path, aside, reason, rows)
    return connection, Repair(aside, reason, rows)


class Writer:
    """The only thread that writes to one file. `on_full` may free space; a commit is tried once more after it.

    `reopen` opens the file anew after a fault of the disk. Without a `connection` the file could not be opened for
    writing yet: every transaction tries `reopen` first."""

    def __init__(
        self,
        name: str,
        connection: sqlite3.Connection | None,
        on_full: Callable[[], bool] = lambda: False,
        reopen: Callable[[], sqlite3.Connection] | None = None,
    ) -> None:
        self._name = name
        self._connection = connection or sqlite3.connect(":memory:", check_same_thread=False)
        self._on_full = on_full
        self._reopen = reopen
        self._stale = connection is None
        self._queue: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._door = threading.Lock()
        self._open = True
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, job: Callable[[sqlite3.Connection], T]) -> "Future[T]":
        """Run `job` inside the next transaction; the future holds its result once that has been committed.

        `job` may run twice (when a full disk was relieved). Raises StoreError once the writer has stopped.
        """
        future: Future[T] = Future()
        with self._door:
            if not self._open:
                raise StoreError(f"{self._name}: the writer has stopped")
            self._queue.put((job, future))
        return future

    @property
    def stale(self) -> bool:
        """Whether the file has to be opened anew before anything can be written."""
        return self._stale

    @property
    def alive(self) -> bool:
        """Whether the thread still takes jobs; only a bug or `close` ends it."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Finish what was submitted, then close the file."""
        with self._door:
            self._open = False
            self._queue.put(None)
        self._thread.join()
        with contextlib.suppress(sqlite3.Error):  # on a full disk the log stays beside the file
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()

    def _work(self) -> None:
        try:
            while self._commit_next():
                pass
        finally:
            self._stop_taking()

    def _commit_next(self) -> bool:
        """One transaction of whatever has come; False once `close` has asked to stop."""
        jobs = [self._queue.get()]
        while len(jobs) < MAX_JOBS_A_COMMIT and not self._queue.empty():
            jobs.append(self._queue.get())
        work = [job for job in jobs if job is not None and job[1].set_running_or_notify_cancel()]
        try:
            self._commit(work)
        finally:
            _fail_rest(work)
        return None not in jobs

    def _stop_taking(self) -> None:
        """Fail all jobs in the queue of a dead thread, so that nobody waits for ever."""
        with self._door:
            self._open = False
            left = []
            while not self._queue.empty():
                left.append(self._queue.get())
        _fail_rest([job for job in left if job is not None and job[1].set_running_or_notify_cancel()])

    def _commit(self, jobs: "list[_Work]") -> None:
        if not jobs:
            return
        outcomes = self._transaction_with_reserve(jobs)
        for (_, future), (result, failure) in zip(jobs, outcomes, strict=True):
            if failure is not None:
                future.set_exception(failure)
            else:
                future.set_result(result)

    def _transaction_with_reserve(self, jobs: "list[_Work]") -> list[_Outcome]:
        try:
            return self._transaction(jobs)
        except (sqlite3.Error, StoreError) as error:
            if not (is_full(error) and self._on_full()):
                return self._failed(jobs, error)
        try:
            return self._transaction(jobs)
        except (sqlite3.Error, StoreError) as error:
            return self._failed(jobs, error)

    def _failed(self, jobs: "list[_Work]", error: sqlite3.Error | StoreError) -> list[_Outcome]:
        self._stale = self._stale or is_disk_fault(error)
        return [(None, StoreError(str(error)))] * len(jobs)

    def _open_anew(self) -> None:
        if not self._stale or self._reopen is None:
            return
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()  # first: what was opened to be read alone stays so for the whole process
        self._connection, self._stale = self._reopen(), False

    def _transaction(self, jobs: "list[_Work]") -> list[_Outcome]:
        self._open_anew()
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            outcomes = [self._run(job) for job, _ in jobs]
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                with contextlib.suppress(sqlite3.Error):  # the first error says what is wrong
                    self._connection.execute("ROLLBACK")
            raise
        return outcomes

    def _run(self, job: Job) -> _Outcome:
        """One job in its own savepoint. Errors of the file itself end the whole transaction."""
        self._connection.execute("SAVEPOINT job")
        try:
            result = job(self._connection)
        except (sqlite3.IntegrityError, sqlite3.InterfaceError) as error:
            return None, self._undo(StoreError(f"{self._name}: {error}"))
        except JOB_FAULTS as error:
            return None, self._undo(error)
        self._connection.execute("RELEASE job")
        return result, None

    def _undo(self, error: Exception) -> Exception:
        self._connection.execute("ROLLBACK TO job")
        self._connection.execute("RELEASE job")
        return error


def is_disk_fault(error: Exception) -> bool:
    """Whether the disk no longer takes what is written: read-only, broken, away."""
    name = getattr(error, "sqlite_errorname", "")
    return name.startswith(("SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN"))


def is_full(error: Exception) -> bool:
    """Whether the disk, and not the program, is at fault: full, or no room for the shared-memory file."""
    name = getattr(error, "sqlite_errorname", "")
    return name == "SQLITE_FULL" or name.startswith("SQLITE_IOERR")


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file's content is at fault, so that moving it aside is right."""
    return getattr(error, "sqlite_errorname", "").startswith(DAMAGE)


def _fail_rest(jobs: "list[_Work]") -> None:
    """Fail open futures when the thread has died of a bug, so that nobody waits for ever."""
    for _, future in jobs:
        if not future.done():
            future.set_exception(StoreError("the writer stopped before this was kept"))
