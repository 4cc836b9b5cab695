from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.reading import Quality
from gateway.model.rule import Direction
from gateway.store.blocks import MINUTE_NS, Minutes, Polls, roll_up
from gateway.store.curve_excursions import Excursions, minute_excursions, raw_excursions
from gateway.store.curve_series import (
    CurveSeries,
    Resolution,
    Span,
    Unknown,
    chained,
    extremes,
    minute_series,
    raw_series,
)

S = 1_000_000_000
START_NS = 1_700_000_000_000_000_000 // MINUTE_NS * MINUTE_NS
G, SUS, BAD = Quality.GOOD, Quality.SUSPECT, Quality.BAD


def polls(seconds: Sequence[float], values: Sequence[float], quality: Sequence[int] | int = G) -> Polls:
    t_ns = START_NS + np.round(np.asarray(seconds) * S).astype(np.int64)
    value = np.asarray(values, dtype=np.float64).reshape(-1, 1)
    return Polls(t_ns, value, np.broadcast_to(np.asarray(quality, np.uint8), len(t_ns)).reshape(-1, 1).copy())


def span(to_s: float, from_s: float = 0.0, samples: int = 4000, stale_s: float = 30.0, **more: int) -> Span:
    return Span(START_NS + round(from_s * S), START_NS + round(to_s * S), round(stale_s * S), samples, **more)


def unknown(series: CurveSeries) -> list[tuple[float, float, str]]:
    edges = zip(series.unknown_from_ns.tolist(), series.unknown_to_ns.tolist(), series.unknown_kind, strict=True)
    return [((a - START_NS) / S, (b - START_NS) / S, Unknown(int(kind)).name.lower()) for a, b, kind in edges]


def lines(series: CurveSeries) -> list[list[float]]:
    """The values of each unbroken line."""
    return [part.tolist() for part in np.split(series.mean, np.flatnonzero(series.starts)[1:])]


def test_few_good_readings_are_all_there_as_one_line() -> None:
    series = raw_series(polls([0, 1, 2], [5.0, 7.0, 6.0]), span(3))
    assert lines(series) == [[5.0, 7.0, 6.0]]
    assert unknown(series) == []
    assert [(part.resolution, part.each_ns) for part in series.parts] == [(Resolution.RAW, 0)]


@pytest.mark.parametrize(("quality", "kind"), [(BAD, "bad"), (SUS, "suspect")])
def test_a_reading_that_is_not_good_is_an_interval_and_breaks_the_line(quality: int, kind: str) -> None:
    series = raw_series(polls([0, 1, 2, 3, 4], [1, 2, 999, 999, 5], [G, G, quality, quality, G]), span(5))
    assert lines(series) == [[1.0, 2.0], [5.0]]
    assert unknown(series) == [(2.0, 4.0, kind)]


def test_two_reasons_in_a_row_are_two_intervals() -> None:
    series = raw_series(polls([0, 1, 2, 3], [1, 2, 3, 4], [G, SUS, BAD, G]), span(4))
    assert unknown(series) == [(1.0, 2.0, "suspect"), (2.0, 3.0, "bad")]


def test_a_number_that_is_none_is_bad_whatever_its_quality_says() -> None:
    assert unknown(raw_series(polls([0, 1, 2], [1, np.nan, 3]), span(3))) == [(1.0, 2.0, "bad")]


def test_silence_longer_than_the_points_own_patience_is_missing() -> None:
    series = raw_series(polls([0, 30, 61], [1, 2, 3]), span(62))
    assert lines(series) == [[1.0, 2.0], [3.0]]
    assert unknown(series) == [(30.0, 61.0, "missing")], "30 s is still known, 31 s is not"


def test_the_end_of_a_span_is_unknown_once_the_last_reading_is_too_old() -> None:
    assert unknown(raw_series(polls([0], [1]), span(30))) == []
    assert unknown(raw_series(polls([0], [1]), span(31))) == [(0.0, 31.0, "missing")]


def test_before_the_first_reading_nothing_is_known() -> None:
    assert unknown(raw_series(polls([31], [1]), span(40))) == [(0.0, 31.0, "missing")]
    looked = span(20, entry_ns=60 * S)
    assert unknown(raw_series(polls([10], [1]), looked)) == [(0.0, 10.0, "missing")], "looked for, and none was there"
    assert unknown(raw_series(polls([10], [1]), span(20))) == [], "nobody looked before the span"


def test_a_reading_before_the_span_lets_the_line_enter() -> None:
    series = raw_series(polls([-40, -5, 1], [1, 2, 3]), span(3, entry_ns=60 * S))
    assert series.low.tolist() == [2.0, 3.0]
    assert unknown(series) == []
    too_old = raw_series(polls([-40, 1], [1, 3]), span(3, entry_ns=60 * S))
    assert too_old.low.tolist() == [3.0]
    assert unknown(too_old) == [(0.0, 1.0, "missing")]


