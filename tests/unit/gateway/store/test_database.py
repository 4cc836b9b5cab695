import sqlite3
import threading
from concurrent.futures import Future
from pathlib import Path

import pytest

from gateway.model.errors import DecodeError, StoreError
from gateway.store.database import (
    CACHE_KIB,
    DiskFullError,
    FollowingReader,
    Schema,
    Writer,
    open_connection,
    open_or_repair,
    open_reader,
    reopen_connection,
)

SCHEMA = Schema(2, "CREATE TABLE log (n INTEGER PRIMARY KEY, body BLOB NOT NULL)", "FULL", ("log",))


def _insert(n: int, body: bytes = b"x"):  # type: ignore[no-untyped-def]
    def job(db: sqlite3.Connection) -> int:
        db.execute("INSERT INTO log VALUES (?, ?)", (n, body))
        return n

    return job


def _numbers(path: Path) -> list[int]:
    reader = open_reader(path)
    found = [row["n"] for row in reader.execute("SELECT n FROM log ORDER BY n")]
    reader.close()
    return found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


class Gate:
    """A job that keeps the writer busy until told, so that what is submitted meanwhile shares one transaction."""

    def __init__(self, writer: Writer) -> None:
        self._started, self._go_on = threading.Event(), threading.Event()
        self.done: Future[None] = writer.submit(self._job)
        assert self._started.wait(5)

    def _job(self, _db: sqlite3.Connection) -> None:
        self._started.set()
        self._go_on.wait(10)

    def release(self) -> None:
        self._go_on.set()


def test_a_future_is_done_only_after_its_commit(path: Path) -> None:
    writer = Writer("w", open_connection(path, SCHEMA))
    assert writer.submit(_insert(1)).result(5) == 1
    assert _numbers(path) == [1]
    writer.close()


def test_jobs_that_wait_share_one_transaction_in_order(path: Path) -> None:
    commits = []
    connection = open_connection(path, SCHEMA)
    connection.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)
    writer = Writer("w", connection)
    gate = Gate(writer)
    futures = [writer.submit(_insert(n)) for n in range(50)]
    gate.release()
    assert [future.result(5) for future in futures] == list(range(50))
    assert len(commits) == 2
    writer.close()


