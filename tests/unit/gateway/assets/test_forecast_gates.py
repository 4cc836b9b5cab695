"""Each gate of standards 7.1 closes by itself."""

import numpy as np
import pytest

from gateway.assets.creep_gates import (
    CreepGates,
    Rates,
    accelerates,
    fall_of_line,
    gates_open,
    inverse_falls,
    student_p,
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
