"""A pit's limits: whose counts, what a missing depth, grade or structure does, and the rows that are made of them."""

from dataclasses import replace

import pytest

from gateway.model.alarm import Severity
from gateway.model.rule import ConsecutiveParameters, Direction, GateParameters, ResolvedRule
from gateway.parts.pit.model.description import ControlValue, PitDescription, PitPoint, PitStage, SafetyGrade
from gateway.parts.pit.model.instrument import DirectReading
from gateway.parts.pit.model.items import DesignShare, PitItem, PitStructure
from gateway.parts.pit.model.outputs import pit_outputs, point_outputs
from gateway.parts.pit.settings.limits import PitLimits, limits_of
from gateway.parts.pit.settings.merged_tables import PitLimitTables
from gateway.settings.document import Document
from gateway.settings.schema import LimitSource
from tests.fakes.pack_line import ASSET, JudgingLine, packs_of, point, resolved, shipped

NATIONAL = ("national",)
GUANGDONG = ("national", "pack-gd-2023")
TOP = PitItem.WALL_TOP_HORIZONTAL


def control(source: str = "design", certainty: str = "SITE", **values: float) -> ControlValue:
    return ControlValue(source, "Drawing G-12", certainty, **values)


def pit(
    item: PitItem = TOP,
    structure: PitStructure = PitStructure.DIAPHRAGM_WALL,
    own: ControlValue | None = None,
    depth_m: float | None = 15.0,
    grade: int | None = 1,
) -> PitDescription:
    own_point = PitPoint("p", item, DirectReading(f"{ASSET}.raw"), "测点", "Point", structure, control=own)
    return PitDescription(ASSET, (own_point,), depth_m, None if grade is None else SafetyGrade(grade))


def limits(description: PitDescription, packs: tuple[str, ...] = NATIONAL) -> PitLimits:
    return limits_of(description, description.points[0], shipped(*packs).table(PitLimitTables), "site.yaml:7")


def rows(
    description: PitDescription, packs: tuple[str, ...] = NATIONAL, **override: object
) -> tuple[dict[str, ResolvedRule], Document]:
    points = [*point_outputs(ASSET, description.points[0]), *pit_outputs(description)]
    overrides = [override] if override else []
    found, document = resolved(shipped(*packs), "deep-pit", points, [description], overrides)
    return {row.info.rule_id: row for row in found}, document


def test_the_designers_value_beats_the_code_also_where_it_is_looser() -> None:
    found = limits(pit(own=control(cumulative=45.0)))
    assert found.cumulative is not None
    assert (found.cumulative.value, found.cumulative.limit_source) == (45.0, LimitSource.DESIGN)
    assert (found.cumulative.clause, found.cumulative.certainty) == ("Drawing G-12", "SITE")
    assert found.rate is not None
    assert (found.rate.value, found.rate.limit_source) == (2.0, LimitSource.NATIONAL_CODE), "left out: the code's"


@pytest.mark.parametrize("source", ["design", "maker_manual", "site_scheme"])
def test_every_paper_of_the_site_beats_codes(source: str) -> None:
    found = limits(pit(own=control(source, rate_per_day=9.0)))
    assert found.rate is not None
    assert (found.rate.value, found.rate.limit_source) == (9.0, source)


@pytest.mark.parametrize(("value", "counts"), [(15.0, 15.0), (35.0, 20.0)])
def test_a_code_entered_by_hand_is_one_code_of_several_and_the_stricter_counts(value: float, counts: float) -> None:
    found = limits(pit(own=control("local_code", "V1", cumulative=value)))
    assert found.cumulative is not None
    assert found.cumulative.value == counts


def test_a_product_default_counts_only_where_there_is_nothing_else() -> None:
    ours = control("product_default", "PD", cumulative=5.0)
    table = limits(pit(own=ours)).cumulative
    alone = limits(pit(PitItem.LAYERED_SOIL, own=ours)).cumulative
    assert table is not None
    assert alone is not None
    assert (table.value, alone.value, alone.certainty) == (20.0, 5.0, "PD")


DEPTHS = [(15.0, 20.0, "V2"), (10.0, 20.0, "V2"), (8.0, 16.0, "M-M")]


