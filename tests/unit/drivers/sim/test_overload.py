from itertools import pairwise

import pytest

from drivers.sim.crane import CraneTwin
from drivers.sim.overload import OverloadProfile

STEP_S = 0.05
CASES = [(seed, before_s) for seed in ("a", "b", "c", "d") for before_s in (0.0, 3.0, 17.5, 40.0, 71.0, 118.0)]


def crossings(series: list[float], limit: float) -> list[str]:
    return [
        "up" if after >= limit else "down"
        for before, after in pairwise(series)
        if (before >= limit) != (after >= limit)
    ]


def injected(seed: str, before_s: float, duration_s: float = 6.0, peak_pct: float = 115.0) -> list[float]:
    """Moment from just before the injection until half a minute after it."""
    twin = CraneTwin(seed)
    for _ in range(round(before_s / STEP_S)):
        twin.step(STEP_S, 5.0)
    series = [twin.state.moment_pct]
    twin.overload(peak_pct, duration_s)
    for _ in range(round((duration_s + 30) / STEP_S)):
        series.append(twin.step(STEP_S, 5.0).moment_pct)
    assert not twin.overloaded
    return series


@pytest.mark.parametrize(("seed", "before_s"), CASES)
def test_each_limit_is_crossed_once_each_way(seed: str, before_s: float) -> None:
    series = injected(seed, before_s)
    for limit in (90.0, 100.0, 110.0):
        assert crossings(series, limit) == ["up", "down"]
    assert 112.0 <= max(series) <= 118.0
    assert series[-1] < 80.0


@pytest.mark.parametrize("duration_s", [2.0, 3.5, 6.0, 20.0])
@pytest.mark.parametrize("base_pct", [0.0, 40.0, 79.0])
def test_the_moment_is_at_or_above_the_limit_as_long_as_ordered(duration_s: float, base_pct: float) -> None:
    profile = OverloadProfile(base_pct, 113.0, 0.0, duration_s)
    step_s = 0.001
    above = sum(profile.at(i * step_s) >= 100 for i in range(round(profile.total_s / step_s)))
    assert above * step_s == pytest.approx(duration_s, abs=0.01)


@pytest.mark.parametrize("peak_pct", [112.6, 115.0, 117.4])
def test_plateau_stays_in_its_band_and_ramps_are_monotone(peak_pct: float) -> None:
    profile = OverloadProfile(30.0, peak_pct, 50.0, 6.0)
    at = [profile.at(i * 0.01) for i in range(round(profile.total_s / 0.01) + 1)]
    rise = at[: round(profile.ramp_s / 0.01)]
    fall = at[-round(profile.ramp_s / 0.01) :]
    assert rise == sorted(rise)
    assert fall == sorted(fall, reverse=True)
    assert all(112.0 <= value <= 118.0 for value in at[len(rise) : -len(fall)])


def test_the_register_agrees_with_load_and_chart_during_an_overload() -> None:
    twin = CraneTwin("agree")
    twin.overload(116.0, 5.0)
    for _ in range(60):
        state = twin.step(STEP_S, 5.0)
        assert state.moment_pct == pytest.approx(100 * state.load_t / state.rated_t)


def test_drives_stand_still_once_overloaded_and_work_resumes_afterwards() -> None:
    twin = CraneTwin("brake")
    for _ in range(200):
        twin.step(STEP_S, 5.0)
    twin.overload(115.0, 20.0)
    for _ in range(round(15 / STEP_S)):
        twin.step(STEP_S, 5.0)
    assert [axis.moving for axis in (twin.slew, twin.trolley, twin.hoist)] == [False] * 3
    moved = False
    for _ in range(round(60 / STEP_S)):
        twin.step(STEP_S, 5.0)
        moved = moved or twin.slew.moving
    assert moved


def test_a_second_overload_on_top_is_refused() -> None:
    twin = CraneTwin("twice")
    twin.overload(115.0, 5.0)
    with pytest.raises(ValueError, match="one is under way"):
        twin.overload(115.0, 5.0)


@pytest.mark.parametrize(
    ("base_pct", "peak_pct", "duration_s", "words"),
    [(101.0, 115.0, 5.0, "base and back below 100"), (50.0, 99.0, 5.0, "peak above"), (50.0, 115.0, 0.5, "at least 2")],
)
def test_an_impossible_course_is_refused(base_pct: float, peak_pct: float, duration_s: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        OverloadProfile(base_pct, peak_pct, 0.0, duration_s)
