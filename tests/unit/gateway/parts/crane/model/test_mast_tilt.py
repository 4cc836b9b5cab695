"""Mast tilt: only like is compared with like; drift as a vector, and what several sectors say of its cause."""

import json
from math import atan, degrees, isnan, nan

import pytest

from gateway.parts.crane.model.mast_tilt import Baseline, Circumstances, DriftCause, Lean, MastTilt, Tilt
from gateway.parts.crane.model.parameters import TiltParameters
from tests.fakes.tower_crane import tuned

S = 1_000_000_000
CALM = Circumstances(bearing_deg=10.0, slew_deg_s=0.0, wind_10min_m_s=2.0, loaded=False)
PARAMETERS = TiltParameters(baseline_samples=5, smoothing_samples=2, sectors=8)


def deg(permille: float) -> float:
    return degrees(atan(permille / 1000.0))


class Mast:
    """One mast's tilt in permille, step by step; time is in seconds."""

    def __init__(self, two_axes: bool = True, **described: float) -> None:
        crane = tuned(tilt=PARAMETERS)
        for name, value in described.items():
            object.__setattr__(crane, name, value)
        self.crane, self.two_axes = crane, two_axes
        self.tilt = MastTilt(crane, two_axes)
        self.t_s = 0.0
        self.baselines: list[Baseline] = []

    def run(self, seconds: float, x: float, y: float = 0.0, around: Circumstances = CALM) -> Tilt:
        said = Tilt(nan, nan, nan, nan)
        for _ in range(round(seconds)):
            self.t_s += 1.0
            said = self.tilt.step(round(self.t_s * S), deg(x), deg(y), around)
            if self.tilt.baseline is not None:
                self.baselines.append(self.tilt.baseline)
        return said

    def restart(self) -> None:
        kept = json.loads(json.dumps(self.tilt.saved()))
        self.tilt = MastTilt(self.crane, self.two_axes)
        self.tilt.restore(kept)


def test_the_tilt_is_the_resultant_in_permille() -> None:
    said = Mast().run(1, 3.0, 4.0)
    assert said.permille == pytest.approx(5.0)
    assert isnan(said.drift_permille)
    assert isnan(Mast().run(1, 3.0, nan).permille)


def test_the_first_settled_samples_are_the_baseline_and_the_drift_counts_from_it() -> None:
    mast = Mast()
    mast.run(30, 1.0, 1.0)
    assert mast.baselines == []
    said = mast.run(45, 1.0, 1.0)
    (baseline,) = mast.baselines
    assert (baseline.sector, baseline.samples) == (0, 5)
    assert baseline.lean == pytest.approx(Lean(1.0, 1.0))
    assert baseline.scatter_permille == pytest.approx(0.0, abs=1e-9)
    assert isnan(said.drift_permille)
    said = mast.run(25, 1.0, 1.0)
    assert said.drift_permille == pytest.approx(0.0, abs=1e-9)


def test_the_drift_is_a_vector_and_says_where_the_top_went() -> None:
    """The sensor's +x axis points north: x 3 permille more is 3 to the north, y 4 more is 4 to the east."""
    mast = Mast()
    mast.run(75, 1.0, 1.0)
    said = mast.run(40, 4.0, 5.0)
    assert said.drift_permille == pytest.approx(5.0, abs=1e-6)
    assert said.drift_bearing_deg == pytest.approx(degrees(atan(4 / 3)), abs=1e-6)


def test_the_axis_of_the_sensor_turns_the_bearing() -> None:
    mast = Mast(tilt_axis_deg=90.0)
    mast.run(75, 1.0)
    assert mast.run(40, 3.0).drift_bearing_deg == pytest.approx(90.0)


@pytest.mark.parametrize(
    "around",
    [
        CALM._replace(loaded=True),
        CALM._replace(loaded=None),
        CALM._replace(wind_10min_m_s=3.1),
        CALM._replace(wind_10min_m_s=nan),
        CALM._replace(slew_deg_s=0.2),
        CALM._replace(slew_deg_s=nan),
    ],
)
def test_at_work_in_wind_or_unknown_nothing_is_compared(around: Circumstances) -> None:
    mast = Mast()
    assert isnan(mast.run(600, 9.0, around=around).drift_permille)
    assert mast.baselines == []


