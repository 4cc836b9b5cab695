from dataclasses import replace
from typing import Any

import pytest

from gateway.alarms.judgements import NOTHING_SAID
from gateway.model.alarm import Alarm, Severity
from gateway.model.rule import RuleFamily
from gateway.web.alarm_view import PAGE_ROWS, Tab, by_tab, grouped, is_diagnostic, page_of, tab_of, waiting, with_words
from gateway.web.read_model import Row, alarm_row
from tests.fakes.site import SECOND_NS, info

T0 = 1_700_000_000_000_000_000


def _row(alarm_id: str = "a", severity: Severity = Severity.P2, at_s: float = 0.0, **changes: Any) -> Row:
    rule = info(changes.pop("rule_id", "crane.moment.alarm"), severity)
    rule = replace(rule, hazard=changes.pop("hazard", ""))
    raised = T0 + round(at_s * SECOND_NS)
    alarm = Alarm(alarm_id, rule, "crane-1.q0", "crane-1", "tower-crane", False, raised, 5.0, 4.0)
    return alarm_row(replace(alarm, **changes))


@pytest.mark.parametrize(
    ("changes", "tab"),
    [
        ({}, Tab.UNACKNOWLEDGED),
        ({"acknowledged": True}, Tab.ACKNOWLEDGED),
        ({"active": False}, Tab.RETURNED),
        ({"active": False, "latched": True}, Tab.RETURNED),
        ({"active": False, "latched": True, "acknowledged": True}, Tab.ACKNOWLEDGED),
        ({"shelved_until_ns": 1}, Tab.SHELVED),
        ({"shelved_until_ns": 1, "out_of_service": True}, Tab.OUT_OF_SERVICE),
        ({"out_of_service": True, "acknowledged": True}, Tab.OUT_OF_SERVICE),
        ({"suppressed_by": "graver"}, Tab.SUPPRESSED),
        ({"withheld": True}, Tab.SUPPRESSED),
        ({"unknown": True}, Tab.UNACKNOWLEDGED),
        ({"severity": Severity.LOG}, Tab.DIAGNOSTICS),
        ({"severity": Severity.LOG, "shelved_until_ns": 1}, Tab.SHELVED),
    ],
)
def test_each_open_alarm_stands_on_one_list(changes: dict[str, Any], tab: Tab) -> None:
    assert tab_of(_row(**changes), RuleFamily.THRESHOLD) is tab
    lists = by_tab([_row(**changes)], {})
    assert [each for each, rows in lists.items() if rows] == [tab]


@pytest.mark.parametrize(
    ("rule_id", "family", "severity", "hazard", "diagnostic"),
    [
        ("device.silence", RuleFamily.SILENCE, Severity.P2, "", True),
        ("device.loss", RuleFamily.LOSS, Severity.P3, "", True),
        ("crane.wind.flat", RuleFamily.FLAT_LINE, Severity.P3, "", True),
        ("crane.value.impossible", RuleFamily.IMPOSSIBLE, Severity.P3, "", True),
        ("pit.logger.mains_lost", RuleFamily.THRESHOLD, Severity.P3, "", True),
        ("crane.sensor_fault", RuleFamily.THRESHOLD, Severity.P3, "", True),
        ("crane.moment.alarm", RuleFamily.THRESHOLD, Severity.P2, "", False),
        ("crane.moment.alarm", None, Severity.P2, "", False),
        ("device.silence", RuleFamily.SILENCE, Severity.P1, "", False),
        ("crane.sensor_fault.long", RuleFamily.THRESHOLD, Severity.P2, "MH24-8-4", False),
    ],
)
def test_what_speaks_of_the_measuring_is_a_diagnostic_but_never_what_is_grave(
    rule_id: str, family: RuleFamily | None, severity: Severity, hazard: str, diagnostic: bool
) -> None:
    assert is_diagnostic(_row(rule_id=rule_id, severity=severity, hazard=hazard), family) is diagnostic


def test_gravest_first_then_newest() -> None:
    rows = [_row("old", at_s=0), _row("new", at_s=9), _row("p1", Severity.P1, at_s=1), _row("p3", Severity.P3, at_s=99)]
    assert [group.row["alarm_id"] for group in grouped(rows)] == ["p1", "new", "old", "p3"]


def test_followers_are_folded_below_their_cause_in_the_order_in_which_they_began() -> None:
    rows = [_row("late", at_s=3, first_out_id="first"), _row("first"), _row("soon", at_s=1, first_out_id="first")]
    (group,) = grouped(rows)
    assert group.row["alarm_id"] == "first"
    assert [row["alarm_id"] for row in group.followers] == ["soon", "late"]


def test_nothing_grave_is_folded_away() -> None:
    first = _row("first", Severity.P2)
    p1, p1_too = _row("p1", Severity.P1, 1, first_out_id="first"), _row("p1b", Severity.P1, 2, first_out_id="p1")
    p3 = _row("p3", Severity.P3, 3, first_out_id="first")
    groups = grouped([first, p1, p1_too, p3])
    assert [group.row["alarm_id"] for group in groups] == ["p1b", "p1", "first"]
    assert [group.cause and group.cause["alarm_id"] for group in groups] == ["p1", "first", None]
    assert [row["alarm_id"] for row in groups[2].followers] == ["p3"]


def test_a_follower_whose_cause_is_on_another_list_stands_by_itself() -> None:
    (group,) = grouped([_row("alone", first_out_id="gone")])
    assert (group.row["alarm_id"], group.cause) == ("alone", None)


@pytest.mark.parametrize(
    ("wanted", "page", "shown"), [(1, 1, PAGE_ROWS), (3, 3, 50), (99, 3, 50), (0, 1, PAGE_ROWS), (-5, 1, PAGE_ROWS)]
)
def test_long_lists_have_pages_and_a_page_that_is_gone_is_the_last(wanted: int, page: int, shown: int) -> None:
    found = page_of([_row(str(number), at_s=number) for number in range(250)], wanted)
    assert (found.page, found.pages, found.total, len(found.groups)) == (page, 3, 250, shown)


def test_an_empty_list_has_one_page() -> None:
    assert (page_of([], 1).pages, page_of([], 7).page) == (1, 1)


def test_a_log_entry_waits_for_nobody() -> None:
    assert waiting([_row(), _row(acknowledged=True), _row(severity=Severity.LOG)]) == 1


@pytest.mark.parametrize(
    ("severity", "changes", "together"),
    [
        (Severity.P1, {}, False),
        (Severity.P2, {}, True),
        (Severity.LOG, {}, True),
        (Severity.P3, {"acknowledged": True}, False),
        (Severity.P3, {"suppressed_by": "graver"}, False),
    ],
)
def test_a_p1_never_goes_together_with_others(severity: Severity, changes: dict[str, Any], together: bool) -> None:
    row = with_words(_row(severity=severity, **changes), {"crane-1": ("一号", "one")}, lambda _: NOTHING_SAID)
    assert row["together"] is together
    assert (row["asset_zh"], row["asset_en"]) == ("一号", "one")


def test_an_alarm_without_an_asset_is_called_by_its_subject() -> None:
    assert with_words(_row(asset=""), {}, lambda _: NOTHING_SAID)["asset_zh"] == "crane-1.q0"
