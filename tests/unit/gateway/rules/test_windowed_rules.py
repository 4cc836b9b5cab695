"""What the rule cases do not show: clocks, restarts, memory, and rows that must not touch each other."""

import math

import numpy as np
import pytest

from gateway.model.reading import Quality
from gateway.model.rule import Direction, ResolvedRule
from gateway.model.verdict import Truth
from gateway.rules.rate_of_change import KEPT, RateOfChangeRules, slope_per_s
from gateway.rules.table import WINDOWED, RuleTable
from tests.fakes.site import layout, poll, threshold
from tests.fakes.windowed_rules import Judge, change_count, consecutive, flat_line, impossible, loss, rate

EVERY = [rate(), flat_line(), impossible(max_step_per_s=50.0), change_count(), consecutive(spacing_s=1.0), loss()]
IDS = [rule.family.value for rule in EVERY]


def test_every_windowed_family_is_in_the_table_with_its_horizon() -> None:
    assert {rule.family for rule in EVERY} == set(WINDOWED)
    assert RuleTable([threshold(0)]).horizon_s == 0.0
    assert RuleTable([rate(window_s=3600.0), flat_line(for_s=60.0), change_count(window_s=7200.0)]).horizon_s == 7200.0


def test_a_poll_without_their_points_says_nothing_of_windowed_rules() -> None:
    table = RuleTable([threshold(0), *(rule for rule in EVERY)])
    assert list(table.on_readings(poll(layout(2, first=2), 1.0)).row) == []
    assert 0 in table.on_readings(poll(layout(1), 1.0)).row


def test_rows_of_several_families_on_one_poll_keep_their_own_verdicts() -> None:
    judge = Judge([threshold(0, 100.0), flat_line(1), threshold(1, 5.0), impossible(2)])
    for second in range(25):
        judge.sample(second, {2: 7.0, 1: 9.0, 0: float(second)})
    assert list(judge.truth) == [Truth.FALSE, Truth.TRUE, Truth.TRUE, Truth.FALSE]
    assert list(judge.measured[:3]) == [24.0, 24.0, 9.0]


@pytest.mark.parametrize("rule", EVERY, ids=IDS)
def test_before_the_first_sample_and_after_the_last_one_it_is_unknown(rule: ResolvedRule) -> None:
    judge = Judge([rule])
    assert judge.tick(1.0) is Truth.UNKNOWN
    for second in range(2, 40):
        judge.sample(second, {0: float(second)})
    assert judge.tick(39.5) is not Truth.UNKNOWN
    assert judge.tick(90.0) is Truth.UNKNOWN


@pytest.mark.parametrize("rule", EVERY, ids=IDS)
@pytest.mark.parametrize("wild", [math.nan, math.inf, -math.inf])
def test_no_number_moves_nothing_even_when_a_driver_calls_it_good(rule: ResolvedRule, wild: float) -> None:
    judge, calm = Judge([rule]), Judge([rule])
    for second in range(40):
        judge.sample(second, {0: float(second % 2)})
        calm.sample(second, {0: float(second % 2)})
        judge.sample(second + 0.5, {0: wild})
        calm.tick(second + 0.5)
    judge.sample(40, {0: 0.0})
    calm.sample(40, {0: 0.0})
    assert (judge.truth == calm.truth).all()


