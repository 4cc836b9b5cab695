from itertools import pairwise
from statistics import fmean, pstdev

import pytest

from drivers.sim.weather import Climate, Weather


def run(weather: Weather, seconds: float, step_s: float = 0.1):
    return [weather.step(step_s) for _ in range(round(seconds / step_s))]


@pytest.mark.parametrize("seed", ["a", "b", "c"])
def test_wind_varies_around_its_mean_and_stays_physical(seed: str) -> None:
    states = run(Weather(seed), 3600)
    wind = [state.wind_m_s for state in states]
    assert 3.0 < fmean(wind) < 6.0
    assert 0.3 < pstdev(wind) < 2.0
    assert min(wind) >= 0
    assert max(wind) < 12
    assert all(0 <= state.wind_direction_deg < 360 for state in states)
    assert all(5 <= state.humidity_pct <= 100 for state in states)


def test_gusts_are_correlated_in_time() -> None:
    wind = [state.wind_m_s for state in run(Weather("gust"), 1200)]
    jumps = pstdev([after - before for before, after in pairwise(wind)])
    assert jumps < 0.35 * pstdev(wind)


def test_the_step_does_not_change_the_climate() -> None:
    fine = pstdev(state.wind_m_s for state in run(Weather("s"), 3600, 0.05))
    coarse = pstdev(state.wind_m_s for state in run(Weather("s"), 3600, 1.0))
    assert coarse == pytest.approx(fine, rel=0.5)


def test_a_day_has_a_warm_afternoon_and_a_cool_night() -> None:
    weather = Weather("day", Climate(temperature_degc=20, temperature_swing_degc=5), day_share=0.0)
    degc = [weather.step(3600).temperature_degc for _ in range(24)]
    assert degc.index(max(degc)) in range(13, 17)
    assert degc.index(min(degc)) in range(1, 5)
    assert (max(degc), min(degc)) == (pytest.approx(25, abs=0.2), pytest.approx(15, abs=0.2))


def test_calm_air_stays_calm() -> None:
    assert {state.wind_m_s for state in run(Weather("calm", Climate(wind_mean_m_s=0)), 60)} == {0.0}
