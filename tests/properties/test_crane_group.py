"""A group of cranes against a plain reference, and what must hold of any group: silence is never safety."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway.parts.crane.group.braking import Braking, BrakingTable
from gateway.parts.crane.group.members import CraneGroupParameters
from gateway.parts.crane.group.motion import Motion
from gateway.parts.crane.group.segments import Floats, segment_distance_m
from gateway.parts.crane.group.situation import GroupField, Situation
from gateway.parts.crane.model.geometry import CraneGeometry
from tests.fakes.crane_yard import START_NS, Pose, Yard, crane

PARAMETERS = CraneGroupParameters()
WARN = (PARAMETERS.alert_below_m, PARAMETERS.exact_below_m)
SLACK_M = 0.75
"""What a dip between two moments of the grid may hide: half of what two tips move in one."""


@st.composite
def shapes(draw: st.DrawFn, count: int | None = None) -> list[CraneGeometry]:
    """Cranes of much the same height on a narrow site, masts apart: they meet often."""
    places: list[tuple[float, float]] = []
    for _ in range(count or draw(st.integers(2, 4))):
        x, y = draw(st.integers(0, 70)), draw(st.integers(0, 70))
        assume(all(math.hypot(x - other[0], y - other[1]) > 10 for other in places))
        places.append((float(x), float(y)))
    return [
        crane(
            number,
            *place,
            base_z_m=draw(st.sampled_from([0.0, 0.0, -8.0])),
            mast_height_m=draw(st.sampled_from([40.0, 40.0, 42.0, 47.0, 60.0])),
            jib_length_m=float(draw(st.integers(40, 65))),
            counter_jib_m=float(draw(st.integers(8, 20))),
            luffing=draw(st.sampled_from([False, False, False, True])),
            slew_zero_deg=draw(st.sampled_from([0.0, 90.0, 217.5])),
            slew_clockwise=draw(st.booleans()),
            radius_min_m=3.0,
            radius_max_m=29.0,
            hook_gap_m=2.0,
        )
        for number, place in enumerate(places)
    ]


@st.composite
def motions(draw: st.DrawFn, count: int) -> Motion:
    """Positions and speeds of as many cranes; hooks below their jibs."""
    rows = [
        (
            draw(st.floats(0, 359)),
            draw(st.floats(3, 29)),
            draw(st.floats(0, 24)),
            draw(st.floats(-4.2, 4.2)) * draw(st.sampled_from([0.0, 1.0])),
            draw(st.floats(-0.8, 0.8)) * draw(st.sampled_from([0.0, 1.0])),
            draw(st.floats(-0.5, 0.5)),
        )
        for _ in range(count)
    ]
    table = np.array(rows).T
    return Motion(table[:3], table[3:])


def assess(cranes: list[CraneGeometry], motion: Motion, loaded: bool = True) -> Situation:
    field = GroupField(cranes, BrakingTable.of([Braking()] * len(cranes)), PARAMETERS.horizon_s)
    mast_m = np.array([shape.mast_height_m for shape in cranes])
    return field.assess(motion, mast_m, np.full(len(cranes), loaded), WARN)


def reference_parts(shape: CraneGeometry, at: Floats) -> list[tuple[Floats, Floats, float]]:
    """(start, end, half thickness) of one crane's parts, written down anew from the drawing."""
    bearing, radius, hook = at
    radius = min(max(radius, shape.radius_min_m), shape.radius_max_m, shape.jib_length_m)
    ahead = np.array([math.sin(math.radians(bearing)), math.cos(math.radians(bearing)), 0.0])
    up, base = np.array([0.0, 0.0, 1.0]), np.array([shape.base_x_m, shape.base_y_m, shape.base_z_m])
    pivot = base + shape.mast_height_m * up
    if shape.luffing:
        jib, tip = pivot, pivot + radius * ahead + math.sqrt(shape.jib_length_m**2 - radius**2) * up
        above = tip
    else:
        jib = pivot + shape.jib_half_m * up
        tip, above = jib + shape.jib_length_m * ahead, pivot + radius * ahead
    hook_at = above.copy()
    hook_at[2] = min(shape.base_z_m + hook, above[2] - shape.hook_gap_m)
    load_at = hook_at - shape.load_half_m * up
    return [
        (jib, tip, shape.jib_half_m),
        (pivot, pivot - shape.counter_jib_m * ahead, shape.counter_jib_half_m),
        (base, pivot + shape.head_height_m * up, shape.mast_half_m),
        (above, hook_at, shape.hook_half_m),
        (load_at, load_at, shape.load_half_m),
    ]


