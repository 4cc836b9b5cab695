"""How long silent units are waited for, and what they may cost."""

import pytest

from drivers.modbus.patience import FULL_EVERY, REST, TRUST_AFTER, Patience

S = 1_000_000_000


def test_a_unit_is_trusted_until_it_is_silent_and_again_after_some_answers() -> None:
    patience = Patience(500, 100)
    assert patience.trusts(1)
    assert patience.timeout_ms(1) == 500
    patience.silent(1, S, 0)
    assert not patience.trusts(1)
    assert patience.timeout_ms(1) == 100
    for _ in range(TRUST_AFTER):
        assert not patience.trusts(1)
        patience.answered(1, 20)
    assert patience.trusts(1)
    assert patience.timeout_ms(1) == 500


def test_one_silence_costs_no_rest() -> None:
    patience = Patience(500, 100)
    patience.answered(2, 5)
    patience.silent(1, S, 0)
    assert patience.rest_s(0) == 0


def test_the_second_is_paid_for_a_hundredfold() -> None:
    patience = Patience(500, 100)
    patience.answered(2, 5)
    patience.silent(1, S, 0)
    patience.silent(1, S // 10, 0)
    assert patience.rest_s(0) == pytest.approx(REST / 10)
    assert patience.rest_s(9 * S) == pytest.approx(1)
    assert patience.rest_s(11 * S) == 0


def test_with_nobody_left_to_protect_nobody_waits() -> None:
    patience = Patience(500, 100)
    patience.answered(2, 5)
    patience.silent(1, S, 0)
    patience.silent(1, S, 0)
    assert patience.rest_s(0) > 0
    patience.silent(2, S, 0)
    assert patience.rest_s(0) == 0


def test_a_slow_unit_keeps_twice_its_slowest_answer() -> None:
    patience = Patience(500, 100)
    patience.answered(1, 180)
    patience.silent(1, S, 0)
    assert patience.timeout_ms(1) == 360


def test_the_short_timeout_never_exceeds_the_full_one() -> None:
    patience = Patience(500, 100)
    patience.answered(1, 400)
    patience.silent(1, S, 0)
    assert patience.timeout_ms(1) == 500


def test_every_eighth_try_gets_the_full_timeout() -> None:
    patience = Patience(500, 100)
    given = []
    for _ in range(2 * FULL_EVERY):
        given.append(patience.timeout_ms(1))
        patience.silent(1, S, 0)
    assert given == ([500] + [100] * 7) * 2
