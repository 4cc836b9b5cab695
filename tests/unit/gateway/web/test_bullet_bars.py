from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isnan, nan

import numpy as np
import pytest

from gateway.model.alarm import Severity
from gateway.model.quantity import Point, PointTable
from gateway.model.rule import Condition, Direction, GateParameters, ResolvedRule
from gateway.web.bullet_bars import (
    BarInputs,
    BarKind,
    BarPlan,
    BarState,
    CraneEnds,
    Measured,
    ReadState,
    plan_bars,
    read_bar,
)
from tests.fakes.site import info, threshold

CRANE = [("crane-1", "tower-crane")]
PIT = [("pit-1", "deep-pit")]


def table(*keys: tuple[str, str], asset: str = "crane-1") -> PointTable:
    return PointTable(tuple(Point(f"{asset}.{key}", asset, key, unit, "host", key, key) for key, unit in keys))


def rule(
    points: PointTable, key: str, severity: Severity, limit: float, direction: Direction = Direction.HIGH
) -> ResolvedRule:
    index = next(i for i, point in enumerate(points.points) if point.quantity == key)
    made = threshold(index, limit, direction=direction, rule=info(f"{key}.{severity}.{limit}", severity))
    return replace(made, asset=points[index].asset)


def measured(values: Sequence[float], unknown: Sequence[int] = ()) -> Measured:
    lost = np.zeros(len(values), dtype=np.bool_)
    lost[list(unknown)] = True
    return Measured(np.array(values), np.where(lost, 252.0, 0.1), lost)


def moment(value: float, unknown: Sequence[int] = ()) -> BarState:
    points = table(("moment_pct", "%"))
    limits = ((Severity.P1, 110.0), (Severity.P2, 100.0), (Severity.P3, 90.0))
    rules = [rule(points, "moment_pct", severity, limit) for severity, limit in limits]
    (plan,) = plan_bars(BarInputs(points, rules, CRANE))[0].bars
    return read_bar(plan, measured([value], unknown))


@pytest.mark.parametrize(
    ("value", "state"),
    [
        (0.0, ReadState.OK),
        (89.9, ReadState.OK),
        (90.0, ReadState.P3),
        (100.0, ReadState.P2),
        (109.9, ReadState.P2),
        (110.0, ReadState.P1),
        (655.0, ReadState.P1),
    ],
)
def test_a_value_at_a_limit_is_beyond_it(value: float, state: ReadState) -> None:
    assert moment(value).state is state


def test_a_bar_never_leaves_its_track_and_its_limits_stand_on_it() -> None:
    found = moment(655.0)
    assert found.share == 1.0
    assert [mark.severity for mark in found.marks] == [Severity.P1, Severity.P2, Severity.P3]
    assert all(0 < mark.share < 1 for mark in found.marks)
    assert moment(110.0).share == found.marks[0].share, "a value at its limit ends at the mark"


@pytest.mark.parametrize(("value", "unknown"), [(45.0, [0]), (nan, []), (float("inf"), [])])
def test_what_is_not_known_is_no_number(value: float, unknown: list[int]) -> None:
    found = moment(value, unknown)
    assert (found.state, found.share, found.unknown) == (ReadState.UNKNOWN, 0.0, 1)
    assert isnan(found.value)
    assert found.marks, "limits do not depend on the value"


def test_which_bars_there_are_is_decided_by_what_the_crane_has() -> None:
    points = table(("moment_pct", "%"), ("wind_ms", "m/s"))
    (group,) = plan_bars(BarInputs(points, [], CRANE))
    assert [plan.title_en for plan in group.bars] == ["Load moment", "Wind"]
    assert plan_bars(BarInputs(table(), [], CRANE)) == (), "an asset without anything to show has no group"


def test_of_several_winds_the_one_with_limits_is_shown() -> None:
    points = table(("wind_3s_ms", "m/s"), ("wind_ms", "m/s"))
    (group,) = plan_bars(BarInputs(points, [rule(points, "wind_ms", Severity.P2, 20.0)], CRANE))
    assert group.bars[0].cell == "crane-1.wind_ms"


def test_a_bar_without_limits_is_grey_whatever_it_says() -> None:
    points = table(("moment_pct", "%"))
    (group,) = plan_bars(BarInputs(points, [], CRANE))
    assert read_bar(group.bars[0], measured([119.0])).state is ReadState.OK


def test_a_limit_with_a_condition_counts_only_while_the_condition_is_known_to_hold() -> None:
    points = table(("wind_3s_ms", "m/s"), ("climbing", ""))
    gate = GateParameters((Condition(1, Direction.HIGH, 0.5, 60.0),), 60.0)
    stop = replace(rule(points, "wind_3s_ms", Severity.P2, 9.0), parameters=gate)
    always = rule(points, "wind_3s_ms", Severity.P1, 20.0)
    (group,) = plan_bars(BarInputs(points, [stop, always], CRANE))
    plan = group.bars[0]
    assert read_bar(plan, measured([9.5, 1.0])).state is ReadState.P2
    assert read_bar(plan, measured([9.5, 0.0])).state is ReadState.OK
    assert read_bar(plan, measured([9.5, 1.0], [1])).state is ReadState.OK, "the value itself is not doubted"
    assert [mark.at for mark in read_bar(plan, measured([9.5, 0.0])).marks] == [20.0]