@pytest.mark.parametrize("fault", [ValueError("no"), DecodeError("no"), KeyError("no"), ZeroDivisionError("no")])
def test_a_job_that_fails_is_rolled_back_alone(path: Path, fault: Exception) -> None:
    writer = Writer("w", open_connection(path, SCHEMA))
    gate = Gate(writer)

    def bad(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO log VALUES (77, 'x')")
        raise fault

    before, failed, after = writer.submit(_insert(1)), writer.submit(bad), writer.submit(_insert(2))
    gate.release()
    assert (before.result(5), after.result(5)) == (1, 2)
    assert failed.exception(5) is fault
    assert _numbers(path) == [1, 2]
    writer.close()


def test_a_row_that_breaks_a_constraint_is_a_store_error_for_its_job_only(path: Path) -> None:
    writer = Writer("w", open_connection(path, SCHEMA))
    gate = Gate(writer)
    first, again = writer.submit(_insert(1)), writer.submit(_insert(1))
    gate.release()
    assert first.result(5) == 1
    assert isinstance(again.exception(5), StoreError)
    writer.close()


def test_a_failing_transaction_fails_all_its_jobs_and_the_next_one_works(path: Path) -> None:
    writer = Writer("w", open_connection(path, SCHEMA))
    gate = Gate(writer)

    def broken(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO nowhere VALUES (1)")

    futures: list[Future[object]] = [writer.submit(_insert(1)), writer.submit(broken), writer.submit(_insert(2))]
    gate.release()
    assert all(isinstance(future.exception(5), StoreError) for future in futures)
    assert _numbers(path) == []
    assert writer.submit(_insert(3)).result(5) == 3
    writer.close()


def test_a_cancelled_wait_neither_runs_the_job_nor_stops_the_writer(path: Path) -> None:
    writer = Writer("w", open_connection(path, SCHEMA))
    gate = Gate(writer)
    waiting, other = writer.submit(_insert(1)), writer.submit(_insert(2))
    assert waiting.cancel()
    assert not gate.done.cancel(), "what has begun runs to its end"
    gate.release()
    assert other.result(5) == 2
    assert _numbers(path) == [2]
    writer.close()


def test_close_finishes_what_was_submitted_and_refuses_what_comes_later(path: Path) -> None:
    writer = Writer("w", open_connection(path, SCHEMA))
    futures = [writer.submit(_insert(n)) for n in range(300)]
    writer.close()
    assert [future.result(0) for future in futures] == list(range(300))
    with pytest.raises(StoreError, match="stopped"):
        writer.submit(_insert(1000))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bug_in_a_job_leaves_nobody_waiting_for_ever(path: Path) -> None:
    writer = Writer("w", open_connection(path, SCHEMA))
    gate = Gate(writer)

    def bug(_db: sqlite3.Connection) -> None:
        raise RuntimeError("a bug")

    futures: list[Future[object]] = [writer.submit(bug), *(writer.submit(_insert(n)) for n in range(400))]
    gate.release()
    assert all(isinstance(future.exception(5), StoreError) for future in futures)
    with pytest.raises(StoreError, match="stopped"):
        writer.submit(_insert(1000))
    writer.close()
    assert _numbers(path) == []


def _limit_pages(connection: sqlite3.Connection, more: int) -> None:
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count={pages + more}")


def test_a_full_disk_is_relieved_once_and_the_commit_succeeds(path: Path) -> None:
    connection = open_connection(path, SCHEMA)
    _limit_pages(connection, 1)
    relieved = []

    def relieve() -> bool:
        relieved.append(True)
        connection.execute("PRAGMA max_page_count=1000")
        return True

    writer = Writer("w", connection, on_full=relieve)
    assert writer.submit(_insert(1, bytes(100_000))).result(5) == 1
    assert relieved == [True]
    writer.close()


def test_a_disk_that_stays_full_keeps_nothing_and_says_so(path: Path) -> None:
    connection = open_connection(path, SCHEMA)
    _limit_pages(connection, 1)
    writer = Writer("w", connection)
    gate = Gate(writer)
    futures = [writer.submit(_insert(1)), writer.submit(_insert(2, bytes(100_000)))]
    gate.release()
    assert ["full" in str(future.exception(5)) for future in futures] == [True, True]
    assert _numbers(path) == []
    assert writer.submit(_insert(3)).result(5) == 3
    writer.close()


def test_a_newer_schema_version_is_refused_and_the_file_stays(path: Path) -> None:
    open_connection(path, Schema(3, SCHEMA.ddl, "FULL", ("log",))).close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="schema version 3, expected at most 2"):
        open_or_repair(path, SCHEMA)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["log.db"]


def test_a_sound_file_is_opened_as_it_is(path: Path) -> None:
    open_connection(path, SCHEMA).close()
    connection, repair = open_or_repair(path, SCHEMA)
    connection.close()
    assert repair is None


def _filled(path: Path, rows: int) -> None:
    connection = open_connection(path, SCHEMA)
    connection.executemany(
        "INSERT INTO log VALUES (?, ?)", [(n, n.to_bytes(4, "big") * 50) for n in range(1, rows + 1)]
    )
    connection.close()


def test_damage_in_the_middle_costs_only_the_rows_it_hit(path: Path) -> None:
    _filled(path, 5000)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2 // 4096 * 4096
    data[middle : middle + 4096] = b"\xa5" * 4096
    path.write_bytes(data)
    connection, repair = open_or_repair(path, SCHEMA)
    assert repair is not None
    assert repair.aside.read_bytes()[:4096] == bytes(data[:4096]), "the damaged file lies beside, unchanged"
    kept = [(n, body) for n, body in connection.execute("SELECT n, body FROM log ORDER BY n")]
    connection.close()
    assert 4950 <= len(kept) < 5000
    assert repair.rows == {"log": len(kept)}
    assert all(body == n.to_bytes(4, "big") * 50 for n, body in kept)


def test_damage_at_two_places_costs_only_what_it_hit(path: Path) -> None:
    _filled(path, 5000)
    data = bytearray(path.read_bytes())
    for part in (4, 2):
        at = len(data) // part // 4096 * 4096
        data[at : at + 4096] = b"\xa5" * 4096
    path.write_bytes(data)
    connection, repair = open_or_repair(path, SCHEMA)
    connection.close()
    assert repair is not None
    assert repair.rows["log"] >= 4940


def test_a_torn_end_of_the_file_costs_only_what_was_there(path: Path) -> None:
    _filled(path, 5000)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) - 2 * 4096 - 1000])
    connection, repair = open_or_repair(path, SCHEMA)
    connection.close()
    assert repair is not None
    assert repair.rows["log"] >= 4940


