"""A group of cranes: distances by hand, what is ahead, silence, the right of way, and the device's own flag."""

import json
import math

import numpy as np
import pytest

from gateway.parts.crane.group.group import CraneGroupDerivation
from gateway.parts.crane.group.members import INPUT_KEYS, CraneGroupParameters, GroupMember
from gateway.parts.crane.group.motion import MotionParameters
from gateway.parts.crane.group.right_of_way import Principle
from gateway.parts.crane.model.geometry import CraneGeometry
from tests.fakes.crane_yard import START_NS, Pose, Yard, crane, pose

EAST, WEST, NORTH, SOUTH = 90.0, 270.0, 0.0, 180.0


def said(cranes: list[CraneGeometry], *poses: Pose | None, seconds: float = 2.0) -> list[dict[str, float]]:
    return Yard(cranes).run(seconds, lambda t_s: poses)


@pytest.mark.parametrize(
    ("name", "cranes", "poses", "expected_m"),
    [
        # jib tips 20 m apart in one line, each 1 m thick
        ("jib to jib", [crane(0, 0), crane(1, 120)], [pose(slew_deg=EAST), pose(slew_deg=WEST)], 18.0),
        # the tip is 10 m short of the other's axis; that one points away, its mast is higher
        (
            "jib to mast",
            [crane(0, 0), crane(1, 60, mast_height_m=70.0)],
            [pose(slew_deg=EAST), pose(slew_deg=EAST, crane_h_m=70.0, hook_m=60.0)],
            10.0 - 1.0 - 1.2,
        ),
        # counter-jib (12 m) of one against the mast of the other, 15 m away, which is much higher
        (
            "counter-jib to mast",
            [crane(0, 0), crane(1, 15, mast_height_m=70.0)],
            [pose(slew_deg=WEST), pose(slew_deg=EAST, crane_h_m=70.0, hook_m=60.0)],
            3.0 - 1.5 - 1.2,
        ),
        # the higher crane's hook hangs 8 m beyond the lower jib's tip, level with its axis
        (
            "jib to hook line",
            [crane(0, 0), crane(1, 78, mast_height_m=60.0)],
            [pose(slew_deg=EAST), pose(slew_deg=WEST, radius_m=20.0, crane_h_m=60.0, hook_m=30.0)],
            8.0 - 1.0 - 0.4,
        ),
        # two rope lines 6 m apart in plan, jibs far apart in height
        (
            "hook line to hook line",
            [crane(0, 0, jib_half_m=0.2), crane(1, 106, mast_height_m=80.0)],
            [
                pose(slew_deg=EAST, radius_m=50.0, hook_m=10.0),
                pose(slew_deg=WEST, radius_m=50.0, crane_h_m=80.0, hook_m=10.0),
            ],
            6.0 - 0.8,
        ),
        # a rope line 5 m beside a mast that stands under it
        (
            "hook line to mast",
            [crane(0, 0, mast_height_m=80.0), crane(1, 25, counter_jib_half_m=1.0)],
            [pose(slew_deg=EAST, crane_h_m=80.0, hook_m=10.0), pose(slew_deg=NORTH, hook_m=10.0)],
            5.0 - 1.2 - 0.4,
        ),
        # the counter-jib's end 7 m from the rope of the higher crane
        (
            "counter-jib to hook line",
            [crane(0, 0), crane(1, 39, mast_height_m=60.0)],
            [pose(slew_deg=WEST), pose(slew_deg=WEST, crane_h_m=60.0, hook_m=30.0)],
            7.0 - 1.5 - 0.4,
        ),
        # two tails back to back, the jibs away from each other
        (
            "counter-jib to counter-jib",
            [crane(0, 0), crane(1, 30)],
            [pose(slew_deg=WEST), pose(slew_deg=EAST)],
            6.0 - 3.0,
        ),
    ],
)
def test_each_pair_of_parts_counts(
    name: str, cranes: list[CraneGeometry], poses: list[Pose], expected_m: float
) -> None:
    for one in said(cranes, *poses):
        assert one["min_distance_m"] == pytest.approx(expected_m, abs=1e-6), name
        assert one["known_distance_m"] == one["min_distance_m"]


