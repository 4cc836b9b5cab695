"""From a site file's assets to their models: what is built, in which order, and what is refused."""

import copy
from collections.abc import Callable, Mapping
from math import inf
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.line.deriving import Deriving
from gateway.model.errors import ConfigError
from gateway.model.papers import DriverStanding
from gateway.parts.crane.model.crane import CraneDerivation
from gateway.parts.crane.settings.plan import CranePlan
from gateway.parts.pit.settings.plan import PitPlan
from gateway.settings import Settings
from gateway.settings.wording import fault_text
from tests.unit.gateway.settings.kinds import load_site

CHART = [
    {
        "parts_of_line": 4,
        "points": [{"radius_m": 3, "rated_t": 6}, {"radius_m": 14, "rated_t": 6}, {"radius_m": 55, "rated_t": 1.3}],
    }
]


def _crane(number: int, east_m: float) -> dict[str, Any]:
    return {
        "number": number,
        "load_chart": CHART,
        "jib_m": 56,
        "counter_jib_m": 14,
        "base_x_m": east_m,
        "base_y_m": 0,
        "base_z_m": 0,
        "mast_height_m": 48 + 6 * number,
        "hook_height_max_m": 44 + 6 * number,
        "radius_min_m": 3,
        "radius_max_m": 55,
    }


def _asset(name: str, kind: str, **sections: Any) -> dict[str, Any]:
    return {"id": name, "kind": kind, "serial": f"S-{name}", "title_zh": "测试", "title_en": "Test", **sections}


SITE: Mapping[str, Any] = {
    "version": 1,
    "box": {"id": "box"},
    "site": {"project_code": "P-1", "title_zh": "测试", "title_en": "Test"},
    "storage": {"folder": "data/test"},
    "rule_packs": ["national"],
    "assets": [
        _asset("crane-1", "tower-crane", crane=_crane(0, 0), papers={"registration": {"number": "A-1"}}),
        _asset("crane-2", "tower-crane", crane=_crane(1, 60)),
        _asset(
            "pit-1",
            "deep-pit",
            pit={
                "design_depth_m": 12,
                "safety_grade": 1,
                "points": [
                    {
                        "name": "zq-01",
                        "item": "wall_top_horizontal_displacement",
                        "structure": "diaphragm_wall",
                        "input": "wall_top_h",
                        "already_cumulative": True,
                    },
                    {"name": "dj-01", "item": "surface_settlement", "by_hand": True, "already_cumulative": True},
                ],
            },
        ),
        _asset("mast-1", "weather-mast"),
    ],
    "links": [
        {"id": "crane-1-tcp", "driver": "modbus-tcp", "host": "127.0.0.1", "port": 1502},
        {"id": "crane-2-tcp", "driver": "modbus-tcp", "host": "127.0.0.1", "port": 1503},
        {"id": "pit-tcp", "driver": "modbus-tcp", "host": "127.0.0.1", "port": 1504},
        {"id": "broker", "driver": "mqtt", "host": "127.0.0.1", "port": 1883},
    ],
    "devices": [
        {"id": "host-1", "link": "crane-1-tcp", "asset": "crane-1", "table": "crane-host-modbus", "unit_id": 1},
        {"id": "host-2", "link": "crane-2-tcp", "asset": "crane-2", "table": "crane-host-modbus", "unit_id": 1},
        {"id": "logger", "link": "pit-tcp", "asset": "pit-1", "table": "pit-logger-modbus", "unit_id": 1},
        {"id": "mast", "link": "broker", "asset": "mast-1", "table": "weather-mast-mqtt", "topic": "site/mast"},
    ],
    "crane_groups": [
        {
            "name": "north",
            "title_zh": "北区群塔",
            "title_en": "North",
            "members": [{"crane": "crane-1", "head_height_m": 6}, {"crane": "crane-2", "head_height_m": 6}],
        }
    ],
    "zones": [],
}


@pytest.fixture
def site(tmp_path: Path) -> Callable[..., Settings]:
    def _load(change: Callable[[dict[str, Any]], None] = lambda _: None) -> Settings:
        data = copy.deepcopy(dict(SITE))
        change(data)
        path = tmp_path / "site.yaml"
        path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
        return load_site(path)

    return _load


