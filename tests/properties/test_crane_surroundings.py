"""Zones and power lines against points sampled along a crane's parts; and silence is never safety."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model.plan_geometry import PlanPoint, sector
from gateway.parts.crane.group.members import GroupMember
from gateway.parts.crane.group.power_lines import LineClearance, PowerLine
from gateway.parts.crane.group.segments import Floats
from gateway.parts.crane.group.surroundings import CraneSurroundings, SurroundingsParameters
from gateway.parts.crane.group.zones import Zone, ZoneKind
from gateway.parts.crane.model.geometry import CraneGeometry
from tests.fakes.crane_yard import START_NS, Pose, crane

SLACK_M = 0.3
Bodies = list[tuple[Floats, float]]

heights = st.sampled_from([-math.inf, 0.0, 15.0, 30.0, 39.0, 44.0])


@st.composite
def cranes(draw: st.DrawFn) -> CraneGeometry:
    luffing = draw(st.sampled_from([False, False, True]))
    return crane(1, 3.0, -2.0, luffing=luffing, radius_min_m=3.0, radius_max_m=45.0, hook_gap_m=1.0)


poses = st.fixed_dictionaries(
    {
        "slew_deg": st.floats(0, 360),
        "radius_m": st.floats(3, 45),
        "hook_m": st.floats(2, 38),
        "crane_h_m": st.sampled_from([40.0, 45.0]),
        "load_t": st.sampled_from([0.0, 2.0]),
    }
)


@st.composite
def zones(draw: st.DrawFn) -> Zone:
    """Polygons that go round once (also hollow ones), anywhere around the crane."""
    centre = (draw(st.floats(-40, 40)), draw(st.floats(-40, 40)))
    if draw(st.booleans()):
        from_deg, turn_deg = draw(st.floats(0, 360)), draw(st.floats(10, 350))
        corners = sector(centre, from_deg, from_deg + turn_deg, draw(st.sampled_from([0.0, 5.0])), 12.0)
    else:
        count = draw(st.integers(3, 8))
        radii = [draw(st.floats(3, 25)) for _ in range(count)]
        corners = tuple(
            (centre[0] + r * math.sin(2 * math.pi * i / count), centre[1] + r * math.cos(2 * math.pi * i / count))
            for i, r in enumerate(radii)
        )
    bottom = draw(heights)
    return Zone(1, draw(st.sampled_from(ZoneKind)), corners, bottom, bottom + 10 if bottom > -math.inf else 20.0)


@st.composite
def lines(draw: st.DrawFn) -> PowerLine:
    places = [(draw(st.floats(-80, 80)), draw(st.floats(-80, 80))) for _ in range(draw(st.integers(2, 4)))]
    low = draw(st.sampled_from([8.0, 20.0, 35.0, 48.0]))
    return PowerLine(
        "line", LineClearance("1-15kV", 3.0, 1.5, "clause", "M-H"), tuple((*p, low, low + 2) for p in places)
    )


def parts_of(shape: CraneGeometry, pose: Pose) -> dict[str, tuple[Floats, float]]:
    """Points every 0.2 m along each moving part (n, 3), and how thick the part is; written anew from the drawing."""
    bearing = math.radians(pose["slew_deg"])
    ahead = np.array([math.sin(bearing), math.cos(bearing), 0.0])
    up, base = np.array([0.0, 0.0, 1.0]), np.array([shape.base_x_m, shape.base_y_m, shape.base_z_m])
    pivot, radius = base + pose["crane_h_m"] * up, pose["radius_m"]
    rise = math.sqrt(shape.jib_length_m**2 - radius**2) if shape.luffing else 0.0
    foot = pivot if shape.luffing else pivot + shape.jib_half_m * up
    tip = pivot + radius * ahead + rise * up if shape.luffing else foot + shape.jib_length_m * ahead
    above = pivot + radius * ahead + rise * up
    hook = above.copy()
    hook[2] = min(pose["hook_m"], above[2] - shape.hook_gap_m)
    load = hook - shape.load_half_m * up
    found = {
        "jib": (_along(foot, tip), shape.jib_half_m),
        "counter": (_along(pivot, pivot - shape.counter_jib_m * ahead), shape.counter_jib_half_m),
        "hook": (_along(above, hook), shape.hook_half_m),
        "load": (load[None, :], shape.load_half_m),
    }
    return found if pose["load_t"] > 0.2 else {name: part for name, part in found.items() if name != "load"}


def _along(start: Floats, end: Floats) -> Floats:
    count = max(2, math.ceil(float(np.linalg.norm(end - start)) / 0.2) + 1)
    return start + np.linspace(0, 1, count)[:, None] * (end - start)


def depth_m(corners: tuple[PlanPoint, ...], points: Floats) -> Floats:
    """How far points (n, 3) are outside a polygon in plan, negative inside, by winding number and edge distance."""
    ring = np.array([*corners, corners[0]])
    edge = np.diff(ring, axis=0)
    to = points[:, None, :2] - ring[:-1]
    share = np.clip((to * edge).sum(2) / np.maximum((edge * edge).sum(1), 1e-12), 0, 1)
    distance = np.linalg.norm(to - share[:, :, None] * edge, axis=2).min(axis=1)
    sight = ring[None, :] - points[:, None, :2]
    angle = np.unwrap(np.arctan2(sight[:, :, 1], sight[:, :, 0]), axis=1)
    turns = np.round((angle[:, -1] - angle[:, 0]) / (2 * math.pi))
    return np.where(turns != 0, -distance, distance)


def said(shape: CraneGeometry, pose: Pose, *obstacles: Zone | PowerLine) -> dict[str, float]:
    model = CraneSurroundings(
        GroupMember("crane-1", shape),
        [each for each in obstacles if isinstance(each, Zone)],
        [each for each in obstacles if isinstance(each, PowerLine)],
        SurroundingsParameters(),
    )
    value = np.array([pose.get(point.rsplit(".", 1)[1], math.nan) for point in model.inputs])
    answer = model.step(value, np.full(value.size, START_NS, dtype=np.int64), START_NS)
    assert answer is not None
    return dict(zip((point.quantity for point in model.outputs), answer.tolist(), strict=True))


@settings(max_examples=150, deadline=None)
@given(cranes(), poses, zones())
def test_a_zone_is_entered_when_a_point_of_the_crane_is_in_it(shape: CraneGeometry, pose: Pose, zone: Zone) -> None:
    parts = parts_of(shape, pose)
    no_lift = zone.kind is ZoneKind.NO_LIFT
    if no_lift:
        parts = {name: part for name, part in parts.items() if name == "load"}
    outside_m = math.inf
    for points, half in parts.values():
        above = np.maximum(zone.bottom_m - points[:, 2], points[:, 2] - zone.top_m) - half
        outside_m = min(outside_m, float(np.maximum(depth_m(zone.corners, points) - half, above).min()))
    answer = said(shape, pose, zone)["no_lift_zone" if no_lift else "forbidden_zone"]
    if outside_m < -SLACK_M:
        assert answer == 1.0
    if outside_m > (4.5 if shape.luffing else SLACK_M):
        assert answer == 0.0


@settings(max_examples=150, deadline=None)
@given(cranes(), poses, lines())
def test_the_margin_to_a_line_is_that_of_its_points_and_never_too_large(
    shape: CraneGeometry, pose: Pose, line: PowerLine
) -> None:
    wires = np.concatenate(
        [
            _along(np.array([*a[:2], 0.0]), np.array([*b[:2], 0.0]))
            for a, b in zip(line.wires, line.wires[1:], strict=False)
        ]
    )
    low_m, high_m = line.wires[0][2:]
    expected = math.inf
    for points, half in parts_of(shape, pose).values():
        plan = np.linalg.norm(points[:, None, :2] - wires[None, :, :2], axis=2).min(axis=1) - 1.5
        level = np.maximum(points[:, 2] - high_m, low_m - points[:, 2]) - 3.0
        expected = min(expected, float(np.maximum(plan, level).min()) - half)
    found = said(shape, pose, line)["line_margin_m"]
    assert found <= expected + 1e-6
    assert found >= expected - (5.0 if shape.luffing else SLACK_M)


@settings(max_examples=100, deadline=None)
@given(
    cranes(),
    poses,
    zones(),
    lines(),
    st.sets(st.sampled_from(["slew_deg", "radius_m", "hook_m", "crane_h_m", "load_t"])),
)
def test_what_is_no_longer_heard_never_clears_anything(
    shape: CraneGeometry, pose: Pose, zone: Zone, line: PowerLine, lost: set[str]
) -> None:
    before = said(shape, pose, zone, line)
    after = said(shape, {key: x for key, x in pose.items() if key not in lost}, zone, line)
    for key in ("no_lift_zone", "forbidden_zone"):
        if before.get(key) == 1.0:
            assert after[key] != 0.0
    for limit in (0.0, 2.0):
        if before["line_margin_m"] <= limit:
            assert not after["line_margin_m"] > limit
