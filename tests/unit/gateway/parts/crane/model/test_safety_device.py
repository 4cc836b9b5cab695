"""Limits that do not cut, sensors in fault, and a crane that falls silent while its motor runs."""

import json
from math import inf, isnan, nan

import numpy as np
import pytest

from gateway.parts.crane.model.parameters import SafetyParameters
from gateway.parts.crane.model.safety_device import CraneSilence, LimitUncut, Loading, sensor_fault

S = 1_000_000_000
FREE = Loading(50.0, 40.0, 20.0, 10.0, 10.0)
OVER = FREE._replace(moment_pct=108.0)


@pytest.mark.parametrize(
    ("loading", "hoist", "trolley", "uncut"),
    [
        (FREE, 0.5, 0.5, False),
        (OVER, 0.5, 0.0, True),
        (OVER, 0.0, 0.5, True),
        (OVER, -0.5, -0.5, False),
        (OVER, 0.01, 0.01, False),
        (FREE._replace(moment_pct=104.9, load_pct=104.9), 0.5, 0.5, False),
        (FREE._replace(load_pct=106.0), 0.5, 0.0, True),
        (FREE._replace(load_pct=106.0), 0.0, 0.5, False),
        (FREE._replace(hook_top_clearance_m=-0.1), 0.2, 0.0, True),
        (FREE._replace(hook_top_clearance_m=-0.1), -0.2, 0.0, False),
        (FREE._replace(radius_out_margin_m=-0.1), 0.0, 0.2, True),
        (FREE._replace(radius_in_margin_m=-0.1), 0.0, -0.2, True),
        (FREE._replace(radius_in_margin_m=-0.1), 0.0, 0.2, False),
    ],
)
def test_a_motion_beyond_its_limit_counts_seconds(loading: Loading, hoist: float, trolley: float, uncut: bool) -> None:
    limits = LimitUncut(SafetyParameters())
    assert limits.step(0, loading, hoist, trolley, 1.0) == 0.0
    assert limits.step(2 * S, loading, hoist, trolley, 1.0) == (2.0 if uncut else 0.0)


def test_it_begins_anew_when_the_motion_stops_or_the_motor_is_off() -> None:
    limits = LimitUncut(SafetyParameters())
    limits.step(0, OVER, 0.5, 0.0, 1.0)
    assert limits.step(3 * S, OVER, 0.5, 0.0, 1.0) == 3.0
    assert limits.step(4 * S, OVER, 0.0, 0.0, 1.0) == 0.0
    assert limits.step(5 * S, OVER, 0.5, 0.0, 1.0) == 0.0
    assert limits.step(6 * S, OVER, 0.5, 0.0, 0.0) == 0.0


@pytest.mark.parametrize(("seen_again_s", "seconds"), [(30, 30.0), (31, 0.0), (3600, 0.0)])
def test_what_nobody_saw_of_a_motion_does_not_count(seen_again_s: int, seconds: float) -> None:
    """The box was off, or the crane silent: one sample beyond a limit is no limiter that failed for an hour."""
    before = LimitUncut(SafetyParameters())
    before.step(0, OVER, 0.5, 0.0, 1.0)
    limits = LimitUncut(SafetyParameters())
    limits.restore(json.loads(json.dumps(before.saved())))
    assert limits.step(seen_again_s * S, OVER, 0.5, 0.0, 1.0) == seconds
    assert limits.step((seen_again_s + 2) * S, OVER, 0.5, 0.0, 1.0) == seconds + 2.0


@pytest.mark.parametrize(
    ("loading", "hoist", "trolley"),
    [
        (OVER, nan, 0.0),
        (FREE._replace(moment_pct=nan), 0.5, 0.0),
        (FREE._replace(load_pct=nan), 0.5, 0.0),
        (FREE._replace(radius_out_margin_m=nan), 0.0, 0.5),
    ],
)
def test_what_cannot_be_told_is_not_known(loading: Loading, hoist: float, trolley: float) -> None:
    limits = LimitUncut(SafetyParameters())
    assert isnan(limits.step(0, loading, hoist, trolley, 1.0))
    assert isnan(limits.step(S, loading, hoist, trolley, nan))


