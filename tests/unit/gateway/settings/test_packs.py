"""Packs as folders and as single files: what is read, in which order, and what may be wrong between their files."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.model.errors import ConfigError, Fault
from gateway.parts.pit.settings.merged_tables import PitLimitTables
from gateway.settings import Settings, fault_text
from gateway.settings.library import Library, parts_of
from tests.fakes.pack_line import packs_of, shipped
from tests.unit.gateway.settings.kinds import CASES, CONFIG, load_site

HEAD = {"version": 1, "pack": "own", "title_zh": "包", "title_en": "Pack"}
PART = {"version": 1, "pack": "own"}


def rule(rule_id: str, **keys: Any) -> dict[str, Any]:
    shape = {"id": rule_id, "family": "threshold", "kind": "tower-crane", "key": "moment_pct", "high": 120}
    words = {"severity": "P2", "reportable": True, "title_zh": "规则", "title_en": "Rule"}
    source = {"limit_source": "product_default", "clause": "product default", "certainty": "PD"}
    return {**shape, **words, **source, **keys}


def write(folder: Path, **files: object) -> Path:
    """A site with a pack folder `own`; file names without their ending."""
    (folder / "rules" / "own").mkdir(parents=True)
    for name, data in files.items():
        path = folder / "rules" / "own" / f"{name}.yaml"
        path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    site = folder / "site.yaml"
    site.write_text((CASES / "good-minimal.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    return site


def loaded(folder: Path, **files: object) -> Settings:
    return load_site(write(folder, **files), rule_packs=["own"])


def faults(folder: Path, **files: object) -> list[Fault]:
    with pytest.raises(ConfigError) as caught:
        loaded(folder, **files)
    return caught.value.faults


def test_a_folder_is_one_pack_its_files_in_order_of_their_names(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        pack=HEAD,
        b_second={**PART, "rules": [rule("own.two")]},
        a_first={**PART, "rules": [rule("own.one")]},
    )
    assert [row.info.rule_id for row in settings.rules] == ["own.one", "own.two"]
    assert settings.rules[0].origin.startswith("rules/own/a_first.yaml:")


def test_a_head_may_have_rules_itself(tmp_path: Path) -> None:
    settings = loaded(tmp_path, pack={**HEAD, "rules": [rule("own.one")]})
    assert [row.info.rule_id for row in settings.rules] == ["own.one"]
    assert settings.rules[0].origin.startswith("rules/own/pack.yaml:")


def test_a_single_file_is_a_pack_as_before_and_beats_the_shipped_folder(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    single = tmp_path / "rules" / "national.yaml"
    single.write_text(yaml.safe_dump({**HEAD, "pack": "national", "rules": [rule("own.one")]}), encoding="utf-8")
    library = Library((tmp_path, CONFIG))
    found = library.find("rules", "national")
    assert found == single
    assert parts_of(single) == (single,)


def test_a_pack_that_is_called_pack_is_a_single_file(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    for name in ("pack", "other"):
        (tmp_path / "rules" / f"{name}.yaml").write_text("{}", encoding="utf-8")
    found = Library((tmp_path,)).find("rules", "pack")
    assert found is not None
    assert parts_of(found) == (found,)


def test_the_shipped_packs_are_known_by_their_folders() -> None:
    assert {"national", "pack-gd-2023"} <= Library((CONFIG,)).names("rules")


def test_a_rule_twice_in_a_pack_names_the_other_file(tmp_path: Path) -> None:
    part = {**PART, "rules": [rule("own.one")]}
    (fault,) = faults(tmp_path, pack=HEAD, a=part, b=part)
    assert (fault.code, fault.file.endswith("b.yaml")) == ("rule.twice_in_pack", True)
    assert "(a.yaml)" in fault_text(fault)


def test_a_part_of_another_pack_is_refused(tmp_path: Path) -> None:
    part = {**PART, "pack": "other", "rules": [rule("own.one")]}
    assert [fault.code for fault in faults(tmp_path, pack=HEAD, a=part)] == ["pack.name"]


def test_a_part_needs_no_titles_and_a_head_does(tmp_path: Path) -> None:
    part = {**PART, "rules": [rule("own.one")]}
    assert [(fault.key, fault.code) for fault in faults(tmp_path, pack=PART, a=part)] == [
        ("title_en", "key.missing"),
        ("title_zh", "key.missing"),
    ]


def test_a_pack_without_anything_is_refused(tmp_path: Path) -> None:
    assert [fault.code for fault in faults(tmp_path, pack=HEAD, a=PART)] == ["pack.empty"]


def test_a_folder_without_a_head_is_no_pack(tmp_path: Path) -> None:
    found = faults(tmp_path, a={**PART, "rules": [rule("own.one")]})
    assert [fault.key for fault in found] == ["rule_packs[0]"]


def test_every_file_is_checked_though_another_has_faults(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        pack=HEAD,
        a={**PART, "rules": [rule("own.one", severity="P9")]},
        b={**PART, "rules": [rule("own.two", high="much")]},
    )
    assert [Path(fault.file).name for fault in found] == ["a.yaml", "b.yaml"]


CONDITIONS = [
    ({"key": "motor"}, "rules[0].only_when", "rule.one_bound"),
    ({"key": "motor", "above": 1, "below": 2}, "rules[0].only_when", "rule.one_bound"),
    ([{"key": "motor", "over": 1}], "rules[0].only_when[0].over", "key.unknown_near"),
    ([], "rules[0].only_when", "list.at_least"),
]


@pytest.mark.parametrize(("asked", "key", "code"), CONDITIONS)
def test_a_condition_that_cannot_be_meant_is_refused(tmp_path: Path, asked: object, key: str, code: str) -> None:
    found = faults(tmp_path, pack={**HEAD, "rules": [rule("own.one", only_when=asked)]})
    assert code in {fault.code for fault in found if fault.key.startswith(key)}


def test_one_condition_and_a_list_of_one_mean_the_same(tmp_path: Path) -> None:
    asked = {"key": "motor", "above": 0.5}
    rules = [rule("own.one", only_when=asked), rule("own.two", only_when=[asked])]
    one, two = loaded(tmp_path, pack={**HEAD, "rules": rules}).rules
    assert one.parameters == two.parameters is not None


def test_a_condition_that_the_asset_lacks_leaves_the_rule_out_and_warns_unless_it_is_optional(tmp_path: Path) -> None:
    asked = {"key": "travel_m", "above": 0.5}
    rules = [rule("own.one", only_when=asked), rule("own.two", only_when=asked, optional=True), rule("own.three")]
    settings = loaded(tmp_path, pack={**HEAD, "rules": rules})
    assert [row.info.rule_id for row in settings.rules] == ["own.three"]
    told = [warning for warning in settings.warnings if warning.key.startswith("rules[")]
    warned = [warning.code for warning in told if warning.code != "warn.no_card"]
    assert sorted(warned) == ["warn.condition_without_point", "warn.rule_without_point"]


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ({"times": 1}, "range.at_least"),
        ({"spacing_s": 60, "gap_s": 60}, "rule.gap_spacing"),
        ({"high": None}, "rule.one_limit"),
        ({"low": 1}, "rule.one_limit"),
        ({"ratio": 0}, "range.above"),
    ],
)
def test_readings_in_a_row_that_cannot_be_meant_are_refused(tmp_path: Path, keys: dict[str, Any], code: str) -> None:
    good = {"family": "consecutive", "times": 3, "spacing_s": 10, "gap_s": 60}
    own = {key: value for key, value in rule("own.one", **{**good, **keys}).items() if value is not None}
    assert code in {fault.code for fault in faults(tmp_path, pack={**HEAD, "rules": [own]})}


def test_a_pit_row_twice_needs_to_say_that_it_replaces(tmp_path: Path) -> None:
    row = {"id": "rate.alarm", "of": "rate", "ratio": 1, "severity": "P2", "reportable": True, "title_zh": "报警"}
    row |= {"title_en": "alarm", "clause": "the limit itself", "certainty": "V1"}
    part = {**PART, "pit_limits": {"rows": [row]}}
    assert [fault.code for fault in faults(tmp_path, pack=HEAD, a=part, b=part)] == ["pit.row_twice"]


ROW = {"ratio": 1, "reportable": True, "title_zh": "报警", "title_en": "alarm", "clause": "limit", "certainty": "V1"}


@pytest.mark.parametrize("other", ["rate.none", "load_high.alarm", "rate.alarm", "rate.warn"])
def test_only_a_graver_row_of_the_same_limit_suppresses(tmp_path: Path, other: str) -> None:
    rows = [
        {"id": "rate.alarm", "of": "rate", "severity": "P2", "suppressed_while": [other], **ROW},
        {"id": "rate.warn", "of": "rate", "severity": "P3", **ROW},
        {"id": "load_high.alarm", "of": "load_high", "severity": "P1", **ROW},
    ]
    part = {**PART, "pit_limits": {"rows": rows}}
    assert [fault.code for fault in faults(tmp_path, pack=HEAD, a=part)] == ["pit.suppressor"]


def test_a_table_may_not_call_its_own_figure_a_standard(tmp_path: Path) -> None:
    cell = {"cumulative": {"value": 20, "certainty": "PD"}}
    limit = {"item": "surface_settlement", "limit_source": "national_code", "clause": "GB", "grade_1": cell}
    part = {**PART, "pit_limits": {"limits": [limit]}}
    assert [fault.code for fault in faults(tmp_path, pack=HEAD, a=part)] == ["rule.certainty"]


def test_two_sides_need_two_names(tmp_path: Path) -> None:
    part = {**PART, "pit_limits": {"items": [{"item": "surface_settlement", "sides": "both"}]}}
    assert [fault.code for fault in faults(tmp_path, pack=HEAD, a=part)] == ["pit.sides"]


def test_guangdongs_deadlines_are_data() -> None:
    hours = {each.id: each.within_h for each in shipped("national", "pack-gd-2023").deadlines.values()}
    assert hours == {"accident.details_to_province": 24, "accident.to_national_platform": 48}


def test_every_limit_of_the_shipped_tables_is_sourced() -> None:
    packs = packs_of("national", "pack-gd-2023")
    assert len(packs.table(PitLimitTables).limits) > 25
    for entry in packs.table(PitLimitTables).limits:
        assert any(mark in entry.settings.clause for mark in ("GB 50497-2019", "DBJ/T 15-162-2019"))
        assert entry.settings.cells(None), entry.settings.item