def test_a_load_on_the_hook_is_a_ball_under_it() -> None:
    cranes = [crane(0, 0), crane(1, 60, mast_height_m=60.0)]
    empty = pose(slew_deg=WEST, radius_m=20.0, crane_h_m=60.0, hook_m=47.0)
    below = pose(slew_deg=EAST)
    # hook 47 m over a jib whose axis is at 41 m; a ball of 1.5 m radius hangs under it
    assert said(cranes, below, empty)[0]["min_distance_m"] == pytest.approx(6.0 - 1.0 - 0.4)
    loaded = {**empty, "load_t": 3.0}
    assert said(cranes, below, loaded)[0]["min_distance_m"] == pytest.approx(6.0 - 3.0 - 1.0)
    unknown = {**empty, "load_t": math.nan}
    assert said(cranes, below, unknown)[0]["min_distance_m"] == pytest.approx(6.0 - 3.0 - 1.0)


def test_a_climb_changes_the_distance() -> None:
    cranes = [crane(0, 0), crane(1, 70)]
    low = said(cranes, pose(slew_deg=EAST, hook_m=39.0), pose(slew_deg=WEST, hook_m=39.0))
    assert low[0]["min_distance_m"] == 0.0
    high = said(cranes, pose(slew_deg=EAST, hook_m=39.0), pose(slew_deg=WEST, hook_m=51.0, crane_h_m=52.0))
    assert high[0]["min_distance_m"] == pytest.approx(51.0 - 41.0 - 1.0 - 0.4)


def test_a_crane_whose_device_says_no_height_is_as_high_as_its_papers_say() -> None:
    cranes = [crane(0, 0), crane(1, 120)]
    keys = ("slew_deg", "radius_m")
    poses = [pose(slew_deg=EAST), pose(slew_deg=WEST)]
    one = Yard(cranes, keys=keys).run(2.0, lambda t_s: poses)[0]
    assert one["min_distance_m"] == pytest.approx(18.0)
    assert math.isnan(one["collision_flag_disagrees"])


def test_without_a_hook_height_the_hook_may_be_anywhere_down_to_the_base() -> None:
    cranes = [crane(0, 0), crane(1, 46, mast_height_m=80.0)]
    keys = ("slew_deg", "radius_m", "load_t")
    poses = [pose(slew_deg=EAST), pose(slew_deg=WEST)]
    assert Yard(cranes, keys=keys).run(2.0, lambda t_s: poses)[0]["min_distance_m"] == 0.0


def test_a_luffing_jib_rises_over_its_neighbour() -> None:
    cranes = [crane(0, 0), crane(1, 55, luffing=True, radius_min_m=5.0, radius_max_m=48.0)]
    lying = pose(slew_deg=WEST, radius_m=48.0, hook_m=40.0)
    steep = pose(slew_deg=WEST, radius_m=6.0, hook_m=60.0)
    beside = pose(slew_deg=EAST)
    assert said(cranes, beside, lying)[0]["min_distance_m"] == 0.0
    assert said(cranes, beside, steep)[0]["min_distance_m"] > 2.0


def turning(cranes: list[CraneGeometry], deg_s: float, seconds: float) -> list[dict[str, float]]:
    """Crane 0 turns clockwise from north, crane 1 stands pointing west."""
    still = pose(slew_deg=WEST)
    return Yard(cranes).run(seconds, lambda t_s: [pose(slew_deg=deg_s * t_s % 360), still])


