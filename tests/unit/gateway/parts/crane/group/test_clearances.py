"""Static clearances of a group: 2 m each by GB 5144-2006 10.5; here only the geometry."""

import math

import numpy as np
import pytest

from gateway.parts.crane.group.clearances import CraneGroupClearances
from gateway.parts.crane.group.members import GroupMember
from gateway.parts.crane.model.geometry import CraneGeometry
from tests.fakes.crane_yard import START_NS, crane


def clearances(
    cranes: list[CraneGeometry], heights_m: list[float], keys: tuple[str, ...] = ("crane_h_m",)
) -> dict[str, float]:
    members = [GroupMember(f"crane-{shape.number}", shape, keys) for shape in cranes]
    model = CraneGroupClearances("north", members)
    given = {f"crane-{shape.number}.crane_h_m": h for shape, h in zip(cranes, heights_m, strict=True)}
    value = np.array([given[point] for point in model.inputs], dtype=np.float64)
    said = model.step(value, np.full(value.size, START_NS, dtype=np.int64), START_NS)
    assert said is not None
    return dict(zip((point.point_id for point in model.outputs), said.tolist(), strict=True))


def test_the_lower_jib_must_stay_clear_of_the_higher_mast() -> None:
    low, high = crane(0, 0), crane(1, 54)
    said = clearances([low, high], [40.0, 60.0])
    assert said["crane-0.jib_mast_clearance_m"] == pytest.approx(54 - 50 - 1.2)
    assert said["crane-1.jib_mast_clearance_m"] == said["crane-0.jib_mast_clearance_m"]
    longer = crane(0, 0, jib_length_m=55.0)
    assert clearances([longer, high], [40.0, 60.0])["crane-0.jib_mast_clearance_m"] < 0.0


def test_which_crane_is_the_lower_one_follows_the_measured_height() -> None:
    short, long = crane(0, 0, jib_length_m=30.0), crane(1, 54)
    assert clearances([short, long], [40.0, 60.0])["crane-0.jib_mast_clearance_m"] == pytest.approx(54 - 30 - 1.2)
    assert clearances([short, long], [60.0, 40.0])["crane-0.jib_mast_clearance_m"] == pytest.approx(54 - 50 - 1.2)


def test_the_upper_hook_at_its_highest_or_its_counterweight_over_the_lower_cranes_highest_part() -> None:
    high = crane(1, 90, hook_gap_m=2.0)
    assert clearances([crane(0, 0), high], [40.0, 60.0])["crane-0.vertical_clearance_m"] == pytest.approx(
        60 - 2.0 - 0.4 - 42
    )
    weight = crane(1, 90, counter_jib_half_m=4.0)
    assert clearances([crane(0, 0), weight], [40.0, 60.0])["crane-0.vertical_clearance_m"] == pytest.approx(60 - 4 - 42)


def test_a_tower_head_counts_only_under_the_upper_jib() -> None:
    headed = crane(0, 0, head_height_m=8.0)
    near, far = crane(1, 45), crane(1, 90)
    assert clearances([headed, near], [40.0, 60.0])["crane-0.vertical_clearance_m"] == pytest.approx(60 - 1.5 - 48)
    assert clearances([headed, far], [40.0, 60.0])["crane-0.vertical_clearance_m"] == pytest.approx(60 - 1.5 - 42)


def test_a_luffing_lower_crane_is_as_high_as_its_jib_can_stand() -> None:
    steep = crane(0, 0, luffing=True, radius_min_m=30.0, radius_max_m=48.0)
    assert clearances([steep, crane(1, 90)], [20.0, 70.0])["crane-0.vertical_clearance_m"] == pytest.approx(
        70 - 1.5 - (20 + 40.0)
    )


def test_the_worst_neighbour_counts_and_cranes_out_of_reach_have_no_clearance() -> None:
    cranes = [crane(0, 0), crane(1, 54), crane(2, 0, 60), crane(3, 900)]
    said = clearances(cranes, [40.0, 60.0, 44.0, 40.0])
    assert said["crane-0.vertical_clearance_m"] == pytest.approx(44 - 1.5 - 42)
    assert said["crane-0.jib_mast_clearance_m"] == pytest.approx(54 - 50 - 1.2)
    assert not any(point.startswith("crane-3") for point in said)


def test_a_height_that_is_not_known_leaves_only_a_certain_fault() -> None:
    cranes = [crane(0, 0), crane(1, 60), crane(2, 0, 60)]
    said = clearances(cranes, [40.0, 60.0, math.nan])
    assert math.isnan(said["crane-0.vertical_clearance_m"])
    assert math.isnan(said["crane-2.jib_mast_clearance_m"])
    touching = clearances(cranes, [40.0, 41.0, math.nan])
    assert touching["crane-0.vertical_clearance_m"] == pytest.approx(41 - 1.5 - 42)


def test_without_a_measured_height_the_papers_say_it() -> None:
    said = clearances([crane(0, 0), crane(1, 90, mast_height_m=60.0)], [0.0, 0.0], keys=())
    assert said["crane-0.vertical_clearance_m"] == pytest.approx(60 - 1.5 - 42)
