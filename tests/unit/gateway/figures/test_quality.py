"""How much of a span a point was known: minute by minute, at the borders of what a reading holds."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gateway.figures.quality import (
    BAD,
    DOUBTFUL,
    GOOD,
    MINUTE_NS,
    MinuteShares,
    minute_shares,
    minute_states,
    whole_minutes,
)
from gateway.figures.spans import Span

HOUR = Span(0, 60 * MINUTE_NS)


def shares(minutes: list[int], state: int = GOOD, holds_ns: int = MINUTE_NS, window: Span = HOUR) -> MinuteShares:
    at = np.array(minutes, dtype=np.int64) * MINUTE_NS
    return minute_shares(at, np.full(len(minutes), state, dtype=np.uint8), window, holds_ns)


def test_a_point_that_was_never_heard_is_missing_throughout() -> None:
    found = shares([])
    assert (found.missing, found.good_share) == (60, 0.0)


def test_a_window_without_a_whole_minute_has_no_share() -> None:
    assert shares([0], window=Span(1, MINUTE_NS)).good_share is None
    assert whole_minutes(Span(1, 3 * MINUTE_NS + 1)) == Span(MINUTE_NS, 3 * MINUTE_NS)


def test_a_reading_that_holds_a_minute_says_nothing_of_the_next() -> None:
    assert shares([0, 1, 3]) == MinuteShares(3, 0, 0, 57)


def test_a_reading_that_holds_three_minutes_covers_them_and_no_more() -> None:
    assert shares([10], holds_ns=3 * MINUTE_NS) == MinuteShares(3, 0, 0, 57)
    assert shares([10], holds_ns=3 * MINUTE_NS + 1) == MinuteShares(4, 0, 0, 56)


def test_a_reading_from_before_the_window_reaches_into_it() -> None:
    assert shares([-2], holds_ns=4 * MINUTE_NS).good == 2


def test_a_bad_reading_is_bad_for_as_long_as_a_good_one_would_hold() -> None:
    assert shares([0], BAD, 5 * MINUTE_NS) == MinuteShares(0, 0, 5, 55)


def test_a_minute_is_good_only_when_all_of_it_is() -> None:
    count = np.array([10, 9, 0, 3], dtype=np.uint32)
    worst = np.array([0, 2, 2, 1], dtype=np.uint8)
    assert minute_states(count, worst).tolist() == [GOOD, DOUBTFUL, BAD, DOUBTFUL]


@given(st.lists(st.integers(-20, 80), unique=True, max_size=40).map(sorted), st.integers(1, 10))
def test_every_minute_is_counted_once_and_by_its_last_reading(minutes: list[int], holds: int) -> None:
    found = shares(minutes, GOOD, holds * MINUTE_NS)
    known = sum(any(m - holds < each <= m for each in minutes) for m in range(60))
    assert found == MinuteShares(known, 0, 0, 60 - known)
