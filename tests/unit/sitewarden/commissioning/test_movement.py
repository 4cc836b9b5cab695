"""A movement proves its channel only when its own point follows, in the right direction."""

import math

import pytest

from sitewarden.commissioning.movement import MOVEMENTS, Finding, judge_movement

SLEW, SLEW_LEFT, TROLLEY, TROLLEY_IN, HOIST, HOIST_DOWN = MOVEMENTS
BEFORE = {"slew_deg": 355.0, "radius_m": 20.0, "hook_m": 15.0}


@pytest.mark.parametrize(
    ("movement", "after", "finding"),
    [
        (SLEW, {"slew_deg": 10.0}, Finding.RIGHT),
        (SLEW, {"slew_deg": 340.0}, Finding.REVERSED),
        (SLEW, {"slew_deg": 356.0}, Finding.NOTHING),
        (SLEW, {"radius_m": 22.0}, Finding.SWAPPED),
        (TROLLEY, {"radius_m": 22.0}, Finding.RIGHT),
        (TROLLEY, {"radius_m": 18.0}, Finding.REVERSED),
        (TROLLEY, {"hook_m": 17.0}, Finding.SWAPPED),
        (SLEW_LEFT, {"slew_deg": 340.0}, Finding.RIGHT),
        (SLEW_LEFT, {"slew_deg": 10.0}, Finding.REVERSED),
        (TROLLEY_IN, {"radius_m": 18.0}, Finding.RIGHT),
        (TROLLEY_IN, {"radius_m": 22.0}, Finding.REVERSED),
        (TROLLEY_IN, {"hook_m": 17.0}, Finding.SWAPPED),
        (HOIST_DOWN, {"hook_m": 12.0}, Finding.RIGHT),
        (HOIST_DOWN, {"hook_m": 18.0}, Finding.REVERSED),
        (HOIST_DOWN, {}, Finding.NOTHING),
        (HOIST, {"hook_m": 18.0}, Finding.RIGHT),
        (HOIST, {"hook_m": math.nan}, Finding.BLIND),
        (HOIST, {"hook_m": math.nan, "radius_m": 25.0}, Finding.SWAPPED),
    ],
)
def test_what_a_movement_shows(movement, after, finding) -> None:
    check = judge_movement(movement, BEFORE, BEFORE | after)
    assert check.finding is finding
    assert check.passed is (finding is Finding.RIGHT)


def test_swapped_channels_are_named() -> None:
    check = judge_movement(TROLLEY, BEFORE, BEFORE | {"hook_m": 17.0, "slew_deg": 20.0})
    assert check.instead == "slew_deg, hook_m"


def test_every_movement_is_asked_for_both_ways_under_a_name_of_its_own() -> None:
    assert len({one.name for one in MOVEMENTS}) == len(MOVEMENTS)
    signs = {key: sorted(one.sign for one in MOVEMENTS if one.key == key) for key in BEFORE}
    assert signs == {key: [-1, 1] for key in BEFORE}


def test_through_north_is_no_full_turn() -> None:
    assert judge_movement(SLEW, {"slew_deg": 359.0}, {"slew_deg": 9.0}).change == pytest.approx(10.0)
    assert judge_movement(SLEW, {"slew_deg": 1.0}, {"slew_deg": 351.0}).change == pytest.approx(-10.0)
