"""Windowed rules under any series: missing is never normal, time has no origin, and a line has its own slope."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model.reading import Quality
from gateway.model.verdict import Truth
from gateway.rules.rate_of_change import slope_per_s
from tests.fakes.site import NOW_NS, silence, threshold
from tests.fakes.windowed_rules import (
    Judge,
    above,
    below,
    change_count,
    consecutive,
    flat_line,
    gated,
    impossible,
    rate,
)

RULES = [
    threshold(0, 3.0, deadband=1.0),
    rate(0, 0.25, window_s=8.0, gap_s=2.5, either=True),
    flat_line(0, for_s=4.0, condition_point=1, gap_s=2.5),
    flat_line(0, for_s=4.0, tolerance=1.0, gap_s=2.5),
    impossible(0, max_step_per_s=2.0),
    impossible(0),
    change_count(0, more_than=2, window_s=6.0),
    change_count(0, more_than=1, window_s=6.0, level=2.5),
    consecutive(0, 2.0, times=3, spacing_s=1.0, gap_s=2.5),
]
GATED = [gated(above(1), deadband=1.0), gated(below(1)), gated(above(1), above(0, 2.5))]
RULES += GATED
Poll = tuple[float, dict[int, float], Quality | None]
values = st.sampled_from([0.0, 1.0, 2.0, 3.0, 5.0])
qualities = st.sampled_from([Quality.GOOD] * 6 + [Quality.SUSPECT, Quality.BAD, None])


@st.composite
def series(draw: st.DrawFn) -> list[Poll]:
    """Polls of both points at mostly regular times; quality None is a poll that failed."""
    at_s, polls = 0.0, []
    for _ in range(draw(st.integers(5, 40))):
        at_s += draw(st.sampled_from([0.5, 1.0, 1.0, 1.0, 4.0]))
        polls.append((at_s, {0: draw(values), 1: draw(st.sampled_from([0.0, 1.0, 1.0]))}, draw(qualities)))
    return polls


def judged(polls: list[Poll], start_ns: int = NOW_NS, without: int | None = None) -> list[list[Truth]]:
    """What every row says after each poll and its tick. `without`: this point never arrives."""
    judge = Judge(RULES, start_ns, count=2)
    said = []
    for at_s, row, quality in polls:
        left = {point: value for point, value in row.items() if point != without}
        if quality is None:
            judge.fail(at_s)
        else:
            judge.sample(at_s, left, quality)
        judge.tick(at_s)
        said.append([Truth(truth) for truth in judge.truth])
    return said


@settings(max_examples=150)
@given(series(), st.sampled_from([0, 1]))
def test_a_point_that_is_gone_never_turns_unknown_or_true_into_false(polls: list[Poll], without: int) -> None:
    for before, after in zip(judged(polls), judged(polls, without=without), strict=True):
        for was, now in zip(before, after, strict=True):
            assert now is not Truth.FALSE or was is Truth.FALSE
    if without == 0:
        alone = len(RULES) - len(GATED)
        assert all(Truth.FALSE not in after[:alone] for after in judged(polls, without=0))


@settings(max_examples=100)
@given(series(), st.integers(0, 39))
def test_a_point_that_dies_leaves_no_false_behind(polls: list[Poll], cut: int) -> None:
    judge = Judge(RULES, count=2)
    for at_s, row, quality in polls[: cut + 1]:
        judge.fail(at_s) if quality is None else judge.sample(at_s, row, quality)
    judge.tick(polls[min(cut, len(polls) - 1)][0] + 3600.0)
    assert set(judge.truth) == {Truth.UNKNOWN}


@settings(max_examples=60)
@given(series(), st.integers(-(10**6), 10**6))
def test_shifting_all_times_changes_nothing(polls: list[Poll], shift_s: int) -> None:
    assert judged(polls, NOW_NS + shift_s * 10**9) == judged(polls)


@given(
    st.floats(-1e3, 1e3),
    st.floats(-1e6, 1e6),
    st.lists(st.integers(1, 10**11), min_size=2, max_size=30),
    st.integers(0, 2 * 10**18),
)
def test_the_slope_of_a_line_is_its_slope(slope: float, offset: float, steps_ns: list[int], start_ns: int) -> None:
    t_ns = [start_ns + int(t) * 1000 for t in np.cumsum(steps_ns)]
    value = [offset + slope * (t - t_ns[0]) / 1e9 for t in t_ns]
    shortest_s = min(b - a for a, b in itertools.pairwise(t_ns)) / 1e9
    rounding = 4 * np.spacing(max(map(abs, value))) / shortest_s
    assert abs(slope_per_s(t_ns, value) - slope) <= rounding + 1e-12 * abs(slope)


def test_the_silence_of_a_point_is_no_less_true_when_it_is_gone() -> None:
    judge = Judge([silence((0,), 10.0)])
    assert judge.tick(9.0) is Truth.UNKNOWN
    assert judge.tick(10.0) is Truth.TRUE
