import numpy as np
import pytest

from gateway.parts.pit.model.instrument import Defect, DirectReading
from gateway.parts.pit.model.strut_load import StrutLoad
from gateway.parts.pit.model.vibrating_wire import LinearSheet, VibratingWire

# A steel tube 609 x 16: A = 0.0298 m2, E = 206 GPa.
FOUR = StrutLoad(tuple(DirectReading(f"g{i}") for i in range(4)), modulus_gpa=206.0, area_m2=0.0298)
SHEET = LinearSheet(g=4.0, f0_digits=900.0)
WIRES = StrutLoad(
    tuple(VibratingWire(f"f{i}", SHEET, f"t{i}", k=-2.0, t0_c=20.0) for i in range(2)), modulus_gpa=206.0, area_m2=0.03
)


def test_mean_strain_times_ea() -> None:
    measured = FOUR.measure(np.array([100.0, 120.0, 80.0, 100.0]))
    assert measured.value == pytest.approx(100e-6 * 206e6 * 0.0298)
    assert measured.gauges == 4


def test_a_broken_gauge_lowers_the_count() -> None:
    measured = FOUR.measure(np.array([100.0, np.nan, 80.0, 120.0]))
    assert measured.gauges == 3
    assert measured.value == pytest.approx(100e-6 * 206e6 * 0.0298)


def test_at_the_minimum_it_is_still_a_force_and_below_it_is_none() -> None:
    assert FOUR.measure(np.array([100.0, np.nan, np.nan, 120.0])).gauges == 2
    one = FOUR.measure(np.array([100.0, np.nan, np.nan, np.nan]))
    assert np.isnan(one.value)
    assert (one.defect, one.gauges) == (Defect.TOO_FEW_GAUGES, 1)


def test_no_gauge_at_all_is_no_signal() -> None:
    assert FOUR.measure(np.full(4, np.nan)).defect is Defect.NO_SIGNAL


def test_each_gauge_is_corrected_for_its_own_temperature() -> None:
    frequency_hz = float(np.sqrt(850.0 * 1000.0))
    measured = WIRES.measure(np.array([frequency_hz, 20.0, frequency_hz, 30.0]))
    assert WIRES.inputs == ("f0", "t0", "f1", "t1")
    assert measured.value == pytest.approx((200.0 + 180.0) / 2 * 206.0 * 0.03)


def test_a_gauge_without_its_temperature_is_broken() -> None:
    frequency_hz = float(np.sqrt(850.0 * 1000.0))
    measured = WIRES.measure(np.array([frequency_hz, 20.0, frequency_hz, np.nan]))
    assert measured.defect is Defect.TOO_FEW_GAUGES