def test_the_radius_is_judged_at_both_ends_of_its_way() -> None:
    points = table(("radius_m", "m"), ("radius_out_margin_m", "m"), ("radius_in_margin_m", "m"))
    rules = [
        rule(points, "radius_out_margin_m", Severity.P3, 2.0, Direction.LOW),
        rule(points, "radius_in_margin_m", Severity.P2, 0.0, Direction.LOW),
    ]
    (group,) = plan_bars(BarInputs(points, rules, CRANE, {"crane-1": CraneEnds(2.5, 55.0)}))
    (plan,) = group.bars
    assert read_bar(plan, measured([52.9, 2.1, 50.4])).state is ReadState.OK
    assert read_bar(plan, measured([53.0, 2.0, 50.5])).state is ReadState.P3
    assert read_bar(plan, measured([2.5, 52.5, 0.0])).state is ReadState.P2


def test_a_height_is_judged_below_the_jib_where_the_jib_is_now() -> None:
    points = table(("hook_m", "m"), ("hook_top_clearance_m", "m"))
    rules = [rule(points, "hook_top_clearance_m", Severity.P2, 0.8, Direction.LOW)]
    (group,) = plan_bars(BarInputs(points, rules, CRANE))
    (plan,) = group.bars
    assert plan.kind is BarKind.BELOW_TOP
    found = read_bar(plan, measured([45.3, 0.7]))
    assert found.state is ReadState.P2
    assert found.marks[0].at == pytest.approx(45.2)
    assert read_bar(plan, measured([45.3, 12.7])).state is ReadState.OK, "the mast has climbed"
    assert read_bar(plan, measured([45.3, 0.7], [1])).state is ReadState.UNKNOWN, "nobody knows where the jib is"


def pit_bars(points: PointTable, rules: Sequence[ResolvedRule]) -> Mapping[str, BarPlan]:
    (group,) = plan_bars(BarInputs(points, rules, PIT))
    return {plan.cell: plan for plan in group.bars}


def wall() -> tuple[PointTable, list[ResolvedRule]]:
    points = table(("zqs-1", "mm"), ("zqs-2", "mm"), ("zqs-1_rate", "mm/d"), asset="pit-1")
    return points, [
        rule(points, "zqs-1", Severity.P2, 30.0, Direction.EITHER),
        rule(points, "zqs-2", Severity.P2, 60.0, Direction.EITHER),
        rule(points, "zqs-1_rate", Severity.P2, 3.0, Direction.EITHER),
    ]


def test_the_worst_point_of_a_pit_is_the_one_nearest_to_its_own_limit() -> None:
    plan = pit_bars(*wall())["pit-1/moved"]
    found = read_bar(plan, measured([-20.0, 25.0, 0.0]))
    assert (found.point, found.value) == (0, -20.0), "20 of 30 is worse than 25 of 60, whatever the sign"
    assert found.state is ReadState.OK
    assert read_bar(plan, measured([-30.0, 25.0, 0.0])).state is ReadState.P2


def test_a_point_of_a_pit_that_is_lost_is_counted_and_hides_no_other() -> None:
    plan = pit_bars(*wall())["pit-1/moved"]
    found = read_bar(plan, measured([29.0, 61.0, 0.0], [0]))
    assert (found.point, found.state, found.unknown) == (1, ReadState.P2, 1)
    lost = read_bar(plan, measured([29.0, 61.0, 0.0], [0, 1]))
    assert (lost.point, lost.state, lost.unknown) == (-1, ReadState.UNKNOWN, 2)


def test_a_strut_that_has_lost_its_load_is_worse_than_one_that_is_loaded() -> None:
    points = table(("zcl-1_pct_fy", "%"), ("zcl-2_pct_f2", "%"), asset="pit-1")
    rules = [
        rule(points, "zcl-1_pct_fy", Severity.P2, 80.0, Direction.LOW),
        rule(points, "zcl-2_pct_f2", Severity.P2, 60.0, Direction.HIGH),
    ]
    plan = pit_bars(points, rules)["pit-1/strut"]
    found = read_bar(plan, measured([79.0, 50.0]))
    assert (found.point, found.state) == (0, ReadState.P2)
    assert read_bar(plan, measured([100.0, 59.0])).point == 1


def test_forecasts_and_the_quality_of_readings_are_no_bars() -> None:
    points = PointTable(
        (Point("pit-1.zqs-1_tangent_deg", "pit-1", "zqs-1_tangent_deg", "mm", "host", "t", "t", item="pit_x"),)
    )
    assert plan_bars(BarInputs(points, [replace(threshold(0), asset="pit-1")], PIT)) == ()


def test_letters_that_would_lie_on_each_other_give_way_to_the_graver() -> None:
    points = table(("moment_pct", "%"))
    rules = [
        rule(points, "moment_pct", severity, limit) for severity, limit in ((Severity.P1, 101.0), (Severity.P2, 100.0))
    ]
    (plan,) = plan_bars(BarInputs(points, rules, CRANE))[0].bars
    grave, lesser = read_bar(plan, measured([0.0])).marks
    assert (grave.lettered, lesser.lettered) == (True, False)
