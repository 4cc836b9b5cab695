import numpy as np
import pytest

from gateway.parts.pit.model.water_level import WaterLevel, WellReading


def test_a_greater_depth_is_a_lower_level() -> None:
    well = WaterLevel("d", WellReading.DEPTH_M, elevation_m=4.2)
    assert well.measure(np.array([6.0])).value == pytest.approx(-1800.0)
    assert well.measure(np.array([6.5])).value - well.measure(np.array([6.0])).value == pytest.approx(-500.0)


def test_a_column_stands_on_the_probe() -> None:
    well = WaterLevel("c", WellReading.COLUMN_M, elevation_m=-10.0)
    assert well.measure(np.array([7.5])).value == pytest.approx(-2500.0)


def test_ten_metres_of_water_are_ninety_eight_kilopascals() -> None:
    well = WaterLevel("p", WellReading.PRESSURE_KPA, elevation_m=-10.0)
    assert well.measure(np.array([98.0665])).value == pytest.approx(0.0, abs=1e-6)


def test_an_absolute_probe_is_relieved_of_the_air() -> None:
    well = WaterLevel("p", WellReading.PRESSURE_KPA, elevation_m=-10.0, air_pressure_point="air")
    assert well.measure(np.array([98.0665 + 101.3, 101.3])).value == pytest.approx(0.0, abs=1e-6)
    assert np.isnan(well.measure(np.array([199.0, np.nan])).value)


@pytest.mark.parametrize("reads", list(WellReading))
def test_a_dry_probe_says_nothing(reads: WellReading) -> None:
    assert np.isnan(WaterLevel("p", reads, 0.0).measure(np.array([np.nan])).value)