@pytest.mark.parametrize(("depth_m", "value", "certainty"), DEPTHS)
def test_the_smaller_of_millimetres_and_share_of_depth_counts_with_its_own_certainty(
    depth_m: float, value: float, certainty: str
) -> None:
    found = limits(pit(depth_m=depth_m)).cumulative
    assert found is not None
    assert (found.value, found.certainty, found.exact) == (pytest.approx(value), certainty, True)
    assert ("% of H = 8 m" in found.clause) == (depth_m == 8.0)


def test_without_a_depth_the_absolute_value_is_only_an_upper_bound() -> None:
    found = limits(pit(depth_m=None)).cumulative
    assert found is not None
    assert (found.value, found.exact) == (20.0, False)


def test_without_a_depth_an_item_that_needs_none_is_exact() -> None:
    found = limits(pit(PitItem.GROUND_SETTLEMENT, depth_m=None)).cumulative
    assert found is not None
    assert (found.value, found.exact) == (25.0, True)


def test_a_designers_share_of_an_unknown_depth_falls_back_on_the_code_as_an_upper_bound() -> None:
    found = limits(pit(own=control(cumulative_pct_depth=0.4), depth_m=None)).cumulative
    assert found is not None
    assert (found.value, found.limit_source, found.exact) == (20.0, LimitSource.NATIONAL_CODE, False)
    known = limits(pit(own=control(cumulative_pct_depth=0.4))).cumulative
    assert known is not None
    assert (known.value, known.limit_source) == (60.0, LimitSource.DESIGN)


def test_a_designers_two_values_count_as_the_smaller() -> None:
    found = limits(pit(own=control(cumulative=45.0, cumulative_pct_depth=0.2))).cumulative
    assert found is not None
    assert (found.value, found.exact) == (30.0, True)


def test_without_a_grade_or_a_structure_the_strictest_counts_and_it_is_warned_of() -> None:
    found = limits(pit(PitItem.DEEP_HORIZONTAL, PitStructure.SHEET_PILES, grade=None))
    assert found.cumulative is not None
    assert (found.cumulative.value, found.strictest) == (50.0, True)
    other = limits(pit(PitItem.DEEP_HORIZONTAL, PitStructure.OTHER, grade=3))
    assert other.cumulative is not None
    assert (other.cumulative.value, other.strictest) == (50.0, True)
    assert not limits(pit(PitItem.DEEP_HORIZONTAL)).strictest
    assert not limits(pit(PitItem.BASE_HEAVE, grade=None)).strictest, "the same for every grade"
    _, document = rows(pit(grade=None))
    assert "warn.pit_strictest" in {warning.code for warning in document.warnings}


@pytest.mark.parametrize(
    "description",
    [
        pit(PitItem.LAYERED_SOIL),
        pit(PitItem.COLUMN_FORCE, own=control(design_f2=100.0)),
        pit(PitItem.WALL_TOP_VERTICAL, PitStructure.SMW_WALL),
        pit(PitItem.STRUT_FORCE),
    ],
    ids=["layered soil", "column force", "a cell that the table leaves empty", "no design value"],
)
def test_where_the_table_gives_no_value_nothing_is_judged_and_it_is_warned_of(description: PitDescription) -> None:
    found, document = rows(description)
    assert [rule_id for rule_id in found if description.points[0].item.value in rule_id] == []
    assert "warn.pit_no_limit" in {warning.code for warning in document.warnings}


def test_of_two_codes_the_stricter_counts_cell_by_cell() -> None:
    nails = limits(pit(structure=PitStructure.SOIL_NAIL), GUANGDONG)
    wall = limits(pit(), GUANGDONG)
    assert nails.cumulative is not None
    assert nails.rate is not None
    assert wall.cumulative is not None
    assert (nails.cumulative.value, nails.cumulative.limit_source) == (25.0, LimitSource.LOCAL_CODE)
    assert (nails.rate.value, nails.rate.certainty) == (2.0, "V1")
    assert (wall.cumulative.value, wall.cumulative.limit_source) == (20.0, LimitSource.NATIONAL_CODE)


