import shutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gateway.model.errors import StoreError
from gateway.model.quantity import Point, PointTable
from gateway.model.reading import Quality
from gateway.store.blocks import Minutes
from gateway.store.history_reader import HistoryReader
from gateway.store.history_store import Bounds, HistoryStore
from gateway.store.history_upkeep import BLOCK_POLLS
from tests.fakes.site import BOUNDS, MINUTE_NS, SECOND_NS, layout, poll

START_NS = 1_700_000_000_000_000_000 // (10 * MINUTE_NS) * (10 * MINUTE_NS)
POINTS = PointTable(
    tuple(Point(f"crane-{c}.q{q}", f"crane-{c}", f"q{q}", "m", f"host-{c}", "量", "q") for c in (1, 2) for q in (0, 1))
)
ONE, TWO = layout(2, 0), layout(2, 2)


class Box:
    """A history with its reader; `kill` leaves the files as a killed process would."""

    def __init__(self, folder: Path, bounds: Bounds = BOUNDS, start_ns: int = START_NS) -> None:
        self.folder = folder
        self.store = HistoryStore(folder, POINTS, bounds, start_ns)
        self.reader = HistoryReader(self.store.path, POINTS)

    def fill(self, first_s: float, last_s: float, step_s: float = 1.0, flush_every: int = 5) -> None:
        """Polls of crane 1 counting the seconds since the start, two blocks a flush with crane 2's negative ones."""
        at = np.arange(first_s, last_s, step_s)
        for n, second in enumerate(at):
            at_ns = START_NS + round(second * SECOND_NS)
            self.store.append(poll(ONE, [second, second], at_ns, device="host-1"))
            self.store.append(poll(TWO, [-second, -second], at_ns, device="host-2"))
            if n % flush_every == flush_every - 1 or n == len(at) - 1:
                self.flush(at_ns)

    def flush(self, now_ns: int) -> int:
        return self.store.flush(now_ns).done.result(10)

    def tend(self, at_s: float) -> None:
        self.store.tend(START_NS + round(at_s * SECOND_NS)).result(10)

    def seconds(self, point: str = "crane-1.q0") -> list[float]:
        return self.reader.trace(point, 0, 2**62, 100_000).value.tolist()

    def minutes(self, point: str = "crane-1.q0") -> Minutes:
        return self.reader.minutes(point, 0, 2**62, 100_000)

    def blocks(self) -> list[int]:
        return [block.cursor for block in self.reader.blocks_after(0, 10**9)]

    def close(self, at_s: float = 1e6) -> None:
        self.reader.close()
        self.store.close(START_NS + round(at_s * SECOND_NS))

    def killed_copy(self, folder: Path) -> Path:
        """What lies on the disk at this moment: the state that a kill leaves."""
        folder.mkdir()
        for part in self.folder.glob("history.db*"):
            shutil.copy(part, folder / part.name)
        return folder


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    box = Box(tmp_path)
    yield box
    box.close()


def test_what_was_flushed_is_there_after_close_and_reopen(tmp_path: Path) -> None:
    box = Box(tmp_path)
    box.fill(0, 12)
    box.close()
    again = Box(tmp_path)
    assert again.seconds() == [float(n) for n in range(12)]
    assert again.seconds("crane-2.q1") == [-float(n) for n in range(12)]
    assert again.store.lost_since_ns == 0
    assert again.reader.rows() == (24, 48)
    again.close()


def test_close_writes_what_is_buffered(tmp_path: Path) -> None:
    box = Box(tmp_path)
    box.store.append(poll(ONE, 7.0, START_NS))
    box.close()
    again = Box(tmp_path)
    assert again.seconds() == [7.0]
    assert again.minutes().count.tolist() == [[1]]
    again.close()


def test_an_unclean_stop_says_since_when_something_may_be_lost(tmp_path: Path) -> None:
    box = Box(tmp_path)
    box.fill(0, 10)
    killed = box.killed_copy(tmp_path / "killed")
    box.close()
    again = Box(killed, start_ns=START_NS + 60 * SECOND_NS)
    assert again.store.lost_since_ns == START_NS + 9 * SECOND_NS
    assert again.seconds() == [float(n) for n in range(10)]
    again.close()
    clean = Box(killed)
    assert clean.store.lost_since_ns == 0
    clean.close()


def _assert_same(found: Minutes, expected: Minutes) -> None:
    assert found.minute_ns.tolist() == expected.minute_ns.tolist()
    for name in ("low", "high", "count", "quality"):
        assert getattr(found, name).tolist() == getattr(expected, name).tolist(), name
    np.testing.assert_allclose(found.mean, expected.mean)


