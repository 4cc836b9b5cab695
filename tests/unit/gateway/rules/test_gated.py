"""Conditions on threshold rules: old words, other clocks, restarts, upper bounds, and the fast path beside them."""

from dataclasses import replace

import numpy as np
import pytest

from gateway.model.reading import Quality
from gateway.model.rule import Direction, GateParameters
from gateway.model.verdict import Truth
from gateway.rules.table import RuleTable
from tests.fakes.site import layout, poll, threshold
from tests.fakes.windowed_rules import Judge, above, below, gated


def test_a_poll_of_the_condition_alone_judges_the_value_last_heard() -> None:
    judge = Judge([gated(above(1))])
    assert judge.sample(0, {0: 5.0}) is Truth.UNKNOWN
    assert judge.sample(1, {1: 1.0}) is Truth.TRUE
    assert judge.measured[0] == 5.0, "the value, not the condition"
    assert judge.sample(2, {1: 0.0}) is Truth.FALSE


@pytest.mark.parametrize(
    ("value", "condition", "truth"),
    [
        (5.0, 1.0, Truth.TRUE),
        (5.0, 0.0, Truth.FALSE),
        (1.0, 1.0, Truth.FALSE),
        (1.0, 0.0, Truth.FALSE),
        (5.0, None, Truth.UNKNOWN),
        (1.0, None, Truth.FALSE),
        (None, 1.0, Truth.UNKNOWN),
        (None, 0.0, Truth.FALSE),
        (None, None, Truth.UNKNOWN),
    ],
)
def test_value_and_condition_are_joined_as_kleene_does(
    value: float | None, condition: float | None, truth: Truth
) -> None:
    judge = Judge([gated(above(1))])
    for point, level in ((0, value), (1, condition)):
        judge.sample(0, {point: level or 0.0}, Quality.BAD if level is None else Quality.GOOD)
    assert judge.tick(0.1) is truth


def test_what_was_said_holds_until_it_is_stale_and_not_a_moment_longer() -> None:
    judge = Judge([gated(above(1, stale_after_s=5.0), stale_after_s=60.0)])
    judge.sample(0, {1: 0.0})
    assert judge.sample(5.0, {0: 5.0}) is Truth.FALSE
    assert judge.sample(5.001, {0: 5.0}) is Truth.UNKNOWN
    judge.sample(6, {1: 1.0})
    assert judge.sample(7, {0: 5.0}) is Truth.TRUE
    assert judge.sample(30, {1: 1.0}) is Truth.TRUE, "a slow value holds for its own time"
    assert judge.sample(68, {1: 1.0}) is Truth.UNKNOWN, "and then no longer"


def test_a_condition_from_a_time_yet_to_come_is_not_known() -> None:
    judge = Judge([gated(above(1))])
    judge.sample(0, {1: 0.0}, stamp_s=3600.0)
    assert judge.sample(1, {0: 5.0}) is Truth.UNKNOWN


def test_conditions_from_below_and_from_above_must_all_hold() -> None:
    judge = Judge([gated(above(1), below(2, 3.0))])
    assert judge.sample(0, {0: 5.0, 1: 1.0, 2: 2.0}) is Truth.TRUE
    assert judge.sample(1, {0: 5.0, 1: 1.0, 2: 3.0}) is Truth.FALSE, "at its bound it does not hold"
    assert judge.sample(2, {2: 2.9}) is Truth.TRUE
    assert judge.sample(3, {1: 0.5}) is Truth.FALSE


def test_the_deadband_is_the_values_and_goes_on_after_a_restart() -> None:
    rules = [gated(above(1), deadband=1.0)]
    judge = Judge(rules)
    judge.table.hold({0})
    assert judge.sample(0, {0: 2.5, 1: 1.0}) is Truth.TRUE
    assert judge.sample(1, {0: 1.9, 1: 1.0}) is Truth.FALSE
    assert Judge(rules).sample(0, {0: 2.5, 1: 1.0}) is Truth.FALSE


def test_an_upper_bound_proves_only_what_is_beyond_it() -> None:
    rule = replace(gated(above(1)), parameters=GateParameters((), 5.0, exact=False))
    judge = Judge([rule])
    assert judge.sample(0, {0: 2.9}) is Truth.UNKNOWN
    assert judge.sample(1, {0: 3.0}) is Truth.TRUE
    assert judge.sample(2, {0: 0.0}) is Truth.UNKNOWN, "never normal"


def test_an_upper_bound_with_a_condition_is_false_only_by_the_condition() -> None:
    rule = replace(gated(above(1)), parameters=GateParameters((above(1),), 5.0, exact=False))
    judge = Judge([rule])
    assert judge.sample(0, {0: 1.0, 1: 1.0}) is Truth.UNKNOWN
    assert judge.sample(1, {0: 1.0, 1: 0.0}) is Truth.FALSE


def test_a_skipped_sample_of_value_or_condition_is_unknown_at_the_tick() -> None:
    for gone in (0, 1):
        judge = Judge([gated(above(1))])
        judge.sample(0, {0: 5.0, 1: 1.0})
        judge.window.forget(np.array([gone], dtype=np.int32))
        assert judge.tick(0.1) is Truth.UNKNOWN


def test_each_row_has_its_own_conditions_and_a_poll_touches_only_its_rows() -> None:
    judge = Judge([gated(above(1)), gated(below(2), point=3), threshold(0, 4.0)])
    judge.sample(0, {0: 5.0, 1: 1.0, 2: 0.0, 3: 9.0})
    assert list(judge.truth) == [Truth.TRUE, Truth.TRUE, Truth.TRUE]
    verdicts = judge.table.on_readings(poll(np.array([2], dtype=np.int32), 1.0))
    assert (list(verdicts.row), list(verdicts.truth)) == ([1], [Truth.FALSE])


def test_a_low_limit_and_a_size_can_have_conditions_too() -> None:
    low = replace(gated(above(1), limit=-3.0), direction=Direction.LOW)
    size = replace(gated(above(1)), direction=Direction.EITHER)
    judge = Judge([low, replace(size, info=replace(size.info, rule_id="size"))])
    judge.sample(0, {0: -3.0, 1: 1.0})
    assert list(judge.truth) == [Truth.TRUE, Truth.TRUE]
    assert list(judge.measured) == [-3.0, -3.0], "a size keeps its sign for the reader"


def test_rows_that_are_the_same_after_a_reload_go_on_with_what_they_know() -> None:
    rules = [gated(above(1))]
    before = Judge(rules)
    before.sample(0, {1: 1.0})
    after = RuleTable(rules)
    after.carry_over(before.table)
    verdicts = after.on_readings(poll(layout(1), 5.0))
    assert list(verdicts.truth) == [Truth.TRUE]
