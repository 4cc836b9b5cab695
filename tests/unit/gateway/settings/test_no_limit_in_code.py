"""No limit in code: for every rule of the shipped packs, another figure in the pack is another verdict.

Each rule judges the boundary of its case twice: by the shipped figure it is TRUE, by one that is a little further away
it is not.
"""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from gateway.model.quantity import Point
from gateway.model.rule import ResolvedRule
from gateway.model.verdict import Truth
from gateway.parts.pit.model.items import PitItem, PitStructure
from gateway.parts.pit.model.outputs import pit_outputs, point_outputs
from gateway.parts.pit.settings.limit_tables import Figure, PitCell, PitLimitSettings
from gateway.parts.pit.settings.merged_tables import PitLimitEntry, PitLimitTables
from gateway.settings.rule_families import (
    AnyRule,
    ChangeCountSettings,
    FlatLineSettings,
    ImpossibleSettings,
    LossSettings,
    SilenceSettings,
)
from gateway.settings.rulepack import PackRule, Packs
from tests.cases.test_pack_cases import CASES, LEVEL_CASES, SERIES_CASES, pit_of
from tests.fakes.pack_line import ASSET, JudgingLine, packs_of, point, resolved, shipped

FURTHER = 1.5
PLAIN = [rule_id for (pack, rule_id) in LEVEL_CASES if rule_id in shipped("national").rules]
MADE = [rule_id for (pack, rule_id) in LEVEL_CASES if pack == "national" and rule_id not in shipped("national").rules]
_LIMITS = ("high", "low", "either")


def _moved(rule: PackRule, **figures: object) -> Packs:
    """The national pack with other figures in one rule."""
    packs = packs_of("national")
    assert rule.settings is not None
    packs.rules[rule.rule_id] = replace(rule, settings=rule.settings.model_copy(update=figures))
    return packs


def _further(settings: AnyRule) -> dict[str, object]:
    """Its limit, further away from what is normal."""
    name = next(name for name in _LIMITS if getattr(settings, name, None) is not None)
    limit = float(getattr(settings, name))
    return {name: limit + settings.direction.reach(1.0) * (0.5 + abs(limit) * 0.1)}


def _own(rows: Sequence[ResolvedRule], rule_id: str) -> list[ResolvedRule]:
    return [row for row in rows if row.info.rule_id == rule_id]


def _at_the_boundary(packs: Packs, rule_id: str, points: list[Point], rows: Sequence[ResolvedRule]) -> Truth:
    case = next(case for (_, each), case in CASES.items() if each == rule_id)
    line = JudgingLine(points, _own(rows, rule_id))
    every_s = float(case.get("every_s", 1.0))
    for i in range(int(float(case.get("after_s", 0.0)) / every_s) + 2):
        line.poll(i * every_s, case["boundary"]["at"])
    return line.truth


@pytest.mark.parametrize("rule_id", PLAIN)
def test_another_limit_in_the_pack_is_another_verdict(rule_id: str) -> None:
    rule = shipped("national").rules[rule_id]
    assert rule.settings is not None
    units = {"wind_10min_ms": "m/s"}
    own_unit = getattr(rule.settings, "unit", None) or ""
    conditions = {"lifting": "", "climbing": ""}
    case = CASES["national", rule_id]
    points = [point(key, conditions.get(key, units.get(key, own_unit))) for key in case["fires"]]
    kind = str(rule.settings.kind)
    for packs, truth in (
        (shipped("national"), Truth.TRUE),
        (_moved(rule, **_further(rule.settings)), Truth.FALSE),
    ):
        rows, _ = resolved(packs, kind, points)
        assert _at_the_boundary(packs, rule_id, points, rows) is truth


def _scaled(packs: Packs) -> Packs:
    """The same tables with every figure further away; the lower bound of a preload is smaller."""
    tables = packs.table(PitLimitTables)
    tables.limits = [_scaled_entry(entry) for entry in tables.limits]
    return packs


def _scaled_entry(entry: PitLimitEntry) -> PitLimitEntry:
    names = ("every_grade", "grade_1", "grade_2", "grade_3")
    cells = {name: _scaled_cell(cell) for name in names if (cell := getattr(entry.settings, name)) is not None}
    settings: PitLimitSettings = entry.settings.model_copy(update=cells)
    return replace(entry, settings=settings)


def _scaled_cell(cell: PitCell) -> PitCell:
    figures: dict[str, Figure] = {name: each for name in PitCell.model_fields if (each := getattr(cell, name))}
    scaled = {
        name: figure.model_copy(update={"value": figure.value / FURTHER if "low" in name else figure.value * FURTHER})
        for name, figure in figures.items()
    }
    return cell.model_copy(update=scaled)


@pytest.fixture(scope="module")
def further() -> Packs:
    return _scaled(packs_of("national"))


@pytest.mark.parametrize("rule_id", MADE)
def test_another_figure_in_a_table_is_another_verdict(rule_id: str, further: Packs) -> None:
    structure = PitStructure(CASES["national", rule_id].get("structure", "diaphragm_wall"))
    pit = pit_of(PitItem(rule_id.split(".")[1]), structure)
    points = [*point_outputs(ASSET, pit.points[0]), *pit_outputs(pit)]
    for packs, truth in ((shipped("national"), Truth.TRUE), (further, Truth.FALSE)):
        rows, _ = resolved(packs, "deep-pit", points, [pit])
        said = _at_the_boundary(packs, rule_id, points, rows)
        assert (said is Truth.TRUE) == (truth is Truth.TRUE)


_FIGURES: dict[type[object], tuple[str, float]] = {
    SilenceSettings: ("after_s", 2.0),
    FlatLineSettings: ("for_s", 2.0),
    ChangeCountSettings: ("more_than", 3),
    LossSettings: ("lost_pct", 2.0),
}


@pytest.mark.parametrize("rule_id", [rule_id for _, rule_id in SERIES_CASES])
def test_another_time_count_or_step_in_the_pack_is_another_row(rule_id: str) -> None:
    rule = shipped("national").rules[rule_id]
    assert rule.settings is not None
    if isinstance(rule.settings, ImpossibleSettings) and rule.settings.max_step_per_s is None:
        figures: dict[str, object] = {"on_delay_s": rule.settings.on_delay_s * 2}
    elif isinstance(rule.settings, ImpossibleSettings):
        figures = {"max_step_per_s": 2 * rule.settings.limit}
    elif isinstance(rule.settings, tuple(_FIGURES)):
        name, times = next(figure for family, figure in _FIGURES.items() if isinstance(rule.settings, family))
        figures = {name: times * getattr(rule.settings, name)}
    else:
        figures = _further(rule.settings)
    keys = getattr(rule.settings, "keys", None) or (getattr(rule.settings, "key", "q"),)
    kind = "other" if rule.settings.kind == "*" else str(rule.settings.kind)
    points = [point(str(keys[0]), getattr(rule.settings, "unit", None) or "")]
    (before,) = _own(resolved(shipped("national"), kind, points)[0], rule_id)
    (after,) = _own(resolved(_moved(rule, **figures), kind, points)[0], rule_id)
    assert (before.limit, before.on_delay_s) != (after.limit, after.on_delay_s)