def test_a_jib_that_turns_towards_another_is_seen_coming() -> None:
    cranes = [crane(0, 0), crane(1, 110)]  # tips pass 10 m apart in line: 8 m between the bodies
    one, other = turning(cranes, 3.0, 4.0)
    assert one["min_distance_m"] > 30.0
    assert one["conflict_in_s"] == 30.0
    assert one["conflict_with"] == -1.0
    nearer = [crane(0, 0), crane(1, 105)]  # 5 m in line, 3 m between the bodies
    one, other = turning(nearer, 3.0, 20.0)  # at 57 deg
    assert one["min_distance_m"] > 20.0
    # tips within 5 + 2 m: 50 m * angle left ~ sqrt(7^2 - 5^2), less than 6 deg before east
    assert one["conflict_in_s"] == pytest.approx((90.0 - 3.0 * 19.9) / 3.0 - math.degrees(4.65 / 50.0) / 3.0, abs=0.3)
    assert one["predicted_distance_m"] == pytest.approx(3.0, abs=0.3)
    assert (one["conflict_with"], other["conflict_with"]) == (1.0, 0.0)
    assert other["conflict_in_s"] == one["conflict_in_s"]


def test_beyond_the_braking_time_nothing_is_predicted_but_the_conflict_is_seen() -> None:
    slow, _ = turning([crane(0, 0), crane(1, 105)], 1.0, 78.0)  # 12 deg left at 1 deg/s; braking takes 5.9 s
    assert slow["conflict_in_s"] == pytest.approx(6.8, abs=0.4)
    assert slow["predicted_distance_m"] > 5.0


def test_a_jib_that_turns_away_is_not_in_conflict_later() -> None:
    cranes = [crane(0, 0), crane(1, 105)]
    still = pose(slew_deg=WEST)
    away = Yard(cranes).run(4.0, lambda t_s: [pose(slew_deg=(70.0 - 3.0 * t_s) % 360), still])[0]
    assert away["conflict_in_s"] == 30.0
    assert away["predicted_distance_m"] == pytest.approx(away["min_distance_m"])


def test_the_turn_through_north_is_no_jump() -> None:
    cranes = [crane(0, 0), crane(1, -105.0)]
    still = pose(slew_deg=EAST)
    through = Yard(cranes, CraneGroupParameters(exact_below_m=100.0)).run(
        4.0, lambda t_s: [pose(slew_deg=(4.0 - 2.0 * t_s) % 360), still]
    )[0]
    assert through["conflict_in_s"] == 30.0  # at -3.8 deg with 2 deg/s: 20 s on it is at -44 deg
    assert through["predicted_distance_m"] < through["min_distance_m"]


def test_speed_is_known_only_after_a_while_and_not_after_a_gap() -> None:
    yard = Yard([crane(0, 0), crane(1, 80)])
    apart = [pose(slew_deg=NORTH), pose(slew_deg=NORTH)]
    one = yard.run(0.5, lambda t_s: apart)[0]
    assert one["min_distance_m"] > 20.0
    assert math.isnan(one["predicted_distance_m"])
    assert math.isnan(one["conflict_in_s"])
    assert math.isnan(one["conflict_with"])
    assert math.isnan(one["right_of_way"])
    assert math.isfinite(yard.run(1.0, lambda t_s: apart)[0]["predicted_distance_m"])
    yard.now_ns += 10 * 10**9
    assert math.isnan(yard.run(0.2, lambda t_s: apart)[0]["conflict_in_s"])


def test_a_jump_that_no_crane_makes_is_a_place_and_no_speed() -> None:
    yard = Yard([crane(0, 0), crane(1, 105)])

    def says(t_s: float) -> list[Pose]:
        return [pose(slew_deg=WEST if t_s < 3.0 else 20.0), pose(slew_deg=WEST)]

    yard.run(3.0, says)
    jumped = yard.run(0.3, says)[0]
    assert jumped["min_distance_m"] == pytest.approx(55.0 * math.cos(math.radians(20.0)) - 2.0, abs=0.01)
    assert math.isnan(jumped["conflict_in_s"])
    settled = yard.run(1.5, says)[0]
    assert settled["predicted_distance_m"] == pytest.approx(jumped["min_distance_m"])


