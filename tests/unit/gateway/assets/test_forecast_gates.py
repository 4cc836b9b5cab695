"""Each gate of standards 7.1 closes by itself."""

from dataclasses import replace

import numpy as np
import pytest

from gateway.assets.creep_gates import (
    CreepGates,
    Rates,
    gates_open,
    inverse_fall_sigmas,
    lasting_sigmas,
    outruns,
    still_growing,
)
from gateway.assets.trend_track import Series
from tests.fakes.creep import Creep, Floats

GATES = CreepGates()
CREEP = Creep(2.0, 1.0, 0.0, 20.0)


def series(t_d: Floats, x_mm: Floats) -> Series:
    return Series(t_d, x_mm, np.ones(len(t_d)), np.zeros(len(t_d)), np.zeros(len(t_d)))


def creep(count: int = 18, scale: float = 1.0) -> Series:
    t_d = np.arange(float(count))
    return series(t_d, scale * CREEP.displacement_mm(t_d))


def rates(*mm_d: float, error_mm_d: float = 0.01) -> Rates:
    return Rates(np.arange(float(len(mm_d))), np.array(mm_d), np.full(len(mm_d), error_mm_d))


def test_open_for_clean_creep() -> None:
    assert gates_open(creep(), 0.05, 1.0, GATES)


@pytest.mark.parametrize(("count", "expected"), [(7, False), (8, True)])
def test_the_least_number_of_readings(count: int, expected: bool) -> None:
    t_d = np.arange(float(count)) + 10.0
    few = replace(GATES, readings=8)
    assert gates_open(series(t_d, CREEP.displacement_mm(t_d)), 0.001, 1.0, few) is expected


def test_an_acceleration_of_the_last_three_windows_has_not_lasted() -> None:
    t_d = np.arange(18.0)
    burst = series(t_d, t_d + np.maximum(t_d - 14.5, 0) ** 2)
    assert lasting_sigmas(burst, 0.1, 3.0) == pytest.approx(0, abs=1e-6)
    assert not gates_open(burst, 0.1, 1.0, GATES)
    assert lasting_sigmas(creep(), 0.1, 3.0) > GATES.curved_sigmas


def test_the_inverse_must_fall_by_more_than_its_error() -> None:
    line = 1 / np.linspace(1.0, 0.2, 8)
    assert inverse_fall_sigmas(rates(*line)) > GATES.fall_sigmas
    assert inverse_fall_sigmas(rates(*line[::-1])) < 0
    assert abs(inverse_fall_sigmas(rates(*line, error_mm_d=9.0))) < GATES.fall_sigmas


def test_slow_rates_of_long_ago_hardly_count() -> None:
    """Their inverse is nearly noise: 0.1 and 0.3 mm/d read with 0.2 mm/d of error are 10 and 3.3 d/mm."""
    line = 1 / np.linspace(1.0, 0.2, 8)
    wild, calm = rates(0.1, 0.9, *line, error_mm_d=0.2), rates(0.9, 0.9, *line, error_mm_d=0.2)
    assert inverse_fall_sigmas(wild) == pytest.approx(inverse_fall_sigmas(calm), rel=0.2)


def test_rates_that_are_not_positive_have_no_inverse() -> None:
    line = 1 / np.linspace(1.0, 0.2, 8)
    assert inverse_fall_sigmas(rates(-1.0, -1.0, *line)) > GATES.fall_sigmas
    assert inverse_fall_sigmas(rates(*line, -9.0)) == 0
    assert inverse_fall_sigmas(rates(1.0, 2.0, 3.0)) == 0


def test_a_movement_past_its_fastest_has_stopped_growing() -> None:
    assert still_growing(rates(1.0, 2.0, 3.0), 0.5)
    assert not still_growing(rates(1.0, 3.0, 2.0), 0.5)
    assert still_growing(rates(1.0, 2.1, 2.0, error_mm_d=0.3), 0.5)
    assert not still_growing(rates(3.0), 0.5)


def test_a_speed_that_was_survived_is_no_sign_of_failure() -> None:
    t_d = np.arange(40.0)
    storm = 9.0 * np.clip(t_d - 5, 0, 6)
    late = np.where(t_d > 22, CREEP.displacement_mm(np.maximum(t_d - 22, 0.0)), 0.0)
    calm = series(t_d, late)
    stormy = series(t_d, storm + late)
    assert outruns(calm, calm.since(22.0), 1.0, GATES)
    assert not outruns(stormy, stormy.since(22.0), 1.0, GATES)
