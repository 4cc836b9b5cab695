"""Rules that look at more than one sample, as rows: units, conditions, parameters; and the listing of all rows."""

import json
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.model.rule import (
    ChangeCountParameters,
    Direction,
    FlatLineParameters,
    RateParameters,
    ResolvedRule,
    RuleFamily,
)
from gateway.settings import Settings, fault_text
from sitewarden.__main__ import main
from sitewarden.commands.rule_listing import rules_json, rules_text
from tests.unit.gateway.settings.kinds import CASES, load_case, load_site


@pytest.fixture(scope="module")
def site() -> Settings:
    return load_case("good-windowed")


def rows(settings: Settings, rule_id: str) -> list[ResolvedRule]:
    return [rule for rule in settings.rules if rule.info.rule_id == rule_id]


def test_a_rate_has_its_limit_in_the_points_unit_per_time(site: Settings) -> None:
    (rule,) = rows(site, "wall.rate")
    assert (rule.limit, rule.info.unit, rule.direction, rule.deadband) == (0.1, "deg/h", Direction.HIGH, 0.01)
    assert rule.parameters == RateParameters(3600.0, 60.0, 10, 3600.0, either=True)


def test_a_flat_line_knows_where_its_condition_is(site: Settings) -> None:
    (rule,) = rows(site, "load.flat")
    assert (rule.limit, rule.info.unit, rule.subject) == (600.0, "s", "crane-1.load_t")
    motor = site.points.index_of["crane-1.motor"]
    assert rule.parameters == FlatLineParameters(0.01, 10.0, 5, motor, 0.5)


def test_an_impossible_value_has_a_row_for_every_point_and_a_limit_only_for_steps(site: Settings) -> None:
    assert len(rows(site, "any.unusable")) == sum(point.asset == "crane-1" for point in site.points.points)
    assert {(rule.limit, rule.info.unit) for rule in rows(site, "any.unusable")} == {(math.inf, "")}
    steps = [(rule.subject, rule.limit, rule.info.unit) for rule in rows(site, "hook.impossible")]
    assert steps == [("crane-1.radius_m", 3.0, "m/s"), ("crane-1.hook_m", 3.0, "m/s")]


def test_a_change_count_has_a_count_as_limit(site: Settings) -> None:
    (rule,) = rows(site, "motor.chatter")
    assert (rule.limit, rule.info.unit, rule.family) == (20.0, "", RuleFamily.CHANGE_COUNT)
    assert rule.parameters == ChangeCountParameters(60.0, 5.0, 0.0, 0.5)


def test_a_condition_that_an_asset_does_not_have_is_warned_of_and_the_rule_left_out(tmp_path: Path) -> None:
    pack = (CASES / "rules" / "moving.yaml").read_text(encoding="utf-8")
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "moving.yaml").write_text(pack.replace("{key: motor,", "{key: engine,"), encoding="utf-8")
    (tmp_path / "site.yaml").write_text((CASES / "good-windowed.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    settings = load_site(tmp_path / "site.yaml")
    assert rows(settings, "load.flat") == []
    warnings = {warning.code: warning for warning in settings.warnings}
    assert "engine" in warnings["warn.condition_without_point"].found
    assert fault_text(warnings["warn.condition_without_point"], "zh").count("engine") == 1
    assert "warn.rule_without_point" in warnings


def test_an_override_moves_a_limit_and_nothing_else() -> None:
    changed = [{"rule": "load.flat", "limit": 300, "reason": "A restless crane"}]
    (rule,) = rows(load_case("good-windowed", rule_overrides=changed), "load.flat")
    (before,) = rows(load_case("good-windowed"), "load.flat")
    assert rule.limit == 300
    assert replace(rule, limit=before.limit, info=before.info, origin=before.origin) == before


def test_other_windows_are_another_digest() -> None:
    one = load_case("good-windowed")
    other = load_case("good-windowed", rule_overrides=[{"rule": "load.flat", "limit": 300, "reason": "Restless"}])
    assert one.digest != other.digest
    assert one.digest == load_case("good-windowed").digest


def test_the_listing_names_every_row_and_where_it_is_written(site: Settings) -> None:
    text = rules_text(site)
    for rule in site.rules:
        assert rule.subject in text
        assert rule.origin in text
    assert (
        "flat line: crane-1.load_t >= 600 s; tolerance 0.01; at least samples 5; only while crane-1.motor > 0.5" in text
    )
    assert "change count: crane-1.motor more than 20 changes; over 60 s" in text
    assert "rate of change: crane-1.tilt_deg >= 0.1 deg/h; deadband 0.01 deg/h; over 3600 s" in text
    assert text.endswith(f"{len(site.rules)} rules in force")


def test_the_chinese_listing_has_chinese_titles_and_words(site: Settings) -> None:
    text = rules_text(site, "zh")
    assert "塔身倾斜变化快" in text
    assert "变化速率: crane-1.tilt_deg" in text
    assert not re.search(r"\b(over|deadband|longest|written|only while|changes)\b", text)


def test_the_json_listing_is_json_for_every_number(site: Settings) -> None:
    listed = json.loads(rules_json(site), parse_constant=lambda text: pytest.fail(f"{text} is no JSON"))
    assert (listed["digest"], len(listed["rules"])) == (site.digest, len(site.rules))
    by_id = {row["rule_id"]: row for row in listed["rules"]}
    assert by_id["any.unusable"]["limit"] is None
    assert by_id["load.flat"]["parameters"]["condition_point"] == "crane-1.motor"
    assert by_id["wall.rate"]["parameters"]["window_s"] == 3600


def test_the_command_prints_an_overridden_limit_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "demo", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["rules"]
    wall = next(row for row in listed if row["rule_id"] == "pit.wall_top_h.cumulative")
    assert (wall["limit"], wall["limit_source"]) == (24, "design")
    assert wall["origin"].endswith("Designer's warning value for the demo pit")


def test_the_command_refuses_a_broken_site(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "tests/cases/config/windowed-rules.yaml"]) == 2
    assert "gap_s" in capsys.readouterr().err