def test_a_reading_that_is_too_old_says_nothing() -> None:
    value = np.array([x for _ in range(2) for x in pose(slew_deg=NORTH).values()])
    for age_s, known in [(2.9, True), (3.1, False)]:
        at_ns = np.full(value.size, START_NS - round(age_s * 1e9), dtype=np.int64)
        answer = Yard([crane(0, 0), crane(1, 80)]).group.step(value, at_ns, START_NS)
        assert answer is not None
        assert math.isfinite(answer[0]) is known


def test_a_silent_neighbour_within_reach_is_not_known_out_of_reach_it_does_not_matter() -> None:
    near, far = crane(1, 80), crane(2, 400)
    one, other = said([crane(0, 0), near], pose(slew_deg=EAST), None)
    for key in ("min_distance_m", "known_distance_m", "conflict_in_s", "conflict_with", "right_of_way"):
        assert math.isnan(one[key])
        assert math.isnan(other[key])
    heard, _, silent = said([crane(0, 0), near, far], pose(slew_deg=WEST), pose(slew_deg=EAST), None)
    assert heard["min_distance_m"] == pytest.approx(56.0 - 3.0)
    assert heard["conflict_in_s"] == 30.0
    assert silent["min_distance_m"] >= 5.0  # nobody can come near it


def test_a_jib_that_points_away_from_a_silent_crane_is_known_to_be_clear_now_but_not_ahead() -> None:
    cranes = [crane(0, 0), crane(1, 75)]
    away, _ = said(cranes, pose(slew_deg=WEST), None)
    # 75 m less the silent crane's 51.5 m leaves 23.5 m to the axis, 11.5 m to the tail of the one that is heard
    assert away["min_distance_m"] == pytest.approx(75 - 51.5 - 12 - 1.5)
    swinging = Yard(cranes).run(3.0, lambda t_s: [pose(slew_deg=WEST + 3.0 * t_s), None])[0]
    assert swinging["min_distance_m"] == pytest.approx(75 - 51.5 - 12 - 1.5, abs=0.5)
    assert math.isnan(swinging["predicted_distance_m"])
    assert math.isnan(swinging["conflict_in_s"])


def test_above_a_silent_crane_counts_the_height_of_its_jib() -> None:
    cranes = [crane(0, 0, mast_height_m=40.0), crane(1, 60, mast_height_m=50.0)]
    over = pose(slew_deg=WEST, crane_h_m=50.0, hook_m=50.0, radius_m=49.0)
    silent = pose(slew_deg=math.nan)
    # the jib of the silent crane reaches up to 42 m, the hook hangs at 50 m
    one = said(cranes, silent, over)[1]
    heard = said(cranes, pose(slew_deg=EAST), over)[1]
    assert 5.0 < one["min_distance_m"] <= heard["min_distance_m"] == pytest.approx(50.0 - 0.4 - 42.0)


def test_a_known_conflict_is_said_beside_a_silent_crane_and_the_sharper_limit_stays_unknown() -> None:
    cranes = [crane(0, 0), crane(1, 106), crane(2, 0, 40)]
    one = said(cranes, pose(slew_deg=EAST), pose(slew_deg=WEST), None)[0]
    assert one["known_distance_m"] == pytest.approx(4.0)  # a warning, whatever the third one does
    assert math.isnan(one["min_distance_m"])  # the third may be nearer than 2 m
    assert one["conflict_in_s"] == 0.0
    assert one["conflict_with"] == 1.0
    closer = [crane(0, 0), crane(1, 103), crane(2, 0, 40)]
    assert said(closer, pose(slew_deg=EAST), pose(slew_deg=WEST), None)[0]["min_distance_m"] == pytest.approx(1.0)


