"""Readings in a row: what the cases do not show - restarts, the history of the last run, clocks, other rows."""

import numpy as np
import pytest

from gateway.model.reading import Quality
from gateway.model.rule import Direction
from gateway.model.verdict import Truth
from gateway.rules.table import RuleTable
from tests.fakes.site import NOW_NS, SECOND_NS, layout, poll
from tests.fakes.windowed_rules import Judge, consecutive


def test_an_alarm_that_is_up_after_a_restart_is_cleared_by_a_reading_below_the_limit_only() -> None:
    judge = Judge([consecutive()])
    judge.table.hold({0})
    assert judge.sample(0, {0: 5.0}) is Truth.TRUE, "the row went on through the restart"
    assert judge.sample(2, {0: 0.0}) is Truth.FALSE


def test_the_history_of_the_last_run_counts() -> None:
    table = RuleTable([consecutive()])
    t_ns = np.array([NOW_NS - 6 * SECOND_NS, NOW_NS - 4 * SECOND_NS, NOW_NS - 2 * SECOND_NS])
    table.remember(0, t_ns, np.array([0.0, 5.0, 5.0]))
    assert list(table.on_readings(poll(layout(1), 5.0)).truth) == [Truth.TRUE]
    assert list(RuleTable([consecutive()]).on_readings(poll(layout(1), 5.0)).truth) == [Truth.UNKNOWN]


def test_days_of_minutes_from_the_history_count_as_readings() -> None:
    table = RuleTable([consecutive(spacing_s=3600.0, gap_s=7200.0)])
    t_ns = NOW_NS - np.arange(3 * 24 * 60, 0, -1) * 60 * SECOND_NS
    table.remember(0, t_ns, np.where(np.arange(len(t_ns)) < 4000, 0.0, 5.0))
    assert list(table.on_readings(poll(layout(1), 5.0)).truth) == [Truth.TRUE]
    short = RuleTable([consecutive(spacing_s=3600.0, gap_s=7200.0)])
    short.remember(0, t_ns, np.where(np.arange(len(t_ns)) < len(t_ns) - 61, 0.0, 5.0))
    assert list(short.on_readings(poll(layout(1), 5.0)).truth) == [Truth.FALSE], "and how it began is known"


def test_a_clock_set_back_loses_how_the_row_began_but_not_the_count() -> None:
    judge = Judge([consecutive()])
    judge.sample(0, {0: 0.0})
    judge.sample(2, {0: 5.0})
    assert judge.sample(4, {0: 5.0}, stamp_s=-3600) is Truth.UNKNOWN
    assert judge.sample(6, {0: 5.0}, stamp_s=-3598) is Truth.TRUE


def test_a_reading_that_is_older_than_the_newest_does_not_count() -> None:
    judge = Judge([consecutive(spacing_s=1.0)])
    for at_s, stamp_s in ((0, 0), (1, 3), (2, 2)):
        judge.sample(at_s, {0: 5.0}, stamp_s=stamp_s)
    assert judge.truth[0] == Truth.UNKNOWN


@pytest.mark.parametrize("quality", [Quality.BAD, Quality.SUSPECT])
def test_a_bad_value_within_the_spacing_is_no_reading_at_all(quality: Quality) -> None:
    judge = Judge([consecutive()])
    judge.sample(0, {0: 0.0})
    judge.sample(1, {0: 9.0}, quality)
    assert judge.sample(2, {0: 5.0}) is Truth.FALSE


@pytest.mark.parametrize(
    ("direction", "values"), [(Direction.LOW, [1.0, 0.5, -9.0]), (Direction.EITHER, [-1.0, 1.0, -1.0])]
)
def test_each_direction_counts_its_own_side(direction: Direction, values: list[float]) -> None:
    judge = Judge([consecutive(direction=direction)])
    for i, value in enumerate(values):
        judge.sample(2 * i, {0: value})
    assert judge.truth[0] == Truth.TRUE
    other = Judge([consecutive(direction=direction)])
    for i in range(3):
        other.sample(2 * i, {0: 1.1 if direction is Direction.LOW else 0.9})
    assert other.truth[0] == Truth.FALSE


def test_rows_on_one_point_keep_their_own_counts() -> None:
    judge = Judge([consecutive(limit=1.0), consecutive(limit=3.0), consecutive(point=1)])
    for i, value in enumerate((2.0, 5.0, 2.0)):
        judge.sample(2 * i, {0: value, 1: 0.0})
    assert list(judge.truth) == [Truth.TRUE, Truth.FALSE, Truth.FALSE]
