"""Rules on subjects: the rows of the demo site, overrides, replaced rules, silence; and the honesty of the pack."""

from pathlib import Path

import pytest
import yaml

from gateway.model.alarm import Severity
from gateway.model.rule import Direction, LossParameters, ResolvedRule, RuleFamily
from gateway.settings import Settings
from tests.unit.gateway.settings.kinds import CONFIG, load_case, load_site


@pytest.fixture(scope="module")
def demo() -> Settings:
    return load_site("demo")


def row(settings: Settings, rule_id: str, subject: str) -> ResolvedRule:
    return next(rule for rule in settings.rules if (rule.info.rule_id, rule.subject) == (rule_id, subject))


def test_a_threshold_has_a_row_for_every_point_of_its_kind_and_key(demo: Settings) -> None:
    alarm = [rule for rule in demo.rules if rule.info.rule_id == "crane.moment.alarm"]
    assert [rule.subject for rule in alarm] == ["crane-1.moment_pct", "crane-2.moment_pct"]
    for rule in alarm:
        assert demo.points[rule.point_index].point_id == rule.subject
        assert (rule.family, rule.direction, rule.device_points) == (RuleFamily.THRESHOLD, Direction.HIGH, ())
        assert (rule.limit, rule.deadband, rule.on_delay_s, rule.off_delay_s) == (100, 2, 0.3, 1)
        assert (rule.info.severity, rule.info.reportable, rule.info.unit) == (Severity.P2, True, "%")
        assert (rule.asset_kind, rule.suspected) == ("tower-crane", False)
        assert rule.origin.startswith("rules/national/crane-moment.yaml:")


def test_the_origin_is_the_line_of_the_rule_in_its_pack(demo: Settings) -> None:
    origin = row(demo, "crane.moment.violation", "crane-1.moment_pct").origin
    line = int(origin.rpartition(":")[2])
    text = (CONFIG / "rules" / "national" / "crane-moment.yaml").read_text(encoding="utf-8").splitlines()
    assert text[line - 1].strip() == "- id: crane.moment.violation"


def test_a_low_limit_has_its_direction(demo: Settings) -> None:
    rule = row(demo, "pit.water_level.drop", "pit-1.water_level_mm")
    assert (rule.direction, rule.limit) == (Direction.LOW, -1000)


def test_a_violation_is_suspected_and_grave(demo: Settings) -> None:
    rule = row(demo, "crane.moment.violation", "crane-2.moment_pct")
    assert (rule.info.severity, rule.suspected, rule.info.reportable, rule.limit) == (Severity.P1, True, True, 110)


def test_silence_of_a_device_counts_all_its_points(demo: Settings) -> None:
    silent = [rule for rule in demo.rules if rule.info.rule_id == "device.silence"]
    assert [rule.subject for rule in silent] == ["crane-1-host", "crane-2-host", "pit-1-logger", "mast-1-logger"]
    for rule in silent:
        assert rule.device_points == tuple(demo.points.of_device(rule.subject))
        assert (rule.point_index, rule.limit, rule.info.unit, rule.family) == (-1, 10, "s", RuleFamily.SILENCE)


def test_only_devices_that_are_asked_lose_requests(demo: Settings) -> None:
    lossy = [rule for rule in demo.rules if rule.info.rule_id == "device.loss"]
    assert [rule.subject for rule in lossy] == ["crane-1-host", "crane-2-host", "pit-1-logger"], "the mast publishes"
    for rule in lossy:
        assert rule.device_points == tuple(demo.points.of_device(rule.subject))
        assert (rule.info.severity, rule.limit, rule.info.unit, rule.on_delay_s) == (Severity.P3, 20, "%", 60)
        assert rule.parameters == LossParameters(600, 100, 10)


def test_silence_of_a_point_counts_that_point(demo: Settings) -> None:
    silent = [rule for rule in demo.rules if rule.info.rule_id == "crane.sensor.silence"]
    assert {rule.subject for rule in silent} == {
        f"{crane}.{key}" for crane in ("crane-1", "crane-2") for key in ("moment_pct", "wind_ms")
    }
    assert all(rule.device_points == (rule.point_index,) for rule in silent)


def test_the_demo_pits_limit_is_its_designers(demo: Settings) -> None:
    rule = row(demo, "pit.wall_top_h.cumulative", "pit-1.wall_top_h")
    assert (rule.limit, rule.info.limit_source, rule.info.certainty) == (24, "design", "SITE")
    assert rule.info.clause == "Designer's warning value for the demo pit"
    assert rule.origin.startswith("demo.yaml:")