def _faults(load: Callable[[], Settings]) -> list[tuple[str, str]]:
    with pytest.raises(ConfigError) as refused:
        load()
    return [(fault.key, fault.code) for fault in refused.value.faults]


def test_every_asset_gets_its_models_in_an_order_in_which_each_reads_what_stands_before_it(
    site: Callable[..., Settings],
) -> None:
    settings = site()
    models = settings.plan.models()
    assert [model.device for model in models] == [
        "crane-1:derived",
        "crane-1:permission",
        "crane-1:silence",
        "crane-1:ties",
        "crane-2:derived",
        "crane-2:permission",
        "crane-2:silence",
        "group:north",
        "group:north:clearances",
        "pit-1:zq-01",
        "pit-1:dj-01",
        "pit-1:pit",
        "site:weather",
    ]
    Deriving(models, settings.points)


def test_a_plan_builds_fresh_models_each_time(site: Callable[..., Settings]) -> None:
    plan = site().plan
    first, second = plan.models(), plan.models()
    assert all(one is not other for one, other in zip(first, second, strict=True))


def test_derived_points_stand_behind_those_of_devices_and_rules_are_bound_to_them(
    site: Callable[..., Settings],
) -> None:
    settings = site()
    ids = [point.point_id for point in settings.points.points]
    assert ids.index("mast-1.wind") < ids.index("pit-1.dj-01_hand") < ids.index("crane-1.wind_3s_ms")
    judged = {(row.info.rule_id, row.subject) for row in settings.rules}
    assert ("crane.wind.lifting_stop", "crane-1.wind_3s_ms") in judged
    assert any(rule.startswith("crane.distance") and at == "crane-2.min_distance_m" for rule, at in judged)
    assert any(at == "pit-1.dj-01" for _, at in judged)


def test_papers_ask_the_lookup_for_drivers(site: Callable[..., Settings]) -> None:
    asked: list[tuple[str, str]] = []

    def look_up(asset: str, driver_no: str) -> DriverStanding | None:
        asked.append((asset, driver_no))
        return None

    model = next(m for m in site().plan.models(look_up) if isinstance(m, CraneDerivation))
    assert "unregistered_use" in {point.quantity for point in model.outputs}
    settings = site(lambda data: data["assets"][0].pop("papers"))
    bare = next(m for m in settings.plan.models() if isinstance(m, CraneDerivation))
    assert "unregistered_use" not in {point.quantity for point in bare.outputs}


def test_a_mast_may_measure_a_cranes_wind(site: Callable[..., Settings]) -> None:
    settings = site(lambda data: data["assets"][1]["crane"].update(wind_point="mast-1.wind"))
    model = next(m for m in settings.plan.models() if m.device == "crane-2:derived")
    assert "mast-1.wind" in model.inputs
    assert "crane-2.wind_ms" not in model.inputs


def test_the_limits_in_force_flag_the_working_cycles(site: Callable[..., Settings]) -> None:
    def stricter(data: dict[str, Any]) -> None:
        data["rule_overrides"] = [
            {"rule": "crane.wind.lifting_stop", "asset": "crane-1", "limit": 10, "reason": "Site scheme, page 3"}
        ]

    cranes = site(stricter).plan.of(CranePlan).cranes
    marks = {crane.description.asset: crane.description.parameters.marks for crane in cranes}
    assert (marks["crane-1"].wind_alarm_m_s, marks["crane-2"].wind_alarm_m_s) == (10.0, 12.0)
    assert marks["crane-1"].moment_alarm_pct == 100.0
    assert marks["crane-1"].tilt_alarm_permille == inf, "4/1000 is for an empty hook: a loaded mast bends far more"


@pytest.mark.parametrize(("given_m", "limit_m", "certain_m"), [(2.0, 2.0, 2.0), (4.0, 2.0, 2.0), (4.0, 3.0, 2.0)])
def test_of_a_silent_neighbour_a_group_is_certain_of_nothing_above_a_limit(
    site: Callable[..., Settings], given_m: float, limit_m: float, certain_m: float
) -> None:
    """3.9 m to one crane, said while another may touch, would be taken for normal by the rule of 2 m."""

    def changed(data: dict[str, Any]) -> None:
        data["crane_groups"][0]["danger_below_m"] = given_m
        words = {"asset": "crane-1", "limit": limit_m, "reason": "Site scheme, page 3"}
        data["rule_overrides"] = [{"rule": "crane.distance.alarm", **words}]

    (group,) = site(changed).plan.of(CranePlan).groups
    assert group.parameters.danger_below_m == certain_m


