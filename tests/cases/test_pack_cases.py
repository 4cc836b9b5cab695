"""Every rule of the shipped packs (README in tests/cases/rules): fires, must not fire, missing data, the boundary."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.model.quantity import Point
from gateway.model.rule import ResolvedRule
from gateway.model.verdict import Truth
from gateway.parts.pit.model.description import ControlValue, PitDescription, PitPoint, SafetyGrade
from gateway.parts.pit.model.instrument import DirectReading
from gateway.parts.pit.model.items import PitItem, PitStructure
from gateway.parts.pit.model.outputs import pit_outputs, point_outputs
from gateway.settings.rule_families import ImpossibleSettings, LossSettings, SilenceSettings
from tests.fakes.pack_line import ASSET, JudgingLine, point, resolved, shipped

FOLDER = Path(__file__).parent / "rules" / "packs"
KINDS = ("fires", "must_not", "missing", "boundary")
DEPTH_M = 15.0
Case = dict[str, Any]
Levels = Mapping[str, float]


def _cases() -> dict[tuple[str, str], Case]:
    """By pack (the file's folder) and rule id."""
    found: dict[tuple[str, str], Case] = {}
    for path in sorted(FOLDER.glob("*/*.yaml")):
        for rule_id, case in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            assert (path.parent.name, rule_id) not in found, rule_id
            found[path.parent.name, rule_id] = case
    return found


CASES = _cases()
PACKS = {"national": ("national",), "pack-gd-2023": ("national", "pack-gd-2023")}
TABLED = [PitStructure.DIAPHRAGM_WALL, PitStructure.RIGID_PRESSURE_PIPE, PitStructure.CITY_ROAD, PitStructure.NEW_CRACK]
DESIGN = ControlValue("design", "Design drawing", "SITE", design_f1=100.0, design_f2=2000.0, preload_fy=500.0)


def pit_of(item: PitItem, structure: PitStructure, grade: int = 1, depth_m: float | None = DEPTH_M) -> PitDescription:
    """A pit with one point `p` of this item."""
    source = DirectReading(f"{ASSET}.raw")
    own = PitPoint("p", item, source, "测点", "Point", structure, control=DESIGN)
    return PitDescription(ASSET, (own,), depth_m, SafetyGrade(grade))


def _pit_points(pit: PitDescription) -> list[Point]:
    return [*(each for own in pit.points for each in point_outputs(ASSET, own)), *pit_outputs(pit)]


def _unit(pack: str, rule_id: str, key: str) -> str:
    rule = shipped(*PACKS[pack]).rules[rule_id].settings
    assert rule is not None
    units = {"wind_10min_ms": "m/s", "lifting": "", "climbing": ""}
    return units.get(key, getattr(rule, "unit", None) or "")


def line_of(pack: str, rule_id: str, case: Case) -> tuple[JudgingLine, ResolvedRule]:
    """The rule alone, on points that the case speaks of."""
    packs = shipped(*PACKS[pack])
    rule = packs.rules.get(rule_id)
    if rule is None:
        item = PitItem(rule_id.split(".")[1])
        pit = pit_of(item, PitStructure(case.get("structure", "diaphragm_wall")), case.get("grade", 1))
        points = _pit_points(pit)
        rows, _ = resolved(packs, "deep-pit", points, [pit])
    else:
        assert rule.settings is not None
        keys = dict.fromkeys(key for levels in _all_levels(case) for key in levels)
        points = [point(key, _unit(pack, rule_id, key)) for key in keys]
        kind = "other" if rule.settings.kind == "*" else str(rule.settings.kind)
        rows, _ = resolved(packs, kind, points)
    own = [row for row in rows if row.info.rule_id == rule_id]
    assert len(own) == 1, (rule_id, [row.subject for row in own])
    return JudgingLine(points, own), own[0]


def _all_levels(case: Case) -> list[Levels]:
    if "series" in case["fires"]:
        return [dict.fromkeys(entry["point"] for entry in case["fires"]["series"] if "point" in entry)]  # type: ignore[list-item]
    return [case["fires"]]


def _hold(line: JudgingLine, levels: Levels, case: Case, from_s: float = 0.0, bad: tuple[str, ...] = ()) -> float:
    """Hold these levels for as long as the rule needs; when the last poll was."""
    every_s = float(case.get("every_s", 1.0))
    count = int(float(case.get("after_s", 0.0)) / every_s) + 2
    for i in range(count):
        line.poll(from_s + i * every_s, levels, bad)
        line.tick(from_s + i * every_s)
    return from_s + (count - 1) * every_s


LEVEL_CASES = {key: case for key, case in CASES.items() if "series" not in case["fires"]}
SERIES_CASES = {key: case for key, case in CASES.items() if "series" in case["fires"]}
by_level = pytest.mark.parametrize(("pack", "rule_id"), list(LEVEL_CASES), ids=[key[1] for key in LEVEL_CASES])


@by_level
def test_it_fires_after_its_delay(pack: str, rule_id: str) -> None:
    case = CASES[pack, rule_id]
    line, _ = line_of(pack, rule_id, case)
    _hold(line, case["fires"], case)
    assert line.raised_s() == [float(case.get("after_s", 0.0))]


@by_level
def test_it_must_not_fire(pack: str, rule_id: str) -> None:
    case = CASES[pack, rule_id]
    for levels in case["must_not"]:
        line, _ = line_of(pack, rule_id, case)
        _hold(line, levels, case)
        assert (line.raised_s(), line.truth) == ([], Truth.FALSE), levels


@by_level
def test_missing_data_neither_raises_nor_clears(pack: str, rule_id: str) -> None:
    case = CASES[pack, rule_id]
    for missing in case["missing"]:
        line, _ = line_of(pack, rule_id, case)
        _hold(line, case["fires"], case, bad=(missing,))
        assert (line.raised_s(), line.truth) == ([], Truth.UNKNOWN), missing
        raised, _ = line_of(pack, rule_id, case)
        last_s = _hold(raised, case["fires"], case)
        end_s = _hold(raised, case["fires"], case, last_s + float(case.get("every_s", 1.0)), bad=(missing,))
        assert (raised.active, raised.truth) == (True, Truth.UNKNOWN), missing
        raised.tick(end_s + 3_000_000.0)
        assert (raised.active, raised.truth) == (True, Truth.UNKNOWN), "nor does time"


@by_level
def test_the_boundary_itself(pack: str, rule_id: str) -> None:
    case = CASES[pack, rule_id]
    for levels, truth in ((case["boundary"]["at"], Truth.TRUE), (case["boundary"]["before"], Truth.FALSE)):
        line, _ = line_of(pack, rule_id, case)
        _hold(line, levels, case)
        assert line.truth is truth, levels


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("pack", "rule_id"), list(SERIES_CASES), ids=[key[1] for key in SERIES_CASES])
def test_a_series_has_its_alarms(pack: str, rule_id: str, kind: str) -> None:
    case = CASES[pack, rule_id]
    line, _ = line_of(pack, rule_id, case)
    told = case[kind]
    said = _play(line, told["series"], told)
    assert line.raised_s() == told["raised_s"]
    assert {at_s: said[float(at_s)] for at_s in told["truth"]} == told["truth"]