def test_a_silent_cranes_mast_stands_where_it_stands() -> None:
    cranes = [crane(0, 0), crane(1, 52.5, mast_height_m=60.0)]
    one, other = said(cranes, pose(slew_deg=EAST), pose(slew_deg=math.nan, crane_h_m=60.0, hook_m=50.0))
    assert one["min_distance_m"] == pytest.approx(2.5 - 1.0 - 1.2)
    assert other["min_distance_m"] == one["min_distance_m"]


def test_right_of_way_by_the_order_of_the_site() -> None:
    high = crane(1, 40, mast_height_m=60.0)
    over = pose(slew_deg=WEST, crane_h_m=60.0, hook_m=41.0)
    one, other = said([crane(0, 0), high], pose(slew_deg=EAST), over)
    assert (one["right_of_way"], other["right_of_way"]) == (2.0, 1.0)  # the lower one gives way
    yard = Yard([crane(0, 0), high], CraneGroupParameters(right_of_way=(Principle.LOWER,)))
    one, other = yard.run(2.0, lambda t_s: [pose(slew_deg=EAST), over])
    assert (one["right_of_way"], other["right_of_way"]) == (1.0, 2.0)


def test_right_of_way_of_cranes_of_one_height() -> None:
    cranes = [crane(0, 0), crane(1, 103)]
    east, west = pose(slew_deg=EAST), pose(slew_deg=WEST)

    def both(first: Pose, second: Pose) -> tuple[float, float]:
        one, other = said(cranes, first, second)
        return one["right_of_way"], other["right_of_way"]

    assert both({**east, "load_t": 3.0}, west) == (1.0, 2.0)
    assert both({**east, "load_t": 3.0}, {**west, "motor": 0.0}) == (2.0, 1.0)  # it cannot move
    assert both(east, west) == (2.0, 2.0)  # nothing tells them apart
    for lost in ("load_t", "motor"):
        unknown = both({**east, lost: math.nan}, west)
        assert all(math.isnan(x) for x in unknown), lost
    assert both(east, pose(slew_deg=EAST)) == (0.0, 0.0)


def test_a_crane_that_says_nothing_of_its_motor_counts_as_running() -> None:
    keys = [key for key in INPUT_KEYS if key != "motor"]
    yard = Yard([crane(0, 0), crane(1, 103)], keys=keys)
    one, other = yard.run(2.0, lambda t_s: [pose(slew_deg=EAST, load_t=3.0), pose(slew_deg=WEST)])
    assert (one["right_of_way"], other["right_of_way"]) == (1.0, 2.0)


def test_the_one_that_was_there_first_goes_first_also_after_a_restart() -> None:
    cranes = [crane(0, 0), crane(1, 90)]

    def says(t_s: float) -> list[Pose]:
        second = WEST if t_s > 5.0 else EAST
        return [pose(slew_deg=EAST), pose(slew_deg=second)]

    yard = Yard(cranes)
    one, other = yard.run(10.0, says)
    assert (one["right_of_way"], other["right_of_way"]) == (1.0, 2.0)
    kept = json.loads(json.dumps(yard.group.saved(), allow_nan=False))
    again = Yard(cranes)
    again.group.restore(kept)
    again.now_ns = yard.now_ns
    one, other = again.run(2.0, says)
    assert (one["right_of_way"], other["right_of_way"]) == (1.0, 2.0)