def test_a_load_is_judged_by_the_design_values_that_are_given() -> None:
    both = limits(pit(PitItem.STRUT_FORCE, own=control(design_f2=2000.0, preload_fy=500.0)))
    one = limits(pit(PitItem.STRUT_FORCE, own=control(design_f2=2000.0), grade=2))
    assert {share: limit.value for share, limit in both.shares.items()} == {DesignShare.F2: 60.0, DesignShare.FY: 80.0}
    assert {share: limit.value for share, limit in one.shares.items()} == {DesignShare.F2: 70.0}


def test_after_the_base_slab_is_cast_a_codes_rate_is_smaller_and_a_designers_is_his_own() -> None:
    cast = PitStage(base_slab_cast_ns=1)
    code = limits(replace(pit(), stage=cast)).rate
    own = limits(replace(pit(own=control(rate_per_day=3.0)), stage=cast)).rate
    assert code is not None
    assert own is not None
    assert (code.value, own.value) == (pytest.approx(1.4), 3.0)
    assert "base slab cast: 70 % of it" in code.clause
    local = limits(replace(pit(structure=PitStructure.SOIL_NAIL), stage=cast), GUANGDONG).rate
    assert local is not None
    assert (local.limit_source, local.certainty) == (LimitSource.LOCAL_CODE, "V2"), "the share is only second-hand"


def test_a_limit_becomes_the_ladder_of_its_bands() -> None:
    found, _ = rows(pit())
    ladder = {step: found[f"pit.{TOP.value}.cumulative.{step}"] for step in ("attention", "warn", "alarm", "danger")}
    assert [row.limit for row in ladder.values()] == [10.0, 14.0, 20.0, 24.0]
    assert [row.info.severity for row in ladder.values()] == [Severity.LOG, Severity.P3, Severity.P2, Severity.P1]
    assert {(row.direction, row.subject, row.info.unit) for row in ladder.values()} == {
        (Direction.EITHER, f"{ASSET}.p", "mm")
    }
    alarm = ladder["alarm"]
    assert (alarm.info.limit_source, alarm.info.certainty) == ("national_code", "V2")
    assert alarm.info.clause.startswith("GB 50497-2019 Table 8.0.4, grade 1, bored_piles, diaphragm_wall")
    assert "lower end of 20 to 30" in alarm.info.clause
    assert alarm.origin.startswith("rules/national/pit-limits-support.yaml:")
    assert (alarm.info.hazard, alarm.suspected, ladder["warn"].info.hazard) == ("MH24-5-4-1", True, "")
    assert "8.0.9(1)" in ladder["danger"].info.clause


def test_rising_together_raises_one_level_and_is_a_condition_on_this_very_point() -> None:
    found, _ = rows(pit())
    plain, raised = found[f"pit.{TOP.value}.cumulative.warn"], found[f"pit.{TOP.value}.cumulative.alarm_rising"]
    assert (plain.limit, raised.limit) == (14.0, 14.0)
    assert (plain.info.severity, raised.info.severity) == (Severity.P3, Severity.P2)
    assert isinstance(raised.parameters, GateParameters)
    assert len(raised.parameters.conditions) == 1
    assert plain.parameters is None


def test_settlement_and_heave_are_two_rules_with_words_of_their_own() -> None:
    found, _ = rows(pit(PitItem.WALL_TOP_VERTICAL))
    down, up = (found[f"pit.wall_top_vertical_displacement.{side}.alarm"] for side in ("settlement", "heave"))
    assert ((down.direction, down.limit), (up.direction, up.limit)) == ((Direction.HIGH, 10.0), (Direction.LOW, -10.0))
    assert "沉降" in down.info.title_zh
    assert "隆起" in up.info.title_zh


def test_three_rates_in_a_row_are_compared_with_seven_tenths() -> None:
    found, _ = rows(pit())
    row = found[f"pit.{TOP.value}.rate.three_in_a_row"]
    assert (row.limit, row.subject, row.info.unit) == (1.4, f"{ASSET}.p_rate", "mm/d")
    assert isinstance(row.parameters, ConsecutiveParameters)
    assert row.parameters.times == 3
    assert rows(pit(), GUANGDONG)[0][row.info.rule_id].info.clause.endswith("DBJ/T 15-162-2019 3.7.3 (V1)")