@pytest.mark.parametrize("rule", [rate(), flat_line(), change_count()], ids=["rate", "flat", "count"])
def test_a_clock_set_back_begins_a_new_watch(rule: ResolvedRule) -> None:
    judge = Judge([rule])
    for second in range(40):
        judge.sample(second, {0: float(second // 30)})
    assert judge.truth[0] == Truth.FALSE
    assert judge.sample(40, {0: 1.0}, stamp_s=-3600) is Truth.UNKNOWN
    for second in range(41, 60):
        assert judge.sample(second, {0: 1.0}, stamp_s=second - 3640) is Truth.UNKNOWN
    assert judge.sample(60, {0: 1.0}, stamp_s=-3580) is not Truth.UNKNOWN


@pytest.mark.parametrize("rule", [*EVERY[:3], change_count(more_than=25), consecutive(limit=50.0), loss()], ids=IDS)
def test_samples_that_share_a_whole_second_or_come_out_of_order_raise_nothing(rule: ResolvedRule) -> None:
    judge = Judge([rule])
    for tenth in range(400):
        judge.sample(tenth / 10, {0: tenth / 100}, stamp_s=tenth // 10 - (tenth % 3))
        assert judge.truth[0] != Truth.TRUE
    assert judge.sample(40, {0: 4.0}) is Truth.FALSE, "nor do they begin a new watch"


def test_a_spike_with_no_later_time_is_not_believed() -> None:
    judge = Judge([impossible(max_step_per_s=2.0)])
    judge.sample(1.0, {0: 10.0}, stamp_s=1)
    judge.sample(2.0, {0: 10.0}, stamp_s=2)
    assert judge.sample(2.5, {0: 500.0}, stamp_s=2) is Truth.UNKNOWN
    assert judge.sample(3.0, {0: 10.0}, stamp_s=3) is Truth.FALSE


def test_the_rate_keeps_a_bounded_number_of_samples_at_any_polling_rate() -> None:
    rules = RateOfChangeRules([(0, rate(window_s=86_400.0, gap_s=600.0))])
    held = rules._rates[0]
    for second in range(0, 200_000, 5):
        held.keep(second * 10**9, 1.0)
        assert len(held._t_ns) <= KEPT + 2
    assert len(held._t_ns) >= KEPT // 2


def test_the_rate_is_robust_against_a_quarter_of_wild_samples() -> None:
    t_ns = [second * 10**9 for second in range(40)]
    value = [0.25 * second + (1000.0 if second % 4 == 1 else 0.0) for second in range(40)]
    assert slope_per_s(t_ns, value) == pytest.approx(0.25)


@pytest.mark.parametrize(("direction", "sign"), [(Direction.HIGH, 1.0), (Direction.LOW, -1.0)])
def test_inside_the_deadband_the_last_rate_stays(direction: Direction, sign: float) -> None:
    rule = rate(limit=sign * 1.0, deadband=0.5, direction=direction)
    fresh, held = Judge([rule]), Judge([rule])
    held.table.hold({0})
    for second in range(21):
        for judge in (fresh, held):
            judge.sample(second, {0: sign * 0.75 * second})
    assert (Truth(fresh.truth[0]), Truth(held.truth[0])) == (Truth.FALSE, Truth.TRUE)


def test_after_a_restart_only_a_movement_clears_a_flat_line() -> None:
    judge = Judge([flat_line(condition_point=1)])
    judge.table.hold({0})
    for second in range(10):
        assert judge.sample(second, {0: 5.0, 1: 0.0}) is Truth.UNKNOWN
    assert judge.sample(10, {0: 6.0, 1: 0.0}) is Truth.FALSE


def test_a_condition_may_come_from_another_poll_and_ages() -> None:
    judge = Judge([flat_line(condition_point=1)])
    for second in range(30):
        judge.sample(second, {1: 1.0})
        judge.sample(second + 0.25, {0: 5.0})
    assert judge.truth[0] == Truth.TRUE
    for second in range(30, 40):
        judge.sample(second + 0.25, {0: 5.0})
    assert judge.truth[0] == Truth.UNKNOWN, "the condition was told ten seconds ago"


@pytest.mark.parametrize(
    ("quality", "truth"), [(Quality.BAD, Truth.TRUE), (Quality.SUSPECT, Truth.UNKNOWN), (Quality.GOOD, Truth.FALSE)]
)
def test_an_answered_value_is_impossible_only_when_it_is_bad(quality: Quality, truth: Truth) -> None:
    judge = Judge([impossible()])
    assert judge.sample(1, {0: math.nan if quality is Quality.BAD else 3.0}, quality) is truth
    assert judge.tick(2) is truth
    assert judge.fail(3) is Truth.UNKNOWN


def test_a_skipped_sample_makes_a_possible_value_unknown() -> None:
    judge = Judge([impossible()])
    assert judge.sample(1, {0: 3.0}) is Truth.FALSE
    judge.window.forget(np.array([0], dtype=np.int32))
    assert judge.tick(1.25) is Truth.UNKNOWN


def test_the_count_stands_still_beyond_what_is_kept_and_the_verdict_does_not() -> None:
    judge = Judge([change_count(more_than=3, window_s=100.0)])
    for second in range(50):
        judge.sample(second, {0: float(second % 2)})
    assert (judge.truth[0], judge.measured[0]) == (Truth.TRUE, 8.0)