def test_a_file_that_is_no_database_is_moved_aside_and_a_new_one_begun(path: Path) -> None:
    path.write_bytes(b"certainly no database" * 1000)
    connection, repair = open_or_repair(path, SCHEMA)
    connection.execute("INSERT INTO log VALUES (1, 'x')")
    connection.close()
    assert repair is not None
    assert repair.rows == {"log": 0}
    assert repair.aside.name == "log.db.damaged-1"
    assert repair.aside.read_bytes().startswith(b"certainly no database")


def test_damaged_files_are_kept_side_by_side(path: Path) -> None:
    for _ in range(2):
        path.write_bytes(b"certainly no database" * 1000)
        connection, _ = open_or_repair(path, SCHEMA)
        connection.close()
    assert {p.name for p in path.parent.glob("*.damaged-?")} == {"log.db.damaged-1", "log.db.damaged-2"}


def test_a_file_that_may_not_be_opened_is_no_damaged_file(path: Path) -> None:
    path.mkdir()
    with pytest.raises(StoreError, match="cannot be opened"):
        open_or_repair(path, SCHEMA)
    assert [p.name for p in path.parent.iterdir()] == ["log.db"]


def test_a_disk_too_full_to_open_the_file_is_told_apart_from_damage(path: Path) -> None:
    """A schema larger than the file may become stands for the disk that is full at the start."""
    tables = ";".join(f"CREATE TABLE t{n} (a)" for n in range(50))
    schema = Schema(1, f"PRAGMA max_page_count=3;{tables}", "FULL", ())
    with pytest.raises(DiskFullError):
        open_or_repair(path, schema)
    assert not list(path.parent.glob("*.damaged-*"))


def test_a_writer_opens_its_file_anew_after_a_fault_of_the_disk(path: Path) -> None:
    connection = open_connection(path, SCHEMA)
    writer = Writer("log", connection, reopen=lambda: reopen_connection(path, SCHEMA))
    writer.submit(_insert(1)).result(5)
    connection.execute("PRAGMA query_only=1")
    with pytest.raises(StoreError, match="readonly"):
        writer.submit(_insert(2)).result(5)
    assert writer.stale
    writer.submit(_insert(3)).result(5)
    assert not writer.stale
    writer.close()
    assert _numbers(path) == [1, 3]


def test_a_writer_never_makes_a_new_file_where_its_own_was(path: Path) -> None:
    connection = open_connection(path, SCHEMA)
    writer = Writer("log", connection, reopen=lambda: reopen_connection(path, SCHEMA))
    writer.submit(_insert(1)).result(5)
    away = path.with_name("away")
    away.mkdir()
    for part in path.parent.glob(f"{path.name}*"):
        part.rename(away / part.name)
    connection.execute("PRAGMA query_only=1")
    for _ in range(2):
        with pytest.raises(StoreError):
            writer.submit(_insert(2)).result(5)
    assert not path.exists()
    for part in away.iterdir():
        part.rename(path.parent / part.name)
    writer.submit(_insert(3)).result(5)
    writer.close()
    assert _numbers(path) == [1, 3]


def test_every_connection_keeps_so_many_pages_and_no_more(path: Path) -> None:
    """It is what grows in a box's memory after a start: the number of connections times this is its bound."""
    writing = open_connection(path, SCHEMA)
    writing.execute("INSERT INTO log VALUES (1, zeroblob(10000000))")
    following = FollowingReader(path)
    opened = (writing, open_reader(path), open_reader(path, untouched=True), following.connection())
    assert [connection.execute("PRAGMA cache_size").fetchone()[0] for connection in opened] == [-CACHE_KIB] * 4
    again = reopen_connection(path, SCHEMA)
    assert again.execute("PRAGMA cache_size").fetchone()[0] == -CACHE_KIB
    assert CACHE_KIB <= 2000
    for connection in (*opened[:3], again):
        connection.close()
    following.close()


def test_a_reader_follows_its_path_to_another_file(path: Path, tmp_path: Path) -> None:
    open_connection(path, SCHEMA).close()
    reader = FollowingReader(path)
    assert reader.execute("SELECT count(*) FROM log").fetchone()[0] == 0
    other = tmp_path / "other.db"
    connection = open_connection(other, SCHEMA)
    connection.execute("INSERT INTO log VALUES (7, x'00')")
    connection.close()
    path.rename(path.with_name("dead.db"))
    assert reader.execute("SELECT count(*) FROM log").fetchone()[0] == 0, "the old one, while there is none"
    other.rename(path)
    assert reader.execute("SELECT n FROM log").fetchone()[0] == 7
    reader.close()
    assert reader.execute("SELECT n FROM log").fetchone()[0] == 7, "closed only until the next question"
    reader.close()