def test_no_reading_at_all_is_unknown_from_end_to_end() -> None:
    series = raw_series(polls([], []), span(10))
    assert (len(series.t_ns), unknown(series)) == (0, [(0.0, 10.0, "missing")])


def test_one_spike_among_a_hundred_thousand_readings_stays_at_its_own_time() -> None:
    value = np.full(130_000, 20.0)
    value[77_777] = 99.5
    series = raw_series(polls(np.arange(130_000) / 10, value), span(13_000))
    assert len(series.t_ns) <= 4000
    top = int(series.high.argmax())
    assert (series.high[top], (series.t_ns[top] - START_NS) / S) == (99.5, 7777.7)


def test_flapping_quality_is_told_in_a_bounded_number_of_intervals() -> None:
    quality = np.tile([G, BAD], 5000)
    series = raw_series(polls(np.arange(10_000), np.ones(10_000), quality), span(10_000, intervals=50))
    assert len(series.unknown_kind) <= 51
    assert {kind for _, _, kind in unknown(series)} == {"partly"}
    assert unknown(series)[0][0] == 1.0
    assert unknown(series)[-1][1] == 10_000.0


@given(
    st.lists(
        st.tuples(st.integers(1, 90), st.floats(-1e6, 1e6), st.sampled_from([G, G, G, SUS, BAD])),
        min_size=1,
        max_size=400,
    ),
    st.integers(4, 60),
)
def test_extremes_and_unknown_survive_whatever_is_left_out(steps: list[tuple[int, float, int]], samples: int) -> None:
    seconds = np.cumsum([step for step, _, _ in steps])
    found = polls(seconds, [value for _, value, _ in steps], [quality for _, _, quality in steps])
    asked = span(float(seconds[-1]) + 1, samples=samples)
    series = raw_series(found, asked)
    good = found.value[found.quality == G]
    assert len(series.t_ns) <= samples
    assert set(series.t_ns.tolist()) <= set(found.t_ns.tolist()), "every sample was read"
    assert (np.diff(series.t_ns) > 0).all()
    if len(good):
        assert (series.low.min(), series.high.max()) == (good.min(), good.max())
    for at_ns, quality in zip(found.t_ns, found.quality[:, 0], strict=True):
        held = (series.unknown_from_ns <= at_ns) & (at_ns < series.unknown_to_ns)
        if quality != G:
            assert held.any(), "what is not good is unknown"
    assert (series.unknown_from_ns[1:] >= series.unknown_to_ns[:-1]).all()


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(-1e9, 1e9)), min_size=1, max_size=200))
def test_each_bucket_keeps_its_lowest_and_its_highest(cells: list[tuple[int, float]]) -> None:
    bucket = np.sort(np.array([b for b, _ in cells], dtype=np.int64))
    value = np.array([v for _, v in cells])
    kept = extremes(bucket, value)
    for number in np.unique(bucket):
        inside = value[bucket == number]
        chosen = value[kept][bucket[kept] == number]
        assert (chosen.min(), chosen.max()) == (inside.min(), inside.max())
        assert len(chosen) <= 2


def minutes(rows: Sequence[tuple[int, float, float, int, int]]) -> Minutes:
    """(minute, low, high, count, quality)."""
    at = START_NS + np.array([row[0] for row in rows], dtype=np.int64) * MINUTE_NS
    low, high = (np.array([[row[i]] for row in rows], dtype=np.float64).reshape(-1, 1) for i in (1, 2))
    count = np.array([[row[3]] for row in rows], dtype=np.uint32).reshape(-1, 1)
    return Minutes(at, low, high, (low + high) / 2, count, np.array([[r[4]] for r in rows], np.uint8).reshape(-1, 1))