def test_roll_ups_after_a_kill_equal_roll_ups_without_one(tmp_path: Path) -> None:
    box = Box(tmp_path / "box")
    box.fill(0, 90)
    box.tend(65)
    box.fill(90, 130)
    killed = box.killed_copy(tmp_path / "killed")
    box.tend(131)
    whole = box.minutes()
    box.close()
    again = Box(killed)
    again.tend(131)
    assert whole.count[:, 0].tolist() == [60, 60, 10]
    _assert_same(again.minutes(), whole)
    again.close()


class Gate:
    """Keeps the history's writer busy, so that what is submitted meanwhile shares one transaction."""

    def __init__(self, box: Box) -> None:
        started, self._go_on = threading.Event(), threading.Event()
        box.store._writer.submit(lambda _: (started.set(), self._go_on.wait(10)))
        assert started.wait(5)

    def release(self) -> None:
        self._go_on.set()


def test_a_flush_and_a_tending_in_one_transaction_lose_no_minute(box: Box) -> None:
    box.fill(0, 10)
    gate = Gate(box)
    box.store.append(poll(ONE, 10.0, START_NS + 10 * SECOND_NS))
    flushing = box.store.flush(START_NS).done
    tending = box.store.tend(START_NS + 61 * SECOND_NS)
    gate.release()
    flushing.result(5)
    tending.result(5)
    box.tend(62)
    assert box.minutes().count.tolist() == [[11]]
    assert box.minutes().high.tolist() == [[10.0]]


def test_that_transaction_and_a_kill_lose_no_minute_either(tmp_path: Path) -> None:
    box = Box(tmp_path / "box")
    gate = Gate(box)
    box.store.append(poll(ONE, 10.0, START_NS))
    flushing, tending = box.store.flush(START_NS).done, box.store.tend(START_NS + 61 * SECOND_NS)
    gate.release()
    flushing.result(5)
    tending.result(5)
    killed = box.killed_copy(tmp_path / "killed")
    box.close()
    again = Box(killed)
    again.tend(62)
    assert again.minutes().count.tolist() == [[1]]
    again.close()


def test_a_flush_that_fails_gives_the_polls_back_and_rolls_nothing_up(box: Box) -> None:
    box.fill(0, 5)
    _limit(box, 0)
    value = np.random.default_rng(1).random(2)
    for n in range(2000):
        box.store.append(poll(ONE, value * n, START_NS + n))
    flushing = box.store.flush(START_NS)
    assert isinstance(flushing.done.exception(10), StoreError)
    assert len(flushing.polls) == 2000
    _limit(box, 100_000)
    box.tend(61)
    assert box.minutes().count.tolist() == [[5]]
    assert box.store.buffered_polls == 0


def test_a_tending_that_fails_keeps_the_minutes_for_the_next(box: Box) -> None:
    box.fill(0, 30)
    _limit(box, 0)
    _fill_free_pages(box)
    outcome = box.store.tend(START_NS + 61 * SECOND_NS).exception(10)
    assert isinstance(outcome, StoreError)
    _limit(box, 100_000)
    box.store._writer.submit(lambda db: db.execute("DELETE FROM rollup").rowcount).result(5)
    box.tend(62)
    assert box.minutes().count.tolist() == [[30]]


def _limit(box: Box, more: int) -> None:
    """Bound the file's size, as a full disk does."""

    def job(db: sqlite3.Connection) -> None:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count={pages + more}")

    box.store._writer.submit(job).result(5)


def _fill_free_pages(box: Box) -> None:
    """Use up the room that is left inside the pages of the roll-up table and its index."""
    sql = "INSERT INTO rollup(layout_id, t_first_ns, t_last_ns, minutes, body) VALUES (1, 0, ?, 1, zeroblob(?))"

    for size in (900, 100, 0):
        for n in range(500):
            if box.store._writer.submit(lambda db, n=n, size=size: db.execute(sql, (n, size)).rowcount).exception(5):
                break


def test_a_history_that_cannot_be_closed_cleanly_says_so_at_the_next_start(tmp_path: Path) -> None:
    box = Box(tmp_path)
    box.fill(0, 5)
    _limit(box, 0)
    for n in range(2000):
        box.store.append(poll(ONE, np.random.default_rng(n).random(2), START_NS + n))
    box.close()
    again = Box(tmp_path)
    assert again.store.lost_since_ns == START_NS + 4 * SECOND_NS
    assert len(again.seconds()) == 5
    again.close()


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


def test_a_new_uplink_starts_at_the_end_and_an_old_one_where_it_was(box: Box) -> None:
    box.fill(0, 10)
    assert box.store.start_cursor("influx").result(5) == 4
    box.fill(10, 20)
    assert box.store.start_cursor("influx").result(5) == 4
    assert box.store.start_cursor("mqtt").result(5) == 8
    box.store.advance("influx", 6).result(5)
    box.store.advance("influx", 5).result(5)
    assert box.store.start_cursor("influx").result(5) == 6, "a cursor never goes back"
    assert box.reader.backlog_polls(6) == 10


