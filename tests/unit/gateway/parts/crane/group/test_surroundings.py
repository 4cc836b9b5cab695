"""Zones and power lines around one crane: in, out, loaded, unknown, and before it could stop."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from gateway.model.plan_geometry import polar, sector
from gateway.parts.crane.group.members import INPUT_KEYS, GroupMember
from gateway.parts.crane.group.power_lines import LineClearance, PowerLine
from gateway.parts.crane.group.surroundings import CraneSurroundings, SurroundingsParameters
from gateway.parts.crane.group.zones import Zone, ZoneKind
from gateway.parts.crane.model.geometry import CraneGeometry
from tests.fakes.crane_yard import START_NS, Pose, crane, pose

EAST, NORTH, SOUTH, WEST = 90.0, 0.0, 180.0, 270.0
CLEARANCE = LineClearance("1-15kV", 3.0, 1.5, "GB 5144-2006 10.4", "M-H")
SQUARE = ((15.0, -5.0), (25.0, -5.0), (25.0, 5.0), (15.0, 5.0))


class Site:
    """One crane at the origin among its surroundings; what it is told is one mapping a step."""

    def __init__(
        self,
        zones: Sequence[Zone] = (),
        lines: Sequence[PowerLine] = (),
        shape: CraneGeometry | None = None,
        look_ahead: bool = False,
        keys: Sequence[str] = INPUT_KEYS,
    ) -> None:
        self.member = GroupMember("crane-1", shape or crane(1, 0.0), tuple(keys))
        self.model = CraneSurroundings(self.member, zones, lines, SurroundingsParameters(look_ahead=look_ahead))
        self.now_ns = START_NS

    def says(self, values: Pose) -> dict[str, float]:
        value = np.array([values.get(point.rsplit(".", 1)[1], math.nan) for point in self.model.inputs])
        said = self.model.step(value, np.full(value.size, self.now_ns, dtype=np.int64), self.now_ns)
        self.now_ns += 100_000_000
        assert said is not None
        return dict(zip((point.quantity for point in self.model.outputs), said.tolist(), strict=True))


def no_lift(number: int = 1, corners: Sequence[tuple[float, float]] = SQUARE, **band: float) -> Zone:
    return Zone(number, ZoneKind.NO_LIFT, tuple(corners), **band)


def forbidden(number: int = 1, corners: Sequence[tuple[float, float]] = SQUARE, **band: float) -> Zone:
    return Zone(number, ZoneKind.FORBIDDEN, tuple(corners), **band)


@pytest.mark.parametrize(
    ("radius_m", "load_t", "zone"),
    [
        (20.0, 2.0, 1.0),
        (20.0, 0.2, 0.0),  # not more than an empty hook
        (20.0, math.nan, math.nan),
        (13.6, 2.0, 1.0),  # the load is 1.5 m thick
        (13.4, 2.0, 0.0),
        (26.4, 2.0, 1.0),
        (26.6, 2.0, 0.0),
        (40.0, math.nan, 0.0),  # loaded or not, it is elsewhere
        (math.nan, 2.0, math.nan),
        (math.nan, 0.0, 0.0),
    ],
)
def test_a_load_over_a_no_lift_zone(radius_m: float, load_t: float, zone: float) -> None:
    said = Site([no_lift()]).says(pose(slew_deg=EAST, radius_m=radius_m, load_t=load_t))
    assert said == pytest.approx({"no_lift_zone": zone}, nan_ok=True)


def test_without_a_load_cell_a_hook_over_a_no_lift_zone_is_not_known() -> None:
    site = Site([no_lift()], keys=("slew_deg", "radius_m", "hook_m"))
    assert math.isnan(site.says(pose(slew_deg=EAST))["no_lift_zone"])
    assert site.says(pose(slew_deg=WEST))["no_lift_zone"] == 0.0


def test_a_height_band_counts() -> None:
    site = Site([no_lift(bottom_m=0.0, top_m=20.0)])
    over = pose(slew_deg=EAST, load_t=2.0)
    assert site.says({**over, "hook_m": 24.0})["no_lift_zone"] == 0.0  # ball from 21 to 24 m
    assert site.says({**over, "hook_m": 22.9})["no_lift_zone"] == 1.0
    assert math.isnan(site.says({**over, "hook_m": math.nan})["no_lift_zone"])


def test_the_smallest_number_is_said_of_zones_that_overlap() -> None:
    site = Site([no_lift(4), no_lift(2), no_lift(3, ((-30, 0), (-20, 0), (-20, 9)))])
    assert site.says(pose(slew_deg=EAST, load_t=2.0))["no_lift_zone"] == 2.0


def test_any_moving_part_in_a_forbidden_zone_counts() -> None:
    site = Site([forbidden()])
    assert site.says(pose(slew_deg=EAST))["forbidden_zone"] == 1.0  # the jib is over it
    assert site.says(pose(slew_deg=NORTH))["forbidden_zone"] == 0.0
    tail = Site([forbidden(2, ((-14.0, -2.0), (-9.0, -2.0), (-9.0, 2.0), (-14.0, 2.0)))])
    assert tail.says(pose(slew_deg=EAST))["forbidden_zone"] == 2.0
    low = Site([forbidden(top_m=20.0)])
    assert low.says(pose(slew_deg=EAST, radius_m=45.0))["forbidden_zone"] == 0.0  # the jib passes above
    assert low.says(pose(slew_deg=EAST, radius_m=20.0, hook_m=10.0))["forbidden_zone"] == 1.0  # the rope does not


def test_a_jib_through_a_zone_without_an_end_in_it_is_in_it() -> None:
    strip = ((20.0, -100.0), (20.5, -100.0), (20.5, 100.0), (20.0, 100.0))
    assert Site([forbidden(corners=strip)]).says(pose(slew_deg=EAST, radius_m=45.0))["forbidden_zone"] == 1.0
    around = ((-100.0, -100.0), (100.0, -100.0), (100.0, 100.0), (-100.0, 100.0))
    assert Site([forbidden(corners=around)]).says(pose(slew_deg=EAST))["forbidden_zone"] == 1.0


def test_a_hollow_zone_is_left_where_it_is_hollow() -> None:
    hollow = (
        (20.0, -20.0),
        (60.0, -20.0),
        (60.0, 20.0),
        (20.0, 20.0),
        (20.0, 15.0),
        (55.0, 15.0),
        (55.0, -15.0),
        (20.0, -15.0),
    )
    assert Site([forbidden(corners=hollow)]).says(pose(slew_deg=EAST))["forbidden_zone"] == 0.0
    assert Site([forbidden(corners=hollow)]).says(pose(slew_deg=70.0))["forbidden_zone"] == 1.0


def test_what_is_known_is_enough_to_be_in_a_zone_but_not_to_be_out_of_all() -> None:
    no_radius = pose(slew_deg=EAST, radius_m=math.nan)
    assert Site([forbidden()]).says(no_radius)["forbidden_zone"] == 1.0
    assert math.isnan(Site([forbidden(top_m=20.0)]).says(no_radius)["forbidden_zone"])
    assert math.isnan(Site([forbidden()]).says(pose(slew_deg=math.nan))["forbidden_zone"])


def test_a_zone_out_of_reach_is_never_entered_even_by_a_silent_crane() -> None:
    far = ((300.0, 0.0), (310.0, 0.0), (310.0, 10.0))
    said = Site([forbidden(corners=far), no_lift(corners=far)]).says({})
    assert said == {"no_lift_zone": 0.0, "forbidden_zone": 0.0}


def test_a_luffing_jib_is_judged_where_it_is_not_over_the_whole_height() -> None:
    shape = crane(1, 0.0, luffing=True, radius_max_m=49.0)  # at 30 m radius the tip is 40 m above the pivot
    steep = pose(slew_deg=EAST, radius_m=30.0, hook_m=60.0)
    foot = ((2.0, -3.0), (6.0, -3.0), (6.0, 3.0), (2.0, 3.0))
    assert Site([forbidden(corners=foot, bottom_m=60.0)], shape=shape).says(steep)["forbidden_zone"] == 0.0
    assert Site([forbidden(corners=foot, bottom_m=40.0)], shape=shape).says(steep)["forbidden_zone"] == 1.0


def test_a_zone_ahead_counts_only_with_look_ahead() -> None:
    answers = {}
    for look_ahead in (False, True):
        site = Site([forbidden()], look_ahead=look_ahead)
        for tenth in range(31):
            answers[look_ahead] = site.says(pose(slew_deg=50.0 + 0.3 * tenth))["forbidden_zone"]
    # at 59 deg with 3 deg/s and 13 s of braking the jib gets to 98 deg
    assert answers == {False: 0.0, True: 1.0}


def test_before_the_speed_is_known_the_zones_ahead_are_not() -> None:
    assert math.isnan(Site([forbidden()], look_ahead=True).says(pose(slew_deg=NORTH))["forbidden_zone"])
    assert Site([forbidden()], look_ahead=True).says(pose(slew_deg=EAST))["forbidden_zone"] == 1.0


def test_a_sector_and_a_polygon_of_bearings_and_radii() -> None:
    corners = sector((0.0, 0.0), 350.0, 20.0, 10.0, 30.0)
    inside = [(0.0, 10.1), (15.0, 29.9), (355.0, 20.0)]
    outside = [(25.0, 20.0), (0.0, 8.0), (0.0, 32.0), (180.0, 20.0)]
    for places, zone in ((inside, 1.0), (outside, 0.0)):
        for bearing, radius in places:
            site = Site([no_lift(corners=corners)], shape=crane(1, 0.0, load_half_m=0.01))
            assert site.says(pose(slew_deg=bearing, radius_m=radius, load_t=2.0))["no_lift_zone"] == zone
    four = [polar((0.0, 0.0), bearing, radius) for bearing, radius in [(80, 15), (80, 25), (100, 25), (100, 15)]]
    assert Site([no_lift(corners=four)]).says(pose(slew_deg=EAST, load_t=2.0))["no_lift_zone"] == 1.0


def test_a_full_circle_is_a_sector_too() -> None:
    ring = no_lift(corners=sector((0.0, 0.0), 0.0, 0.0, 30.0, 40.0))
    for bearing in (0.0, 123.0, 359.0):
        assert Site([ring]).says(pose(slew_deg=bearing, radius_m=35.0, load_t=2.0))["no_lift_zone"] == 1.0
        assert Site([ring]).says(pose(slew_deg=bearing, radius_m=20.0, load_t=2.0))["no_lift_zone"] == 0.0


def line(x_m: float, low_m: float, high_m: float, sway_m: float = 0.0) -> PowerLine:
    """A line from south to north at `x_m`."""
    return PowerLine("10 kV", CLEARANCE, ((x_m, -100.0, low_m, high_m), (x_m, 100.0, low_m, high_m)), sway_m)


@pytest.mark.parametrize(
    ("given", "values", "margin_m"),
    [
        # wires at the jib's height 6 m beyond its tip: the jib is 1 m thick, 1.5 m are needed
        (line(56.0, 40.0, 41.0), pose(slew_deg=EAST), 6.0 - 1.0 - 1.5),
        (line(56.0, 40.0, 41.0, sway_m=2.0), pose(slew_deg=EAST), 6.0 - 1.0 - 1.5 - 2.0),
        # wires under the jib: its axis is at 41 m, 3 m are needed
        (line(30.0, 20.0, 30.0), pose(slew_deg=EAST, radius_m=10.0), 41.0 - 30.0 - 1.0 - 3.0),
        # the load hangs lower than the wires and 8 m beside them
        (line(30.0, 20.0, 30.0), pose(slew_deg=EAST, radius_m=22.0, hook_m=10.0, load_t=2.0), 8.0 - 1.5 - 0.4),
        # a ball of 1.5 m under the hook, above the wires
        (
            line(20.0, 10.0, 12.0),
            pose(slew_deg=EAST, radius_m=20.0, hook_m=20.0, load_t=2.0),
            20.0 - 1.5 - 12.0 - 3.0 - 1.5,
        ),
        (line(20.0, 10.0, 12.0), pose(slew_deg=EAST, radius_m=20.0, hook_m=20.0), 20.0 - 12.0 - 3.0 - 0.4),
    ],
)
def test_margin_to_a_power_line(given: PowerLine, values: Pose, margin_m: float) -> None:
    assert Site(lines=[given]).says(values) == {"line_margin_m": pytest.approx(margin_m)}


def test_a_jib_in_the_wires_has_no_margin_left() -> None:
    assert Site(lines=[line(30.0, 35.0, 45.0)]).says(pose(slew_deg=EAST))["line_margin_m"] <= -1.5


def test_the_nearest_of_several_lines_and_spans_counts() -> None:
    bent = PowerLine("bent", CLEARANCE, ((80.0, -90.0, 40.0, 41.0), (80.0, 0.0, 40.0, 41.0), (53.5, 0.0, 40.0, 41.0)))
    said = Site(lines=[line(300.0, 40.0, 41.0), bent]).says(pose(slew_deg=EAST))
    assert said["line_margin_m"] == pytest.approx(3.5 - 1.0 - 1.5)


def test_a_margin_is_unknown_with_an_unknown_part_unless_it_is_broken_already_or_the_line_is_far() -> None:
    silent = pose(slew_deg=math.nan)
    assert math.isnan(Site(lines=[line(56.0, 40.0, 41.0)]).says(silent)["line_margin_m"])
    no_hook = pose(slew_deg=EAST, hook_m=math.nan)
    assert math.isnan(Site(lines=[line(56.0, 40.0, 41.0)]).says(no_hook)["line_margin_m"])
    assert Site(lines=[line(52.0, 40.0, 41.0)]).says(no_hook)["line_margin_m"] == pytest.approx(2.0 - 1.0 - 1.5)
    far = Site(lines=[line(300.0, 40.0, 41.0)]).says(silent)["line_margin_m"]
    assert far == pytest.approx(300.0 - 1.5 - 51.5)


def test_points_are_delivered_only_for_what_there_is() -> None:
    site = Site([forbidden()], [line(60.0, 10.0, 12.0)])
    assert [point.point_id for point in site.model.outputs] == ["crane-1.forbidden_zone", "crane-1.line_margin_m"]
    assert site.model.device == "crane-1:surroundings"
    assert "crane-1.motor" not in site.model.inputs


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="numbers of their own"):
        Site([no_lift(1), no_lift(1)])
    assert Site([no_lift(1), forbidden(1)]).says(pose(slew_deg=NORTH)) == {"no_lift_zone": 0.0, "forbidden_zone": 0.0}
    with pytest.raises(ValueError, match="three corners"):
        no_lift(corners=SQUARE[:2])
    with pytest.raises(ValueError, match="below"):
        no_lift(bottom_m=5.0, top_m=5.0)
    with pytest.raises(ValueError, match="lowest"):
        line(0.0, 5.0, 4.0)
