"""Groups, zones and power lines of a site file: what they make, and how they refuse what cannot be."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from pydantic import BaseModel

from gateway.parts.crane.group.clearances import CraneGroupClearances
from gateway.parts.crane.group.group import CraneGroupDerivation
from gateway.parts.crane.group.members import CraneGroupParameters
from gateway.parts.crane.group.power_lines import LineClearance
from gateway.parts.crane.group.right_of_way import Principle
from gateway.parts.crane.group.surroundings import CraneSurroundings
from gateway.parts.crane.model.description import CraneDescription
from gateway.parts.crane.settings.crane import CraneSettings
from gateway.parts.crane.settings.groups import CraneGroupSettings
from gateway.parts.crane.settings.yard import (
    Obstacles,
    PlannedGroup,
    PlannedSurroundings,
    YardCranes,
    plan_groups,
    plan_surroundings,
)
from gateway.parts.crane.settings.zones import LineClearances, PowerLineSettings, ZoneSettings
from gateway.settings.checking import check
from gateway.settings.document import Document
from gateway.settings.wording import fault_text
from tests.fakes.pack_line import packs_of
from tests.unit.gateway.parts.crane.settings.test_crane import SECTION

PACKED = {"1-15kV": LineClearance("1-15kV", 3.0, 1.5, "GB 5144-2006 10.4", "M-H")}
MEMBERS = [{"crane": "crane-1", "head_height_m": 0}, {"crane": "crane-2", "head_height_m": 6.5}]
GROUP: dict[str, Any] = {"name": "north", "title_zh": "北区", "title_en": "North", "members": MEMBERS}
ZONE: dict[str, Any] = {
    "number": 1,
    "kind": "no_lift",
    "title_zh": "人行道",
    "title_en": "Footpath",
    "polygon": [{"x_m": 10, "y_m": 0}, {"x_m": 20, "y_m": 0}, {"x_m": 20, "y_m": 9}],
}
LINE: dict[str, Any] = {
    "name": "10kv-east",
    "title_zh": "东侧10kV线路",
    "title_en": "10 kV line, east",
    "voltage": "1-15kV",
    "wires": [
        {"x_m": 60, "y_m": -50, "low_m": 9, "high_m": 11},
        {"x_m": 60, "y_m": 50, "low_m": 9, "high_m": 11},
    ],
}
CLEARANCE = {
    "vertical_m": 9,
    "horizontal_m": 8,
    "limit_source": "design",
    "clause": "owner's letter",
    "certainty": "SITE",
}


def described(asset: str, number: int, x_m: float) -> CraneDescription:
    settings = CraneSettings.model_validate({**SECTION, "number": number, "base_x_m": x_m, "base_y_m": 0.0})
    return settings.describe(asset)


def yard(*, delivered: Sequence[str] = ("slew_deg", "radius_m", "hook_m", "moment_pct")) -> YardCranes:
    cranes = {f"crane-{i}": described(f"crane-{i}", i, 60.0 * (i - 1)) for i in (1, 2)}
    cranes["crane-3"] = described("crane-3", 2, 0.0)
    cranes["crane-4"] = replace(described("crane-4", 4, 0.0), travel_min_m=0.0, travel_max_m=40.0)
    points = frozenset(f"{asset}.{key}" for asset in cranes for key in delivered)
    return YardCranes({**dict.fromkeys(cranes, True), "crane-9": True, "pit-1": False}, cranes, points)


def parse(schema: type[BaseModel], key: str, entries: list[dict[str, Any]]) -> tuple[Document, list[Any]]:
    document = Document("site.yaml", {key: entries})
    found = [((key, i), check(schema, document, (key, i), entry)) for i, entry in enumerate(entries)]
    return document, [(path, entry) for path, entry in found if entry is not None]


def texts(document: Document) -> list[str]:
    return [fault_text(fault) for fault in document.faults]


def groups(*entries: dict[str, Any]) -> tuple[list[PlannedGroup], list[str]]:
    document, parsed = parse(CraneGroupSettings, "crane_groups", list(entries))
    return list(plan_groups(document, parsed, yard())), texts(document)


def surroundings(
    zones: Sequence[dict[str, Any]] = (), lines: Sequence[dict[str, Any]] = ()
) -> tuple[dict[str, PlannedSurroundings], list[str]]:
    document, parsed = parse(ZoneSettings, "zones", list(zones))
    beside, wires = parse(PowerLineSettings, "power_lines", list(lines))
    beside.faults.extend(document.faults)
    planned = plan_surroundings(beside, Obstacles(parsed, wires, PACKED), yard())
    return {each.crane.asset: each for each in planned}, texts(beside)


@pytest.mark.parametrize(("zones", "lines"), [([], [LINE]), ([ZONE], [])])
def test_that_nothing_watches_a_crane_on_rails_is_said(
    zones: list[dict[str, Any]], lines: list[dict[str, Any]]
) -> None:
    document, parsed = parse(ZoneSettings, "zones", zones)
    _, wires = parse(PowerLineSettings, "power_lines", lines)
    planned = list(plan_surroundings(document, Obstacles(parsed, wires, PACKED), yard()))
    assert "crane-4" not in {each.crane.asset for each in planned}
    (warning,) = document.warnings
    assert warning.code == "warn.crane_rails"
    assert "crane-4" in fault_text(warning)


def test_a_group_makes_its_models() -> None:
    (planned,), faults = groups({**GROUP, "alert_below_m": 6, "right_of_way": ["lower", "first_in"]})
    assert faults == []
    distances, clearances = planned.models()
    assert isinstance(distances, CraneGroupDerivation)
    assert isinstance(clearances, CraneGroupClearances)
    assert distances.inputs == tuple(f"crane-{i}.{key}" for i in (1, 2) for key in ("slew_deg", "radius_m", "hook_m"))
    assert planned.members[1].geometry.head_height_m == 6.5
    assert planned.members[1].geometry.number == 2
    assert planned.parameters.right_of_way == (Principle.LOWER, Principle.FIRST_IN)
    assert planned.parameters.exact_below_m == 12.0


def test_without_a_word_a_group_is_derived_as_the_model_says() -> None:
    (planned,), _ = groups(GROUP)
    assert planned.parameters == CraneGroupParameters()


@pytest.mark.parametrize(("horizon_s", "clear_s"), [(5, 30.0), (14, 30.0), (20, 30.0), (60, 90.0)])
def test_no_conflict_is_said_by_a_time_that_no_rule_takes_for_one(horizon_s: float, clear_s: float) -> None:
    """The rule warns of a conflict within 20 s, and returns beyond 22."""
    (planned,), _ = groups({**GROUP, "horizon_s": horizon_s})
    assert planned.parameters.clear_s == clear_s


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"members": MEMBERS[:1]}, "at least 2"),
        ({"members": [*MEMBERS, MEMBERS[0]]}, "crane-1 twice"),
        ({"danger_below_m": 6}, "danger_below_m at most alert_below_m"),
        ({"right_of_way": ["the tall one"]}, "one of: "),
        ({"members": [MEMBERS[0], {"crane": "crane-2"}]}, "head_height_m: found nothing, expected this key"),
        ({"members": [MEMBERS[0], {"crane": "crane-8", "head_height_m": 0}]}, "no asset of this site"),
        ({"members": [MEMBERS[0], {"crane": "pit-1", "head_height_m": 0}]}, "no tower crane"),
        ({"members": [MEMBERS[0], {"crane": "crane-9", "head_height_m": 0}]}, "no valid crane section or no device"),
        ({"members": [MEMBERS[0], {"crane": "crane-4", "head_height_m": 0}]}, "stands on rails"),
        ({"members": [*MEMBERS, {"crane": "crane-3", "head_height_m": 0}]}, "with number 2, which crane-2 has already"),
    ],
)
def test_what_is_no_group_is_refused(change: dict[str, Any], fault: str) -> None:
    planned, faults = groups({**GROUP, **change})
    assert planned == []
    assert len(faults) == 1
    assert fault in faults[0]


def test_a_crane_is_in_one_group() -> None:
    other = {**GROUP, "name": "south", "members": [MEMBERS[0], {"crane": "crane-3", "head_height_m": 0}]}
    planned, faults = groups(GROUP, other)
    assert [each.name for each in planned] == ["north"]
    assert len(faults) == 1
    assert "crane-1, which is in group north already" in faults[0]


def test_names_of_groups_and_lines_are_their_own() -> None:
    other = [{"crane": "crane-3", "head_height_m": 0}, {"crane": "crane-1", "head_height_m": 0}]
    faults = groups({**GROUP, "members": other}, {**GROUP, "members": other})[1]
    assert len(faults) == 1
    assert "crane_groups[1].name: found 'north'" in faults[0]
    faults = surroundings(lines=[LINE, LINE])[1]
    assert len(faults) == 1
    assert "power_lines[1].name" in faults[0]


def test_a_fault_in_one_group_leaves_the_other() -> None:
    wrong = {
        **GROUP,
        "name": "south",
        "members": [{"crane": "crane-9", "head_height_m": 0}, {"crane": "pit-1", "head_height_m": 0}],
    }
    planned, faults = groups(wrong, GROUP)
    assert [each.name for each in planned] == ["north"]
    assert len(faults) == 2


def test_zones_and_lines_surround_the_cranes_they_are_for() -> None:
    around = {"crane": "crane-1", "from_deg": 0, "to_deg": 90, "inner_m": 10, "outer_m": 40}
    own = {**{k: v for k, v in ZONE.items() if k != "polygon"}, "number": 2, "kind": "forbidden", "sector": around}
    planned, faults = surroundings([ZONE, own, {**ZONE, "number": 3, "cranes": ["crane-2"]}], [LINE])
    assert faults == []
    numbers = {asset: [zone.number for zone in each.zones] for asset, each in planned.items()}
    assert numbers == {"crane-1": [1, 2], "crane-2": [1, 3], "crane-3": [1]}  # crane-4 travels
    assert planned["crane-1"].lines[0].clearance is PACKED["1-15kV"]
    (model,) = planned["crane-1"].models()
    assert isinstance(model, CraneSurroundings)
    assert [point.quantity for point in model.outputs] == ["no_lift_zone", "forbidden_zone", "line_margin_m"]


def test_a_polar_zone_is_drawn_around_its_crane() -> None:
    corners = [{"bearing_deg": b, "radius_m": r} for b, r in [(90, 10), (90, 20), (180, 20), (180, 10)]]
    polar = {**{k: v for k, v in ZONE.items() if k != "polygon"}, "polar": {"crane": "crane-2", "corners": corners}}
    planned, faults = surroundings([polar])
    assert faults == []
    (zone,) = planned["crane-2"].zones
    assert zone.corners[1] == pytest.approx((80.0, 0.0))
    assert zone.corners[2] == pytest.approx((60.0, -20.0))
    assert list(planned) == ["crane-2"]


def test_without_zones_and_lines_nothing_is_derived() -> None:
    assert surroundings() == ({}, [])


def test_a_lines_owner_beats_the_pack() -> None:
    planned, faults = surroundings(lines=[{**LINE, "voltage": ">220kV", "clearance": CLEARANCE}])
    assert faults == []
    assert planned["crane-1"].lines[0].clearance.vertical_m == 9.0


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"polygon": None}, "0 of polygon, sector and polar"),
        ({"sector": {"crane": "crane-1", "from_deg": 0, "to_deg": 9, "outer_m": 9}}, "2 of polygon, sector and polar"),
        ({"polygon": ZONE["polygon"][:2]}, "at least 3"),
        ({"bottom_m": 5, "top_m": 5}, "bottom_m below top_m"),
        ({"number": 0}, "at least 1"),
        ({"cranes": ["crane-8"]}, "no asset of this site"),
        ({"cranes": ["crane-4"]}, "stands on rails"),
        (
            {"polygon": None, "sector": {"crane": "crane-9", "from_deg": 0, "to_deg": 9, "outer_m": 9}},
            "zones[0].sector.crane",
        ),
        (
            {"polygon": None, "sector": {"crane": "crane-1", "from_deg": 0, "to_deg": 9, "inner_m": 9, "outer_m": 9}},
            "inner_m below outer_m",
        ),
    ],
)
def test_what_is_no_zone_is_refused(change: dict[str, Any], fault: str) -> None:
    planned, faults = surroundings([{key: value for key, value in {**ZONE, **change}.items() if value is not None}])
    assert len(faults) == 1
    assert fault in faults[0]
    if "cranes" in change or "sector.crane" in fault:
        assert planned == {}


def test_numbers_tell_the_zones_of_one_kind_and_crane_apart() -> None:
    _, faults = surroundings([ZONE, ZONE])
    assert len(faults) == 1
    assert "zones[1].number" in faults[0]
    assert surroundings([ZONE, {**ZONE, "kind": "forbidden"}])[1] == []
    apart = [{**ZONE, "cranes": ["crane-1"]}, {**ZONE, "cranes": ["crane-2"]}]
    assert surroundings(apart)[1] == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"voltage": "60-110kV"}, "60-110kV', for which no rule pack has a clearance"),
        ({"voltage": "10kV"}, "one of: "),
        ({"wires": LINE["wires"][:1]}, "at least 2"),
        ({"wires": [{**LINE["wires"][0], "low_m": 12}, LINE["wires"][1]]}, "low_m below high_m"),
        ({"clearance": {**CLEARANCE, "certainty": "V1"}}, "limit_source design with certainty V1"),
    ],
)
def test_what_is_no_power_line_is_refused(change: dict[str, Any], fault: str) -> None:
    _, faults = surroundings(lines=[{**LINE, **change}])
    assert len(faults) == 1
    assert fault.replace("'", "") in faults[0].replace("'", "")


def test_the_shipped_pack_knows_the_clearances_of_gb_5144() -> None:
    clearances = packs_of("national").table(LineClearances).by_voltage
    found = {voltage: (each.vertical_m, each.horizontal_m) for voltage, each in clearances.items()}
    assert found == {
        "<1kV": (1.5, 1.0),
        "1-15kV": (3.0, 1.5),
        "20-40kV": (4.0, 2.0),
        "60-110kV": (5.0, 4.0),
        "220kV": (6.0, 6.0),
    }
    assert {(each.clause, each.certainty) for each in clearances.values()} == {("GB 5144-2006 10.4", "M-H")}
