"""When the box watched: starts and stops as spans, what they cover and what they leave open."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gateway.figures.spans import BoxStart, Span, covered, gaps, joined, running_spans, total_s, within

S = 1_000_000_000
spans = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 60)).map(lambda p: Span(p[0], p[0] + p[1])), max_size=8)


def test_a_run_ends_where_it_was_last_heard_and_the_last_goes_on() -> None:
    starts = [BoxStart(100, 0, clean=False), BoxStart(300, 180, clean=True), BoxStart(500, 420, clean=False)]
    assert running_spans(starts, 900) == (Span(100, 180), Span(300, 420), Span(500, 900))


def test_a_box_that_never_started_never_ran() -> None:
    assert running_spans([], 900) == ()
    assert gaps((), Span(0, 900)) == (Span(0, 900),)


def test_a_run_that_the_clock_makes_end_before_it_began_counts_as_not_watched() -> None:
    starts = [BoxStart(400, 0, clean=False), BoxStart(100, 90, clean=True)]
    assert running_spans(starts, 200) == (Span(100, 200),)


def test_runs_that_a_set_back_clock_makes_overlap_are_one_time_only() -> None:
    starts = [BoxStart(100, 0, clean=False), BoxStart(150, 300, clean=False)]
    assert running_spans(starts, 250) == (Span(100, 300),)


def test_a_span_that_only_touches_a_window_has_nothing_in_it() -> None:
    assert within([Span(0, 10), Span(20, 30)], Span(10, 20)) == ()
    assert total_s([Span(0, 2 * S)]) == 2.0


@given(spans, st.integers(0, 100), st.integers(1, 150))
def test_what_is_covered_and_the_gaps_are_the_window_exactly(some: list[Span], begin: int, length: int) -> None:
    window, whole = Span(begin, begin + length), joined(span for span in some if span.to_ns > span.from_ns)
    inside, open_parts = within(whole, window), gaps(whole, window)
    assert sum(s.to_ns - s.from_ns for s in (*inside, *open_parts)) == length
    moments = np.arange(window.from_ns, window.to_ns, dtype=np.int64)
    seen = {int(t) for t in moments[covered(moments, whole)]}
    assert seen == {t for t in moments.tolist() if any(s.from_ns <= t < s.to_ns for s in some)}
    assert not any(s.from_ns <= t < s.to_ns for s in open_parts for t in seen)
