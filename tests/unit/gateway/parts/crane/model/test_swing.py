"""Motion, load swing and side pull: figures by hand, holes, noise, restarts."""

import json
from math import atan, degrees, exp, isnan, nan, sqrt

import pytest

from gateway.parts.crane.model.motion import UNKNOWN, Motion, Motions
from gateway.parts.crane.model.parameters import SwingParameters
from gateway.parts.crane.model.swing import GRAVITY_M_S2, LoadSwing, SidePull, swing_bound_deg

S = 1_000_000_000
STILL = Motion(0.0, 0.0, 0.0, 0.0, 0.0, 2.0)


def moved(motions: Motions, seconds: float, start_s: float = 0.0, **speeds: float) -> Motion:
    """Radius 20 m, bearing 350 deg, hook 30 m at 0 s, moving at these speeds (m/s, deg/s), read at 10 Hz."""
    said = UNKNOWN
    for i in range(round(seconds * 10)):
        t_s = start_s + i / 10
        radius = 20.0 + speeds.get("trolley", 0.0) * t_s
        bearing = (350.0 + speeds.get("slew", 0.0) * t_s) % 360.0
        said = motions.step(round(t_s * S), radius, bearing, 30.0 + speeds.get("hoist", 0.0) * t_s)
    return said


def test_speeds_are_known_when_the_span_is_full_and_through_north() -> None:
    motions = Motions(2.0)
    assert isnan(moved(motions, 1.5, trolley=0.5).trolley_m_s)
    said = moved(motions, 10, 1.5, trolley=0.5, slew=3.0, hoist=-0.25)
    assert said.trolley_m_s == pytest.approx(0.5)
    assert said.slew_deg_s == pytest.approx(3.0)
    assert said.hoist_m_s == pytest.approx(-0.25)
    assert said.trolley_change_m_s == pytest.approx(0.0, abs=1e-9)
    assert said.tangent_change_m_s == pytest.approx(0.0, abs=1e-9)


def test_a_start_shows_as_a_change_of_speed() -> None:
    motions = Motions(2.0)
    for i in range(80):
        t_s = i / 10
        said = motions.step(i * S // 10, 20.0 + max(0.0, t_s - 4.0) * 0.8, 0.0, 30.0)
        if t_s >= 6.3:
            break
    assert said.trolley_change_m_s == pytest.approx(0.8, abs=0.1)


def test_a_value_that_is_missing_makes_only_its_own_speed_unknown_and_a_long_hole_all() -> None:
    motions = Motions(2.0)
    moved(motions, 10)
    said = motions.step(11 * S, 20.0, nan, 30.0)
    assert isnan(said.slew_deg_s)
    assert said.trolley_m_s == 0.0
    assert motions.step(30 * S, 20.0, 350.0, 30.0) == pytest.approx(UNKNOWN, nan_ok=True)


def test_motion_goes_on_after_a_restart() -> None:
    one, other = Motions(2.0), Motions(2.0)
    for motions in (one, other):
        moved(motions, 5, trolley=0.3, slew=1.0)
    kept = json.loads(json.dumps(other.saved()))
    other = Motions(2.0)
    other.restore(kept)
    assert moved(one, 5, 5, trolley=0.9) == moved(other, 5, 5, trolley=0.9)


def test_the_swing_of_a_slow_start_is_twice_a_over_g_and_of_a_quick_one_bounded_by_the_speed() -> None:
    assert swing_bound_deg(1.0, 10.0, nan) == pytest.approx(degrees(2 * 0.1 / GRAVITY_M_S2))
    assert swing_bound_deg(1.0, 10.0, 40.0) == pytest.approx(degrees(2 * 0.1 / GRAVITY_M_S2))
    assert swing_bound_deg(1.0, 0.5, 20.0) == pytest.approx(degrees(1 / sqrt(GRAVITY_M_S2 * 20.0)))
    assert swing_bound_deg(-1.0, 0.5, 20.0) == swing_bound_deg(1.0, 0.5, 20.0)


def test_a_swing_dies_down_and_a_larger_one_takes_its_place() -> None:
    swing = LoadSwing(SwingParameters(decay_s=60.0))
    first = swing.step(0, STILL._replace(trolley_change_m_s=0.5), True, 30.0)
    assert first > 1.0
    assert swing.step(60 * S, STILL, True, 30.0) == pytest.approx(first * exp(-1))
    assert swing.step(61 * S, STILL._replace(tangent_change_m_s=0.8), True, 30.0) > first


@pytest.mark.parametrize(
    ("motion", "loaded"), [(UNKNOWN, True), (STILL, None), (STILL._replace(tangent_change_m_s=nan), True)]
)
def test_a_swing_is_not_known_without_load_or_motion(motion: Motion, loaded: bool | None) -> None:
    assert isnan(LoadSwing(SwingParameters()).step(0, motion, loaded, 30.0))


def test_an_empty_hook_swings_nothing() -> None:
    assert LoadSwing(SwingParameters()).step(0, UNKNOWN, False, nan) == 0.0


def pulled(way_m: float, hook_rise_m: float, load_t: float, seconds: float = 2.0) -> float:
    """The largest lean while the load rises from 0 over some seconds, the trolley going its way at once."""
    pull, worst = SidePull(SwingParameters()), 0.0
    for i in range(40):
        share = min(max(i / 10 - 1.0, 0.0) / seconds, 1.0)
        place = (20.0 + way_m * share, 90.0, 5.0 + hook_rise_m * share)
        lean = pull.step(i * S // 10, load_t * share, place, 40.0)
        worst = max(worst, 0.0 if isnan(lean) else lean)
    return worst


def test_a_load_that_is_dragged_leans_by_its_way_over_the_rope() -> None:
    assert pulled(4.0, 0.0, 2.0) == pytest.approx(degrees(atan(4.0 / 40.0)), abs=0.2)


@pytest.mark.parametrize(("way_m", "hook_rise_m", "load_t"), [(0.0, 0.0, 3.0), (4.0, 0.0, 0.3), (4.0, 3.0, 2.0)])
def test_lifting_off_travelling_and_hoisting_are_no_side_pull(way_m: float, hook_rise_m: float, load_t: float) -> None:
    assert pulled(way_m, hook_rise_m, load_t) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_side_pull_is_not_known_without_its_place(missing: int) -> None:
    pull = SidePull(SwingParameters())
    for i in range(30):
        place = [20.0, 90.0, 5.0]
        place[missing] = nan
        assert isnan(pull.step(i * S // 10, 1.0, (place[0], place[1], place[2]), 40.0))
