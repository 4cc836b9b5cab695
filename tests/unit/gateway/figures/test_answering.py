"""How alarms are answered: quantiles with their cases, what is late, and what is not known."""

from gateway.figures.answering import P1_WITHIN_NS, late, time_active, time_to_acknowledge
from tests.fakes.episodes import T0, S, episodes


def test_nothing_to_count_from_is_unknown_and_not_nought() -> None:
    found = time_to_acknowledge(episodes([]))
    assert (found.n, found.p50_s, found.p95_s) == (0, None, None)
    assert late(episodes([]), T0).value is None


def test_a_quantile_is_an_observed_time_and_the_unanswered_are_counted_beside_it() -> None:
    times = range(1, 21)
    raised = [T0] * 22
    answered = [T0 + 10 * t * S for t in times] + [0, 0]
    found = time_to_acknowledge(episodes(raised, acknowledged=answered))
    assert (found.n, found.missing, found.p50_s, found.p95_s) == (20, 2, 100.0, 190.0)


def test_an_answer_before_the_raise_is_no_time_to_answer() -> None:
    found = time_to_acknowledge(episodes([T0], acknowledged=[T0 - S]))
    assert (found.n, found.missing, found.p95_s) == (0, 1, None)


def test_active_time_leaves_out_what_has_not_returned() -> None:
    found = time_active(episodes([T0, T0], [T0 + 60 * S, 0]))
    assert (found.n, found.missing, found.p50_s) == (1, 1, 60.0)


def test_two_minutes_are_in_time_and_a_nanosecond_more_is_late() -> None:
    now = T0 + 10 * P1_WITHIN_NS
    raised = [T0, T0, T0]
    answered = [T0 + P1_WITHIN_NS, T0 + P1_WITHIN_NS + 1, 0]
    found = late(episodes(raised, acknowledged=answered), now)
    assert (found.hits, found.n) == (2, 3)


def test_an_alarm_that_is_younger_than_two_minutes_is_not_late_yet() -> None:
    young = episodes([T0])
    assert late(young, T0 + P1_WITHIN_NS - 1).n == 0
    assert late(young, T0 + P1_WITHIN_NS).hits == 1
