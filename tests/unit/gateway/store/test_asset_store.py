import math
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from gateway.model.derivation import AssetEvent, Json
from gateway.model.errors import StoreError
from gateway.store.asset_reader import AssetReader, CycleCount, Shifts
from gateway.store.asset_records import ASSETS_FILE, LEAST_CYCLES_KEPT, HandReading
from gateway.store.asset_store import AssetBounds, AssetStore
from tests.unit.gateway.model.test_papers import at

NOW_NS = at("2026-11-22T10:00:00")
SECOND_NS = 10**9
EVER = (0, 2**62)


def cycle(n: int, driver_no: Json = 7.0, asset: str = "crane-1") -> AssetEvent:
    content: dict[str, Json] = {"driver_no": driver_no, "load_t": 2.5, "n": n}
    return AssetEvent(asset, "crane_cycle", NOW_NS + n * SECOND_NS, content)


def event(kind: str = "pit_baseline", at_ns: int = NOW_NS, **content: Json) -> AssetEvent:
    return AssetEvent("pit-1", kind, at_ns, content)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AssetStore]:
    store = AssetStore(tmp_path)
    yield store
    store.close()


@pytest.fixture
def reader(store: AssetStore) -> Iterator[AssetReader]:
    reader = AssetReader(store.path)
    yield reader
    reader.close()


def keep(store: AssetStore, *events: AssetEvent, states: dict[str, Json] | None = None) -> int:
    store.note(NOW_NS, events, states)
    return store.flush().result(10)


def reopened(folder: Path, **given: object) -> AssetStore:
    return AssetStore(folder, **given)  # type: ignore[arg-type]


