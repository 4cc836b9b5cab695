import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gateway.store.history_reader import HistoryReader
from gateway.store.history_store import Bounds
from gateway.store.history_upkeep import BLOCK_POLLS
from tests.fakes.history_box import ONE, POINTS, START_NS, Box, Gate, assert_same
from tests.fakes.site import SECOND_NS, poll


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    box = Box(tmp_path)
    yield box
    box.close()


def test_joining_small_blocks_keeps_every_sample_and_every_cursor(box: Box) -> None:
    before = box.store.start_cursor("influx").result(5)
    box.fill(0, 300)
    assert len(box.blocks()) == 120
    box.tend(301)
    assert len(box.blocks()) == 120, "nobody has taken them yet"
    half = box.reader.blocks_after(before, 200)[-1].cursor
    box.store.advance("influx", half).result(5)
    box.tend(361)
    assert len(box.blocks()) < 90
    assert [b.cursor for b in box.reader.blocks_after(half, 10**9)] == list(range(half + 1, 121))
    rest = [t for b in box.reader.blocks_after(half, 10**9) for t in b.value[:, 0].tolist() if b.device == "host-1"]
    assert sorted(rest) == [float(n) for n in range(300 - len(rest), 300)]
    box.store.advance("influx", 120).result(5)
    box.tend(600)
    assert len(box.blocks()) == 2
    assert box.seconds() == [float(n) for n in range(300)]
    assert box.seconds("crane-2.q0") == [-float(n) for n in range(300)]
    box.fill(300, 305)
    assert [b.device for b in box.reader.blocks_after(120, 10**9)] == ["host-1", "host-2"]


def test_joined_blocks_stay_within_their_bound(box: Box) -> None:
    box.fill(0, 300, step_s=0.1, flush_every=40)
    box.tend(600)
    sizes = [len(block.observed_at_ns) for block in box.reader.blocks_after(0, 10**9)]
    assert max(sizes) <= BLOCK_POLLS
    assert sum(sizes) == 6000
    assert len(sizes) <= 8


def test_a_block_that_no_roll_up_speaks_of_is_not_joined_away(tmp_path: Path) -> None:
    """A flush in the same transaction as the tending: after a kill its minutes can still be told."""
    box = Box(tmp_path / "box")
    box.fill(0, 10)
    gate = Gate(box)
    box.store.append(poll(ONE, 10.0, START_NS + 10 * SECOND_NS))
    flushing, tending = box.store.flush(START_NS).done, box.store.tend(START_NS + 600 * SECOND_NS)
    gate.release()
    flushing.result(5)
    tending.result(5)
    killed = box.killed_copy(tmp_path / "killed")
    box.close()
    again = Box(killed)
    again.tend(601)
    assert again.minutes().count.tolist() == [[11]]
    again.close()


def test_an_uplink_that_is_configured_no_more_holds_nothing_up(box: Box) -> None:
    for name in ("gone", "influx"):
        box.store.start_cursor(name).result(5)
    box.fill(0, 10)
    box.store.advance("influx", 4).result(5)
    box.store.keep_cursors(["influx"]).result(5)
    box.tend(600)
    assert len(box.blocks()) == 2


def test_history_older_than_its_days_leaves_and_what_was_not_taken_is_counted(tmp_path: Path) -> None:
    box = Box(tmp_path, Bounds(2**30, 1))
    box.store.start_cursor("influx").result(5)
    box.fill(0, 10)
    box.store.advance("influx", 2).result(5)
    day_s = 86_400
    box.fill(day_s, day_s + 5)
    retired = box.store.tend(START_NS + (day_s + 9) * SECOND_NS).result(5)
    assert (retired.blocks, retired.polls, retired.untaken) == (2, 10, {}), "the first flush, taken"
    retired = box.store.tend(START_NS + (day_s + 10) * SECOND_NS).result(5)
    assert (retired.polls, retired.untaken) == (10, {"influx": 10})
    assert box.seconds() == [float(day_s + n) for n in range(5)]
    assert box.minutes().count.sum() == 15, "roll-ups stay"
    box.close()


def test_a_clock_that_jumps_ahead_costs_hours_and_not_the_whole_history(tmp_path: Path) -> None:
    box = Box(tmp_path, Bounds(2**30, 60))
    box.store.start_cursor("influx").result(5)  # and never taken, so nothing is joined
    day_s, days = 86_400, 50
    for day in range(days):
        box.fill(day * day_s, day * day_s + 5)
        box.tend(day * day_s + 65)
    ahead_s = (days + 1000) * day_s
    for minute in range(10):
        box.tend(ahead_s + minute * 60)
    left = days - 10
    assert len(box.seconds()) == 5 * left, "one turn, one hour of the oldest"
    assert box.seconds()[0] == 10.0 * day_s
    box.tend(days * day_s + 700)
    assert len(box.seconds()) == 5 * left, "the clock is right again"
    assert box.minutes().count.sum() == 5 * left, "roll-ups: a day a turn"
    box.close()


