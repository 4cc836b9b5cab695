"""Suppression by design: withheld while the suppressor is active, raised when it ends, and never by mistake."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from graphlib import CycleError
from pathlib import Path

import numpy as np
import pytest

from gateway.alarms import AlarmTable, CommandError, Refusal
from gateway.line.reload import carry_alarms, carry_truths
from gateway.model.alarm import Alarm, Severity, Transition, TransitionKind
from gateway.model.rule import ResolvedRule
from gateway.model.verdict import Truth, Verdicts
from gateway.rules.table import RuleTable
from gateway.store.alert_store import alarm_from_json, alarm_to_json
from tests.fakes.site import BOX, NOW_NS, SECOND_NS, Site, info, latching, layout, points, poll, threshold, until

RAISED, RETURNED = TransitionKind.RAISED, TransitionKind.RETURNED
SUPPRESSED, UNSUPPRESSED = TransitionKind.SUPPRESSED, TransitionKind.UNSUPPRESSED
TRUE, FALSE, UNKNOWN = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN
QUIET, GRAVE, GRAVER = 0, 1, 2  # the rows: the suppressed rule stands first


def rules(
    severity: Severity = Severity.P3,
    quiet: Callable[[ResolvedRule], ResolvedRule] = lambda rule: rule,
    by: tuple[str, ...] = ("grave", "graver"),
) -> list[ResolvedRule]:
    return [
        quiet(replace(threshold(0, rule=info("quiet", severity)), suppressed_while=by)),
        threshold(1, off_delay_s=2.0, rule=info("grave", Severity.P2)),
        threshold(2, rule=info("graver", Severity.P1)),
    ]


class Steps:
    """A table stepped second by second; each step tells what it sealed."""

    def __init__(self, table: AlarmTable) -> None:
        self.table = table
        self.now_s = 0.0

    def __call__(self, at_s: float, measured: float = 120.0, **truths: Truth) -> list[tuple[str, TransitionKind]]:
        self.now_s = at_s
        return _said(self.table.step(_verdicts(at_s, truths, measured)))

    def review(self, at_s: float) -> list[tuple[str, TransitionKind]]:
        return _said(self.table.review(_ns(at_s)))


def _ns(at_s: float) -> int:
    return NOW_NS + round(at_s * SECOND_NS)


def _verdicts(at_s: float, truths: dict[str, Truth], measured: float = 120.0) -> Verdicts:
    rows = np.array([("quiet", "grave", "graver").index(name) for name in truths], dtype=np.int32)
    codes = np.array(list(truths.values()), dtype=np.uint8)
    return Verdicts(rows, codes, np.full(len(rows), measured), _ns(at_s))


def _said(transitions: Sequence[Transition]) -> list[tuple[str, TransitionKind]]:
    return [(each.alarm.rule.rule_id, each.kind) for each in transitions]


@pytest.fixture
def steps() -> Steps:
    return Steps(AlarmTable(BOX, rules()))


def _withheld(table: AlarmTable) -> Alarm:
    (alarm,) = table.withheld_alarms()
    return alarm


def _open(table: AlarmTable) -> dict[str, Alarm]:
    return {alarm.rule.rule_id: alarm for alarm in table.open_alarms()}


def test_in_one_poll_the_suppressor_comes_first_and_the_raise_is_withheld(steps: Steps) -> None:
    assert steps(0, quiet=TRUE, grave=TRUE) == [("grave", RAISED), ("quiet", SUPPRESSED)]
    alarm = _withheld(steps.table)
    assert (alarm.suppressed_by, alarm.silenced, alarm.active) == ("grave", True, True)
    assert _open(steps.table).keys() == {"grave"}, "nobody is called"
    assert steps.table.performance(_ns(0)).raised_in_flood_window == 1


def test_what_still_holds_when_the_suppression_ends_is_raised_then(steps: Steps) -> None:
    steps(0, quiet=TRUE, grave=TRUE)
    withheld = _withheld(steps.table)
    assert steps(5, measured=130.0, quiet=TRUE) == []
    assert steps(6, grave=FALSE) == [], "its off-delay runs: the alarm is active"
    assert steps(8, grave=FALSE) == [("grave", RETURNED), ("quiet", UNSUPPRESSED), ("quiet", RAISED)]
    raised = _open(steps.table)["quiet"]
    assert raised.alarm_id == withheld.alarm_id, "one episode, one id"
    assert (raised.raised_at_ns, raised.measured, raised.worst) == (_ns(8), 130.0, 130.0)
    assert (raised.silenced, raised.withheld, raised.first_out_id) == (
        False,
        False,
        _open(steps.table)["grave"].alarm_id,
    )
    assert steps.table.withheld_alarms() == []


def test_what_is_over_before_the_suppression_ends_is_never_raised(steps: Steps) -> None:
    steps(0, quiet=TRUE, grave=TRUE)
    assert steps(1, quiet=FALSE) == [("quiet", UNSUPPRESSED)]
    assert steps.table.withheld_alarms() == []
    steps(2, grave=FALSE)
    assert steps(4, grave=FALSE) == [("grave", RETURNED)]


def test_both_over_in_one_poll_raises_nothing(steps: Steps) -> None:
    steps(0, quiet=TRUE, graver=TRUE)
    assert steps(1, quiet=FALSE, graver=FALSE) == [("graver", RETURNED), ("quiet", UNSUPPRESSED)]


def test_an_unknown_suppressor_suppresses_nothing(steps: Steps) -> None:
    steps(0, quiet=TRUE, grave=TRUE)
    assert steps(1, grave=UNKNOWN) == [("quiet", UNSUPPRESSED), ("quiet", RAISED)]
    assert steps(2, grave=TRUE) == [("quiet", SUPPRESSED)], "known again"
    steps(3, quiet=FALSE)
    steps(4, grave=UNKNOWN)
    assert steps(5, quiet=TRUE) == [("quiet", RAISED)]


def test_a_withheld_alarm_that_cannot_be_judged_is_not_normal(steps: Steps) -> None:
    steps(0, quiet=TRUE, graver=TRUE)
    steps(1, measured=float("nan"), quiet=UNKNOWN)
    assert _withheld(steps.table).unknown
    assert steps(2, graver=FALSE) == [("graver", RETURNED), ("quiet", UNSUPPRESSED), ("quiet", RAISED)]
    assert (_open(steps.table)["quiet"].unknown, _open(steps.table)["quiet"].measured) == (True, 120.0)


def test_a_raise_in_its_off_delay_waits_until_that_is_decided() -> None:
    slow = rules(quiet=lambda rule: replace(rule, off_delay_s=10.0))
    for truth, kinds in ((FALSE, [UNSUPPRESSED]), (TRUE, [UNSUPPRESSED, RAISED])):
        steps = Steps(AlarmTable(BOX, slow))
        steps(0, quiet=TRUE, graver=TRUE)
        steps(1, quiet=FALSE)
        assert steps(2, graver=FALSE) == [("graver", RETURNED)]
        assert [kind for _, kind in steps(11, quiet=truth)] == kinds


def test_an_alarm_that_was_raised_before_moves_to_the_list_and_back(steps: Steps) -> None:
    steps(0, quiet=TRUE)
    assert steps(1, graver=TRUE) == [("graver", RAISED), ("quiet", SUPPRESSED)]
    covered = _open(steps.table)["quiet"]
    assert (covered.suppressed_by, covered.withheld, covered.silenced) == ("graver", False, True)
    steps.table.acknowledge(covered.alarm_id, "li", "seen", _ns(1))
    assert steps(2, graver=FALSE) == [("graver", RETURNED), ("quiet", UNSUPPRESSED)], "not raised a second time"
    assert (_open(steps.table)["quiet"].acknowledged, _open(steps.table)["quiet"].silenced) == (True, False)


def test_a_latched_alarm_is_not_lost_behind_a_withheld_one() -> None:
    steps = Steps(AlarmTable(BOX, rules(quiet=latching)))
    steps(0, quiet=TRUE)
    steps(1, quiet=FALSE)
    old = _open(steps.table)["quiet"]
    assert steps(2, quiet=TRUE, graver=TRUE) == [("graver", RAISED), ("quiet", SUPPRESSED), ("quiet", SUPPRESSED)]
    assert steps(3, quiet=FALSE) == [("quiet", UNSUPPRESSED)]
    assert steps(4, graver=FALSE) == [("graver", RETURNED), ("quiet", UNSUPPRESSED)]
    assert _open(steps.table)["quiet"] == old, "still latched, still unacknowledged"


def test_the_reason_follows_when_another_suppressor_takes_over(steps: Steps) -> None:
    steps(0, quiet=TRUE, graver=TRUE)
    assert steps(1, grave=TRUE) == [("grave", RAISED)]
    assert _withheld(steps.table).suppressed_by == "graver"
    assert steps(2, graver=FALSE) == [("graver", RETURNED), ("quiet", SUPPRESSED)]
    assert _withheld(steps.table).suppressed_by == "grave"


def test_a_chain_of_suppressions_ends_from_its_head() -> None:
    chain = rules(by=("grave",))
    chain[GRAVE] = replace(chain[GRAVE], suppressed_while=("graver",), off_delay_s=0.0)
    steps = Steps(AlarmTable(BOX, chain))
    assert steps(0, quiet=TRUE, grave=TRUE, graver=TRUE) == [
        ("graver", RAISED),
        ("grave", SUPPRESSED),
        ("quiet", SUPPRESSED),
    ]
    assert steps(1, graver=FALSE) == [("graver", RETURNED), ("grave", UNSUPPRESSED), ("grave", RAISED)]
    assert steps(2, grave=FALSE) == [("grave", RETURNED), ("quiet", UNSUPPRESSED), ("quiet", RAISED)]


@pytest.mark.parametrize("how", ["shelved", "out of service"])
def test_a_suppressor_that_calls_nobody_suppresses_nothing(how: str) -> None:
    table = AlarmTable(BOX, rules(), device_of={"crane-1.q1": "host-1"})
    steps = Steps(table)
    steps(0, quiet=TRUE, grave=TRUE)
    if how == "shelved":
        table.shelve(_open(table)["grave"].alarm_id, 60.0, "li", "known", _ns(1))
    else:
        table.out_of_service("host-1", 60.0, "li", "repair", _ns(1))
    assert steps.review(1) == [("quiet", UNSUPPRESSED), ("quiet", RAISED)]
    table.expire_shelves(_ns(70))
    table.expire_service(_ns(70))
    assert steps.review(70) == [("quiet", SUPPRESSED)]


def test_a_p1_is_never_suppressed_whatever_its_rule_says() -> None:
    steps = Steps(AlarmTable(BOX, rules(Severity.P1)))
    assert sorted(steps(0, quiet=TRUE, graver=TRUE)) == [("graver", RAISED), ("quiet", RAISED)]


def test_another_assets_alarm_suppresses_nothing() -> None:
    elsewhere = rules()
    elsewhere[GRAVER] = replace(elsewhere[GRAVER], asset="crane-2")
    steps = Steps(AlarmTable(BOX, elsewhere))
    steps(0, graver=TRUE)
    assert steps(1, quiet=TRUE) == [("quiet", RAISED)]


def test_a_circle_is_refused() -> None:
    circle = rules()
    circle[GRAVE] = replace(circle[GRAVE], suppressed_while=("quiet",))
    with pytest.raises(CycleError):
        AlarmTable(BOX, circle)


@pytest.mark.parametrize("command", ["acknowledge", "reset", "unshelve"])
def test_nobody_can_deal_with_what_was_not_raised(steps: Steps, command: str) -> None:
    steps(0, quiet=TRUE, graver=TRUE)
    with pytest.raises(CommandError) as refused:
        getattr(steps.table, command)(_withheld(steps.table).alarm_id, "li", "why", _ns(1))
    assert refused.value.refusal is Refusal.SUPPRESSED
    assert "graver" in str(refused.value)


def _restarted(table: AlarmTable) -> Steps:
    fresh = AlarmTable(BOX, rules())
    kept = [*table.open_alarms(), *table.withheld_alarms()]
    assert fresh.restore([alarm_from_json(alarm_to_json(alarm)) for alarm in kept]) == {QUIET, GRAVER}
    return Steps(fresh)


def test_after_a_restart_a_suppressor_counts_until_it_is_judged(steps: Steps) -> None:
    steps(0, quiet=TRUE, graver=TRUE)
    withheld = _withheld(steps.table)
    again = _restarted(steps.table)
    assert again.review(1) == []
    assert again(2, quiet=TRUE) == []
    assert replace(_withheld(again.table), unknown=False) == withheld
    assert again(3, graver=TRUE) == []
    assert again(4, graver=FALSE) == [("graver", RETURNED), ("quiet", UNSUPPRESSED), ("quiet", RAISED)]
    assert _open(again.table)["quiet"].alarm_id == withheld.alarm_id


def test_after_a_restart_a_suppressor_that_stays_silent_suppresses_nothing(steps: Steps) -> None:
    steps(0, quiet=TRUE, graver=TRUE)
    again = _restarted(steps.table)
    assert again(1, graver=UNKNOWN) == [], "the condition itself was not judged yet"
    assert again(2, quiet=UNKNOWN) == [("quiet", UNSUPPRESSED), ("quiet", RAISED)], "unknown is never normal"


@pytest.mark.parametrize("gone", ["rule", "suppression"])
def test_a_reload_that_takes_the_suppression_away_lets_go_of_what_it_held(steps: Steps, gone: str) -> None:
    before = RuleTable(rules())
    steps(0, quiet=TRUE, graver=TRUE)
    after = RuleTable(rules()[1:] if gone == "rule" else rules(by=()))
    carried = AlarmTable(BOX, after.rules)
    carry_alarms(steps.table, after, carried)
    carry_truths(before, steps.table, after, carried)
    if gone == "rule":
        assert _said(carried.review(_ns(1))) == [("quiet", UNSUPPRESSED)]
        assert _open(carried).keys() == {"graver"}
    else:
        assert carried.review(_ns(1)) == [], "changed, and not judged by its new settings yet"
        assert _said(carried.step(_verdicts(2, {"quiet": TRUE}))) == []
        assert _said(carried.review(_ns(2))) == [("quiet", UNSUPPRESSED), ("quiet", RAISED)]
    assert carried.withheld_alarms() == []


def test_a_reload_that_changes_nothing_of_it_goes_on(steps: Steps) -> None:
    steps(0, quiet=TRUE, graver=TRUE)
    tables = RuleTable(rules()), AlarmTable(BOX, rules())
    carry_alarms(steps.table, *tables)
    carry_truths(RuleTable(rules()), steps.table, *tables)
    assert tables[1].review(_ns(1)) == []
    assert tables[1].withheld_alarms() == steps.table.withheld_alarms()


def _content(site: Site) -> list[tuple[str, str, str]]:
    bodies = [json.loads(record.body)["content"] for record in site.alerts.all_evidence() if record.alarm_id]
    return [(body["alarm"]["rule_id"], body["transition"], body["reason"]) for body in bodies]


def _reported(site: Site) -> list[str]:
    items = site.alerts.pending("regulator", 100)
    return [json.loads(item.body)["rule_id"] for item in items if item.kind == "alarm_transition"]


async def test_it_is_sealed_and_told_to_nobody_and_survives_a_restart(tmp_path: Path) -> None:
    site = Site(tmp_path, points(), rules())
    site.start()
    site.intake.offer(poll(layout(), 120.0, site.clock.now_ns()))
    await until(lambda: len(_content(site)) == 3)
    assert _content(site)[-1] == ("quiet", "suppressed", "while grave is active")
    assert sorted(_reported(site)) == ["grave", "graver"]
    await site.stop()

    again = Site(tmp_path, points(), rules(), clock=site.clock)
    again.start()
    assert _withheld(again.alarms).suppressed_by == "grave"
    again.intake.offer(poll(layout(), [120.0, 50.0, 50.0, 50.0], again.clock.now_ns()))
    await until(lambda: ("graver", "returned", "") in _content(again))
    await again.clock.advance(3.0)
    again.intake.offer(poll(layout(), [120.0, 50.0, 50.0, 50.0], again.clock.now_ns()))
    await until(lambda: ("quiet", "raised", "") in _content(again))
    assert _reported(again)[-1] == "quiet"
    assert {alarm.rule.rule_id: alarm.withheld for alarm in again.alerts.open_alarms()}["quiet"] is False
    await again.stop()
