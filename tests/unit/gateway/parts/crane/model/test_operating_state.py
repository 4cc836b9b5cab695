"""What a crane is doing, and that nothing is called normal while it is not known."""

from math import nan

import pytest

from gateway.parts.crane.model.operating_state import Climbed, Fitted, OperatingState, OperatingStates
from gateway.parts.crane.model.parameters import LoadParameters, StateParameters

S = 1_000_000_000
ALL = Fitted(motor=True, work_status=True, crane_height=True)


def states(fitted: Fitted = ALL) -> OperatingStates:
    return OperatingStates(LoadParameters(), StateParameters(), fitted)


@pytest.mark.parametrize(
    ("load_t", "motor", "work_status", "height_m", "state"),
    [
        (0.0, 1.0, 0.0, 50.0, OperatingState.IDLE),
        (0.0, 0.0, 0.0, 50.0, OperatingState.IDLE),
        (0.2, 1.0, 0.0, 50.0, OperatingState.IDLE),
        (0.21, 0.0, 0.0, 50.0, OperatingState.LIFTING),
        (1.0, 1.0, 1.0, 50.0, OperatingState.CLIMBING),
        (nan, 1.0, 1.0, nan, OperatingState.CLIMBING),
        (nan, 1.0, 0.0, 50.0, None),
        (1.0, 1.0, nan, 50.0, None),
        (0.0, nan, 0.0, 50.0, None),
        (0.0, 1.0, 0.0, nan, None),
    ],
)
def test_the_state_follows_the_inputs(
    load_t: float, motor: float, work_status: float, height_m: float, state: OperatingState | None
) -> None:
    assert states().step(0, load_t, motor, work_status, height_m).state is state


def test_what_is_not_fitted_is_not_missed() -> None:
    bare = states(Fitted(motor=False, work_status=False, crane_height=False))
    said = bare.step(0, 1.0, nan, nan, nan)
    assert (said.state, said.loaded, said.climbing) == (OperatingState.LIFTING, True, None)
    assert bare.step(S, 0.0, nan, nan, nan).state is OperatingState.IDLE


def test_between_the_two_bounds_the_last_answer_stays_also_through_a_hole() -> None:
    crane = states()
    assert crane.step(0, 0.15, 1, 0, 50).loaded is False
    assert crane.step(S, 0.3, 1, 0, 50).loaded is True
    assert crane.step(2 * S, 0.15, 1, 0, 50).loaded is True
    assert crane.step(3 * S, nan, 1, 0, 50).loaded is None
    assert crane.step(4 * S, 0.15, 1, 0, 50).loaded is True
    assert crane.step(5 * S, 0.1, 1, 0, 50).loaded is False


def test_two_hours_without_motor_and_load_is_out_of_service_until_something_moves() -> None:
    crane = states()
    for minute in range(120):
        assert crane.step(minute * 60 * S, 0.0, 0, 0, 50).state is OperatingState.IDLE
    assert crane.step(7200 * S, 0.0, 0, 0, 50).state is OperatingState.OUT_OF_SERVICE
    assert crane.step(7201 * S, 0.0, 1, 0, 50).state is OperatingState.IDLE
    assert crane.step(7202 * S, 0.0, 0, 0, 50).state is OperatingState.IDLE


def test_nobody_saw_what_the_crane_did_in_a_hole() -> None:
    crane = states()
    crane.step(0, 0.0, 0, 0, 50)
    assert crane.step(8000 * S, 0.0, 0, 0, 50).state is OperatingState.IDLE


def test_a_height_that_steps_and_stays_is_a_climb_for_half_an_hour() -> None:
    crane = states(Fitted(motor=True, work_status=False, crane_height=True))
    assert crane.step(0, 0.0, 0, nan, 50.0).climbing is False
    assert crane.step(10 * S, 0.0, 0, nan, 52.8).climbing is False
    assert crane.climbed is None
    assert crane.step(40 * S, 0.0, 0, nan, 52.8).state is OperatingState.CLIMBING
    assert crane.climbed == Climbed(50.0, 52.8)
    assert crane.step(41 * S, 0.0, 0, nan, 52.8).climbing is True
    assert crane.climbed is None
    assert crane.step(1841 * S, 0.0, 0, nan, 52.8).climbing is False


def test_a_height_that_jumps_for_a_moment_is_no_climb() -> None:
    crane = states()
    crane.step(0, 0.0, 0, 0, 50.0)
    for t_s, height_m in ((10, 0.0), (11, 50.1), (60, 120.0), (80, 90.0), (100, 49.9)):
        assert crane.step(t_s * S, 0.0, 0, 0, height_m).climbing is False
    assert crane.climbed is None


def test_a_climb_while_the_box_was_off_is_seen_after_the_restart() -> None:
    before, after = states(), states()
    before.step(0, 0.0, 0, 0, 50.0)
    after.restore(before.saved())
    after.step(3600 * S, 0.0, 0, 0, 55.6)
    assert after.step(3630 * S, 0.0, 0, 0, 55.6).climbing is True
    assert after.climbed == Climbed(50.0, 55.6)
