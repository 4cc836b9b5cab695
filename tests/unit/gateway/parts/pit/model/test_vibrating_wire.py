import numpy as np
import pytest

from gateway.parts.pit.model.instrument import Defect
from gateway.parts.pit.model.vibrating_wire import LinearSheet, PolynomialSheet, VibratingWire, digits_from_hz

SHEET = LinearSheet(g=0.05, f0_digits=9000.0)


def test_digits_are_the_square_of_the_frequency_in_thousands() -> None:
    assert digits_from_hz(3000.0) == 9000.0


@pytest.mark.parametrize("frequency_hz", [0.0, -1.0, float("nan")])
def test_a_silent_wire_says_nothing(frequency_hz: float) -> None:
    measured = VibratingWire("f", SHEET).measure(np.array([frequency_hz]))
    assert np.isnan(measured.value)
    assert measured.defect is Defect.NO_SIGNAL


def test_a_falling_frequency_is_growing_pressure_by_the_linear_sheet() -> None:
    measured = VibratingWire("f", SHEET).measure(np.array([2800.0]))
    assert measured.value == pytest.approx(0.05 * (9000.0 - 7840.0))
    assert measured.defect is Defect.NONE


def test_temperature_counts_as_the_sheet_says() -> None:
    gauge = VibratingWire("f", SHEET, "t", k=-0.2, t0_c=20.0)
    assert gauge.inputs == ("f", "t")
    assert gauge.measure(np.array([3000.0, 25.0])).value == pytest.approx(-1.0)


def test_without_the_temperature_that_the_sheet_wants_nothing_is_known() -> None:
    gauge = VibratingWire("f", SHEET, "t", k=-0.2, t0_c=20.0)
    assert np.isnan(gauge.measure(np.array([3000.0, np.nan])).value)


def test_a_sheet_without_temperature_asks_for_none() -> None:
    assert VibratingWire("f", SHEET, "t").inputs == ("f",)


def test_the_polynomial_of_the_sheet() -> None:
    gauge = VibratingWire("f", PolynomialSheet(a=-1e-6, b=-0.04, c=441.0))
    assert gauge.measure(np.array([3000.0])).value == pytest.approx(-1e-6 * 9000.0**2 - 0.04 * 9000.0 + 441.0)


def test_a_logger_that_says_digits_itself() -> None:
    gauge = VibratingWire("f", SHEET, reads_digits=True)
    assert gauge.measure(np.array([8000.0])).value == pytest.approx(50.0)
    assert np.isnan(gauge.measure(np.array([0.0])).value)
