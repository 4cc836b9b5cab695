"""Rule packs: the shipped ones hold, a region's word replaces the default, a broken file says where and what."""

from datetime import date
from pathlib import Path

import pytest

from regulator.base.deadline_days import (
    DueClass,
    Urgency,
    Warned,
    due_at_ns,
    due_class,
    due_day,
    end_of_day_ns,
    midnight_ns,
    urgency,
    warnings,
)
from regulator.base.model.actor import Level
from regulator.base.packs import PackError, config_root, load_packs
from regulator.base.rules import DeadlineRule, Document, RuleId
from tests.fakes.desk_database import DAY_NS, HOUR_NS, START_NS

SHIPPED = ["national", "pack-fj-jj-2024", "pack-gd-2023", "pack-hb-2021", "pack-sx-jc-2024", "pack-zj-2021"]
HANGZHOU, SHENZHEN = ("33", "3301", "330106"), ("44", "4403", "440305")
HEAD = "version: 1\npack: mine\ntitle_zh: 我的\ntitle_en: Mine\n"
RULE = "rule_zh: 规则, rule_en: rule, certainty: PD"


def rule_of(rule_id: RuleId, regions: tuple[str, ...] = HANGZHOU) -> DeadlineRule:
    found = load_packs(SHIPPED).of(regions).deadline(rule_id)
    assert found is not None
    return found


def test_every_shipped_pack_is_read_and_every_deadline_has_a_default() -> None:
    assert sorted(path.stem for path in (config_root() / "desk").glob("*.yaml")) == SHIPPED
    national = load_packs(["national"]).of(())
    assert {rule_id for rule_id in RuleId if national.deadline(rule_id) is None} == set()
    assert all(national.basis(document).zh for document in Document)


def test_a_region_s_pack_speaks_for_its_projects_alone() -> None:
    assert rule_of(RuleId.LISTING_COUNTY).pack == "pack-zj-2021"
    assert rule_of(RuleId.LISTING_COUNTY, SHENZHEN).pack == "national"
    assert rule_of(RuleId.ACCIDENT_PROVINCE, SHENZHEN).certainty == "V1"
    assert rule_of(RuleId.ACCIDENT_PROVINCE).certainty == "PD"
    assert load_packs(SHIPPED).of(()).listing == (Level.COUNTY, Level.CITY)
    inspection = load_packs(SHIPPED).of(SHENZHEN).count("key_risk.inspection")
    assert inspection is not None
    assert (inspection.at_least, inspection.per) == (1, "month")
    assert load_packs(["national"]).of(SHENZHEN).count("key_risk.inspection") is None


def test_thirty_days_pass_at_midnight_and_warn_on_day_15_and_24() -> None:
    """Listed on 2026-03-01 at 08:00: the last day is 2026-03-31."""
    rule = rule_of(RuleId.LISTING_COUNTY)
    due = due_at_ns(rule, START_NS)
    assert due_day(due) == date(2026, 3, 31)
    assert due == end_of_day_ns(date(2026, 3, 31)) == midnight_ns(date(2026, 4, 1))
    assert warnings(rule, START_NS, due) == (
        Warned("50%", midnight_ns(date(2026, 3, 16))),
        Warned("80%", midnight_ns(date(2026, 3, 25))),
    )


@pytest.mark.parametrize(
    ("before_due_ns", "expected"),
    [
        (0, DueClass.OVERDUE),
        (1, DueClass.TODAY),
        (DAY_NS, DueClass.TODAY),
        (DAY_NS + 1, DueClass.WEEK),
        (8 * DAY_NS, DueClass.WEEK),
        (8 * DAY_NS + 1, DueClass.LATER),
    ],
)
def test_piles_turn_over_at_midnight(before_due_ns: int, expected: DueClass) -> None:
    due = end_of_day_ns(date(2026, 3, 31))
    assert due_class(due, due - before_due_ns) is expected
    assert due_class(0, due) is DueClass.NONE


def test_a_clock_of_hours_is_amber_red_and_overdue() -> None:
    rule = rule_of(RuleId.ACCIDENT_PROVINCE, SHENZHEN)
    due = due_at_ns(rule, START_NS)
    warned = warnings(rule, START_NS, due)
    assert due == START_NS + 24 * HOUR_NS
    seen = [urgency(due, warned, START_NS + int(hours * HOUR_NS)) for hours in (0, 17.9, 18, 22.9, 23, 24)]
    calm, amber, red, over = Urgency.CALM, Urgency.WARNED, Urgency.RED, Urgency.OVERDUE
    assert seen == [calm, calm, amber, amber, red, over]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD + "deadlines:\n  - {id: rectify.generl, days: 3, " + RULE + "}\n", "deadlines.0.id"),
        (HEAD + "deadlines:\n  - {id: analogy, days: 3, hours: 2, " + RULE + "}\n", "either days or hours"),
        (HEAD + "deadlines:\n  - {id: analogy, " + RULE + "}\n", "either days or hours"),
        (HEAD + "deadlines:\n  - {id: analogy, days: 3, warn_before_h: [1], " + RULE + "}\n", "beside hours"),
        (HEAD + "deadlines:\n  - {id: analogy, days: -3, " + RULE + "}\n", "deadlines.0.days"),
        (HEAD + "deadlines:\n  - {id: analogy, days: 3, rule_en: x, certainty: PD}\n", "rule_zh"),
        (HEAD + "escalations: {}\n", "escalations"),
        (HEAD + "regions: [Zhejiang]\n", "regions.0"),
        (HEAD + "legal_basis: {stop: {zh: 停, en: stop}}\n", "legal_basis"),
        (HEAD.replace("mine", "yours"), "the file's own name"),
        (HEAD + "counts:\n" + 2 * ("  - {id: a.b, at_least: 1, per: month, " + RULE + "}\n"), "every id once"),
        ("- a list\n", "whole file"),
        ("version: [1\n", "no YAML"),
        ("\x00", "no YAML"),
    ],
)
def test_a_broken_pack_names_file_key_and_what_was_expected(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(PackError) as refused:
        load_packs(["national", "mine"], [tmp_path])
    assert said in str(refused.value)
    assert str(path) in str(refused.value)


def test_a_pack_that_is_not_there_tells_which_are() -> None:
    with pytest.raises(PackError, match=r"'pack-xx'.*national.*pack-zj-2021"):
        load_packs(["national", "pack-xx"])
