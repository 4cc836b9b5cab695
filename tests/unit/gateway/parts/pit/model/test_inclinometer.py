import numpy as np
import pytest

from gateway.parts.pit.model.inclinometer import InclinometerChain, InclinometerDepth, InclinometerNode
from gateway.parts.pit.model.instrument import Defect

NODES = tuple(InclinometerNode(f"n{i}", 0.5, 10.0 - 0.5 * i) for i in range(4))
BOTTOM_FIXED = InclinometerChain(NODES)
TOP_SURVEYED = InclinometerChain(NODES, "top")
TILT_DEG = np.array([0.1, -0.05, 0.2, 0.4])
STEP_MM = 500.0 * np.sin(np.radians(TILT_DEG))


def at(chain: InclinometerChain, position: int, tilt_deg: np.ndarray, top_mm: float = np.nan) -> float:
    depth = InclinometerDepth(chain, position)
    known = {f"n{i}": tilt for i, tilt in enumerate(tilt_deg)} | {"top": top_mm}
    return depth.measure(np.array([known[point] for point in depth.inputs])).value


def test_tilts_are_summed_from_the_deepest_node_up() -> None:
    assert BOTTOM_FIXED.profile_mm(TILT_DEG) == pytest.approx(np.cumsum(STEP_MM))


def test_one_depth_is_the_profile_there() -> None:
    profile_mm = BOTTOM_FIXED.profile_mm(TILT_DEG)
    assert [at(BOTTOM_FIXED, i, TILT_DEG) for i in range(4)] == pytest.approx(list(profile_mm))


def test_a_dead_node_makes_everything_above_it_unknown_and_nothing_below() -> None:
    dead = TILT_DEG.copy()
    dead[2] = np.nan
    assert list(np.isnan(BOTTOM_FIXED.profile_mm(dead))) == [False, False, True, True]
    assert [np.isnan(at(BOTTOM_FIXED, i, dead)) for i in range(4)] == [False, False, True, True]


def test_a_depth_does_not_ask_for_what_it_does_not_rest_on() -> None:
    assert InclinometerDepth(BOTTOM_FIXED, 1).inputs == ("n0", "n1")
    assert InclinometerDepth(TOP_SURVEYED, 1).inputs == ("n2", "n3", "top")
    assert InclinometerDepth(BOTTOM_FIXED, 1).depth_m == 9.5


def test_from_a_surveyed_top_the_profile_hangs_down() -> None:
    profile_mm = TOP_SURVEYED.profile_mm(TILT_DEG, top_mm=12.0)
    assert profile_mm[3] == 12.0
    assert profile_mm[0] == pytest.approx(12.0 - STEP_MM[1:].sum())
    assert [at(TOP_SURVEYED, i, TILT_DEG, 12.0) for i in range(4)] == pytest.approx(list(profile_mm))


def test_from_a_surveyed_top_a_dead_node_hides_what_is_below_its_top() -> None:
    dead = TILT_DEG.copy()
    dead[2] = np.nan
    assert list(np.isnan(TOP_SURVEYED.profile_mm(dead, 12.0))) == [True, True, False, False]
    assert [np.isnan(at(TOP_SURVEYED, i, dead, 12.0)) for i in range(4)] == [True, True, False, False]


def test_both_ends_agree_when_the_survey_does() -> None:
    top_mm = float(BOTTOM_FIXED.profile_mm(TILT_DEG)[-1])
    assert TOP_SURVEYED.profile_mm(TILT_DEG, top_mm) == pytest.approx(BOTTOM_FIXED.profile_mm(TILT_DEG))


def test_without_the_survey_of_the_top_nothing_is_known() -> None:
    measured = InclinometerDepth(TOP_SURVEYED, 3).measure(np.array([np.nan]))
    assert np.isnan(measured.value)
    assert measured.defect is Defect.NO_SIGNAL
