import contextlib
import sqlite3
from pathlib import Path

import pytest

from gateway.accounts.account_rows import ACCOUNTS_FILE, SecondFactor
from gateway.accounts.account_store import AccountStore
from gateway.model.errors import StoreError
from tests.fakes.account_bench import BOSS, GOOD_PASSWORD, HERE, AccountBench
from tests.fakes.dead_file import take_again, take_nothing


async def test_a_full_disk_is_relieved_once_so_that_a_supervisor_can_log_in(bench: AccountBench) -> None:
    await bench.set_up()
    await bench.events()
    connection = bench.accounts._store._writer._connection
    connection.execute("PRAGMA max_page_count=1")

    def relieved() -> bool:
        connection.execute("PRAGMA max_page_count=1000000")
        return True

    bench.accounts._store._writer._on_full = relieved
    for _ in range(12):
        await bench.accounts.logins.login("wang", GOOD_PASSWORD, HERE)
    assert len(bench.accounts.logins.of("wang")) == 13


async def test_when_nothing_can_be_kept_a_login_is_refused_and_whoever_is_in_stays_in(bench: AccountBench) -> None:
    _, token = await bench.set_up()
    await bench.events()
    take_nothing(bench.accounts._store)
    with pytest.raises(StoreError):
        await bench.accounts.logins.login("wang", GOOD_PASSWORD, HERE)
    await bench.clock.advance(120.0)
    found = bench.accounts.logins.whose(token)
    assert found is not None
    bench.accounts.logins.used(found[0])
    assert bench.accounts.logins.whose(token) == found
    take_again(bench.accounts._store)


async def test_a_damaged_file_is_moved_aside_and_the_people_are_carried_over(tmp_path: Path) -> None:
    bench = AccountBench(tmp_path)
    await bench.start()
    await bench.set_up()
    for number in range(60):
        await bench.accounts.walls.give(f"screen {number}", BOSS)
    await bench.close()
    path = tmp_path / "accounts.db"
    with sqlite3.connect(path) as db:
        (page_bytes,) = db.execute("PRAGMA page_size").fetchone()
        (root,) = db.execute("SELECT rootpage FROM sqlite_schema WHERE type='table' AND name LIKE '%wall%'").fetchone()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    content = bytearray(path.read_bytes())
    content[(root - 1) * page_bytes : root * page_bytes] = b"\xff" * page_bytes
    path.write_bytes(content)
    store = AccountStore(tmp_path)
    assert store.repair is not None
    assert store.repair.aside.exists()
    assert [person.name for person in store.people()] == ["wang"]
    assert store.password_hash("wang")
    assert len(store.form_key()) == 32
    store.close()


def test_a_file_of_a_newer_program_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    AccountStore(tmp_path).close()
    with sqlite3.connect(tmp_path / "accounts.db") as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    with pytest.raises(StoreError, match="this program is older"):
        AccountStore(tmp_path)


async def test_deleting_is_in_no_interface_of_people_and_walls(bench: AccountBench) -> None:
    names = [name for part in (bench.accounts.people, bench.accounts.walls) for name in dir(part)]
    assert not [name for name in names if "delete" in name or "remove" in name or "forget" in name]


def test_a_file_of_an_older_program_gets_what_it_lacks(tmp_path: Path) -> None:
    AccountStore(tmp_path).close()
    with contextlib.closing(sqlite3.connect(tmp_path / ACCOUNTS_FILE)) as old, old:
        for table in ("second_factor", "recovery_code", "owing"):
            old.execute(f"DROP TABLE {table}")
    store = AccountStore(tmp_path)
    assert store.repair is None
    assert store.second_factor("wang") == SecondFactor()
    assert not store.owing("x")
    store.close()
