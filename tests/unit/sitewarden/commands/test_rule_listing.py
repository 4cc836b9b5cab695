"""The effective table of a site with a described pit: where each value came from, conditions, hazards, overrides."""

import json
from typing import Any

import pytest

from gateway.settings import Settings
from sitewarden.commands.rule_listing import rules_json, rules_text
from tests.unit.gateway.settings.kinds import load_site

CONTROL = {"limit_source": "design", "clause": "Drawing G-12", "certainty": "SITE", "cumulative": 24}
PIT: dict[str, Any] = {
    "design_depth_m": 12.0,
    "safety_grade": 1,
    "points": [
        {"name": "zq-1", "item": "wall_top_horizontal_displacement", "input": "wall_top_h", "control": CONTROL},
        {"name": "db-1", "item": "surface_settlement", "input": "ground_settlement"},
    ],
}
OVERRIDE = {"rule": "pit.surface_settlement.cumulative.alarm", "asset": "pit-1", "limit": 22, "reason": "Old houses"}


@pytest.fixture(scope="module")
def site() -> Settings:
    return load_site("demo", **{"assets[pit-1].pit": PIT, "rule_overrides": [OVERRIDE]})


@pytest.fixture(scope="module")
def listed(site: Settings) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["rule_id"], row["subject"]): row for row in json.loads(rules_json(site))["rules"]}


def test_a_designers_limit_is_shown_with_his_paper_and_its_place_in_the_site_file(site: Settings) -> None:
    text = rules_text(site)
    head = "P2  pit.wall_top_horizontal_displacement.cumulative.alarm"
    block = text[text.index(head) :].split("written in", 1)
    assert "threshold: pit-1.zq-1 size >= 24 mm" in block[0]
    assert "set by: design, Drawing G-12 (set by the site)" in block[0]
    assert block[1].splitlines()[0].startswith(": demo.yaml:")
    assert block[1].splitlines()[0].endswith(": pit-1.zq-1")


def test_a_codes_limit_is_shown_with_its_table_and_line(listed: dict[tuple[str, str], dict[str, Any]]) -> None:
    row = listed["pit.surface_settlement.rate.alarm", "pit-1.db-1_rate"]
    assert (row["limit"], row["unit"], row["limit_source"], row["certainty"]) == (2, "mm/d", "national_code", "V2")
    assert row["origin"].startswith("rules/national/pit-limits-support.yaml:")


def test_an_overridden_row_of_a_pit_shows_its_reason(listed: dict[tuple[str, str], dict[str, Any]]) -> None:
    row = listed["pit.surface_settlement.cumulative.alarm", "pit-1.db-1"]
    assert (row["limit"], row["limit_source"], row["clause"]) == (22, "site_scheme", "Old houses")
    assert row["origin"].startswith("demo.yaml:")
    assert listed["pit.surface_settlement.cumulative.warn", "pit-1.db-1"]["limit"] == 17.5


def test_conditions_are_shown_by_the_names_of_their_points(
    site: Settings, listed: dict[tuple[str, str], dict[str, Any]]
) -> None:
    row = listed["pit.surface_settlement.cumulative.alarm_rising", "pit-1.db-1"]
    assert row["parameters"]["only_when"] == [{"point": "pit-1.db-1_rising", "above": 0.5}]
    wind = listed["crane.wind.lifting_stop", "crane-1.wind_3s_ms"]
    assert wind["parameters"]["only_when"] == [{"point": "crane-1.lifting", "above": 0.5}]
    assert "only while crane-1.lifting > 0.5" in rules_text(site)
    tilt = listed["crane.tilt.limit", "crane-1.tilt_permille"]
    assert [set(each) for each in tilt["parameters"]["only_when"]] == [{"point", "below"}] * 2


def test_readings_in_a_row_and_hazards_are_shown_in_both_languages(site: Settings) -> None:
    english, chinese = rules_text(site), rules_text(site, "zh")
    assert "readings in a row: pit-1.zq-1_rate size >= 1.4 mm/d; readings in a row 3; one reading in 3000 s" in english
    assert "连续读数: pit-1.zq-1_rate 绝对值 >= 1.4 mm/d; 连续次数 3" in chinese
    assert "hazard item 15(2) of the 2024 criteria" in english
    assert "重大事故隐患条目 《判定标准（2024版）》第十五条第二项" in chinese


def test_hazards_are_in_the_json(listed: dict[tuple[str, str], dict[str, Any]]) -> None:
    assert listed["crane.moment.violation", "crane-1.moment_pct"]["hazard"] == "MH24-8-4"
    assert listed["crane.moment.alarm", "crane-1.moment_pct"]["hazard"] == ""