def test_what_is_too_old_has_left_after_as_many_turns_as_it_has_hours(tmp_path: Path) -> None:
    box = Box(tmp_path, Bounds(2**30, 1))
    box.store.start_cursor("influx").result(5)
    hour_s, hours = 3600, 5
    for half_hour in range(2 * hours):
        box.fill(half_hour * hour_s // 2, half_hour * hour_s // 2 + 5)
    for turn in range(hours):
        assert len(box.seconds()) > 0, turn
        box.tend(3 * 86_400 + turn * 60)
    assert len(box.seconds()) == 0
    box.close()


def test_history_larger_than_its_bytes_loses_its_oldest_blocks(tmp_path: Path) -> None:
    box = Box(tmp_path, Bounds(400_000, 60))
    box.store.start_cursor("influx").result(5)
    noise = np.random.default_rng(7)
    for n in range(40):
        for i in range(1000):
            box.store.append(poll(ONE, noise.random(2), START_NS + (n * 1000 + i) * SECOND_NS))
        box.flush(START_NS)
    retired = box.store.tend(START_NS + 40_001 * SECOND_NS).result(10)
    left = box.reader.blocks_after(0, 10**9)
    assert retired.blocks == 40 - len(left) > 10
    assert retired.untaken == {"influx": retired.polls}
    assert [b.cursor for b in left] == list(range(retired.blocks + 1, 41)), "the newest stay"
    assert box.store.tend(START_NS + 40_002 * SECOND_NS).result(10).blocks == 0
    box.close()


def test_one_late_sample_does_not_make_new_ones_old(tmp_path: Path) -> None:
    box = Box(tmp_path, Bounds(2**30, 1))
    box.store.append(poll(ONE, 1.0, START_NS - 400 * 86_400 * SECOND_NS, received_at_ns=START_NS))
    box.store.append(poll(ONE, 2.0, START_NS))
    box.flush(START_NS)
    box.tend(61)
    assert box.seconds() == [1.0, 2.0]
    box.close()


def _spoil(folder: Path, table: str, row: int) -> None:
    db = sqlite3.connect(folder / "history.db")
    db.execute(f"UPDATE {table} SET body = x'0102030405' WHERE {table}_id = ?", (row,))
    db.commit()
    db.close()


def test_one_unreadable_block_stops_neither_start_nor_reading_nor_upkeep(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    box = Box(tmp_path)
    box.fill(0, 20)
    box.reader.close()
    _spoil(tmp_path, "block", 3)
    box.reader = HistoryReader(box.store.path, POINTS)
    assert len(box.seconds()) == 15
    assert box.blocks() == [1, 2, 4, 5, 6, 7, 8]
    box.tend(600)
    box.fill(20, 25)
    assert len(box.seconds()) == 20
    assert caplog.text.count("event=history_row_unreadable table=block row=3") == 1
    box.close()


def test_an_unreadable_block_after_a_kill_costs_only_its_own_minutes(tmp_path: Path) -> None:
    box = Box(tmp_path / "box")
    box.fill(0, 20)
    killed = box.killed_copy(tmp_path / "killed")
    box.close()
    _spoil(killed, "block", 1)
    again = Box(killed)
    again.tend(61)
    assert again.minutes().count.tolist() == [[15]]
    again.close()


def test_after_a_repair_an_uplink_is_given_what_comes_new(tmp_path: Path) -> None:
    """The newest blocks are gone, the cursor is not: numbers must go on beyond it."""
    box = Box(tmp_path)
    box.store.start_cursor("influx").result(5)
    box.fill(0, 400, flush_every=1)
    last = box.blocks()[-1]
    box.store.advance("influx", last).result(5)
    box.close()
    path = tmp_path / "history.db"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    again = Box(tmp_path)
    assert again.store.repair is not None
    saved = again.store.repair.rows
    assert 0 < saved["block"] < last
    cursor = again.store.start_cursor("influx").result(5)
    again.fill(400, 405)
    assert len(again.reader.blocks_after(cursor, 10**9)) == 2
    assert again.store.last_block_at_open < last or saved["cursor"] == 0
    again.close()


def test_minute_rows_of_a_past_hour_become_one(box: Box) -> None:
    box.fill(0, 300, step_s=10)
    for minute in range(1, 6):
        box.fill(300 + minute, 300 + minute + 0.5)
        box.tend(300 + minute)
    before = box.minutes()
    box.tend(3 * 3600)
    reader = sqlite3.connect(box.store.path)
    assert reader.execute("SELECT count(*) FROM rollup WHERE layout_id = 1").fetchone()[0] == 1
    reader.close()
    assert_same(box.minutes(), before)
