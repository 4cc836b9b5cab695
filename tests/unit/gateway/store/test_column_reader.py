"""The questions that curves ask of the history: columns of blocks, without the other points of a device."""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.errors import DecodeError
from gateway.store.blocks import (
    Minutes,
    Polls,
    minutes_columns,
    pack_minutes,
    pack_polls,
    polls_columns,
    roll_up,
    unpack_minutes,
    unpack_polls,
)
from gateway.store.columnar import shuffled
from tests.fakes.history_box import ONE as LAYOUT
from tests.fakes.history_box import START_NS, Box, assert_same
from tests.fakes.site import MINUTE_NS, SECOND_NS, poll

ONE, OTHER = "crane-1.q0", "crane-2.q1"
ALL_NS = (0, 2**62)


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    box = Box(tmp_path)
    yield box
    box.close()


def some_polls(count: int, width: int = 3) -> Polls:
    rng = np.random.default_rng(count)
    t_ns = START_NS + np.arange(count, dtype=np.int64) * SECOND_NS
    return Polls(t_ns, rng.normal(size=(count, width)), rng.integers(0, 3, (count, width)).astype(np.uint8))


@pytest.mark.parametrize("columns", [[0], [2, 0], [0, 1, 2]])
def test_columns_of_blocks_are_those_of_the_whole_blocks(columns: list[int]) -> None:
    whole = [some_polls(90), some_polls(90), some_polls(5), some_polls(5)]
    found = polls_columns([pack_polls(part) for part in whole], columns)
    assert len(found) == 2, "blocks of one form and size are opened together"
    np.testing.assert_array_equal(np.concatenate([p.t_ns for p in found]), np.concatenate([p.t_ns for p in whole]))
    for name in ("value", "quality"):
        expected = np.concatenate([getattr(part, name) for part in whole])[:, columns]
        np.testing.assert_array_equal(np.concatenate([getattr(part, name) for part in found]), expected)
    slow = [Polls(part.t_ns * 60, part.value, part.quality) for part in whole]
    rolled: list[Minutes] = [roll_up(part) for part in slow]
    minutes = minutes_columns([pack_minutes(part) for part in rolled], columns)
    for name in ("low", "high", "mean", "count", "quality"):
        expected = np.concatenate([getattr(part, name) for part in rolled])[:, columns]
        np.testing.assert_array_equal(np.concatenate([getattr(part, name) for part in minutes]), expected)


@given(st.integers(1, 200), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_what_was_packed_is_unpacked_whatever_its_size(rows: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    value = rng.normal(size=(rows, width)) * 10.0 ** rng.integers(-300, 300)
    value[rng.random((rows, width)) < 0.2] = np.nan
    t_ns = rng.integers(0, 2**62, rows)
    polls = Polls(t_ns, value, rng.integers(0, 3, (rows, width)).astype(np.uint8))
    found = unpack_polls(pack_polls(polls))
    for name in ("t_ns", "value", "quality"):
        np.testing.assert_array_equal(getattr(found, name), getattr(polls, name))
    minutes = Minutes(t_ns, value, value + 1, value * 2, rng.integers(0, 600, (rows, width), np.uint32), polls.quality)
    again = unpack_minutes(pack_minutes(minutes))
    for name in ("minute_ns", "low", "high", "mean", "count", "quality"):
        np.testing.assert_array_equal(getattr(again, name), getattr(minutes, name))


def test_a_small_block_of_an_older_program_is_read_as_ever() -> None:
    polls = some_polls(40)
    body = b"".join((shuffled(polls.t_ns), shuffled(polls.value), polls.quality.tobytes()))
    old = struct.pack("<II", 40, 3) + zlib.compress(body)
    np.testing.assert_array_equal(unpack_polls(old).value, polls.value)
    ((t_ns, value, quality),) = [(p.t_ns, p.value, p.quality) for p in polls_columns([old], [1])]
    np.testing.assert_array_equal(value, polls.value[:, [1]])
    np.testing.assert_array_equal(quality, polls.quality[:, [1]])
    np.testing.assert_array_equal(t_ns, polls.t_ns)


LARGE = pack_polls(some_polls(90))


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"not a block",
        LARGE[:-1],
        LARGE + b"x",
        LARGE[:40] + bytes(20) + LARGE[60:],
        LARGE[:4] + b"\xff\xff\xff\xff" + LARGE[8:],
        struct.pack("<I", 91 | 1 << 31) + LARGE[4:],
    ],
    ids=["empty", "text", "cut", "longer", "zeroed", "width", "rows"],
)
def test_what_is_no_block_is_refused(damaged: bytes) -> None:
    with pytest.raises(DecodeError):
        unpack_polls(damaged)
    with pytest.raises(DecodeError):
        polls_columns([pack_polls(some_polls(5)), LARGE, damaged], [0])


