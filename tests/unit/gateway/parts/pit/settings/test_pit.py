import json
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from gateway.parts.pit.model.description import BaselineKind, PitTrade, SafetyGrade
from gateway.parts.pit.model.hydrostatic_level import HydrostaticLevel
from gateway.parts.pit.model.inclinometer import InclinometerDepth
from gateway.parts.pit.model.instrument import DirectReading
from gateway.parts.pit.model.items import PitItem, PitStructure
from gateway.parts.pit.model.strut_load import StrutLoad
from gateway.parts.pit.model.water_level import WaterLevel
from gateway.parts.pit.settings.pit import PitSettings
from gateway.settings.wording import CATALOGUE, make_fault

SHEET = {"unit": "ue", "g": 4.0, "f0_digits": 900.0}
NODES = [{"tilt": f"n{i}", "length_m": 0.5, "top_depth_m": 10.0 - 0.5 * i} for i in range(3)]
BASELINE = {"point": "zq-1", "at": "2026-03-01T09:00:00+08:00", "by": "第三方监测单位", "reason": "初始值"}


def raw(**changes: Any) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "design_depth_m": 12.5,
        "safety_grade": 1,
        "vibrating_wires": [{"id": f"vw-{i}", "frequency": f"f{i}", "sheet": SHEET} for i in range(2)],
        "inclinometers": [{"id": "chain-1", "nodes": NODES}],
        "hydrostatic_levels": [{"id": "hl-1", "level": "h1", "reference": "other.h0"}],
        "struts": [{"id": "st-1", "gauges": ["vw-0", "vw-1"], "modulus_gpa": 206.0, "area_m2": 0.03}],
        "wells": [{"id": "well-1", "input": "w1", "reads": "depth_m", "elevation_m": 4.0}],
        "points": [
            {"name": "zq-1", "item": "wall_top_horizontal_displacement", "input": "ts1", "scale": 1000.0},
            {"name": "cx-1", "item": "deep_horizontal_displacement", "instrument": "chain-1"},
            {"name": "zl-1", "item": "support_axial_force", "instrument": "st-1"},
            {"name": "sw-1", "item": "groundwater_level", "instrument": "well-1", "neighbours": ["cx-1"]},
            {"name": "jz-1", "item": "building_settlement", "instrument": "hl-1"},
        ],
        "baselines": [BASELINE],
    }
    return whole | changes


def read(whole: dict[str, Any]) -> PitSettings:
    return PitSettings.model_validate_json(json.dumps(whole), strict=True)


