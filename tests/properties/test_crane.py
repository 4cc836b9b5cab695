"""The crane's model under any day: a restart changes nothing, time has no origin, what is missing is never a no."""

import json
from math import isnan, nan

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.tower_crane import IDLE, START_NS, Bench, crane, same

Poll = tuple[float, dict[str, float]]
VALUES = {
    "load_t": [0.0, 0.05, 0.15, 2.0, 5.5, nan],
    "moment_pct": [0.0, 40.0, 95.0, 112.0, nan],
    "radius_m": [2.0, 19.0, 21.0, 49.5, 50.5, nan],
    "hook_m": [1.0, 10.0, 30.0, 48.5, nan],
    "crane_h_m": [50.0, 50.0, 52.8, nan],
    "slew_deg": [0.0, 10.0, 170.0, 350.0, nan],
    "wind_ms": [0.0, 2.5, 13.0, nan],
    "tilt_x_deg": [0.1, 0.4, nan],
    "multiple": [2.0, 4.0, 3.0, nan],
    "motor": [0.0, 1.0, nan],
    "work_status": [0.0, 1.0, nan],
    "driver_no": [7.0, 8.0, nan],
    "weight_error": [0.0, 1.0, nan],
}
LIMITED = crane(slew_left_deg=-200.0, slew_right_deg=200.0)


@st.composite
def days(draw: st.DrawFn) -> list[Poll]:
    """Stretches of polls at 10 Hz to one in a minute, each with some values changed."""
    polls = []
    for _ in range(draw(st.integers(2, 8))):
        keys = draw(st.sets(st.sampled_from(sorted(VALUES)), max_size=4))
        changes = {key: draw(st.sampled_from(VALUES[key])) for key in keys}
        every_s = draw(st.sampled_from([0.1, 0.1, 0.3, 1.0, 3.0, 60.0, 700.0]))
        polls += [(every_s, changes)] * draw(st.integers(1, 45))
    return polls


def lived(polls: list[Poll], start_ns: int = START_NS, restart_at: int = -1) -> tuple[list[dict[str, float]], Bench]:
    bench = Bench(LIMITED, start_ns=start_ns)
    said = []
    for i, (after_s, changes) in enumerate(polls):
        if i == restart_at:
            bench.restart(json.loads(json.dumps(bench.model.saved(), allow_nan=False)))
        said.append(bench.step(after_s, **changes))
    return said, bench


@settings(max_examples=60, deadline=None)
@given(days(), st.floats(0, 1))
def test_a_restart_at_any_poll_changes_neither_what_is_said_nor_what_is_recorded(
    polls: list[Poll], where: float
) -> None:
    whole, one = lived(polls)
    broken, other = lived(polls, restart_at=int(where * len(polls)))
    assert all(same(a, b) for a, b in zip(whole, broken, strict=True))
    assert one.events == other.events
    assert one.model.saved() == other.model.saved()


@settings(max_examples=40, deadline=None)
@given(days(), st.integers(-(10**18), 10**18))
def test_time_has_no_origin(polls: list[Poll], shift_ns: int) -> None:
    here, one = lived(polls)
    there, other = lived(polls, START_NS + shift_ns)
    assert all(same(a, b) for a, b in zip(here, there, strict=True))
    assert [event.kind for event in one.events] == [event.kind for event in other.events]
    for a, b in zip(one.events, other.events, strict=True):
        assert b.at_ns - a.at_ns == shift_ns
        moved = {key: b.content[key] for key in b.content if key not in ("start_ns", "end_ns", "shift")}
        assert moved == {key: a.content[key] for key in a.content if key not in ("start_ns", "end_ns", "shift")}


INSTANT = {
    "chart_moment_pct",
    "load_pct",
    "lifting",
    "climbing",
    "sensor_fault",
    "hook_top_clearance_m",
    "radius_out_margin_m",
    "hook_x_m",
    "operating_state",
}


@settings(max_examples=60, deadline=None)
@given(days(), st.sampled_from(sorted(VALUES)))
def test_a_point_that_is_lost_makes_unknown_and_never_another_answer(polls: list[Poll], lost: str) -> None:
    """What is said of the moment itself: losing an input for the last poll gives the same answer or none."""
    before, bench = lived(polls)
    again, other = lived(polls)
    assert same(before[-1], again[-1])
    full = bench.step(0.1)
    poor = other.step(0.1, **{lost: nan})
    for key in INSTANT:
        assert isnan(poor[key]) or poor[key] == full[key], key


@settings(max_examples=40, deadline=None)
@given(days())
def test_what_is_said_lies_within_the_bounds_of_its_point(polls: list[Poll]) -> None:
    said, bench = lived(polls)
    for row in said:
        for point in bench.model.outputs:
            assert isnan(row[point.quantity]) or point.minimum <= row[point.quantity] <= point.maximum
    assert set(IDLE) >= set(VALUES)