class Gate:
    """Another connection that holds the file's write lock, so that the writer waits in the middle of a flush."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("BEGIN IMMEDIATE")

    def open(self) -> None:
        self._db.execute("ROLLBACK")
        self._db.close()


def test_cycles_are_numbered_per_crane_and_paged_by_time(store: AssetStore, reader: AssetReader) -> None:
    assert keep(store, *[cycle(n) for n in range(5)], cycle(0, asset="crane-2")) == 6
    first = reader.cycles("crane-1", *EVER, limit=2)
    second = reader.cycles("crane-1", first[-1].at_ns + 1, EVER[1], limit=10)
    assert [found.number for found in first + second] == [1, 2, 3, 4, 5]
    assert [found.content["n"] for found in reader.last_cycles("crane-1", 2)] == [4, 3]
    assert [found.number for found in reader.cycles("crane-2", *EVER, limit=10)] == [1]
    assert [c.number for c in reader.cycles("crane-1", NOW_NS + SECOND_NS, NOW_NS + 2 * SECOND_NS, 10)] == [2]


def test_a_limit_of_nothing_is_refused(reader: AssetReader) -> None:
    with pytest.raises(ValueError, match="limit 0"):
        reader.last_cycles("crane-1", 0)


def test_a_hand_over_that_is_repeated_is_kept_once(store: AssetStore, reader: AssetReader) -> None:
    keep(store, cycle(1), event(a=1))
    keep(store, cycle(1), event(a=1), event(a=2))
    assert reader.cycles_kept("crane-1") == 1
    assert [found.content for found in reader.events("pit-1", "pit_baseline", *EVER, 10)] == [{"a": 1}, {"a": 2}]


def test_events_of_other_kinds_keep_their_order(store: AssetStore, reader: AssetReader) -> None:
    keep(store, event("climb", NOW_NS + 2), event(at_ns=NOW_NS + 1), event("climb", NOW_NS))
    assert [found.at_ns for found in reader.events("pit-1", "climb", *EVER, 10)] == [NOW_NS, NOW_NS + 2]
    assert [found.kind for found in reader.last_events("pit-1", 2)] == ["climb", "pit_baseline"]


def test_what_is_not_a_number_becomes_null_in_a_record(store: AssetStore, reader: AssetReader) -> None:
    keep(store, event(wind_ms=math.nan, load_t=np.float64(2.5)))
    assert reader.last_events("pit-1", 1)[0].content == {"wind_ms": None, "load_t": 2.5}


def test_no_id_card_number_gets_into_a_record(tmp_path: Path) -> None:
    number = "990000190001010000"
    store = AssetStore(tmp_path, driver_of=lambda _asset, _no: number)
    keep(store, replace(cycle(1), content={"driver_no": number, "note": f"司机 {number}"}), event(who=[number]))
    by = HandReading("pit-1", "pit-1.S1", NOW_NS, 1.0, "mm", NOW_NS, number, note=f"by {number}")
    store.add_readings([by]).result(10)
    store.close()
    assert number.encode() not in (tmp_path / ASSETS_FILE).read_bytes()


@pytest.mark.parametrize(
    ("said", "kept"), [(7.0, "p-7"), ("007", "p-7"), (0.0, ""), (None, ""), (math.nan, ""), (" ", "")]
)
def test_a_cycle_is_filed_under_the_random_id_of_its_driver(tmp_path: Path, said: Json, kept: str) -> None:
    store = AssetStore(tmp_path, driver_of=lambda asset, number: f"p-{number}" if asset == "crane-1" else "")
    keep(store, cycle(1, driver_no=said))
    reader = AssetReader(store.path)
    assert reader.last_cycles("crane-1", 1)[0].driver == kept
    reader.close()
    store.close()


def test_cycles_are_counted_by_shift_and_driver(store: AssetStore, reader: AssetReader) -> None:
    times = ["2026-11-21T23:00:00", "2026-11-22T07:59:59", "2026-11-22T08:00:00", "2026-11-22T19:59:59"]
    keep(store, *[replace(cycle(n), at_ns=at(text)) for n, text in enumerate(times)])
    keep(store, replace(cycle(9, driver_no=8.0), at_ns=at("2026-11-22T09:00:00")))
    night, day = (date(2026, 11, 21), 1), (date(2026, 11, 22), 0)
    wanted = [CycleCount(*night, "7", 2), CycleCount(*day, "7", 2), CycleCount(*day, "8", 1)]
    assert reader.cycle_counts("crane-1", *EVER) == wanted
    assert [found.shift for found in reader.cycle_counts("crane-1", *EVER, Shifts((0.0,)))] == [0, 0, 0]


@pytest.mark.parametrize("begin_h", [(), (20.0, 8.0), (8.0, 8.0), (24.0,), (-1.0,)])
def test_shifts_that_make_no_day_are_refused(begin_h: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="shifts begin"):
        Shifts(begin_h)


def test_states_come_back_as_they_were(tmp_path: Path, store: AssetStore) -> None:
    state: Json = {"count": 3, "low": math.nan, "high": math.inf, "list": [1, 2.5, None], "名": "塔吊"}
    keep(store, states={"crane-1:derived": {"count": 1}})
    keep(store, states={"crane-1:derived": state})
    store.close()
    again = reopened(tmp_path)
    found = again.states_at_open()["crane-1:derived"]
    assert (repr(found.state), found.saved_at_ns, found.fell_back) == (repr(state), NOW_NS, False)
    again.close()


@pytest.mark.parametrize(
    "damage",
    ["UPDATE state SET body = '{\"count\":9}' WHERE number = ?", "UPDATE state SET body = x'00' WHERE number = ?"],
)
def test_a_damaged_state_falls_back_to_the_version_before(tmp_path: Path, store: AssetStore, damage: str) -> None:
    for count in (1, 2, 3):
        keep(store, states={"crane-1:derived": {"count": count}, "pit-1:pit": {"count": count}})
    store.close()
    with sqlite3.connect(tmp_path / ASSETS_FILE) as db:
        db.execute(damage + " AND device = 'crane-1:derived'", (3,))
    db.close()
    again = reopened(tmp_path)
    states = again.states_at_open()
    assert (states["crane-1:derived"].state, states["crane-1:derived"].fell_back) == ({"count": 2}, True)
    assert (states["pit-1:pit"].state, states["pit-1:pit"].fell_back) == ({"count": 3}, False)
    again.close()


def test_a_state_without_a_readable_version_is_not_there(tmp_path: Path, store: AssetStore) -> None:
    keep(store, states={"crane-1:derived": {"count": 1}})
    store.close()
    with sqlite3.connect(tmp_path / ASSETS_FILE) as db:
        db.execute("UPDATE state SET sha256 = 'x'")
    db.close()
    again = reopened(tmp_path)
    assert again.states_at_open() == {}
    again.close()


def test_what_is_no_json_costs_its_own_record_only(store: AssetStore, reader: AssetReader) -> None:
    broken: Json = object()  # type: ignore[assignment]
    assert keep(store, event(bad=broken), event(good=1), states={"a": {"x": broken}, "b": 1}) == 1
    assert [found.content for found in reader.last_events("pit-1", 5)] == [{"good": 1}]
    assert store.health().refused == 2


def test_the_oldest_cycles_go_only_above_the_bound(tmp_path: Path) -> None:
    store = AssetStore(tmp_path, AssetBounds(cycles_kept=LEAST_CYCLES_KEPT))
    keep(store, *[cycle(n) for n in range(LEAST_CYCLES_KEPT)], cycle(0, asset="crane-2"))
    reader = AssetReader(store.path)
    assert reader.cycles_kept("crane-1") == LEAST_CYCLES_KEPT
    keep(store, cycle(LEAST_CYCLES_KEPT))
    assert reader.cycles_kept("crane-1") == LEAST_CYCLES_KEPT
    assert reader.cycles("crane-1", *EVER, limit=1)[0].number == 2
    assert reader.cycles_kept("crane-2") == 1
    reader.close()
    store.close()


def test_holes_that_a_repair_left_cost_no_further_cycles(tmp_path: Path) -> None:
    bounds = AssetBounds(cycles_kept=LEAST_CYCLES_KEPT)
    store = AssetStore(tmp_path, bounds)
    keep(store, *[cycle(n) for n in range(LEAST_CYCLES_KEPT)])
    store.close()
    with sqlite3.connect(tmp_path / ASSETS_FILE) as db:
        db.execute("DELETE FROM cycle WHERE number BETWEEN 100 AND 149")
    db.close()
    store = reopened(tmp_path, bounds=bounds)
    keep(store, *[cycle(LEAST_CYCLES_KEPT + n) for n in range(50)])
    reader = AssetReader(store.path)
    assert reader.cycles_kept("crane-1") == LEAST_CYCLES_KEPT
    assert reader.cycles("crane-1", *EVER, limit=1)[0].number == 1
    keep(store, cycle(LEAST_CYCLES_KEPT + 50))
    assert reader.cycles("crane-1", *EVER, limit=1)[0].number == 2
    reader.close()
    store.close()


def test_other_events_are_kept_for_good(tmp_path: Path) -> None:
    store = AssetStore(tmp_path, AssetBounds(cycles_kept=LEAST_CYCLES_KEPT))
    keep(store, *[event(at_ns=NOW_NS + n) for n in range(LEAST_CYCLES_KEPT + 10)])
    with sqlite3.connect(tmp_path / ASSETS_FILE) as db:
        assert db.execute("SELECT count(*) FROM event").fetchone() == (LEAST_CYCLES_KEPT + 10,)
    db.close()
    store.close()


def test_fewer_cycles_than_the_code_asks_are_refused() -> None:
    with pytest.raises(ValueError, match=r"JGJ 332-2014 3\.2\.2\(1\)"):
        AssetBounds(cycles_kept=LEAST_CYCLES_KEPT - 1)


def test_numbers_go_on_after_a_restart(tmp_path: Path, store: AssetStore) -> None:
    keep(store, cycle(1), cycle(2))
    store.close()
    again = reopened(tmp_path)
    keep(again, cycle(3))
    reader = AssetReader(again.path)
    assert [found.number for found in reader.last_cycles("crane-1", 9)] == [3, 2, 1]
    reader.close()
    again.close()


def test_what_was_noted_is_kept_by_closing(tmp_path: Path, store: AssetStore) -> None:
    store.note(NOW_NS, [cycle(1)], {"crane-1:derived": 1})
    store.close()
    reader = AssetReader(tmp_path / ASSETS_FILE)
    assert reader.cycles_kept("crane-1") == 1
    reader.close()


def test_a_flush_under_way_takes_no_more_and_the_next_one_does(store: AssetStore, reader: AssetReader) -> None:
    gate = Gate(store.path)
    store.note(NOW_NS, [cycle(1)])
    first = store.flush()
    store.note(NOW_NS, [cycle(2)])
    assert store.flush() is first
    assert not first.done()
    gate.open()
    assert first.result(10) == 1
    store.close()
    assert reader.cycles_kept("crane-1") == 2


def test_noting_never_waits_for_the_disk(store: AssetStore) -> None:
    gate = Gate(store.path)
    store.note(NOW_NS, [cycle(1)])
    flushing = store.flush()
    noting = threading.Thread(target=lambda: store.note(NOW_NS, [cycle(n) for n in range(2, 50)]))
    noting.start()
    noting.join(5)
    assert not noting.is_alive()
    assert not flushing.done()
    gate.open()
    assert flushing.result(10) == 1


class Disk:
    """Has room or not, as told."""

    def __init__(self) -> None:
        self.room = False

    def may_write(self) -> bool:
        return self.room


def failed(store: AssetStore) -> str:
    with pytest.raises(StoreError) as caught:
        store.flush().result(10)
    return str(caught.value)


def test_without_room_everything_waits_and_then_is_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    disk = Disk()
    store = AssetStore(tmp_path, may_write=disk.may_write)
    store.note(NOW_NS, [cycle(1)], {"crane-1:derived": "old"})
    assert "no room" in failed(store)
    store.note(NOW_NS, [cycle(2)], {"crane-1:derived": "new"})
    failed(store)
    health = store.health()
    assert (health.waiting_events, health.failed_flushes, health.failing) == (2, 2, True)
    disk.room = True
    with caplog.at_level("INFO"):
        assert store.flush().result(10) == 2
        store.close()
    said = [record.message.split()[0] for record in caplog.records]
    assert said == ["event=asset_store_failing", "event=asset_store_back"]
    reader = AssetReader(store.path)
    assert [found.content["n"] for found in reader.cycles("crane-1", *EVER, 9)] == [1, 2]
    reader.close()
    again = reopened(tmp_path)
    assert again.states_at_open()["crane-1:derived"].state == "new"
    again.close()


def test_memory_is_bounded_and_cycles_go_before_what_is_kept_for_good(tmp_path: Path) -> None:
    disk = Disk()
    store = AssetStore(tmp_path, AssetBounds(max_waiting_events=3), may_write=disk.may_write)
    store.note(NOW_NS, [event(a=1), cycle(1), cycle(2)])
    failed(store)
    store.note(NOW_NS, [cycle(3), event(a=2)])
    failed(store)
    assert (store.health().waiting_events, store.health().dropped_events) == (3, 2)
    disk.room = True
    assert store.flush().result(10) == 3
    reader = AssetReader(store.path)
    assert [found.content["n"] for found in reader.cycles("crane-1", *EVER, 9)] == [3]
    assert len(reader.last_events("pit-1", 9)) == 2
    reader.close()
    store.close()


def test_what_is_lost_at_a_stop_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = AssetStore(tmp_path, may_write=Disk().may_write)
    store.note(NOW_NS, [cycle(1), cycle(2)])
    store.close()
    assert "event=asset_events_lost_at_stop events=2" in caplog.text


def test_an_empty_flush_asks_nothing_of_the_disk(tmp_path: Path) -> None:
    store = AssetStore(tmp_path, may_write=Disk().may_write)
    assert store.flush().result(1) == 0
    assert not store.health().failing
    store.close()


def hand(value: float, observed_at_ns: int = NOW_NS, file_sha256: str = "", entered_at_ns: int = NOW_NS) -> HandReading:
    return HandReading("pit-1", "pit-1.S1", observed_at_ns, value, "mm", entered_at_ns, "安全员", file_sha256, "晨测")


def test_hand_readings_say_who_when_and_from_which_file(store: AssetStore, reader: AssetReader) -> None:
    brought = [hand(1.5, file_sha256="ab"), hand(2.5, NOW_NS + 1, "ab")]
    assert store.add_readings(brought).result(10) == 2
    assert reader.readings("pit-1.S1", *EVER, 9) == brought


def test_a_file_brought_twice_adds_nothing_and_a_correction_is_one_more(store: AssetStore, reader: AssetReader) -> None:
    assert store.add_readings([hand(1.5, file_sha256="ab")]).result(10) == 1
    later = [hand(1.5, file_sha256="ab", entered_at_ns=NOW_NS + 5), hand(1.6, entered_at_ns=NOW_NS + 9)]
    assert store.add_readings(later).result(10) == 1
    assert [found.value for found in reader.readings("pit-1.S1", *EVER, 9)] == [1.5, 1.6]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_hand_reading_is_a_number(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        hand(value)


def test_a_file_of_a_newer_program_is_refused(tmp_path: Path, store: AssetStore) -> None:
    store.close()
    with sqlite3.connect(tmp_path / ASSETS_FILE) as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    with pytest.raises(StoreError, match="schema version 99"):
        reopened(tmp_path)
