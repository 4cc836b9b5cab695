"""First address and hot standby: a table of what happens and who is asked."""

import pytest

from drivers.modbus.paths import FIRST, STANDBY, PathChoice

S = 1_000_000_000


def on_standby(at_s: int = 0) -> PathChoice:
    choice = PathChoice(switch_after=2, probe_s=60)
    assert [choice.failed(FIRST, at_s * S), choice.failed(FIRST, at_s * S)] == [False, True]
    return choice


def test_failures_in_a_row_switch_and_an_answer_between_them_does_not() -> None:
    choice = PathChoice(switch_after=2, probe_s=60)
    for _ in range(5):
        assert not choice.failed(FIRST, 0)
        choice.answered(FIRST, 0)
    assert choice.active == FIRST
    assert on_standby().active == STANDBY


def test_the_first_address_is_probed_now_and_then_and_by_one_caller() -> None:
    choice = on_standby()
    assert not choice.takes_probe(59 * S)
    assert choice.takes_probe(60 * S)
    assert not choice.takes_probe(60 * S)
    assert not choice.failed(FIRST, 60 * S)
    assert choice.active == STANDBY
    assert choice.takes_probe(120 * S)
    assert choice.answered(FIRST, 121 * S)
    assert choice.active == FIRST


def test_nothing_is_probed_while_the_first_address_is_in_use() -> None:
    assert not PathChoice(2, 60).takes_probe(10_000 * S)


def test_a_standby_that_fails_too_is_left_again() -> None:
    choice = on_standby()
    choice.failed(STANDBY, 0)
    assert choice.failed(STANDBY, 0)
    assert choice.active == FIRST


def test_a_straggler_does_not_switch() -> None:
    choice = PathChoice(2, 60)
    assert not choice.answered(STANDBY, 0)
    assert choice.active == FIRST


@pytest.mark.parametrize("after", [1, 2, 5])
def test_the_number_of_failures_is_a_setting(after: int) -> None:
    choice = PathChoice(after, 60)
    assert [choice.failed(FIRST, 0) for _ in range(after)] == [False] * (after - 1) + [True]
