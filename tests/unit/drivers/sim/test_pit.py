from statistics import fmean

import pytest

from drivers.sim.pit import PitModel, PitTwin

DAY_S = 86_400.0


def days(twin: PitTwin, count: int, step_s: float = 3600.0):
    return [twin.step(step_s, 20.0) for _ in range(round(count * DAY_S / step_s))]


def test_the_wall_creeps_inwards_by_its_daily_rate() -> None:
    states = days(PitTwin("creep", PitModel(wall_top_mm=10.0, wall_mm_d=0.5)), 20)
    first, last = (fmean(state.wall_top_h for state in part) for part in (states[:24], states[-24:]))
    assert last - first == pytest.approx(0.5 * 19, abs=0.4)


def test_everything_around_follows_the_wall_and_the_struts_take_load() -> None:
    states = days(PitTwin("follow"), 30)
    for key in ("deep_h", "ground_settlement", "building_settlement", "strut_force_kn", "building_tilt_permille"):
        first, last = (fmean(getattr(state, key) for state in part) for part in (states[:24], states[-24:]))
        assert last > first


def test_digging_stops_at_the_final_depth_and_the_creep_slows() -> None:
    twin = PitTwin("deep", PitModel(excavated_m=11.9, final_depth_m=12.0, wall_mm_d=1.0))
    states = days(twin, 11)
    assert states[-1].excavated_m == pytest.approx(12.0)
    first, last = (fmean(state.wall_top_h for state in part) for part in (states[24:48], states[-24:]))
    assert last - first < 0.5 * 9


def test_accelerate_runs_pit_time_faster_than_the_clock() -> None:
    slow, fast = PitTwin("a", PitModel()), PitTwin("a", PitModel(accelerate=8640.0))
    for _ in range(100):
        slow.step(1.0, 20.0)
        fast.step(1.0, 20.0)
    assert slow.state.wall_top_h == pytest.approx(18.0, abs=0.3)
    assert fast.state.wall_top_h == pytest.approx(18.0 + 10 * 0.4, abs=0.5)


@pytest.mark.parametrize("seed", ["a", "b", "c"])
def test_a_season_stays_believable(seed: str) -> None:
    for state in days(PitTwin(seed), 90):
        assert 15 < state.wall_top_h < 60
        assert -300 < state.water_level_mm < 0
        assert 1500 < state.strut_force_kn < 4000
        assert 8.0 <= state.excavated_m <= 12.0
        assert state.sensor_fault == 0
