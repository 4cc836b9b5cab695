from dataclasses import asdict

import pytest

from drivers.sim.axis import Axis
from drivers.sim.crane import NORMAL_LIMIT_PCT, CraneModel, CraneTwin, LoadChart, Phase

STEP_S = 0.05
SEEDS = ["a", "b", "c"]


def run(twin: CraneTwin, seconds: float, wind_m_s: float = 4.0, step_s: float = STEP_S):
    return [twin.step(step_s, wind_m_s) for _ in range(round(seconds / step_s))]


@pytest.mark.parametrize("seed", SEEDS)
def test_twenty_minutes_of_work_stay_inside_the_machine(seed: str) -> None:
    model = CraneModel()
    for state in run(CraneTwin(seed), 1200):
        assert model.radius_min_m <= state.radius_m <= model.radius_max_m
        assert model.hook_min_m <= state.hook_m <= model.hook_max_m
        assert 0 <= state.slew_deg < 360
        assert -0.05 <= state.load_t <= 6.0
        assert 0 <= state.moment_pct < NORMAL_LIMIT_PCT
        assert 0 <= state.tilt_deg < 0.6
        assert state.motor in (0, 1)


@pytest.mark.parametrize("seed", SEEDS)
def test_drives_respect_speed_and_acceleration(seed: str) -> None:
    twin = CraneTwin(seed)
    axes = (twin.slew, twin.trolley, twin.hoist)
    before = [axis.speed for axis in axes]
    for _ in range(6000):
        twin.step(STEP_S, 4.0)
        for axis, speed in zip(axes, before, strict=True):
            assert abs(axis.speed) <= axis.speed_max + 1e-9
            assert abs(axis.speed - speed) <= 2 * axis.accel_max * STEP_S + 1e-9
        before = [axis.speed for axis in axes]


@pytest.mark.parametrize("seed", SEEDS)
def test_moment_is_the_load_over_the_rated_load(seed: str) -> None:
    chart = LoadChart()
    for state in run(CraneTwin(seed), 300):
        assert state.rated_t == pytest.approx(chart.rated_t(state.radius_m))
        assert state.moment_pct == pytest.approx(max(0.0, 100 * state.load_t / state.rated_t))


def test_a_crane_works_through_whole_lift_cycles() -> None:
    twin = CraneTwin("cycle")
    seen: list[Phase] = [twin.phase]
    lifted_t = 0.0
    for _ in range(round(1800 / STEP_S)):
        lifted_t = max(lifted_t, twin.step(STEP_S, 3.0).load_t)
        if twin.phase is not seen[-1]:
            seen.append(twin.phase)
    order = list(Phase)
    assert seen[: len(order) + 1] == [*order, Phase.TO_LOAD]
    assert len(seen) > 3 * len(order)
    assert lifted_t >= 1.0


def test_loads_of_ordinary_lifts_are_one_to_six_tonnes_and_safe_everywhere() -> None:
    chart = LoadChart()
    for number in range(300):
        lift = CraneTwin(f"lift-{number}").lift
        assert 1.0 <= lift.load_t <= 6.0
        assert lift.load_t / chart.rated_t(max(lift.from_radius_m, lift.to_radius_m)) <= 0.75


def test_the_same_seed_gives_the_same_crane_and_another_seed_another() -> None:
    first, again, other = (run(CraneTwin(seed), 60)[-1] for seed in ("x", "x", "y"))
    assert asdict(first) == asdict(again)
    assert asdict(first) != asdict(other)


def test_rated_load_falls_with_radius_from_a_flat_top() -> None:
    chart = LoadChart()
    rated = [chart.rated_t(radius_m) for radius_m in range(3, 56)]
    assert rated == sorted(rated, reverse=True)
    assert rated[0] == 6.0
    assert rated[-1] == pytest.approx(1.3, abs=0.01)


def test_wind_grows_with_height_and_leans_the_mast() -> None:
    calm, storm = CraneTwin("w"), CraneTwin("w")
    for _ in range(400):
        calm.step(STEP_S, 0.0)
        storm.step(STEP_S, 15.0)
    assert calm.state.wind_ms == 0.0
    assert 15.0 < storm.state.wind_ms < 25.0
    assert storm.state.tilt_deg > calm.state.tilt_deg + 0.1


@pytest.mark.parametrize("step_s", [0.01, 0.05, 0.13, 0.5])
def test_an_axis_reaches_its_target_and_stands_still_there(step_s: float) -> None:
    axis = Axis(0.0, speed_max=0.67, accel_max=0.25)
    positions = []
    for _ in range(round(120 / step_s)):
        axis.move(30.0, step_s)
        positions.append(axis.position)
    assert (axis.position, axis.speed) == (30.0, 0.0)
    assert max(positions) <= 30.0 + 2 * 0.25 * step_s * step_s + 0.01
