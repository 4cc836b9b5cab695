import numpy as np
import pytest

from gateway.parts.pit.model.hydrostatic_level import HydrostaticLevel

PLAIN = HydrostaticLevel("p", "r")
WARM = HydrostaticLevel("p", "r", "tp", "tr", expansion_per_c=0.0005, t0_c=20.0)


def test_a_tank_that_sinks_settles_against_the_reference() -> None:
    before = PLAIN.measure(np.array([150.0, 148.0])).value
    after = PLAIN.measure(np.array([153.0, 147.0])).value
    assert after - before == pytest.approx(4.0)


def test_what_moves_both_tanks_is_no_settlement() -> None:
    assert PLAIN.measure(np.array([145.0, 143.0])).value == PLAIN.measure(np.array([150.0, 148.0])).value


@pytest.mark.parametrize("missing", [0, 1])
def test_without_one_of_the_tanks_nothing_is_known(missing: int) -> None:
    level_mm = np.array([150.0, 148.0])
    level_mm[missing] = np.nan
    assert np.isnan(PLAIN.measure(level_mm).value)


def test_liquid_that_is_only_warmer_at_the_point_is_no_settlement() -> None:
    at_20 = WARM.measure(np.array([150.0, 150.0, 20.0, 20.0])).value
    at_30 = WARM.measure(np.array([150.0 * 1.005, 150.0, 30.0, 20.0])).value
    assert at_30 == pytest.approx(at_20)


@pytest.mark.parametrize("missing", [2, 3])
def test_a_correction_needs_both_temperatures(missing: int) -> None:
    value = np.array([150.0, 148.0, 20.0, 20.0])
    value[missing] = np.nan
    assert np.isnan(WARM.measure(value).value)


def test_without_correction_no_temperature_is_asked_for() -> None:
    assert PLAIN.inputs == ("p", "r")
    assert WARM.inputs == ("p", "r", "tp", "tr")