def reference_m(one: CraneGeometry, other: CraneGeometry, motion: Motion, which: tuple[int, int], at_s: float) -> float:
    """The distance of two cranes at one moment."""
    parts = [
        reference_parts(s, motion.position[:, i] + at_s * motion.speed[:, i])
        for s, i in zip((one, other), which, strict=True)
    ]
    pairs = [(a, b) for i, a in enumerate(parts[0]) for j, b in enumerate(parts[1]) if (i, j) != (2, 2)]
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    start_a, start_b = np.array([a[0] for a in first]).T, np.array([b[0] for b in second]).T
    end_a, end_b = np.array([a[1] for a in first]).T, np.array([b[1] for b in second]).T
    thick = np.array([a[2] for a in first]) + np.array([b[2] for b in second])
    return float(np.maximum(segment_distance_m(start_a, end_a - start_a, start_b, end_b - start_b) - thick, 0).min())


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_distances_now_are_those_of_the_drawing_and_symmetric(data: st.DataObject) -> None:
    cranes = data.draw(shapes())
    motion = data.draw(motions(len(cranes)))
    situation = assess(cranes, motion)
    for i in range(len(cranes)):
        for j in range(i + 1, len(cranes)):
            expected = reference_m(cranes[i], cranes[j], motion, (i, j), 0.0)
            assert situation.now_m[i, j] == pytest.approx(expected, abs=1e-6)
    for matrix in (situation.now_m, situation.ahead_m, situation.first_s):
        assert (matrix == matrix.T).all()


@settings(max_examples=70, deadline=None)
@given(st.data())
def test_what_is_ahead_of_a_crane_is_what_a_fine_sampling_finds(data: st.DataObject) -> None:
    cranes = data.draw(shapes(data.draw(st.integers(2, 3))))
    motion = data.draw(motions(len(cranes)))
    situation = assess(cranes, motion)
    stop_s = np.minimum(BrakingTable.of([Braking()] * len(cranes)).stop_s(motion.speed), PARAMETERS.horizon_s)
    every_s = 0.1
    at_s = np.arange(0.0, PARAMETERS.horizon_s + every_s / 2, every_s)
    apart = np.full((len(cranes), len(cranes), len(at_s)), math.inf)
    for i, j in combinations(range(len(cranes)), 2):
        apart[i, j] = apart[j, i] = [reference_m(cranes[i], cranes[j], motion, (i, j), t) for t in at_s]
    for i in range(len(cranes)):
        in_time = at_s <= np.maximum(stop_s, stop_s[i])[:, None] + 1e-9
        nearest = float(np.where(in_time, apart[i], math.inf).min())
        found = float(situation.ahead_m[i].min())
        assert found >= nearest - SLACK_M
        if nearest < PARAMETERS.exact_below_m - SLACK_M:
            assert found <= nearest + SLACK_M
        least = apart[i].min(axis=0)
        surely = at_s[least < PARAMETERS.alert_below_m - SLACK_M]
        perhaps = at_s[least < PARAMETERS.alert_below_m + SLACK_M]
        first_s = float(situation.first_s[i].min())
        if len(surely):
            assert first_s <= surely[0] + 0.2
        if math.isfinite(first_s):
            assert first_s >= perhaps[0] - 0.2


@settings(max_examples=40, deadline=None)
@given(st.data(), st.floats(0, 360), st.floats(-500, 500), st.floats(-500, 500))
def test_turning_and_moving_the_whole_site_changes_no_distance(
    data: st.DataObject, turn_deg: float, east_m: float, north_m: float
) -> None:
    cranes = data.draw(shapes())
    motion = data.draw(motions(len(cranes)))
    turn = math.radians(turn_deg)
    moved = []
    for shape in cranes:
        x = shape.base_x_m * math.cos(turn) + shape.base_y_m * math.sin(turn) + east_m
        y = -shape.base_x_m * math.sin(turn) + shape.base_y_m * math.cos(turn) + north_m
        moved.append(_at(shape, x, y))
    turned = Motion(motion.position + np.array([[turn_deg], [0.0], [0.0]]), motion.speed)
    before, after = assess(cranes, motion), assess(moved, turned)
    assert after.now_m == pytest.approx(before.now_m, abs=1e-6)
    exact = before.ahead_m < PARAMETERS.exact_below_m
    assert after.ahead_m[exact] == pytest.approx(before.ahead_m[exact], abs=SLACK_M)


