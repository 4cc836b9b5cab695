"""The alarm table's own settings, and who may be told of an escalation."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from gateway.model.alarm import AlarmBounds
from gateway.model.errors import ConfigError, Fault
from gateway.ports import UplinkKind
from gateway.settings import Settings, load
from gateway.settings.wording import Language, fault_text
from sitewarden.composition.kinds import KINDS
from tests.unit.gateway.settings.kinds import CASES, CONFIG, DRIVERS, UPLINKS, load_case


class CrewUplink(BaseModel):
    """An uplink that tells people and needs nothing said."""


LANGUAGES: tuple[Language, ...] = ("en", "zh")
PEOPLE = UplinkKind("people", CrewUplink, UPLINKS["mqtt"].build, takes_escalations=True)
SENT_TO = [{"name": "crew", "kind": "people"}, {"name": "broker", "kind": "mqtt", "host": "::1", "topic_prefix": "a"}]


def _load(**replace: object) -> Settings:
    values = {"uplinks": SENT_TO, **replace}
    kinds = {"people": PEOPLE, "mqtt": UPLINKS["mqtt"]}
    return load(CASES / "good-minimal.yaml", DRIVERS, kinds, KINDS, config_root=CONFIG, replace=values)


def _faults(**replace: object) -> list[Fault]:
    with pytest.raises(ConfigError) as caught:
        _load(**replace)
    return list(caught.value.faults)


def test_without_a_section_the_bounds_are_those_of_the_product() -> None:
    settings = _load()
    assert settings.alarms.bounds == AlarmBounds()
    assert (settings.escalation.uplinks, settings.escalation.p1_after_s) == ([], 120)


def test_a_site_may_be_stricter() -> None:
    alarms = {"shelve_max_h": 0.5, "out_of_service_max_h": 2, "first_out_window_s": 3, "flood_alarms": 5}
    bounds = _load(alarms=alarms).alarms.bounds
    assert (bounds.shelve_max_s, bounds.out_of_service_max_s, bounds.first_out_window_s) == (1800, 7200, 3)
    assert (bounds.flood_alarms, bounds.chatter_raises) == (5, 3)


def test_the_channel_of_escalations_is_named() -> None:
    settings = _load(escalation={"uplinks": ["crew"], "p1_after_s": 60})
    assert (settings.escalation.uplinks, settings.escalation.p1_after_s) == (["crew"], 60)
    assert settings.digest != _load().digest


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ({"alarms": {"shelve_max_h": 8.5}}, "alarms.shelve_max_h"),
        ({"alarms": {"shelve_max_h": 0}}, "alarms.shelve_max_h"),
        ({"alarms": {"chatter_raises": 1}}, "alarms.chatter_raises"),
        ({"alarms": {"shelf": 3}}, "alarms.shelf"),
        ({"escalation": {"p1_after_s": 0}}, "escalation.p1_after_s"),
        ({"escalation": {"uplinks": ["nobody"]}}, "escalation.uplinks[0]"),
        ({"escalation": {"uplinks": ["crew", "broker"]}}, "escalation.uplinks[1]"),
        ({"escalation": []}, "escalation"),
    ],
)
def test_what_cannot_be_meant_is_refused(section: dict[str, object], key: str) -> None:
    assert [fault.key for fault in _faults(**section)] == [key]


def test_an_uplink_that_tells_nobody_is_refused_in_both_languages() -> None:
    (fault,) = _faults(escalation={"uplinks": ["broker"]})
    assert fault.code == "escalation.kind"
    assert "tells people: people" in fault_text(fault)
    assert "不能通知人员" in fault_text(fault, "zh")


def test_a_rule_may_ask_for_a_reset(tmp_path: Path) -> None:
    pack = tmp_path / "rules" / "own.yaml"
    pack.parent.mkdir()
    titled = "pack: own\ntitle_zh: 包\ntitle_en: Pack"
    text = (CONFIG / "rules" / "national" / "crane-moment.yaml").read_text(encoding="utf-8")
    text = text.replace("pack: national", titled)
    pack.write_text(text.replace("    severity:", "    latching: true\n    severity:"), encoding="utf-8")
    site = tmp_path / "site.yaml"
    site.write_text((CASES / "good-minimal.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    settings = load(site, DRIVERS, UPLINKS, KINDS, config_root=CONFIG, replace={"rule_packs": ["own"]})
    assert settings.rules
    assert all(rule.latching for rule in settings.rules)
    assert not any(rule.latching for rule in _load().rules)


_SAID = {
    ("suppression", "rules[0].suppressed_while"): (
        "found rule wind.stop, a P1 with suppressed_while, "
        "expected a lower severity, or no suppressed_while: a P1 is never suppressed",
        "发现 规则 wind.stop 为 P1 且有 suppressed_while，"
        "应为 降低 severity 或去掉 suppressed_while（P1 报警不得抑制）",
    ),
    ("suppression", "rules[3].suppressed_while[2].rule"): (
        "found wall.moved, a rule for deep-pit, expected a rule for tower-crane, the kind of asset of this rule",
        "发现 wall.moved 是 deep-pit 的规则，应为 tower-crane 的规则（与本规则的对象类型一致）",
    ),
    ("suppression", "rules[5].suppressed_while"): (
        "found rules that suppress each other in a circle: ring.a -> ring.b -> ring.c -> ring.a, "
        "expected a rule that suppresses another and is not suppressed by it",
        "发现 规则循环抑制：ring.a -> ring.b -> ring.c -> ring.a，应为 抑制关系不得成环",
    ),
    ("escalation-references", "escalation.uplinks[1]"): (
        "found 'brokr', expected broker? (one of: broker)",
        "发现 'brokr'，应为 是否为 broker？（以下之一：broker）",
    ),
    ("alarm-sections-bounds", "alarms.shelve_max_h"): (
        "found 8.01, expected at most 8.0",
        "发现 8.01，应为 不大于 8.0",
    ),
    ("alarm-sections-types", "escalation.p2_after_s"): (
        "found an unknown key, expected p1_after_s? (known keys: no_screen_after_s, p1_after_s, uplinks)",
        "发现 未知的键，应为 是否为 p1_after_s？（可用的键：no_screen_after_s, p1_after_s, uplinks）",
    ),
}


@pytest.mark.parametrize(("case", "key"), _SAID)
def test_a_fault_says_what_was_found_and_expected(case: str, key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_case(case)
    (fault,) = (fault for fault in caught.value.faults if fault.key == key)
    texts = [re.split(f"{re.escape(key)}(?:: |：)", fault_text(fault, language))[1] for language in LANGUAGES]
    assert tuple(texts) == _SAID[case, key]


def test_a_chain_of_suppressions_reaches_the_rows() -> None:
    said = {rule.info.rule_id: rule.suppressed_while for rule in load_case("good-suppression").rules}
    assert said == {"wind.stop": (), "wind.warn": ("wind.stop",), "wind.note": ("wind.warn", "wind.stop")}
