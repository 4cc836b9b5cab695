"""What a series does: noise, rate, growth, distance to the limit; and what ground does not do."""

from math import isnan, nan

import numpy as np
import pytest

from gateway.parts.pit.forecast.trend import (
    curvature_sigmas,
    days_to_limit,
    mann_kendall_p,
    moving_mean,
    noise_mm,
    non_convergence_ratio,
    slope,
    tangent_deg,
    window_means,
)
from gateway.parts.pit.forecast.trend_breaks import steps, without_spikes
from gateway.parts.pit.forecast.trend_track import Series, Track

T = np.arange(0.0, 40.0, 0.5)
ONE = np.ones(len(T))


def noisy(sigma_mm: float = 0.2) -> np.ndarray:
    return 1.5 * T + np.random.default_rng(8).normal(0, sigma_mm, len(T))


def series(x_mm: np.ndarray) -> Series:
    return Series(T, x_mm, ONE, np.sin(2 * np.pi * T), np.cos(2 * np.pi * T))


def test_noise_sees_neither_the_movement_nor_a_step() -> None:
    assert noise_mm(T, noisy(), ONE) == pytest.approx(0.2, rel=0.25)
    assert noise_mm(T, noisy() + 50 * (T > 20), ONE) == pytest.approx(0.2, rel=0.3)
    assert isnan(noise_mm(T[:4], T[:4], ONE[:4]))


def test_a_slope_is_off_by_its_error() -> None:
    rate = slope(T, noisy(), ONE, 0.2)
    assert abs(rate.mm_d - 1.5) < 3 * rate.error_mm_d < 0.02
    assert isnan(slope(T[:1], T[:1], ONE[:1], 0.2).mm_d)


def test_an_unknown_rate_exceeds_nothing() -> None:
    assert not slope(T[:1], T[:1], ONE[:1], 0.2).exceeds(0.0, 0.0)


def test_curvature_has_a_direction() -> None:
    assert curvature_sigmas(T, 0.01 * T**2 + noisy(), ONE, 0.2) > 5
    assert curvature_sigmas(T, noisy() - 0.01 * T**2, ONE, 0.2) < -5
    assert abs(curvature_sigmas(T, noisy(), ONE, 0.2)) < 3


def test_windows_are_counted_back_from_the_last_reading() -> None:
    at_d, mean_mm, weight = window_means(T, T, ONE, 10.0)
    assert list(weight) == [20, 20, 20, 20]
    assert list(at_d) == list(mean_mm) == [4.75, 14.75, 24.75, 34.75]


def test_a_hole_is_no_window() -> None:
    keep = (T < 10) | (T >= 20)
    at_d, *_ = window_means(T[keep], T[keep], ONE[keep], 10.0)
    assert len(at_d) == 3


def test_moving_mean_needs_its_width() -> None:
    assert list(moving_mean(np.array([1.0, 2.0, 4.0]), 2)) == [1.5, 3.0]
    assert len(moving_mean(np.array([1.0]), 2)) == 0


def test_mann_kendall_by_hand() -> None:
    """Four rising values: S = 6, variance 26/3, z = 5 / 2.944."""
    assert mann_kendall_p(np.array([1.0, 2.0, 3.0, 4.0])) == pytest.approx(0.0447, abs=1e-3)
    assert mann_kendall_p(np.array([4.0, 3.0, 2.0, 1.0])) > 0.95
    assert mann_kendall_p(np.array([1.0, 1.0, 1.0, 1.0])) == 0.5
    assert isnan(mann_kendall_p(np.array([1.0, 2.0, 3.0])))


@pytest.mark.parametrize(("rate", "steady", "angle"), [(1.0, 1.0, 45.0), (0.0, 1.0, 0.0), (11.43, 1.0, 85.0)])
def test_tangent_angle(rate: float, steady: float, angle: float) -> None:
    assert tangent_deg(rate, steady) == pytest.approx(angle, abs=0.01)


@pytest.mark.parametrize(("rate", "steady"), [(1.0, 0.0), (1.0, nan), (nan, 1.0)])
def test_no_tangent_without_both_rates(rate: float, steady: float) -> None:
    assert isnan(tangent_deg(rate, steady))


@pytest.mark.parametrize(
    ("displacement", "rate", "limit", "days"),
    [
        (20.0, 2.0, 30.0, 5.0),
        (-20.0, -2.0, 30.0, 5.0),
        (20.0, -2.0, 30.0, 25.0),
        (31.0, -9.0, 30.0, 0.0),
        (0.0, 0.0, 30.0, 999.0),
        (0.0, 1e-9, 30.0, 999.0),
        (30.0, nan, 30.0, 0.0),
    ],
)
def test_days_to_limit(displacement: float, rate: float, limit: float, days: float) -> None:
    assert days_to_limit(displacement, rate, limit) == pytest.approx(days)


@pytest.mark.parametrize(("displacement", "rate", "limit"), [(nan, 1.0, 30.0), (1.0, nan, 30.0), (1.0, 1.0, nan)])
def test_days_to_limit_are_not_known(displacement: float, rate: float, limit: float) -> None:
    assert isnan(days_to_limit(displacement, rate, limit))


def test_non_convergence() -> None:
    assert non_convergence_ratio(1.2, 1.0) == 1.2
    assert isnan(non_convergence_ratio(1.2, 0.0))
    assert isnan(non_convergence_ratio(nan, 1.0))


def test_a_spike_is_taken_out_but_not_the_last_reading() -> None:
    x_mm = noisy(0.05)
    x_mm[30] -= 5
    x_mm[-1] += 5
    cleaned = without_spikes(series(x_mm), 0.05)
    assert len(cleaned) == len(T) - 1
    assert cleaned.x_mm[-1] == x_mm[-1]


def test_steps_are_found_where_they_are_and_acceleration_is_none() -> None:
    x_mm = noisy(0.05) + 4 * (T >= 10) - 7 * (T >= 25)
    assert steps(series(x_mm), 0.05) == [20, 50]
    assert steps(series(noisy(0.05) + np.exp(T / 8)), 0.05) == []


def test_a_track_keeps_means_and_thins_by_age() -> None:
    track = Track()
    t_d = np.arange(0.0, 80.0, 1 / 24)
    for t in t_d:
        track.add(float(t), 3.0 * float(t))
    kept = track.series()
    assert np.allclose(kept.x_mm, 3.0 * kept.t_d)
    assert kept.t_d[0] > 79 - 62
    assert len(kept) < 160
    assert np.all(np.diff(kept.t_d) > 0)
    assert np.abs(kept.sine[:20]).max() < 0.05