def test_it_must_be_calm_for_a_while_first() -> None:
    mast = Mast()
    for _ in range(40):
        mast.run(29, 1.0)
        mast.run(1, 1.0, around=CALM._replace(loaded=True))
    assert mast.baselines == []


def test_a_hole_is_not_calm() -> None:
    mast = Mast()
    for _ in range(40):
        mast.run(20, 1.0)
        mast.t_s += 60.0
    assert mast.baselines == []


def test_each_sector_has_its_own_baseline_and_the_worst_one_speaks() -> None:
    mast = Mast()
    north, south = CALM, CALM._replace(bearing_deg=190.0)
    mast.run(75, 1.0, around=north)
    mast.run(75, -1.0, around=south)
    assert [baseline.sector for baseline in mast.baselines] == [0, 4]
    mast.run(40, 3.5, around=north)
    assert mast.run(40, -1.0, around=south).drift_permille == pytest.approx(2.5, abs=1e-6)


def test_a_drift_is_forgotten_when_nothing_settled_was_seen_for_six_hours() -> None:
    mast = Mast()
    mast.run(75, 1.0)
    assert mast.run(40, 3.0).drift_permille == pytest.approx(2.0, abs=1e-6)
    busy = CALM._replace(loaded=True)
    assert not isnan(mast.run(1, 3.0, around=busy).drift_permille)
    mast.t_s += 21_700
    assert isnan(mast.run(1, 3.0, around=busy).drift_permille)


@pytest.mark.parametrize("turning", [False, True])
def test_a_drift_that_turns_with_the_jib_is_told_from_one_that_does_not(turning: bool) -> None:
    mast = Mast()
    bearings = (10.0, 100.0, 190.0, 280.0)
    for bearing in bearings:
        mast.run(75, 0.0, around=CALM._replace(bearing_deg=bearing))
    said = Tilt(nan, nan, nan, nan)
    for bearing in bearings:
        along = {10.0: (2.0, 0.0), 100.0: (0.0, 2.0), 190.0: (-2.0, 0.0), 280.0: (0.0, -2.0)}[bearing]
        x, y = along if turning else (2.0, 0.0)
        said = mast.run(40, x, y, CALM._replace(bearing_deg=bearing))
    assert said.cause == (DriftCause.TURNS_WITH_JIB if turning else DriftCause.FIXED)
    assert said.drift_permille == pytest.approx(2.0, abs=1e-6)


def test_a_single_value_has_a_drift_and_no_direction() -> None:
    mast = Mast(two_axes=False)
    mast.run(75, -1.0)
    said = mast.run(40, -3.0)
    assert said.drift_permille == pytest.approx(2.0, abs=1e-6)
    assert isnan(said.drift_bearing_deg)
    assert isnan(said.cause)


def test_a_single_value_that_leans_the_other_way_has_drifted_by_both() -> None:
    mast = Mast(two_axes=False)
    mast.run(75, 1.5)
    assert mast.run(40, -1.5).drift_permille == pytest.approx(3.0, abs=1e-6)


def test_learning_anew_forgets_what_was() -> None:
    mast = Mast()
    mast.run(75, 1.0)
    mast.run(40, 3.0)
    mast.tilt.learn_anew()
    assert isnan(mast.run(1, 3.0).drift_permille)
    mast.run(60, 3.0)
    assert mast.run(40, 3.0).drift_permille == pytest.approx(0.0, abs=1e-9)
    assert len(mast.baselines) == 2


def test_a_restart_keeps_the_baseline_and_what_was_learnt_towards_one() -> None:
    one, other = Mast(), Mast()
    for mast in (one, other):
        mast.run(50, 1.0, 0.5)
        if mast is other:
            mast.restart()
        mast.run(70, 1.0, 0.5)
    assert one.baselines == other.baselines
    other.restart()
    assert one.run(40, 2.0, 0.5) == other.run(40, 2.0, 0.5)


def test_another_sensor_or_other_sectors_refuse_the_kept_state() -> None:
    kept = Mast().tilt.saved()
    with pytest.raises(ValueError, match="another sensor"):
        Mast(two_axes=False).tilt.restore(kept)
    with pytest.raises(ValueError, match="list"):
        MastTilt(tuned(tilt=TiltParameters(sectors=12)), True).restore(kept)