def test_readings_of_points_of_two_devices_come_in_time_order(box: Box) -> None:
    box.fill(0, 30)
    found = box.reader.columns.polls_of([ONE, OTHER], START_NS + 5 * SECOND_NS, START_NS + 9 * SECOND_NS)
    assert found[ONE].value[:, 0].tolist() == [5.0, 6.0, 7.0, 8.0, 9.0]
    assert found[OTHER].value[:, 0].tolist() == [-5.0, -6.0, -7.0, -8.0, -9.0]
    assert (np.diff(found[ONE].t_ns) > 0).all()


def test_a_point_that_was_never_kept_has_no_readings(box: Box) -> None:
    box.fill(0, 3)
    assert len(box.reader.columns.polls_of(["nobody.knows"], *ALL_NS)["nobody.knows"].t_ns) == 0
    assert len(box.reader.columns.minutes_of(["nobody.knows"], *ALL_NS)["nobody.knows"].minute_ns) == 0
    cover = box.reader.columns.raw_cover(["nobody.knows"], *ALL_NS)
    assert (cover.since_ns, cover.cells, cover.forgotten) == (None, 0, False)


def test_minutes_speak_of_what_was_flushed_but_not_yet_rolled_up(box: Box) -> None:
    box.fill(0, 90)
    box.tend(65)
    box.fill(90, 130)
    found = box.reader.columns.minutes_of([ONE], *ALL_NS)[ONE]
    assert found.count[:, 0].tolist() == [60, 60, 10]
    box.tend(131)
    assert_same(box.reader.columns.minutes_of([ONE], *ALL_NS)[ONE], box.minutes())


def test_a_damaged_block_costs_only_itself(box: Box) -> None:
    box.fill(0, 20)
    box.store._writer.submit(
        lambda db: (
            db.execute("UPDATE block SET body = x'00' WHERE layout_id = 1 AND t_first_ns = ?", (START_NS,)).rowcount
        )
    ).result(5)
    assert box.reader.columns.polls_of([ONE], *ALL_NS)[ONE].value[:, 0].tolist() == [float(n) for n in range(5, 20)]


def test_the_cover_says_since_when_raw_is_kept_and_what_it_costs(box: Box) -> None:
    box.fill(0, 120)
    box.tend(121)
    cover = box.reader.columns.raw_cover([ONE], *ALL_NS)
    assert (cover.since_ns, cover.cells, cover.forgotten) == (START_NS, 240, False)
    both = box.reader.columns.raw_cover([ONE, "crane-1.q1"], *ALL_NS)
    assert both.cells == 240, "the points of one device are opened together"
    box.fill(120, 130)
    box.store._writer.submit(
        lambda db: db.execute("DELETE FROM block WHERE t_first_ns < ?", (START_NS + MINUTE_NS,)).rowcount
    ).result(5)
    later = box.reader.columns.raw_cover([ONE], *ALL_NS)
    assert (later.since_ns, later.cells, later.forgotten) == (START_NS + 2 * MINUTE_NS, 20, True)


def test_a_table_that_was_brought_late_is_found_from_any_of_its_days(box: Box) -> None:
    day_ns = 1440 * MINUTE_NS
    for day in range(30):
        box.store.append(poll(LAYOUT, [float(day), 0.0], START_NS + day * day_ns, device="host-1"))
    box.flush(START_NS)
    for second in range(5):
        box.store.append(poll(LAYOUT, [100.0, 0.0], START_NS + 31 * day_ns + second * SECOND_NS, device="host-1"))
        box.flush(START_NS)
    span = START_NS + 3 * day_ns, START_NS + 4 * day_ns
    assert box.reader.columns.polls_of([ONE], *span)[ONE].value[:, 0].tolist() == [3.0, 4.0]
    assert box.reader.columns.minutes_of([ONE], *span)[ONE].low[:, 0].tolist() == [3.0, 4.0]
