"""How long units that fail are waited for, how long they rest, and whom their failures touch."""

import pytest

from drivers.modbus.patience import COMMON_CAUSE_S, DOUBT_AFTER, FULL_EVERY, REST, TRUST_AFTER, Patience

S = 1_000_000_000
LATER = 10_000 * S


def failing(patience: Patience, unit: int, times: int, cost_ns: int = S, now_ns: int = 0) -> None:
    for _ in range(times):
        patience.failed(unit, cost_ns, now_ns)


def test_a_unit_that_never_answered_is_untrusted_at_its_first_failure_and_trusted_after_some_answers() -> None:
    patience = Patience(500, 100)
    assert patience.trusts(1)
    assert patience.timeout_ms(1) == 500
    failing(patience, 1, 1)
    assert not patience.trusts(1)
    assert patience.timeout_ms(1) == 100
    for _ in range(TRUST_AFTER):
        assert not patience.trusts(1)
        patience.answered(1, 20)
    assert patience.trusts(1)
    assert patience.timeout_ms(1) == 500


def test_a_unit_that_answers_keeps_its_trust_through_failures_that_do_not_follow_each_other() -> None:
    patience = Patience(500, 100)
    for _ in range(20):
        patience.answered(1, 5)
        failing(patience, 1, DOUBT_AFTER - 1)
        assert patience.trusts(1)
    failing(patience, 1, 1)
    assert not patience.trusts(1)


def test_the_first_failure_costs_no_rest() -> None:
    patience = Patience(500, 100)
    patience.answered(2, 5)
    failing(patience, 1, 1)
    assert patience.rest_s(1, 0) == 0


def test_the_second_is_paid_for_a_hundredfold() -> None:
    patience = Patience(500, 100)
    patience.answered(2, 5)
    failing(patience, 1, 1)
    patience.failed(1, S // 10, LATER)
    assert patience.rest_s(1, LATER) == pytest.approx(REST / 10)
    assert patience.rest_s(1, LATER + 9 * S) == pytest.approx(1)
    assert patience.rest_s(1, LATER + 11 * S) == 0


def test_all_untrusted_units_together_take_a_hundredth_of_the_bus() -> None:
    patience = Patience(500, 100)
    patience.answered(3, 5)
    for unit in (1, 2):
        failing(patience, unit, 1)
        patience.failed(unit, S // 10, LATER)
    failing(patience, 1, 1, S // 10, LATER)
    assert patience.rest_s(1, LATER) == pytest.approx(2 * REST / 10)


def test_a_units_rest_is_its_own() -> None:
    patience = Patience(500, 100)
    for unit in (2, 3):
        patience.answered(unit, 5)
    failing(patience, 1, 1)
    patience.failed(1, S, LATER)
    failing(patience, 2, DOUBT_AFTER, S // 100, LATER)
    assert not patience.trusts(2)
    assert patience.rest_s(1, LATER) == REST
    assert patience.rest_s(2, LATER) == 0


def test_no_unit_rests_for_longer_than_it_has_failed() -> None:
    patience = Patience(500, 100)
    for unit in (1, 2):
        patience.answered(unit, 5)
    for at_s in range(1, 5):
        patience.failed(1, S, at_s * S)
    assert patience.rest_s(1, 4 * S) == pytest.approx(4)


def test_an_answer_ends_the_rest_of_those_that_fell_silent_together() -> None:
    patience = Patience(500, 100)
    patience.answered(9, 5)
    failing(patience, 1, 2, S, 0)
    for unit in (2, 3):
        failing(patience, unit, 1, S, (COMMON_CAUSE_S + 10) * S)
    for unit in (1, 2, 3):
        patience.failed(unit, S, LATER)
        assert patience.rest_s(unit, LATER) > 60
    patience.answered(2, 5)
    assert patience.rest_s(2, LATER) == 0
    assert patience.rest_s(3, LATER) == 0
    assert patience.rest_s(1, LATER) > 60


def test_with_nobody_left_to_protect_nobody_rests() -> None:
    patience = Patience(500, 100)
    patience.answered(2, 5)
    failing(patience, 1, 1)
    patience.failed(1, S, LATER)
    assert patience.rest_s(1, LATER) > 0
    failing(patience, 2, 1, S, LATER)
    assert patience.rest_s(1, LATER) == 0


def test_a_slow_unit_keeps_twice_its_slowest_answer() -> None:
    patience = Patience(500, 100)
    patience.answered(1, 180)
    failing(patience, 1, DOUBT_AFTER)
    assert patience.timeout_ms(1) == 360


def test_the_short_timeout_never_exceeds_the_full_one() -> None:
    patience = Patience(500, 100)
    patience.answered(1, 400)
    failing(patience, 1, DOUBT_AFTER)
    assert patience.timeout_ms(1) == 500


def test_every_eighth_try_gets_the_full_timeout() -> None:
    patience = Patience(500, 100)
    given = []
    for _ in range(2 * FULL_EVERY):
        given.append(patience.timeout_ms(1))
        failing(patience, 1, 1)
    assert given == ([500] + [100] * 7) * 2