def test_a_share_of_the_products_own_is_never_called_a_standards() -> None:
    found, _ = rows(pit())
    sudden = found[f"pit.{TOP.value}.day_change.danger"]
    assert (sudden.limit, sudden.info.limit_source, sudden.info.certainty) == (4.0, "product_default", "PD")
    assert sudden.info.clause.startswith("product default: twice the rate")


def test_a_row_is_as_sure_as_the_less_sure_of_figure_and_share() -> None:
    found, _ = rows(pit(structure=PitStructure.SOIL_NAIL), GUANGDONG)
    certainty = {step: found[f"pit.{TOP.value}.cumulative.{step}"].info.certainty for step in ("warn", "alarm")}
    assert certainty == {"warn": "V2", "alarm": "V1"}
    own, _ = rows(pit(own=control(cumulative=30.0)))
    assert own[f"pit.{TOP.value}.cumulative.warn"].info.certainty == "SITE"


def test_a_strut_has_an_upper_and_a_lower_limit() -> None:
    found, _ = rows(pit(PitItem.STRUT_FORCE, own=control(design_f2=2000.0, preload_fy=500.0)))
    high, low = found["pit.support_axial_force.load_high.alarm"], found["pit.support_axial_force.load_low.alarm"]
    assert ((high.limit, high.direction), (low.limit, low.direction)) == ((60.0, Direction.HIGH), (80.0, Direction.LOW))
    assert "8.0.9(2)" in found["pit.support_axial_force.load_low.danger"].info.clause


def test_a_walls_internal_force_counts_by_its_size_and_a_strut_only_pressed() -> None:
    """A wall bends either way; a strut that is not pressed is what its preload is there for."""
    own = control(design_f2=2000.0)
    wall, _ = rows(pit(PitItem.WALL_FORCE, own=own))
    strut, _ = rows(pit(PitItem.STRUT_FORCE, own=own))
    bent, pressed = wall["pit.wall_internal_force.load_high.alarm"], strut["pit.support_axial_force.load_high.alarm"]
    assert (bent.limit, bent.direction, pressed.direction) == (60.0, Direction.EITHER, Direction.HIGH)


def test_a_missing_depth_is_in_every_cumulative_row_and_warned_of() -> None:
    found, document = rows(pit(depth_m=None))
    alarm, rate = found[f"pit.{TOP.value}.cumulative.alarm"], found[f"pit.{TOP.value}.rate.alarm"]
    assert isinstance(alarm.parameters, GateParameters)
    assert (alarm.parameters.exact, alarm.parameters.conditions) == (False, ())
    assert alarm.info.clause.endswith("depth not given: upper bound only")
    assert rate.parameters is None
    assert "warn.pit_no_depth" in {warning.code for warning in document.warnings}


def test_a_site_may_override_a_made_row_with_a_reason() -> None:
    rule = f"pit.{TOP.value}.cumulative.alarm"
    found, document = rows(pit(), rule=rule, limit=18.0, reason="Old houses beside the pit")
    assert document.faults == []
    assert (found[rule].limit, found[rule].info.limit_source) == (18.0, "site_scheme")
    assert found[rule].origin.endswith("Old houses beside the pit")
    assert found[f"pit.{TOP.value}.cumulative.warn"].limit == 14.0, "the other rows stay"


def test_a_looser_override_of_a_made_row_needs_a_source() -> None:
    rule = f"pit.{TOP.value}.cumulative.alarm"
    _, refused = rows(pit(), rule=rule, limit=22.0, reason="Too many alarms")
    assert [fault.code for fault in refused.faults] == ["override.loosens"]
    found, document = rows(pit(), rule=rule, limit=22.0, limit_source="design", reason="Letter of the designer")
    assert (document.faults, found[rule].limit) == ([], 22.0)


def test_a_described_pit_leaves_the_loggers_own_rules_to_others() -> None:
    raw = point("wall_top_h", "mm")
    points = [raw, *point_outputs(ASSET, pit().points[0]), *pit_outputs(pit())]
    described, _ = resolved(shipped(*NATIONAL), "deep-pit", points, [pit()])
    alone, _ = resolved(shipped(*NATIONAL), "deep-pit", [raw])
    assert "pit.wall_top_h.cumulative" in {row.info.rule_id for row in alone}
    assert "pit.wall_top_h.cumulative" not in {row.info.rule_id for row in described}
    assert "pit.wall_top_h.flat" in {row.info.rule_id for row in described}, "a sensor may still lie"