def _unknown_input(data: dict[str, Any]) -> None:
    data["assets"][2]["pit"]["points"][0]["input"] = "wall_top_x"


def _unknown_gauge(data: dict[str, Any]) -> None:
    data["assets"][2]["pit"]["rain_point"] = "mast-9.rain_total"


def _unknown_wind(data: dict[str, Any]) -> None:
    data["assets"][0]["crane"]["wind_point"] = "mast-9.wind"


def _section_of_another_kind(data: dict[str, Any]) -> None:
    data["assets"][3]["papers"] = {}


def _undescribed_member(data: dict[str, Any]) -> None:
    del data["assets"][1]["crane"]


def _same_number(data: dict[str, Any]) -> None:
    data["assets"][1]["crane"]["number"] = 0


def _derived_twice(data: dict[str, Any]) -> None:
    data["assets"][2]["pit"]["points"][1]["name"] = "wall_top_h"


@pytest.mark.parametrize(
    ("change", "key", "code"),
    [
        (_unknown_input, "assets[2].pit", "pit.input_unknown"),
        (_unknown_gauge, "assets[2].pit", "pit.input_unknown"),
        (_unknown_wind, "assets[0].crane.wind_point", "crane.wind_unknown"),
        (_section_of_another_kind, "assets[3]", "asset.section"),
        (_undescribed_member, "crane_groups[0].members[1].crane", "group.crane_undescribed"),
        (_same_number, "crane_groups[0].members[1].crane", "group.number_taken"),
        (_derived_twice, "assets", "point.duplicate"),
    ],
)
def test_what_does_not_fit_is_refused_where_it_is_written(
    site: Callable[..., Settings], change: Callable[[dict[str, Any]], None], key: str, code: str
) -> None:
    assert (key, code) in _faults(lambda: site(change))


def test_a_surveyors_equal_readings_are_no_flat_line_unless_the_point_says_so(site: Callable[..., Settings]) -> None:
    (pit,) = site().plan.of(PitPlan).pits
    assert pit.description.point("zq-01").gates.flat_after_s == 86_400.0
    assert pit.description.point("dj-01").gates.flat_after_s == 0.0

    def ask_for_it(data: dict[str, Any]) -> None:
        data["assets"][2]["pit"]["points"][1]["quality"] = {"flat_after_h": 240}

    (asked,) = site(ask_for_it).plan.of(PitPlan).pits
    assert asked.description.point("dj-01").gates.flat_after_s == 240 * 3600.0


def test_the_old_names_of_speeds_are_taken_and_said(site: Callable[..., Settings]) -> None:
    def old(data: dict[str, Any]) -> None:
        tuning = {"tilt": {"low_wind_ms": 2.5}, "cycle_marks": {"wind_prealarm_ms": 9.0, "wind_alarm_ms": 11.0}}
        data["assets"][0]["crane"]["tuning"] = tuning

    settings = site(old)

    parameters = settings.plan.of(CranePlan).cranes[0].description.parameters
    assert (parameters.tilt.low_wind_m_s, parameters.marks.wind_prealarm_m_s) == (2.5, 10.8)
    said = {fault.key: fault_text(fault) for fault in settings.warnings if fault.code == "warn.key_renamed"}
    assert len(said) == 3
    assert said["assets[0].crane.tuning.tilt.low_wind_ms"].endswith(
        "found the old name of this key, expected low_wind_m_s, with the same value; the old name is still taken"
    )


def test_a_speed_by_both_names_is_a_fault(site: Callable[..., Settings]) -> None:
    def both(data: dict[str, Any]) -> None:
        data["assets"][0]["crane"]["tuning"] = {"tilt": {"low_wind_ms": 2.5, "low_wind_m_s": 3.0}}

    with pytest.raises(ConfigError, match=r"low_wind_ms: found an unknown key, expected low_wind_m_s\?"):
        site(both)