def _play(line: JudgingLine, series: list[Case], told: Case) -> dict[float, str]:
    polls: dict[float, dict[str, float] | None] = {}
    for entry in series:
        count = round((entry["to_s"] - entry["from_s"]) / entry["every_s"])
        for i in range(count + 1):
            at_s = entry["from_s"] + i * entry["every_s"]
            if entry.get("poll") == "failed":
                polls[at_s] = None
            else:
                level = entry.get("values", [entry.get("value", float("nan"))])
                value = float(level[i % len(level)]) + entry.get("per_s", 0.0) * (at_s - entry["from_s"])
                polls.setdefault(at_s, {})[entry["point"]] = value  # type: ignore[index]
    said: dict[float, str] = {}
    for at_s in sorted({*polls, *(float(each) for each in told["truth"])}):
        levels = polls.get(at_s, {})
        if levels is None:
            line.fail(at_s)
        elif levels:
            line.poll(at_s, levels, [key for key, value in levels.items() if value != value])  # noqa: PLR0124
        line.tick(at_s)
        said[at_s] = line.truth.name.lower()
    return said


def _all_rule_ids() -> set[tuple[str, str]]:
    """Every rule of every shipped pack, those that are made of the pits' tables included."""
    packs = shipped(*PACKS["pack-gd-2023"])
    found = {(rule.pack, rule_id) for rule_id, rule in packs.rules.items()}
    for pit in [pit_of(item, structure) for item in PitItem for structure in TABLED]:
        rows, _ = resolved(packs, "deep-pit", _pit_points(pit), [pit])
        found |= {("national", row.info.rule_id) for row in rows if row.info.rule_id not in packs.rules}
    return found


def test_every_rule_of_the_packs_has_all_four_kinds() -> None:
    missing = sorted(_all_rule_ids() - CASES.keys())
    assert missing == []
    assert [key for key, case in CASES.items() if not set(KINDS) <= case.keys()] == []


def test_every_condition_of_a_rule_is_also_missing_once() -> None:
    for (pack, rule_id), case in LEVEL_CASES.items():
        rule = shipped(*PACKS[pack]).rules.get(rule_id)
        settings = None if rule is None else rule.settings
        asked = {each.key for each in getattr(settings, "only_when", None) or ()}
        assert asked <= set(case["missing"]), rule_id
        if isinstance(settings, SilenceSettings | ImpossibleSettings | LossSettings):
            pytest.fail(f"{rule_id} is about time: it needs series")