def _at(shape: CraneGeometry, x_m: float, y_m: float) -> CraneGeometry:
    values = {name: getattr(shape, name) for name in CraneGeometry.__slots__}
    return CraneGeometry(**{**values, "base_x_m": x_m, "base_y_m": y_m})


@st.composite
def days(draw: st.DrawFn, count: int) -> list[Pose]:
    """Where each crane is to begin with, and how it slews (`turn`)."""
    return [
        {
            "slew_deg": draw(st.floats(0, 359)),
            "turn": draw(st.sampled_from([0.0, 0.0, 3.0, -3.0])),
            "radius_m": draw(st.floats(3, 29)),
            "hook_m": draw(st.floats(0, 24)),
            "load_t": draw(st.sampled_from([0.0, 3.0])),
            "motor": draw(st.sampled_from([0.0, 1.0])),
            "multi_alarm": draw(st.sampled_from([0.0, 1.0])),
        }
        for _ in range(count)
    ]


def at(day: list[Pose], cranes: list[CraneGeometry], t_s: float) -> list[Pose]:
    return [
        {**start, "slew_deg": (start["slew_deg"] + start["turn"] * t_s) % 360, "crane_h_m": shape.mast_height_m}
        for start, shape in zip(day, cranes, strict=True)
    ]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_crane_that_falls_silent_never_turns_a_conflict_into_none(data: st.DataObject) -> None:
    cranes = data.draw(shapes())
    day = data.draw(days(len(cranes)))
    silent = data.draw(st.integers(0, len(cranes) - 1))
    lost = data.draw(st.sets(st.sampled_from(["slew_deg", "radius_m", "hook_m", "crane_h_m", "load_t"]), min_size=1))

    def falls_silent(t_s: float) -> list[Pose]:
        poses = at(day, cranes, t_s)
        if t_s >= 2.9:
            poses[silent] = {key: x for key, x in poses[silent].items() if key not in lost}
        return poses

    heard = Yard(cranes).run(3.0, lambda t_s: at(day, cranes, t_s))
    partly = Yard(cranes).run(3.0, falls_silent)
    for before, after in zip(heard, partly, strict=True):
        for key, limit in LEVELS:
            if before[key] <= limit:
                assert not after[key] > limit, key
        if after["conflict_with"] == -1:
            assert before["conflict_with"] == -1
        if before["right_of_way"] > 0:
            assert after["right_of_way"] != 0
        if before["collision_flag_disagrees"] == 1:
            assert after["collision_flag_disagrees"] != 0


LEVELS = [
    ("min_distance_m", PARAMETERS.danger_below_m),
    ("min_distance_m", PARAMETERS.alert_below_m),
    ("known_distance_m", PARAMETERS.alert_below_m),
    ("predicted_distance_m", PARAMETERS.danger_below_m),
    ("predicted_distance_m", PARAMETERS.alert_below_m),
    ("conflict_in_s", PARAMETERS.horizon_s),
]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_conflict_among_those_heard_is_said_whoever_else_is_silent(data: st.DataObject) -> None:
    cranes = data.draw(shapes(3))
    day = data.draw(days(3))
    pair = Yard(cranes[:2]).run(3.0, lambda t_s: at(day[:2], cranes[:2], t_s))
    with_silent = Yard(cranes).run(3.0, lambda t_s: [*at(day, cranes, t_s)[:2], None])
    for alone, beside in zip(pair, with_silent[:2], strict=True):
        for key, limit in LEVELS:
            sharper = limit == PARAMETERS.alert_below_m and key in ("min_distance_m", "predicted_distance_m")
            if alone[key] <= limit and not sharper:
                assert beside[key] <= limit, key


@settings(max_examples=25, deadline=None)
@given(st.data(), st.integers(1, 10**9))
def test_time_has_no_origin(data: st.DataObject, later_s: int) -> None:
    cranes = data.draw(shapes())
    day = data.draw(days(len(cranes)))
    said = [
        Yard(cranes, start_ns=start_ns).run(3.0, lambda t_s: at(day, cranes, t_s))
        for start_ns in (START_NS, START_NS + later_s * 10**9)
    ]
    for before, after in zip(*said, strict=True):
        assert list(after.values()) == pytest.approx(list(before.values()), abs=1e-6, nan_ok=True)
