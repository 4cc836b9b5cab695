"""`assets.db` under kill -9, a torn write, a bad disk and a full one: a crane's records and its counters stay true."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.model.errors import StoreError
from gateway.store.asset_reader import AssetReader
from gateway.store.asset_records import ASSETS_FILE, LEAST_CYCLES_KEPT
from gateway.store.asset_store import AssetStore
from tests.fakes.asset_writer import CRANE, DEVICE, cycle
from tests.faults.test_full_disk import fill, small_disk
from tests.faults.test_torn_write import ruin_middle_page, tear

ROOT = Path(__file__).parents[2]
KILLS = 12
CYCLES_A_FLUSH = 50


def kept_until_killed(folder: Path, flushes: int) -> int:
    """Let a process write, and kill it (by its own id) once it has told of so many flushes; what it told last."""
    arguments = [sys.executable, "-m", "tests.fakes.asset_writer", str(folder), str(CYCLES_A_FLUSH)]
    with subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = [int(process.stdout.readline()) for _ in range(flushes)]
        process.kill()
        rest = process.stdout.read().split("\n")  # the last line may have been cut short
    return int([str(told[-1]), *rest[:-1]][-1])


def counted(store: AssetStore) -> int:
    found = store.states_at_open()[DEVICE]
    assert not found.fell_back
    return int(found.state["cycle_count"])  # type: ignore[call-overload,index,arg-type]


def assert_records_fit_state(store: AssetStore, told: int) -> None:
    """Nothing that was told is gone, and the state knows of exactly the cycles that are there."""
    reader = AssetReader(store.path)
    kept = reader.cycles_kept(CRANE)
    newest = reader.last_cycles(CRANE, 1)[0]
    reader.close()
    assert kept >= told
    assert counted(store) == kept == newest.number == newest.content["number"]


def test_kill_nine_costs_no_cycle_that_was_told(tmp_path: Path) -> None:
    """More than the 16,000 cycles of JGJ 332-2014 3.2.2(1), over twelve violent restarts."""
    rng = random.Random(332)
    for _ in range(KILLS):
        told = kept_until_killed(tmp_path, rng.randint(28, 32))
        store = AssetStore(tmp_path)
        assert store.repair is None
        assert_records_fit_state(store, told)
        store.close()
    assert told > LEAST_CYCLES_KEPT
    reader = AssetReader(tmp_path / ASSETS_FILE)
    numbers = [found.content["number"] for found in reader.cycles(CRANE, 0, 2**62, 20_000)]
    reader.close()
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_torn_write_costs_nothing(tmp_path: Path) -> None:
    told = kept_until_killed(tmp_path, 10)
    tear(tmp_path / ASSETS_FILE)
    store = AssetStore(tmp_path)
    assert store.repair is None
    assert_records_fit_state(store, told)
    store.close()


def test_a_ruined_page_costs_its_own_rows_and_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    kept_until_killed(tmp_path, 20)
    AssetStore(tmp_path).close()
    rows = ruin_middle_page(tmp_path / ASSETS_FILE, "cycle")
    store = AssetStore(tmp_path)
    assert store.repair is not None
    assert store.repair.aside.exists()
    assert "event=database_repaired" in caplog.text
    assert rows - 100 < store.repair.rows["cycle"] < rows
    assert counted(store) == rows
    store.note(0, [cycle(rows + 1)])
    assert store.flush().result(10) == 1
    reader = AssetReader(store.path)
    assert reader.last_cycles(CRANE, 1)[0].number == rows + 1
    reader.close()
    store.close()


def test_a_file_that_is_no_database_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / ASSETS_FILE).write_bytes(b"\xa5" * 8192)
    store = AssetStore(tmp_path)
    assert store.repair is not None
    assert store.repair.aside.read_bytes() == b"\xa5" * 8192
    assert store.states_at_open() == {}
    store.note(0, [cycle(1)])
    assert store.flush().result(10) == 1
    store.close()


def test_a_full_disk_stops_no_one_and_what_waited_is_kept_afterwards(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        store = AssetStore(disk)
        store.note(0, [cycle(1)], {DEVICE: {"cycle_count": 1}})
        assert store.flush().result(10) == 1
        fill(disk / "filler")
        for number in range(2, 202):
            store.note(0, [cycle(number)], {DEVICE: {"cycle_count": number}})
        with pytest.raises(StoreError):
            store.flush().result(10)
        assert (store.health().waiting_events, store.health().failing) == (200, True)
        (disk / "filler").unlink()
        assert store.flush().result(10) == 200
        assert not store.health().failing
        store.close()
        store = AssetStore(disk)
        assert_records_fit_state(store, 201)
        store.close()