def test_one_certain_motion_is_enough_whatever_else_is_not_known() -> None:
    limits = LimitUncut(SafetyParameters())
    loading = OVER._replace(load_pct=nan, radius_out_margin_m=nan)
    limits.step(0, loading, 0.5, nan, nan)
    assert limits.step(S, loading, 0.5, nan, nan) == 1.0


def test_what_is_not_fitted_passes_no_limit() -> None:
    bare = Loading(0.0, 0.0, inf, inf, inf)
    assert LimitUncut(SafetyParameters()).step(0, bare, 0.5, 0.5, nan) == 0.0


@pytest.mark.parametrize(
    ("bits", "fault"), [([0.0, 0.0], 0.0), ([0.0, 1.0], 1.0), ([nan, 1.0], 1.0), ([0.0, nan], nan), ([], nan)]
)
def test_any_fault_bit_is_a_fault_and_an_unknown_one_is_not_a_no(bits: list[float], fault: float) -> None:
    assert sensor_fault(bits) == pytest.approx(fault, nan_ok=True)


class Listener:
    """A crane's silence, step by step; the crane speaks when told to."""

    def __init__(self) -> None:
        self.model = CraneSilence("crane-1", "crane-1.motor", ["crane-1.load_t"])
        self.now_ns = 1_800_000_000 * S
        self.observed_ns = [0, 0]

    def run(self, seconds: int, motor: float | None) -> float:
        """Every second a step; with a motor state the crane has just said so."""
        said = nan
        for _ in range(seconds):
            self.now_ns += S
            if motor is not None:
                self.observed_ns = [self.now_ns, self.now_ns]
            value = np.array([nan if motor is None else motor, 1.0])
            row = self.model.step(value, np.array(self.observed_ns), self.now_ns)
            assert row is not None
            said = float(row[0])
        return said

    def restart(self) -> None:
        kept = json.loads(json.dumps(self.model.saved()))
        self.model = CraneSilence("crane-1", "crane-1.motor", ["crane-1.load_t"])
        self.model.restore(kept)
        self.observed_ns = [0, 0]


def test_silence_counts_from_the_last_word_of_a_crane_whose_motor_ran() -> None:
    crane = Listener()
    assert isnan(crane.run(5, None))
    assert crane.run(10, 1.0) == 0.0
    assert crane.run(61, None) == 61.0
    assert crane.run(1, 1.0) == 0.0


def test_a_crane_that_was_switched_off_properly_is_not_silent() -> None:
    crane = Listener()
    crane.run(5, 1.0)
    crane.run(5, 0.0)
    assert crane.run(3600, None) == 0.0


def test_another_point_that_speaks_ends_the_silence() -> None:
    crane = Listener()
    crane.run(5, 1.0)
    crane.run(30, None)
    crane.observed_ns[1] = crane.now_ns
    assert crane.run(1, None) == 0.0


def test_a_clock_that_is_set_is_no_silence() -> None:
    crane = Listener()
    crane.run(5, 1.0)
    for jump_s in (3600, -7200):
        crane.now_ns += jump_s * S
        assert crane.run(1, None) <= 4.0


def test_silence_goes_on_after_a_short_restart_and_is_not_known_after_a_long_one() -> None:
    crane = Listener()
    crane.run(5, 1.0)
    crane.run(20, None)
    crane.now_ns += 300 * S
    crane.restart()
    assert crane.run(10, None) == pytest.approx(31.0, abs=1.0)
    crane.now_ns += 3600 * S
    crane.restart()
    assert isnan(crane.run(10, None))


def test_a_kept_state_of_other_points_is_refused() -> None:
    with pytest.raises(ValueError, match="other points"):
        CraneSilence("crane-1", "crane-1.motor", []).restore(Listener().model.saved())