def test_an_override_for_one_asset_beats_the_one_for_all() -> None:
    settings = load_case("good-overrides")
    one = row(settings, "crane.moment.alarm", "crane-1.moment_pct")
    two = row(settings, "crane.moment.alarm", "crane-2.moment_pct")
    assert (one.limit, one.info.limit_source, one.info.clause) == (95, "site_scheme", "Scheme of this site")
    assert (two.limit, two.info.limit_source, two.info.clause) == (105, "maker_manual", "Manual, page 12")
    assert (one.info.severity, two.info.severity) == (Severity.P2, Severity.P3)
    assert (one.deadband, two.on_delay_s) == (2, 0.3), "what is not overridden stays"
    assert two.origin.endswith(": Allowed by the maker")


def test_a_silence_takes_its_new_age_as_limit() -> None:
    rule = row(load_case("good-overrides"), "device.silence", "host-1")
    assert (rule.limit, rule.off_delay_s) == (5, 3)


def test_an_override_of_a_delay_leaves_the_limits_clause_alone(tmp_path: Path) -> None:
    settings = load_case(
        "good-minimal",
        rule_overrides=[{"rule": "crane.moment.alarm", "on_delay_s": 3, "reason": "A springy jib"}],
    )
    rule = row(settings, "crane.moment.alarm", "crane-1.moment_pct")
    assert (rule.on_delay_s, rule.info.certainty) == (3, "V1")
    assert rule.info.clause.startswith("JGJ 332-2014 3.2.7(3)")
    assert rule.origin.endswith(": A springy jib")


def test_a_limit_from_a_code_is_unverified_until_somebody_says_how_sure_it_is() -> None:
    override = {"rule": "crane.moment.alarm", "limit": 90, "limit_source": "local_code", "reason": "City notice"}
    unsure = load_case("good-minimal", rule_overrides=[override])
    sure = load_case("good-minimal", rule_overrides=[{**override, "certainty": "V1", "clause": "Notice 3, item 2"}])
    assert row(unsure, "crane.moment.alarm", "crane-1.moment_pct").info.certainty == "M-L"
    assert row(sure, "crane.moment.alarm", "crane-1.moment_pct").info.certainty == "V1"


def test_a_limit_of_the_products_own_is_called_that() -> None:
    override = {
        "rule": "crane.moment.alarm",
        "limit": 95,
        "limit_source": "product_default",
        "reason": "Vendor's advice",
    }
    rule = row(load_case("good-minimal", rule_overrides=[override]), "crane.moment.alarm", "crane-1.moment_pct")
    assert (rule.info.certainty, rule.info.limit_source) == ("PD", "product_default")


def test_a_later_pack_replaces_a_rule_in_place() -> None:
    settings = load_case("good-replacing-pack")
    rule = row(settings, "crane.moment.alarm", "crane-1.moment_pct")
    assert (rule.limit, rule.info.limit_source) == (98, "local_code")
    assert rule.origin.startswith("rules/province.yaml:")
    assert len([each for each in settings.rules if each.info.rule_id == "crane.moment.alarm"]) == 1


def test_replacing_what_is_not_there_is_warned_of() -> None:
    settings = load_case("good-minimal", rule_packs=["province"])
    assert [warning.code for warning in settings.warnings] == ["warn.crane_undescribed", "warn.replaces_nothing"]


def test_the_national_pack_never_calls_its_own_choice_a_standard() -> None:
    paths = (CONFIG / "rules" / "national").glob("*.yaml")
    parts = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in paths]
    rules = [rule for part in parts for rule in part.get("rules", [])]
    assert len(rules) > 50
    standards = ("GB", "JGJ", "建质规", "建设部令", "晋建综")
    for rule in rules:
        product = rule["certainty"] == "PD"
        assert product == (rule["limit_source"] == "product_default") == rule["clause"].startswith("product default")
        assert product or any(mark in rule["clause"] for mark in standards), rule["id"]
        of_the_site = rule["limit_source"] == "maker_manual"
        assert of_the_site == (rule["certainty"] == "SITE"), "the maker's own figure, as the site filed it"
        assert of_the_site or rule["certainty"] in ("V1", "V2", "M-H", "M-M", "PD")


def test_the_national_crane_ladder_climbs(demo: Settings) -> None:
    ladder = [
        row(demo, f"crane.moment.{step}", "crane-1.moment_pct") for step in ("info", "prealarm", "alarm", "violation")
    ]
    assert [rule.limit for rule in ladder] == [80, 90, 100, 110]
    assert [rule.info.severity.value for rule in ladder] == ["log", "P3", "P2", "P1"]
    assert [rule.info.reportable for rule in ladder] == [False, False, True, True]


def test_every_rule_of_the_national_pack_finds_its_points_on_the_demo_site(demo: Settings) -> None:
    assert "warn.rule_without_point" not in {warning.code for warning in demo.warnings}
    assert "warn.limit_beyond_range" not in {warning.code for warning in demo.warnings}
