"""Each gate of standards 7.1 closes by itself."""

import numpy as np
import pytest

from gateway.parts.pit.forecast.creep import Creeping
from gateway.parts.pit.forecast.creep_gates import (
    CreepGates,
    Rates,
    accelerates,
    fall_of_line,
    fits,
    gates_open,
    inverse_fall_sigmas,
    inverse_falls,
    newest_sigmas,
    outruns,
    seldom_gates_open,
    student_p,
)
from gateway.parts.pit.forecast.trend_track import Series
from tests.fakes.creep import Creep, Floats

GATES = CreepGates()
CREEP = Creep(2.0, 1.0, 0.0, 20.0)


def series(t_d: Floats, x_mm: Floats) -> Series:
    return Series(t_d, x_mm, np.ones(len(t_d)), np.zeros(len(t_d)), np.zeros(len(t_d)))


def creep(count: int = 18, scale: float = 1.0) -> Series:
    t_d = np.arange(float(count))
    return series(t_d, scale * CREEP.displacement_mm(t_d))


def rates(*mm_d: float) -> Rates:
    return Rates(np.arange(float(len(mm_d))), np.array(mm_d), np.full(len(mm_d), 0.01))


def test_open_for_clean_creep() -> None:
    assert gates_open(creep(), 0.05, GATES)


@pytest.mark.parametrize(("count", "expected"), [(5, False), (6, True)])
def test_six_readings_are_the_least(count: int, expected: bool) -> None:
    t_d = np.arange(float(count)) + 12.0
    assert gates_open(series(t_d, CREEP.displacement_mm(t_d)), 0.001, GATES) is expected


def test_closed_below_half_a_millimetre_a_day() -> None:
    last = np.diff(creep().x_mm[-5:]).mean()
    assert gates_open(creep(scale=0.7 / last), 1e-4, GATES)
    assert not gates_open(creep(scale=0.2 / last), 1e-4, GATES)


def test_closed_within_three_sigma() -> None:
    assert not gates_open(creep(), 20.0, GATES)


def test_three_rises_of_the_short_mean_are_needed() -> None:
    assert accelerates(rates(1, 1, 1.2, 1.5, 2.0), GATES)
    assert not accelerates(rates(1, 1.6, 1.2, 1.3, 2.0), GATES)
    assert not accelerates(rates(1, 1, 1, 1, 1), GATES)


def test_the_inverse_must_fall_on_a_line() -> None:
    line = 1 / np.linspace(1.0, 0.2, 8)
    assert inverse_falls(rates(*line), GATES)
    assert not inverse_falls(rates(*line[::-1]), GATES)
    assert not inverse_falls(rates(1.0, 3.0, 1.1, 2.9, 1.0, 3.1, 1.2, 3.0), GATES)


def test_rates_that_are_not_positive_have_no_inverse() -> None:
    line = 1 / np.linspace(1.0, 0.2, 8)
    assert inverse_falls(rates(-1.0, -1.0, *line), GATES)
    assert not inverse_falls(rates(*line, -9.0), GATES)


def test_a_line_through_too_few_points_has_no_p() -> None:
    assert np.isnan(fall_of_line(np.arange(3.0), np.arange(3.0)).p_value)


@pytest.mark.parametrize(("freedom", "t_value"), [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (10, 2.228)])
def test_student_against_the_printed_table(freedom: int, t_value: float) -> None:
    assert student_p(t_value, freedom) == pytest.approx(0.05, abs=5e-5)


def creeping(readings: Series, sigma_mm: float = 0.1, noise_mm: float = 0.1) -> Creeping:
    return Creeping(readings, sigma_mm, noise_mm, len(readings))


def test_seldom_gates_open_for_clean_creep_and_for_points_that_are_too_noisy_alone() -> None:
    assert seldom_gates_open(creep(), [creeping(creep())], 1.0, GATES)
    noisy = [creeping(creep(), 1.6, 1.6) for _ in range(4)]
    assert not seldom_gates_open(creep(), noisy[:1], 1.0, GATES)
    assert seldom_gates_open(creep(), noisy, 1.0, GATES)


def test_an_acceleration_of_the_last_three_windows_has_not_lasted() -> None:
    t_d = np.arange(18.0)
    burst = series(t_d, t_d + np.maximum(t_d - 14.5, 0) ** 2)
    assert not seldom_gates_open(burst, [creeping(burst)], 1.0, GATES)


def test_slow_rates_of_long_ago_hardly_count() -> None:
    """Their inverse is nearly noise: 0.1 and 0.3 mm/d read with 0.2 mm/d of error are 10 and 3.3 d/mm."""
    line = 1 / np.linspace(1.0, 0.2, 8)

    def falls(*mm_d: float) -> float:
        return inverse_fall_sigmas(Rates(np.arange(float(len(mm_d))), np.array(mm_d), np.full(len(mm_d), 0.2)))

    assert falls(0.1, 0.9, *line) == pytest.approx(falls(0.9, 0.9, *line), rel=0.2)
    assert falls(*line[::-1]) < 0
    assert falls(*line, -9.0) == falls(1.0, 2.0, 3.0) == 0


def test_a_movement_past_its_fastest_has_stopped_growing() -> None:
    assert newest_sigmas(rates(1.0, 2.0, 3.0)) == pytest.approx(100)
    assert newest_sigmas(rates(1.0, 3.0, 2.0)) == pytest.approx(-100)
    assert newest_sigmas(rates(3.0)) == -np.inf


def test_a_speed_that_was_survived_is_no_sign_of_failure() -> None:
    t_d = np.arange(40.0)
    late = np.where(t_d > 22, CREEP.displacement_mm(np.maximum(t_d - 22, 0.0)), 0.0)
    calm, stormy = series(t_d, late), series(t_d, 9.0 * np.clip(t_d - 5, 0, 6) + late)
    assert outruns(calm, creeping(calm.since(22.0)), 1.0, GATES)
    assert not outruns(stormy, creeping(stormy.since(22.0)), 1.0, GATES)


def test_a_speed_that_noise_may_have_made_was_not_survived() -> None:
    t_d = np.arange(24.0)
    bumpy = series(t_d, 0.2 * t_d + np.where(t_d == 6, 4.0, 0.0) + np.maximum(t_d - 12, 0.0) ** 1.5)
    assert outruns(bumpy, creeping(bumpy.since(12.0), 2.5, 2.5), 1.0, GATES)
    assert not outruns(bumpy, creeping(bumpy.since(12.0), 0.1, 0.1), 1.0, GATES)


def test_a_law_that_leaves_more_than_the_readings_disagree_is_wrong() -> None:
    assert fits([creeping(creep(), 0.19, 0.1)], GATES)
    assert not fits([creeping(creep(), 0.2, 0.1)], GATES)
