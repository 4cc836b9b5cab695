"""One window's figures: per position and per watched hour, with what was not watched left out and said."""

import pytest

from gateway.figures.alarm_figures import Found, Question, alarm_figures
from gateway.figures.alarm_load import DAY_NS
from gateway.figures.spans import Span
from gateway.figures.targets import PER_HOUR, STANDING, Standing, Target, mix_shares
from gateway.model.alarm import Severity
from tests.fakes.episodes import T0, S, episodes

HOUR = 3_600 * S
DAY = Span(T0, T0 + DAY_NS)


def test_a_window_without_an_alarm_is_quiet_and_what_rests_on_alarms_is_unknown() -> None:
    found = alarm_figures(Question(DAY), Found(episodes([]), (DAY,)))
    assert (found.n, found.per_hour, found.peak_ten_minutes, found.flood.share) == (0, 0.0, 0.0, 0.0)
    assert (found.bad_actor_share, found.p1_late.value, found.active.p95_s) == (None, None, None)
    assert found.unwatched == ()


def test_a_window_that_nobody_watched_has_no_rate_at_all() -> None:
    found = alarm_figures(Question(DAY), Found(episodes([]), ()))
    assert (found.per_hour, found.per_ten_minutes, found.peak_ten_minutes, found.flood.share) == (None,) * 4
    assert found.unwatched == (DAY,)


def test_rates_are_over_the_watched_time_and_for_one_position() -> None:
    watched = (Span(T0, T0 + 6 * HOUR), Span(T0 + 12 * HOUR, T0 + 18 * HOUR))
    raised = [T0 + i * 60 * S for i in range(24)]
    found = alarm_figures(Question(DAY, positions=2), Found(episodes(raised), watched))
    assert found.watched_s == 12 * 3600.0
    assert found.per_hour == pytest.approx(1.0)
    assert found.per_ten_minutes == pytest.approx(1 / 6)
    assert found.peak_ten_minutes == pytest.approx(11 / 2)
    assert found.unwatched == (Span(T0 + 6 * HOUR, T0 + 12 * HOUR), Span(T0 + 18 * HOUR, T0 + 24 * HOUR))


def test_less_than_an_hour_has_no_rate_an_hour() -> None:
    short = (Span(T0, T0 + HOUR - S),)
    found = alarm_figures(Question(DAY), Found(episodes([T0]), short))
    assert found.per_hour is None
    assert found.per_ten_minutes == pytest.approx(600 / 3599)
    assert alarm_figures(Question(DAY), Found(episodes([T0]), (Span(T0, T0 + HOUR),))).per_hour == 1.0


def test_two_positions_take_a_flood_of_twice_the_size() -> None:
    raised = [T0 + i * S for i in range(15)]
    one, two = (alarm_figures(Question(DAY, positions=n), Found(episodes(raised), (DAY,))) for n in (1, 2))
    assert (one.flood.flooded, two.flood.flooded) == (1, 0)


def test_what_only_is_recorded_calls_nobody_and_a_raise_before_the_window_is_another_windows() -> None:
    raised = [T0 - 1, T0, T0 + S, DAY.to_ns]
    found = alarm_figures(Question(DAY), Found(episodes(raised, severity=[0, 0, 3, 0]), (Span(0, DAY.to_ns + 1),)))
    assert (found.n, found.mix) == (1, {Severity.P1: 1, Severity.P2: 0, Severity.P3: 0})
    assert mix_shares(found)[Severity.P1] == 1.0


def test_an_old_alarm_that_still_stands_is_found_though_it_was_raised_before_the_window() -> None:
    found = alarm_figures(Question(DAY), Found(episodes([T0 - 3 * DAY_NS]), (DAY,)))
    assert (found.n, found.standing.at_end, found.standing.worst_day) == (0, 1, 1)


def test_less_than_thirty_watched_days_are_only_indicative() -> None:
    month = Span(T0, T0 + 30 * DAY_NS)
    assert not alarm_figures(Question(month), Found(episodes([]), (month,))).indicative
    short = (Span(T0, month.to_ns - 1_000_000_000),)
    assert alarm_figures(Question(month), Found(episodes([]), short)).indicative


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, Standing.UNKNOWN), (6, Standing.MET), (6.01, Standing.NEAR), (12, Standing.NEAR), (12.1, Standing.MISSED)],
)
def test_a_bound_belongs_to_the_better_side_and_unknown_meets_nothing(value: float | None, expected: Standing) -> None:
    assert PER_HOUR.judge(value) is expected


def test_five_standing_alarms_are_too_many() -> None:
    assert (STANDING.judge(4), STANDING.judge(5)) == (Standing.MET, Standing.MISSED)
    assert Target(0, 0, "M-M").judge(0.0) is Standing.MET
