import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gateway.model.errors import StoreError
from gateway.model.quantity import PointTable
from gateway.model.reading import Quality
from gateway.store.history_reader import HistoryReader
from gateway.store.history_store import NEVER_NS
from tests.fakes.history_box import ONE, START_NS, TWO, Box, Gate, assert_same
from tests.fakes.site import MINUTE_NS, SECOND_NS, poll


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
    assert_same(again.minutes(), whole)
    again.close()


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
    assert box.store.unrolled_since_ns() == START_NS
    _limit(box, 100_000)
    box.store._writer.submit(lambda db: db.execute("DELETE FROM rollup").rowcount).result(5)
    box.tend(62)
    assert box.minutes().count.tolist() == [[30]]


def test_what_waits_for_a_flush_or_a_roll_up_is_known_by_when_it_was_received(box: Box) -> None:
    assert box.store.unrolled_since_ns() == NEVER_NS
    box.store.append(poll(ONE, 1.0, START_NS, received_at_ns=START_NS + 9 * SECOND_NS))
    box.store.append(poll(TWO, 1.0, START_NS + 60 * SECOND_NS, received_at_ns=START_NS + 8 * SECOND_NS))
    assert box.store.buffered_since_ns() == START_NS + 8 * SECOND_NS
    box.flush(START_NS)
    assert box.store.buffered_since_ns() == NEVER_NS
    assert box.store.unrolled_since_ns() == START_NS + 8 * SECOND_NS
    box.tend(61)
    assert box.store.unrolled_since_ns() == NEVER_NS


def test_a_flush_in_the_tendings_own_transaction_still_waits_for_its_roll_up(box: Box) -> None:
    gate = Gate(box)
    box.store.append(poll(ONE, 10.0, START_NS))
    box.store.flush(START_NS)
    tending = box.store.tend(START_NS + 61 * SECOND_NS)
    gate.release()
    tending.result(5)
    assert box.store.unrolled_since_ns() == START_NS
    box.tend(62)
    assert box.store.unrolled_since_ns() == NEVER_NS


def test_how_far_was_summarised_is_known_after_a_kill(tmp_path: Path) -> None:
    box = Box(tmp_path / "box")
    assert box.store.summarised_at_open_ns == 0
    box.store.note_summarised(START_NS).result(5)
    killed = box.killed_copy(tmp_path / "killed")
    box.close()
    again = Box(killed)
    assert again.store.summarised_at_open_ns == START_NS
    again.close()


def test_the_minutes_that_are_kept_are_told_once_each_and_in_order(box: Box) -> None:
    box.fill(0, 61)
    box.tend(61)
    box.fill(61, 70)
    box.fill(180, 190)
    box.tend(200)
    first = START_NS // MINUTE_NS * MINUTE_NS
    kept = box.reader.kept_minutes(first, first + 10 * MINUTE_NS)
    assert kept == [first, first + MINUTE_NS, first + 3 * MINUTE_NS]
    assert box.reader.kept_minutes(first + MINUTE_NS, first + 2 * MINUTE_NS) == [first + MINUTE_NS]
    assert box.reader.kept_minutes(first + 4 * MINUTE_NS, first + 9 * MINUTE_NS) == []


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


def test_a_new_uplink_starts_at_the_end_and_an_old_one_where_it_was(box: Box) -> None:
    box.fill(0, 10)
    assert box.store.start_cursor("influx").result(5) == 4
    box.fill(10, 20)
    assert box.store.start_cursor("influx").result(5) == 4
    assert box.store.start_cursor("mqtt").result(5) == 8
    box.store.advance("influx", 6).result(5)
    box.store.advance("influx", 5).result(5)
    assert box.store.start_cursor("influx").result(5) == 6, "a cursor never goes back"


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
