"""From which row on heads are large enough: learnt from whom was seen, steady against odd rows, forgotten by halves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.sight_line import held
from gateway.model.sight import Reach, Why
from vision.helmets.people import People, SeenPerson
from vision.sight.reach import KEPT_H, ROWS, SizesByRow, rising

SMALLEST = 20 / 720
HOUR = 500_000


def yard(sizes: SizesByRow, *, horizon: float = 0.2, slope: float = 0.1, seconds: float = 60.0) -> None:
    """People all over level ground: a head grows with the way from the horizon."""
    for row in range(10, 30):
        foot = (row + 0.5) / ROWS
        sizes.take(foot, slope * (foot - horizon), seconds, HOUR)


def test_before_anybody_was_seen_nothing_is_known() -> None:
    sizes = SizesByRow()
    assert sizes.reach(SMALLEST, HOUR) is None
    sizes.take(0.5, 0.05, 9.0, HOUR)
    assert sizes.reach(SMALLEST, HOUR) is None, "nine seconds tell nothing"


def test_the_line_lies_where_heads_become_large_enough() -> None:
    sizes = SizesByRow()
    yard(sizes)
    found = sizes.reach(SMALLEST, HOUR)
    assert found is not None
    assert (found.seen_from, found.seen_to) == (10 / ROWS, 30 / ROWS)
    assert found.judged_from == pytest.approx(0.2 + SMALLEST / 0.1, abs=1 / ROWS)


def test_where_all_are_near_enough_or_none_is() -> None:
    near, far = SizesByRow(), SizesByRow()
    yard(near, slope=0.5)
    yard(far, slope=0.02)
    assert near.reach(SMALLEST, HOUR) == Reach(10 / ROWS, 30 / ROWS, 10 / ROWS)
    assert far.reach(SMALLEST, HOUR) == Reach(10 / ROWS, 30 / ROWS, None)


def test_a_poster_and_single_wrong_boxes_do_not_move_the_line() -> None:
    sizes, plain = SizesByRow(), SizesByRow()
    yard(plain)
    yard(sizes)
    sizes.take(11 / ROWS, 0.2, 5000.0, HOUR)
    for row in range(12, 20):
        sizes.take((row + 0.5) / ROWS, 0.3, 20.0, HOUR)
    found, expected = sizes.reach(SMALLEST, HOUR), plain.reach(SMALLEST, HOUR)
    assert found is not None
    assert expected is not None
    assert found.judged_from == pytest.approx(expected.judged_from, abs=1 / ROWS)


def test_a_camera_that_was_moved_closer_is_learnt_anew() -> None:
    sizes = SizesByRow()
    yard(sizes, slope=0.02, seconds=1500.0)
    for _ in range(80):
        yard(sizes, slope=0.5, seconds=30.0)
    found = sizes.reach(SMALLEST, HOUR)
    assert found is not None
    assert found.judged_from == found.seen_from


def test_the_bench_counts_on_which_side_people_stood() -> None:
    far, near = SeenPerson(Why.TOO_SMALL, 0.4, 0.01), SeenPerson(Why.JUDGED, 0.8, 0.08)
    learnt = [People(SMALLEST, (far, near))]
    odd = [SeenPerson(Why.JUDGED, 0.42, 0.05), SeenPerson(Why.TOO_SMALL, 0.9, 0.02), SeenPerson(Why.JUDGED, 0.1, 0.05)]
    other = [People(SMALLEST, (far, near, *odd, SeenPerson(Why.CUT, 0.9, 0.05)))]
    assert held(learnt, other) == {"right": 2, "wrong_far": 1, "wrong_near": 1, "not_known": 1}


def test_rows_without_anybody_for_two_weeks_tell_nothing() -> None:
    sizes = SizesByRow()
    yard(sizes)
    assert sizes.reach(SMALLEST, HOUR + KEPT_H - 1) is not None
    assert sizes.reach(SMALLEST, HOUR + KEPT_H) is None


@given(st.lists(st.floats(0.001, 1.0), min_size=1, max_size=32))
def test_what_rises_already_stays_and_everything_else_rises_afterwards(values: list[float]) -> None:
    assert rising(sorted(values)) == sorted(values)
    risen = rising(values)
    assert len(risen) == len(values)
    assert risen == sorted(risen)


@given(st.lists(st.tuples(st.floats(-1, 2), st.floats(0, 3), st.floats(0, 1e5)), max_size=50), st.floats(1e-3, 1.0))
def test_whatever_is_seen_the_line_lies_where_people_were(
    seen: list[tuple[float, float, float]], smallest: float
) -> None:
    sizes = SizesByRow()
    for foot, head, seconds in seen:
        sizes.take(foot, head, seconds, HOUR)
    found = sizes.reach(smallest, HOUR)
    assert found is None or 0 <= found.seen_from < found.seen_to <= 1
    assert found is None or found.judged_from is None or found.seen_from <= found.judged_from <= found.seen_to