def test_two_points_of_one_item_have_limits_of_their_own() -> None:
    base = pit(own=control(cumulative=30.0))
    second = replace(base.points[0], name="q", control=control(cumulative=12.0))
    both = replace(base, points=(base.points[0], second))
    points = [*(each for own in both.points for each in point_outputs(ASSET, own)), *pit_outputs(both)]
    found, _ = resolved(shipped(*NATIONAL), "deep-pit", points, [both])
    alarms = {row.subject: row.limit for row in found if row.info.rule_id == f"pit.{TOP.value}.cumulative.alarm"}
    assert alarms == {f"{ASSET}.p": 30.0, f"{ASSET}.q": 12.0}


def test_a_rule_that_a_pack_spells_out_takes_the_place_of_the_made_one() -> None:
    rule_id = f"pit.{TOP.value}.cumulative.alarm"
    packs = packs_of(*NATIONAL)
    spelled = packs.rules["pit.reading.overdue"]
    assert spelled.settings is not None
    own = spelled.settings.model_copy(update={"id": rule_id, "key": TOP.value, "unit": "mm", "high": 17.0})
    packs.rules[rule_id] = replace(spelled, rule_id=rule_id, settings=own)
    points = [*point_outputs(ASSET, pit().points[0]), *pit_outputs(pit())]
    found, _ = resolved(packs, "deep-pit", points, [pit()])
    assert [row.limit for row in found if row.info.rule_id == rule_id] == [17.0]


def test_a_lighter_row_is_quiet_while_a_graver_one_of_the_same_point_is_up() -> None:
    found, _ = rows(pit(PitItem.WALL_TOP_VERTICAL))
    heave = found["pit.wall_top_vertical_displacement.heave.warn"]
    assert "pit.wall_top_vertical_displacement.heave.alarm" in heave.suppressed_here
    assert not any("settlement" in rule_id for rule_id in heave.suppressed_here), "the other side is another matter"
    for row in found.values():
        for graver in row.suppressed_here:
            assert found[graver].info.severity < row.info.severity
            assert found[graver].subject == row.subject


def test_of_a_ladder_only_the_gravest_step_is_told() -> None:
    description = pit(PitItem.GROUND_SETTLEMENT)
    points = [*point_outputs(ASSET, description.points[0]), *pit_outputs(description)]
    found, _ = resolved(shipped(*NATIONAL), "deep-pit", points, [description])
    line = JudgingLine(points, [row for row in found if row.subject == f"{ASSET}.p"])
    line.poll(0, {"p": 31.0, "p_rising": 0.0})
    assert [each.alarm.rule.rule_id for each in line.transitions if each.kind == "raised"] == [
        "pit.surface_settlement.cumulative.danger"
    ]
    line.poll(700, {"p": 26.0, "p_rising": 0.0})
    line.poll(1400, {"p": 26.0, "p_rising": 0.0})
    raised = [each.alarm.rule.rule_id for each in line.transitions if each.kind == "raised"]
    assert raised[1:] == ["pit.surface_settlement.cumulative.alarm"], "raised when what suppressed it is over"


def test_one_points_danger_does_not_quiet_another_point() -> None:
    base = pit(PitItem.GROUND_SETTLEMENT)
    both = replace(base, points=(base.points[0], replace(base.points[0], name="q")))
    points = [*(each for own in both.points for each in point_outputs(ASSET, own)), *pit_outputs(both)]
    found, _ = resolved(shipped(*NATIONAL), "deep-pit", points, [both])
    line = JudgingLine(points, [row for row in found if row.subject in (f"{ASSET}.p", f"{ASSET}.q")])
    line.poll(0, {"p": 31.0, "q": 20.0})
    raised = {(each.alarm.rule.rule_id, each.alarm.subject) for each in line.transitions if each.kind == "raised"}
    assert ("pit.surface_settlement.cumulative.warn", f"{ASSET}.q") in raised