def test_an_uplink_that_is_configured_no_more_holds_nothing_up(box: Box) -> None:
    for name in ("gone", "influx"):
        box.store.start_cursor(name).result(5)
    box.fill(0, 10)
    box.store.advance("influx", 4).result(5)
    box.store.keep_cursors(["influx"]).result(5)
    box.tend(600)
    assert len(box.blocks()) == 2


def test_the_log_is_read_page_by_page_without_gap_or_repeat(box: Box) -> None:
    box.fill(0, 50, flush_every=3)
    cursor, pages, seen = 0, 0, []
    while blocks := box.reader.blocks_after(cursor, 7):
        pages += 1
        seen += [b.cursor for b in blocks]
        assert sum(len(b.observed_at_ns) for b in blocks[:-1]) < 7
        cursor = blocks[-1].cursor
    assert seen == box.blocks()
    assert pages > 10


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


def test_a_device_whose_table_changed_has_two_layouts_and_one_trace(tmp_path: Path) -> None:
    box = Box(tmp_path)
    box.store.append(poll(ONE, [1.0, 2.0], START_NS))
    box.flush(START_NS)
    box.store.append(poll(np.array([1], dtype=np.int32), [3.0], START_NS + SECOND_NS))
    box.flush(START_NS)
    box.close()
    again = Box(tmp_path)
    assert again.seconds("crane-1.q1") == [2.0, 3.0]
    assert again.seconds("crane-1.q0") == [1.0]
    assert again.minutes("crane-1.q1").count.tolist() == [[2]]
    again.close()


def test_a_point_that_is_configured_no_more_is_still_delivered_under_its_name(tmp_path: Path) -> None:
    box = Box(tmp_path)
    box.fill(0, 1)
    box.close()
    reader = HistoryReader(tmp_path / "history.db", PointTable(()))
    assert [p.point_id for p in reader.blocks_after(0, 1)[0].points] == ["crane-1.q0", "crane-1.q1"]
    reader.close()


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


def test_quality_and_gaps_survive(box: Box) -> None:
    box.store.append(poll(ONE, [np.nan, 5.0], START_NS, quality=[Quality.BAD, Quality.SUSPECT]))
    box.flush(START_NS)
    trace = box.reader.trace("crane-1.q0", START_NS, START_NS, 10)
    assert np.isnan(trace.value).tolist() == [True]
    assert trace.quality.tolist() == [Quality.BAD]
    box.tend(61)
    (points, minutes), *_ = box.reader.minute(START_NS)
    assert [point.point_id for point in points] == ["crane-1.q0", "crane-1.q1"]
    assert minutes.count.tolist() == [[0, 1]]
    assert minutes.quality.tolist() == [[Quality.BAD, Quality.SUSPECT]]
    assert np.isnan(minutes.mean[0, 0])


def test_minutes_over_a_long_range_join_to_equal_whole_minutes(box: Box) -> None:
    box.fill(0, 600)
    box.tend(601)
    coarse = box.reader.minutes("crane-1.q0", START_NS, START_NS + 600 * SECOND_NS, 3)
    assert (np.diff(coarse.minute_ns) % MINUTE_NS == 0).all()
    assert len(coarse.minute_ns) == 3
    assert coarse.count.sum() == 600
    assert (coarse.low.min(), coarse.high.max()) == (0.0, 599.0)


def test_minutes_that_only_touch_the_range_count_and_others_do_not(box: Box) -> None:
    box.fill(0, 180)
    box.tend(181)
    found = box.reader.minutes("crane-1.q0", START_NS + MINUTE_NS, START_NS + 2 * MINUTE_NS - 1, 10)
    assert found.minute_ns.tolist() == [START_NS + MINUTE_NS]
    assert box.reader.minutes("crane-1.q0", 0, 1, 10).minute_ns.tolist() == []


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
    _assert_same(box.minutes(), before)


def test_bad_bounds_are_refused(box: Box) -> None:
    with pytest.raises(ValueError, match="minutes need from <= to"):
        box.reader.minutes("crane-1.q0", 10, 9, 10)
    with pytest.raises(ValueError, match="a trace needs from <= to"):
        box.reader.trace("crane-1.q0", 10, 9, 10)


def test_dropping_the_buffer_says_how_much_is_lost(box: Box) -> None:
    box.store.append(poll(ONE, 1.0))
    box.store.append(poll(TWO, 1.0, device="host-2"))
    assert box.store.drop_buffered() == 2
    assert box.store.buffered_polls == 0
    box.flush(START_NS)
    assert box.blocks() == []
