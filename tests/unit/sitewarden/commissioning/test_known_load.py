"""More than 5 % off, or not known at all, and the load alarms are not armed."""

import math

import pytest

from sitewarden.commissioning.known_load import KnownLoad, check_known_load

GOOD = {"load_t": 2.0, "rated_t": 4.0, "moment_pct": 50.0, "radius_m": 20.0}


@pytest.mark.parametrize(
    ("shown", "passed"),
    [
        ({}, True),
        ({"load_t": 2.1, "moment_pct": 52.5}, True),
        ({"load_t": 2.1002, "moment_pct": 50.0}, False),
        ({"load_t": 1.8998}, False),
        ({"moment_pct": 52.6}, False),
        ({"moment_pct": 47.4}, False),
        ({"load_t": math.nan}, False),
        ({"rated_t": math.nan}, False),
        ({"rated_t": 0.0}, False),
    ],
)
def test_the_limit_is_five_per_cent_both_ways(shown: dict[str, float], passed: bool) -> None:
    check = check_known_load(KnownLoad(2.0), [GOOD | shown] * 3)
    assert check.passed is passed


def test_errors_are_those_of_the_mean() -> None:
    check = check_known_load(KnownLoad(2.0), [GOOD | {"load_t": load} for load in (2.0, 2.1, 2.2)])
    assert check.load_error_pct == pytest.approx(5.0)
    assert check.samples == 3


def test_a_radius_from_a_tape_finds_a_wrong_radius_sensor() -> None:
    assert check_known_load(KnownLoad(2.0, radius_m=20.0), [GOOD]).passed
    check = check_known_load(KnownLoad(2.0, radius_m=24.0), [GOOD])
    assert check.expected_moment_pct == pytest.approx(60.0)
    assert not check.passed


def test_a_chart_finds_a_wrong_chart_in_the_host() -> None:
    check = check_known_load(KnownLoad(2.0, rated_t=3.5), [GOOD])
    assert check.moment_error_pct == pytest.approx(100 * (50 - 100 * 2 / 3.5) / (100 * 2 / 3.5))
    assert not check.passed


def test_one_unreadable_sample_fails_the_check_and_is_named() -> None:
    check = check_known_load(KnownLoad(2.0), [GOOD, GOOD | {"radius_m": math.nan}])
    assert check.unreadable == ("radius_m",)
    assert not check_known_load(KnownLoad(2.0), [GOOD, {}]).passed
    assert not check_known_load(KnownLoad(2.0), []).passed