def test_minutes_show_lowest_highest_and_mean_in_their_middle() -> None:
    series = minute_series(minutes([(0, 1, 5, 60, G), (1, 2, 8, 60, G)]), span(120))
    assert (series.low.tolist(), series.high.tolist(), series.mean.tolist()) == ([1, 2], [5, 8], [3, 5])
    assert ((series.t_ns - START_NS) // S).tolist() == [30, 90]
    assert (lines(series), unknown(series)) == ([[3.0, 5.0]], [])


def test_a_minute_with_a_doubtful_reading_has_no_number() -> None:
    series = minute_series(minutes([(0, 1, 5, 60, G), (1, 2, 900, 60, SUS), (2, 3, 4, 60, G)]), span(180))
    assert series.high.tolist() == [5.0, 4.0]
    assert unknown(series) == [(60.0, 120.0, "suspect")]
    assert series.starts.tolist() == [True, True]


def test_a_minute_with_bad_readings_beside_usable_ones_is_partly_unknown() -> None:
    series = minute_series(minutes([(0, 1, 5, 60, G), (1, 2, 8, 20, BAD), (2, 3, 4, 60, G)]), span(180))
    assert series.high.tolist() == [5.0, 8.0, 4.0]
    assert unknown(series) == [(60.0, 120.0, "partly")]
    assert series.starts.tolist() == [True, False, False]


def test_a_minute_in_which_nothing_was_usable_is_bad() -> None:
    nan = float("nan")
    series = minute_series(minutes([(0, 1, 5, 60, G), (1, nan, nan, 0, BAD)]), span(120))
    assert (series.high.tolist(), unknown(series)) == ([5.0], [(60.0, 120.0, "bad")])


def test_a_gap_between_minutes_is_missing_unless_the_point_is_read_seldom() -> None:
    rows = [(0, 1, 1, 1, G), (10, 2, 2, 1, G)]
    assert unknown(minute_series(minutes(rows), span(660))) == [(60.0, 600.0, "missing")]
    assert unknown(minute_series(minutes(rows), span(660, stale_s=3600))) == []


def test_no_minutes_at_all_are_unknown_from_end_to_end() -> None:
    series = minute_series(minutes([]), span(600))
    assert (len(series.t_ns), unknown(series)) == (0, [(0.0, 600.0, "missing")])


@given(
    st.lists(st.tuples(st.integers(1, 3), st.floats(-1e6, 1e6), st.floats(0, 100)), min_size=1, max_size=600),
    st.integers(4, 50),
)
def test_joined_minutes_keep_the_extremes(steps: list[tuple[int, float, float]], samples: int) -> None:
    at = np.cumsum([step for step, _, _ in steps]).tolist()
    rows = [(m, low, low + more, 60, G) for m, (_, low, more) in zip(at, steps, strict=True)]
    found = minutes(rows)
    series = minute_series(found, span((at[-1] + 1) * 60.0, samples=samples))
    assert len(series.t_ns) <= samples
    assert (series.low.min(), series.high.max()) == (found.low.min(), found.high.max())
    assert (series.low <= series.high).all()


def test_two_parts_become_one_curve_that_says_where_each_is() -> None:
    old = minute_series(minutes([(0, 1, 5, 60, G)]), span(60))
    new = raw_series(polls([61, 62], [7, 8]), span(63, from_s=60))
    whole = chained(old, new)
    assert whole.high.tolist() == [5.0, 7.0, 8.0]
    assert [part.resolution for part in whole.parts] == [Resolution.MINUTE, Resolution.RAW]
    assert whole.starts.tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("direction", "limit", "expected"),
    [
        (Direction.HIGH, 100.0, Excursions(2, 3 * S)),
        (Direction.LOW, 10.0, Excursions(1, S)),
        (Direction.EITHER, 100.0, Excursions(2, 3 * S)),
        (Direction.HIGH, 300.0, Excursions(0, 0)),
    ],
)
def test_how_often_and_for_how_long_a_limit_was_reached(
    direction: Direction, limit: float, expected: Excursions
) -> None:
    found = polls(range(7), [50, 100, 120, 50, 10, 150, 50])
    assert raw_excursions(found, span(7), direction, limit) == expected


def test_what_is_unknown_is_neither_beyond_the_limit_nor_below_it() -> None:
    found = polls([0, 1, 2, 3], [120, 999, 120, 50], [G, BAD, G, G])
    assert raw_excursions(found, span(4), Direction.HIGH, 100.0) == Excursions(1, 2 * S)
    silent = polls([0, 100], [120, 50])
    assert raw_excursions(silent, span(101), Direction.HIGH, 100.0) == Excursions(1, 0), "for how long nobody knows"
    assert raw_excursions(polls([], []), span(5), Direction.HIGH, 100.0) == Excursions(0, 0)


def test_minutes_count_those_in_which_the_limit_was_reached() -> None:
    found = minutes([(0, 1, 100, 60, G), (1, 1, 120, 60, G), (2, 1, 50, 60, G), (3, 1, 130, 60, SUS)])
    assert minute_excursions(found, Direction.HIGH, 100.0) == Excursions(1, 2 * MINUTE_NS)
    assert minute_excursions(found, Direction.LOW, 1.0) == Excursions(1, 3 * MINUTE_NS)


def test_raw_and_rolled_up_say_the_same_extremes() -> None:
    rng = np.random.default_rng(3)
    found = polls(np.arange(0, 600, 0.1), rng.normal(50, 20, 6000))
    raw, rolled = raw_series(found, span(600, samples=40)), minute_series(roll_up(found), span(600))
    assert (raw.low.min(), raw.high.max()) == (rolled.low.min(), rolled.high.max())
