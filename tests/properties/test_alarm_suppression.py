"""Suppression by design under any order of verdicts, commands, time and restarts: nothing active is lost, nothing is
told twice, and behind what is suppressed there is an alarm that calls."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.alarms import AlarmTable, CommandError
from gateway.alarms.tables import ACTIVE_PHASES, Suppression
from gateway.model.alarm import Alarm, Severity, Transition, TransitionKind
from gateway.model.rule import ResolvedRule
from gateway.model.verdict import Truth, Verdicts
from gateway.store.alert_store import alarm_from_json, alarm_to_json
from tests.fakes.site import BOX, NOW_NS, SECOND_NS, info, latching, threshold

K = TransitionKind


def _rule(point: int, name: str, severity: Severity, by: tuple[str, ...] = (), **delays: float) -> ResolvedRule:
    return replace(threshold(point, rule=info(name, severity), **delays), suppressed_while=by)  # type: ignore[arg-type]


RULES = [
    latching(_rule(0, "a", Severity.P3, ("b", "c"))),
    _rule(1, "b", Severity.P2, ("c",), off_delay_s=2.0),
    _rule(2, "c", Severity.P1),
    _rule(3, "d", Severity.LOG, ("b",), on_delay_s=1.0),
    _rule(0, "e", Severity.P1, ("c",)),
]
COMMANDS = ("acknowledge", "reset", "shelve", "unshelve", "out_of_service", "restart", "review", "none")


class Model:
    """The table, and what somebody who only reads the sealed transitions would believe."""

    def __init__(self) -> None:
        self.now_ns = NOW_NS
        self.table = AlarmTable(BOX, RULES)
        self.told: dict[str, str] = {}

    def verdicts(self, truths: list[Truth]) -> None:
        rows = np.arange(len(truths), dtype=np.int32)
        codes = np.array(truths, dtype=np.uint8)
        self.seal(self.table.step(Verdicts(rows, codes, np.ones(len(rows)), self.now_ns)))

    def seal(self, transitions: list[Transition]) -> None:
        for each in transitions:
            alarm_id, before = each.alarm.alarm_id, self.told.get(each.alarm.alarm_id, "")
            if each.kind is K.RAISED:
                assert before in ("", "freed"), "raised once"
                self.told[alarm_id] = "raised"
            elif each.kind is K.SUPPRESSED:
                assert each.alarm.rule.severity is not Severity.P1
                self.told[alarm_id] = "withheld" if each.alarm.withheld else before
            elif each.kind is K.UNSUPPRESSED and each.alarm.withheld:
                assert before == "withheld"
                self.told[alarm_id] = "freed" if each.alarm.active else "over"
            elif each.kind is K.RETURNED:
                assert before == "raised", "only what was raised returns"
                self.told[alarm_id] = "returned"

    def command(self, name: str, pick: int) -> None:
        if name == "restart":
            self.now_ns += SECOND_NS  # a restart takes a while; within one nanosecond, ids could repeat after it
            kept = [*self.table.open_alarms(), *self.table.withheld_alarms()]
            services = self.table.services()
            self.table = AlarmTable(BOX, RULES)
            self.table.restore_service(services)
            self.table.restore([alarm_from_json(alarm_to_json(replace(alarm, unknown=False))) for alarm in kept])
        elif name == "review":
            self.seal(self.table.expire_shelves(self.now_ns))
            self.table.expire_service(self.now_ns)
            self.seal(self.table.review(self.now_ns))
        elif name == "out_of_service":
            self.table.out_of_service(f"crane-1.q{pick % 4}", 5.0, "li", "why", self.now_ns)
        elif name != "none":
            self._on_an_alarm(name, pick)

    def _on_an_alarm(self, name: str, pick: int) -> None:
        alarms = [*self.table.open_alarms(), *self.table.withheld_alarms()]
        times = [5.0] if name == "shelve" else []
        if alarms:
            try:
                getattr(self.table, name)(alarms[pick % len(alarms)].alarm_id, *times, "li", "why", self.now_ns)
            except CommandError:
                assert [*self.table.open_alarms(), *self.table.withheld_alarms()] == alarms, "a refusal changes nothing"

    def check(self) -> None:
        shown, withheld = self.table.open_alarms(), self.table.withheld_alarms()
        held = {_row(alarm) for alarm in withheld}
        active = {row for row in range(len(RULES)) if self.table.phase[row] in ACTIVE_PHASES}
        assert active == {_row(alarm) for alarm in shown if alarm.active} | held, "everything active is on one list"
        assert not held & {_row(alarm) for alarm in shown if alarm.active}
        assert all(self.told[alarm.alarm_id] == "withheld" for alarm in withheld)
        assert {alarm.alarm_id for alarm in shown if alarm.active} == {
            alarm_id for alarm_id, said in self.told.items() if said == "raised"
        }

    def check_callers(self) -> None:
        """After a review: behind everything suppressed there is an active alarm that was told to people."""
        for alarm in (each for each in self._all() if each.suppressed):
            names = {
                each.rule.rule_id for each in self._all() if each.active and not (each.shelved or each.out_of_service)
            }
            waits = self.table.truth[_row(alarm)] == Truth.FALSE or not self.table._judged[_row(alarm)]
            assert alarm.suppressed_by in names or (alarm.withheld and waits) or _waits(self.table, alarm)

    def _all(self) -> list[Alarm]:
        return [*self.table.open_alarms(), *self.table.withheld_alarms()]


def _waits(table: AlarmTable, alarm: Alarm) -> bool:
    """An older alarm beside a withheld raise that is not decided yet."""
    return table._suppression_of(_row(alarm)) is Suppression.BOTH


def _row(alarm: Alarm) -> int:
    return [rule.info.rule_id for rule in RULES].index(alarm.rule.rule_id)


steps = st.lists(
    st.tuples(
        st.lists(st.sampled_from(Truth), min_size=len(RULES), max_size=len(RULES)),
        st.sampled_from(COMMANDS),
        st.integers(0, 4),
        st.sampled_from([0, SECOND_NS, 3 * SECOND_NS, 30 * SECOND_NS]),
    ),
    max_size=30,
)


@settings(max_examples=200, deadline=None)
@given(steps)
def test_nothing_active_is_lost_and_nothing_is_told_twice(history: list[tuple[list[Truth], str, int, int]]) -> None:
    model = Model()
    for truths, command, pick, later_ns in history:
        model.now_ns += later_ns
        model.verdicts(truths)
        model.check()
        model.command(command, pick)
        model.command("review", 0)
        model.check()
        model.check_callers()
