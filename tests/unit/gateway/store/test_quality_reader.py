"""Shares of good, doubtful, bad and missing minutes, asked of the roll-ups of every point at once."""

import sqlite3
from pathlib import Path

import pytest

from gateway.figures.quality import MinuteShares
from gateway.figures.spans import Span
from gateway.store.history_store import HistoryStore
from gateway.store.quality_reader import QualityReader
from tests.fakes.site import BOUNDS, MINUTE_NS, NOW_NS, layout, points, poll

START = NOW_NS // MINUTE_NS * MINUTE_NS
TABLE = points(3)


class Box:
    def __init__(self, folder: Path) -> None:
        self.store = HistoryStore(folder, TABLE, BOUNDS, START)
        self.reader = QualityReader(self.store.path)

    def minute(self, number: int, quality: list[int]) -> None:
        at_ns = START + number * MINUTE_NS
        self.store.append(poll(layout(3), 1.0, at_ns, quality))
        self.store.flush(at_ns).done.result()

    def tend(self, number: int) -> None:
        self.store.tend(START + number * MINUTE_NS).result()

    def shares(self, *windows: tuple[int, int]) -> list[dict[str, MinuteShares]]:
        spans = [Span(START + begin * MINUTE_NS, START + end * MINUTE_NS) for begin, end in windows]
        return self.reader.shares(TABLE.points, spans)


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def test_each_point_and_each_window_has_its_own_minutes(box: Box) -> None:
    for number in range(4):
        box.minute(number, [0, 0 if number < 2 else 2, 1])
    box.tend(5)
    long, short = box.shares((0, 6), (2, 4))
    assert long == {
        "crane-1.q0": MinuteShares(4, 0, 0, 2),
        "crane-1.q1": MinuteShares(2, 0, 2, 2),
        "crane-1.q2": MinuteShares(0, 4, 0, 2),
    }
    assert short["crane-1.q1"] == MinuteShares(0, 0, 2, 0)


def test_a_box_that_has_heard_nothing_is_missing_and_not_good(box: Box) -> None:
    (found,) = box.shares((0, 60))
    assert set(found.values()) == {MinuteShares(0, 0, 0, 60)}


def test_a_minute_of_which_several_rows_speak_is_as_bad_as_the_worst(box: Box) -> None:
    box.minute(0, [0, 0, 0])
    box.tend(1)
    box.minute(0, [2, 0, 0])
    box.tend(2)
    (found,) = box.shares((0, 1))
    assert found["crane-1.q0"].bad + found["crane-1.q0"].doubtful == 1
    assert found["crane-1.q1"].good == 1


def test_a_row_that_cannot_be_read_costs_its_minutes_and_no_more(box: Box) -> None:
    box.minute(0, [0, 0, 0])
    box.tend(1)
    box.minute(1, [0, 0, 0])
    box.tend(2)
    with sqlite3.connect(box.store.path) as db:
        db.execute("UPDATE rollup SET body = ? WHERE rollup_id = 1", (b"torn",))
    (found,) = box.shares((0, 2))
    assert found["crane-1.q0"] == MinuteShares(1, 0, 0, 1)


def test_no_points_and_no_windows_ask_nothing(box: Box) -> None:
    assert box.reader.shares((), [Span(0, MINUTE_NS)]) == [{}]
    assert box.reader.shares(TABLE.points, []) == []