def test_a_collision_flag_that_says_the_opposite_for_long_enough() -> None:
    cranes = [crane(0, 0), crane(1, 101)]
    touching = [pose(slew_deg=EAST), pose(slew_deg=WEST, multi_alarm=1.0)]
    yard = Yard(cranes)
    early = yard.run(4.9, lambda t_s: touching)
    assert [one["collision_flag_disagrees"] for one in early] == [0.0, 0.0]
    late = yard.run(0.3, lambda t_s: touching)
    assert [one["collision_flag_disagrees"] for one in late] == [1.0, 0.0]
    apart = [pose(slew_deg=NORTH, multi_alarm=0.0), pose(slew_deg=NORTH, multi_alarm=1.0)]
    assert yard.run(1.5, lambda t_s: apart)[0]["collision_flag_disagrees"] == 0.0
    yard = Yard(cranes)
    assert yard.run(7.0, lambda t_s: apart)[1]["collision_flag_disagrees"] == 1.0
    unheard = [apart[0], pose(slew_deg=NORTH, multi_alarm=math.nan)]
    assert math.isnan(yard.run(0.1, lambda t_s: unheard)[1]["collision_flag_disagrees"])


def test_a_flag_cannot_be_doubted_while_a_neighbour_in_reach_is_silent() -> None:
    one = said([crane(0, 0), crane(1, 80)], pose(slew_deg=EAST, multi_alarm=1.0), None, seconds=8.0)[0]
    assert math.isnan(one["collision_flag_disagrees"])


def test_readings_once_a_second_are_followed_between() -> None:
    yard = Yard([crane(0, 0), crane(1, 105)], CraneGroupParameters(motion=MotionParameters(max_age_s=3.0)))
    answer = None
    for tenth in range(100):
        now_ns = START_NS + tenth * 100_000_000
        read_s = tenth // 10
        value = np.array([[*pose(slew_deg=3.0 * read_s).values()], [*pose(slew_deg=WEST).values()]]).ravel()
        answer = yard.group.step(value, np.full(value.size, START_NS + read_s * 10**9, dtype=np.int64), now_ns)
    assert answer is not None
    at_rad = math.radians(3.0 * 9.9)
    assert answer[0] == pytest.approx(55.0 * math.cos(at_rad) - 2.0, abs=0.1)  # the other's tip to this jib


def test_points_belong_to_the_cranes_and_are_delivered_by_the_group() -> None:
    group = Yard([crane(0, 0), crane(7, 80)]).group
    assert group.device == "group:north"
    assert len(group.outputs) == 14
    assert group.outputs[7].point_id == "crane-7.min_distance_m"
    assert {point.device for point in group.outputs} == {"group:north"}
    assert group.inputs[:2] == ("crane-0.slew_deg", "crane-0.radius_m")


@pytest.mark.parametrize(
    "cranes", [[crane(0, 0)], [crane(0, 0), crane(0, 80)], [crane(i % 16, 80.0 * i) for i in range(17)]]
)
def test_a_group_is_two_to_sixteen_cranes_with_numbers_of_their_own(cranes: list[CraneGeometry]) -> None:
    with pytest.raises(ValueError, match="2 to 16"):
        Yard(cranes)


def test_an_asset_twice_or_an_unknown_key_is_refused() -> None:
    twice = [GroupMember("crane-1", crane(0, 0)), GroupMember("crane-1", crane(1, 80))]
    with pytest.raises(ValueError, match="each once"):
        CraneGroupDerivation("north", twice, CraneGroupParameters())
    strange = [GroupMember("crane-1", crane(0, 0), ("slew",)), GroupMember("crane-2", crane(1, 80))]
    with pytest.raises(ValueError, match="slew"):
        CraneGroupDerivation("north", strange, CraneGroupParameters())


@pytest.mark.parametrize(
    "change",
    [
        {"version": 99},
        {"assets": ["crane-0", "crane-9"]},
        {"entered_ns": [[0]]},
        {"entered_ns": "long ago"},
        {"disagrees_since_ns": None},
    ],
)
def test_a_kept_state_that_does_not_fit_is_refused(change: dict[str, object]) -> None:
    group = Yard([crane(0, 0), crane(1, 80)]).group
    kept = group.saved()
    assert isinstance(kept, dict)
    group.restore(kept)
    with pytest.raises(ValueError, match=r"kept|times"):
        group.restore({**kept, **change})
    with pytest.raises(ValueError, match="kept"):
        group.restore(None)
