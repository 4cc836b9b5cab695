"""Counts of the alarm load at their borders: windows without alarms, exactly ten, exactly a minute, exactly a day."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.figures.alarm_load import (
    CHATTER_NS,
    DAY_NS,
    FLEETING_NS,
    TEN_MINUTES_NS,
    ZONE_NS,
    bad_actors,
    chattering,
    fleeting,
    flood_share,
    peak,
    standing,
    standing_by_day,
)
from gateway.figures.spans import Span
from tests.fakes.episodes import T0, S, episodes


def test_the_peak_of_no_alarm_is_nought_and_a_window_holds_both_its_ends() -> None:
    assert peak(np.empty(0, dtype=np.int64)) == 0
    assert peak(np.array([T0, T0 + TEN_MINUTES_NS], dtype=np.int64)) == 2
    assert peak(np.array([T0, T0 + TEN_MINUTES_NS + 1], dtype=np.int64)) == 1


@given(st.lists(st.integers(0, 5_000), max_size=60))
def test_the_peak_is_the_most_of_any_window(seconds: list[int]) -> None:
    raised = np.sort(np.array(seconds, dtype=np.int64)) * S
    most = max((sum(begin <= t <= begin + 600 for t in seconds) for begin in seconds), default=0)
    assert peak(raised) == most


def test_ten_alarms_in_ten_minutes_are_no_flood_and_eleven_are() -> None:
    hour = Span(T0, T0 + 6 * TEN_MINUTES_NS)
    for raises, flooded in ((10, 0), (11, 1)):
        found = flood_share(T0 + np.arange(raises, dtype=np.int64) * S, [hour], 10)
        assert (found.windows, found.flooded) == (6, flooded)
        assert found.share == flooded / 6


def test_empty_windows_count_and_windows_that_nobody_watched_do_not() -> None:
    raised = T0 + np.arange(11, dtype=np.int64) * S
    half = [Span(T0, T0 + TEN_MINUTES_NS), Span(T0 + 4 * TEN_MINUTES_NS, T0 + 6 * TEN_MINUTES_NS)]
    assert flood_share(raised, half, 10).windows == 3
    nothing = flood_share(np.empty(0, dtype=np.int64), [], 10)
    assert (nothing.windows, nothing.share) == (0, None)


def test_two_spans_that_share_a_window_count_it_once() -> None:
    parts = [Span(T0, T0 + 100 * S), Span(T0 + 200 * S, T0 + 300 * S)]
    assert flood_share(np.empty(0, dtype=np.int64), parts, 10).windows == 1


def test_three_raises_of_one_tag_within_a_minute_are_chatter() -> None:
    on_time = episodes([T0, T0 + 10 * S, T0 + CHATTER_NS], tag=[0, 0, 0])
    assert [(each.tag.subject, each.raises) for each in chattering(on_time)] == [("point-0", 3)]
    too_slow = episodes([T0, T0 + 10 * S, T0 + CHATTER_NS + 1], tag=[0, 0, 0])
    assert chattering(too_slow) == ()
    assert chattering(episodes([T0, T0, T0], tag=[0, 1, 0])) == ()
    assert chattering(episodes([])) == ()


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 300)), max_size=40))
def test_chatter_counts_every_raise_that_takes_part_once(raises: list[tuple[int, int]]) -> None:
    ordered = sorted(raises, key=lambda each: each[1])
    found = chattering(episodes([T0 + at * S for _, at in ordered], tag=[tag for tag, _ in ordered]))
    expected = {}
    for tag in {tag for tag, _ in ordered}:
        times = [at for name, at in ordered if name == tag]
        part = {j for i in range(len(times) - 2) if times[i + 2] - times[i] <= 60 for j in (i, i + 1, i + 2)}
        if part:
            expected[f"point-{tag}"] = len(part)
    assert {each.tag.subject: each.raises for each in found} == expected


def test_what_is_over_at_once_and_unanswered_is_fleeting() -> None:
    raised = [T0] * 4
    returned = [T0 + FLEETING_NS, T0 + FLEETING_NS + 1, T0 + S, 0]
    acknowledged = [0, 0, T0 + S, 0]
    assert fleeting(episodes(raised, returned, acknowledged)) == 1


def test_an_answer_that_comes_after_the_return_does_not_make_it_less_fleeting() -> None:
    assert fleeting(episodes([T0], [T0 + 5 * S], [T0 + 60 * S])) == 1


def test_bad_actors_are_ten_at_most_the_worst_first() -> None:
    found = bad_actors(episodes([T0] * 14, tag=[11, 11, 11, *range(11)]))
    assert len(found) == 10
    assert (found[0].tag.subject, found[0].raises) == ("point-11", 3)
    assert bad_actors(episodes([])) == ()


def test_standing_is_longer_than_a_day_and_not_a_day() -> None:
    alarm = episodes([T0])
    assert standing(alarm, T0 + DAY_NS) == 0
    assert standing(alarm, T0 + DAY_NS + 1) == 1


def test_what_has_returned_stands_no_more_and_what_nobody_saw_the_end_of_does_not_stand_for_ever() -> None:
    later = T0 + 3 * DAY_NS
    assert standing(episodes([T0], [later]), later - 1) == 1
    assert standing(episodes([T0], [later]), later) == 0
    assert standing(episodes([T0], [T0 + S]), later) == 0
    assert standing(episodes([T0], [0], still_open=[False]), later) == 0


def test_days_end_at_local_midnight() -> None:
    midnight = (T0 + ZONE_NS) // DAY_NS * DAY_NS - ZONE_NS
    window = Span(midnight, midnight + 3 * DAY_NS)
    found = standing_by_day(episodes([midnight - DAY_NS // 2]), window)
    assert found.tolist() == [1, 1, 1]
    assert standing_by_day(episodes([midnight]), window).tolist() == [0, 1, 1]
    assert standing_by_day(episodes([]), Span(midnight + 1, midnight + 2)).tolist() == []


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 100)), max_size=20), st.integers(0, 300))
def test_standing_is_what_one_would_count_by_hand(hours: list[tuple[int, int]], at: int) -> None:
    hour = 3_600 * S
    ordered = sorted(hours)
    raised = [T0 + begin * hour for begin, _ in ordered]
    returned = [T0 + (begin + held) * hour if held else 0 for begin, held in ordered]
    expected = sum(begin + 24 < at and (not held or begin + held > at) for begin, held in ordered)
    assert standing(episodes(raised, returned), T0 + at * hour) == expected


@pytest.mark.parametrize("column", ["raised_at_ns", "severity", "tag"])
def test_choosing_some_keeps_columns_together(column: str) -> None:
    some = episodes([T0, T0 + S, T0 + 2 * S], severity=[0, 3, 2]).calling
    assert len(some) == 2
    assert len(getattr(some, column)) == 2