def code_of(whole: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as caught:
        read(whole)
    (error,) = caught.value.errors()
    make_fault("site.yaml", 1, "pit", error["type"], **error.get("ctx", {}))  # every word of its wording is there
    return error["type"]


def first_point(**changes: Any) -> dict[str, Any]:
    point = {"name": "zq-1", "item": "wall_top_horizontal_displacement", "input": "ts1"} | changes
    return raw(points=[{key: value for key, value in point.items() if value is not None}])


def test_the_description_has_what_the_papers_say() -> None:
    pit = read(raw(base_slab_cast="1970-01-02T08:00:00+08:00", trade="urban-rail")).build("pit-1")
    assert (pit.asset, pit.design_depth_m, pit.grade) == ("pit-1", 12.5, SafetyGrade.FIRST)
    assert pit.trade is PitTrade.URBAN_RAIL
    assert pit.stage.base_slab_cast_ns == 86_400 * 10**9
    assert pit.third_party_monitored is None


def test_a_rain_gauge_may_be_another_assets() -> None:
    assert read(raw(rain_point="mast-1.rain_total")).build("pit-1").rain_point == "mast-1.rain_total"
    assert read(raw(rain_point="rain_total")).build("pit-1").rain_point == "pit-1.rain_total"
    assert read(raw()).build("pit-1").rain_point == ""


def test_what_nobody_has_said_is_none() -> None:
    pit = read(raw(design_depth_m=None, safety_grade=None)).build("pit-1")
    assert (pit.design_depth_m, pit.grade, pit.stage.excavated_m, pit.stage.excavated_point) == (None, None, None, "")


def test_points_are_built_over_their_instruments() -> None:
    pit = read(raw()).build("pit-1")
    assert pit.point("zq-1").source == DirectReading("pit-1.ts1", 1000.0)
    assert isinstance(pit.point("zl-1").source, StrutLoad)
    assert pit.point("zl-1").source.inputs == ("pit-1.f0", "pit-1.f1")
    assert isinstance(pit.point("sw-1").source, WaterLevel)
    settlement = pit.point("jz-1").source
    assert isinstance(settlement, HydrostaticLevel)
    assert settlement.inputs == ("pit-1.h1", "other.h0")


def test_a_chain_without_a_depth_is_a_point_at_each_node() -> None:
    pit = read(raw()).build("pit-1")
    depths = [point for point in pit.points if point.item is PitItem.DEEP_HORIZONTAL]
    assert [point.name for point in depths] == ["cx-1-1000cm", "cx-1-950cm", "cx-1-900cm"]
    assert [point.depth_m for point in depths] == [10.0, 9.5, 9.0]
    assert depths[1].title_zh == "深层水平位移 CX-1 9.5 m"
    assert pit.point("sw-1").neighbours == ("cx-1-1000cm", "cx-1-950cm", "cx-1-900cm")


def test_a_chain_with_a_depth_is_one_point() -> None:
    points = [{"name": "cx-1", "item": "deep_horizontal_displacement", "instrument": "chain-1", "depth_m": 9.5}]
    (point,) = read(raw(points=points, baselines=[])).build("pit-1").points
    assert point.name == "cx-1"
    assert isinstance(point.source, InclinometerDepth)
    assert point.source.measure(np.array([0.1, 0.1])).value > 0


def test_a_baseline_of_a_chain_is_for_all_its_depths() -> None:
    pit = read(raw(baselines=[BASELINE | {"point": "cx-1"}])).build("pit-1")
    assert [len(point.baselines) for point in pit.points if point.item is PitItem.DEEP_HORIZONTAL] == [1, 1, 1]


def test_baselines_are_in_order_of_time() -> None:
    later = BASELINE | {"kind": "replaced", "at": "2026-06-01T09:00:00+08:00", "reason": "传感器损坏"}
    pit = read(raw(baselines=[later, BASELINE])).build("pit-1")
    assert [each.kind for each in pit.point("zq-1").baselines] == [BaselineKind.INITIAL, BaselineKind.REPLACED]


def test_an_instrument_that_counts_itself_needs_no_survey() -> None:
    (baseline,) = read(first_point(already_cumulative=True) | {"baselines": []}).build("pit-1").point("zq-1").baselines
    assert (baseline.zero, baseline.carried) == (0.0, 0.0)


def test_control_values_travel_with_their_source() -> None:
    control = {"cumulative": 25, "rate_per_day": 2, "clause": "基坑支护设计 S-03"}
    value = read(first_point(control=control, structure="diaphragm_wall")).build("pit-1").point("zq-1")
    assert value.structure is PitStructure.DIAPHRAGM_WALL
    assert value.control is not None
    assert (value.control.cumulative, value.control.limit_source, value.control.certainty) == (25, "design", "SITE")


def test_a_designers_value_is_not_called_a_standard() -> None:
    control = {"cumulative": 25, "clause": "S-03", "certainty": "V1"}
    assert code_of(first_point(control=control)) == "rule.certainty"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"excavated_m": 3.0, "excavated_point": "excavated_m"}, "pit.excavated"),
        ({"base_slab_cast": "2026-03-01T09:00:00"}, "time.offset"),
        ({"base_slab_cast": "gestern"}, "time.offset"),
        ({"baselines": [BASELINE | {"point": "nobody"}]}, "pit.unknown_name"),
        ({"baselines": [BASELINE | {"point": "cx-1", "zero": 0.0}]}, "pit.zero_for_chain"),
        ({"wells": [{"id": "vw-0", "input": "w1", "reads": "depth_m", "elevation_m": 4.0}]}, "pit.name_twice"),
        ({"inclinometers": [{"id": "chain-1", "nodes": NODES[::-1]}]}, "pit.nodes"),
        ({"vibrating_wires": [{"id": "vw-0", "frequency": "f", "sheet": SHEET | {"a": 1.0}}]}, "pit.sheet"),
        ({"vibrating_wires": [{"id": "vw-0", "frequency": "f", "sheet": {"unit": "kPa", "g": 1.0}}]}, "pit.sheet"),
        ({"vibrating_wires": [{"id": "vw-0", "frequency": "f", "sheet": SHEET | {"k": 0.1}}]}, "pit.temperature"),
        (
            {"hydrostatic_levels": [{"id": "hl-1", "level": "h", "reference": "r", "expansion_per_c": 0.0002}]},
            "pit.temperature",
        ),
        ({"struts": [{"id": "st-1", "gauges": ["vw-0"], "modulus_gpa": 206.0, "area_m2": 0.03}]}, "pit.gauges"),
        (
            {"struts": [{"id": "st-1", "gauges": ["vw-0", "vw-9"], "modulus_gpa": 206.0, "area_m2": 0.03}]},
            "pit.unknown_name",
        ),
    ],
)
def test_what_does_not_fit_is_said(changes: dict[str, Any], code: str) -> None:
    assert code_of(raw(**changes)) == code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"input": None}, "pit.one_source"),
        ({"instrument": "chain-1"}, "pit.one_source"),
        ({"input": None, "instrument": "chain-9"}, "pit.unknown_name"),
        ({"input": None, "instrument": "st-1"}, "pit.unit"),
        ({"neighbours": ["zq-9"]}, "pit.unknown_name"),
    ],
)
def test_a_point_that_does_not_fit_is_said(changes: dict[str, Any], code: str) -> None:
    assert code_of(first_point(**changes)) == code


def test_a_depth_without_a_node_is_said() -> None:
    points = [{"name": "cx-1", "item": "deep_horizontal_displacement", "instrument": "chain-1", "depth_m": 9.7}]
    assert code_of(raw(points=points, baselines=[])) == "pit.unknown_name"


def test_a_name_that_another_points_derived_value_has_is_said() -> None:
    point = {"item": "wall_top_horizontal_displacement", "input": "ts1"}
    assert code_of(raw(points=[{"name": "zq-1", **point}, {"name": "zq-1_rate", **point}])) == "pit.name_twice"


def test_every_code_has_a_wording_in_both_languages() -> None:
    for code, wording in CATALOGUE.items():
        if code.startswith("pit."):
            assert all(wording)
