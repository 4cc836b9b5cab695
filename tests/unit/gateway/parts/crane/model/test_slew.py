"""Turns of a crane: one reading fits several, and none of them is guessed."""

from math import inf, isnan, nan

import pytest

from gateway.parts.crane.model.slew import UNLIMITED_DEG, SlewTurns, Turn
from tests.fakes.tower_crane import crane

S = 1_000_000_000


def turned(turns: SlewTurns, path_deg: list[float], start_s: float = 0.0) -> Turn:
    said = Turn(nan, nan, nan)
    for i, at in enumerate(path_deg):
        said = turns.step(round((start_s + i) * S), at % 360.0)
    return said


def limited(left: float = -540.0, right: float = 540.0, clockwise: bool = True) -> SlewTurns:
    return SlewTurns(crane(slew_left_deg=left, slew_right_deg=right, slew_clockwise=clockwise))


def test_within_one_turn_the_first_reading_tells() -> None:
    assert limited(-150.0, 150.0).step(0, 30.0) == (30.0, 180.0, 120.0)
    assert limited(-150.0, 150.0).step(0, 300.0) == (-60.0, 90.0, 210.0)


def test_with_turn_and_a_half_each_way_nothing_is_known_until_only_one_turn_fits() -> None:
    turns = limited()
    assert isnan(turns.step(0, 90.0).turn_deg)
    path = [90.0 + 10.0 * i for i in range(85)]
    said = turned(turns, path[:30], 1.0)
    assert isnan(said.turn_deg)
    said = turned(turns, path[30:], 31.0)
    assert said.turn_deg == pytest.approx(570.0 - 20.0, abs=25.0)
    assert said.right_margin_deg == pytest.approx(540.0 - said.turn_deg)


def test_the_turn_is_followed_through_north_both_ways() -> None:
    turns = limited(-200.0, 200.0)
    assert turned(turns, [10.0, 350.0, 300.0, 250.0, 200.0]).turn_deg == pytest.approx(-160.0)
    assert turned(turns, [250.0, 300.0, 350.0, 10.0, 60.0], 5.0).turn_deg == pytest.approx(60.0)


def test_a_device_that_counts_turns_is_taken_at_its_word() -> None:
    turns = limited()
    assert turns.step(0, -410.0) == (-410.0, 130.0, 950.0)
    assert turns.step(S, 20.0) == (20.0, 560.0, 520.0)


def test_readings_that_rise_anticlockwise_are_turned_round() -> None:
    assert limited(-150.0, 150.0, clockwise=False).step(0, 30.0) == (-30.0, 120.0, 180.0)


def test_after_a_hole_in_which_it_might_have_turned_all_turns_are_possible_again() -> None:
    turns = limited(-300.0, 300.0)
    turns.step(0, 10.0)
    turned(turns, [10.0 + 10 * i for i in range(29)], 1.0)
    assert turns.step(30 * S, 290.0).turn_deg == pytest.approx(290.0)
    assert isnan(turns.step(50 * S, nan).turn_deg)
    assert isnan(turns.step(90 * S, 290.0).turn_deg)


def test_a_slip_ring_has_no_margins_and_one_limit_alone_tells_nothing() -> None:
    assert SlewTurns(crane()).step(0, 90.0) == (90.0, UNLIMITED_DEG, UNLIMITED_DEG)
    assert isnan(limited(-inf, 300.0).step(0, 90.0).turn_deg)


def test_a_restart_keeps_the_turn_unless_the_crane_may_have_turned_meanwhile() -> None:
    turns = limited(-300.0, 300.0)
    before = turned(turns, [10.0 * i for i in range(25)])
    assert before.turn_deg == pytest.approx(240.0)
    for after_s, known in ((30.0, True), (90.0, False)):
        again = limited(-300.0, 300.0)
        again.restore(turns.saved())
        assert isnan(again.step(round((24 + after_s) * S), 240.0).turn_deg) is not known
