"""The alarm tables: total, true to the flags of an alarm, and safe under any order of verdicts and commands."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.alarms import CONDITION, DISPLAY, EPISODE, AlarmTable, CommandError, Phase, Refusal
from gateway.alarms.tables import (
    ACTIVE_PHASES,
    SUPPRESSION,
    Cause,
    Change,
    Display,
    Episode,
    Happening,
    Order,
    Suppression,
    display_of,
    episode_of,
)
from gateway.model.alarm import Alarm, AlarmBounds, Severity, TransitionKind
from gateway.model.verdict import Truth, Verdicts
from tests.fakes.site import BOX, NOW_NS, SECOND_NS, info, latching, threshold

RULES = [
    threshold(0, rule=info("p1", Severity.P1)),
    latching(threshold(0, rule=info("p1-latching", Severity.P1), off_delay_s=1.0)),
    latching(threshold(1, rule=info("p2-latching", Severity.P2))),
    threshold(1, rule=info("p3", Severity.P3), on_delay_s=1.0),
    latching(threshold(2, rule=info("log", Severity.LOG))),
]
DEVICE_OF = {"crane-1.q0": "host-1", "crane-1.q1": "host-1", "crane-1.q2": "host-2"}
TARGETS = ("host-1", "crane-1.q1", "nowhere")
COMMANDS = ("acknowledge", "reset", "shelve", "unshelve", "out_of_service", "in_service", "expire", "restart", "none")


def test_the_tables_are_total() -> None:
    assert set(CONDITION) == set(product(Phase, Truth))
    assert set(EPISODE) == set(product(Episode, Happening))
    assert set(DISPLAY) == set(product(Display, Order))
    assert set(SUPPRESSION) == set(product(Suppression, Cause))


@given(st.sampled_from(Episode), st.sampled_from(Happening))
def test_a_person_never_changes_whether_an_episode_is_active_nor_a_condition_who_has_seen_it(
    before: Episode, happening: Happening
) -> None:
    active, seen = {Episode.UNACKNOWLEDGED, Episode.ACKNOWLEDGED}, {Episode.ACKNOWLEDGED, Episode.LATCHED_ACKNOWLEDGED}
    cell = EPISODE[before, happening]
    if isinstance(cell, Refusal):
        assert happening in (Happening.ACKNOWLEDGE, Happening.RESET)
    elif happening in (Happening.ACKNOWLEDGE, Happening.RESET):
        assert (before in active) == (cell.after in active)
    elif happening is not Happening.RAISES and cell.after is not Episode.NORMAL:
        assert (before in seen) == (cell.after in seen)


@given(st.sampled_from(Display), st.sampled_from(Order))
def test_nothing_shelves_a_p1_and_time_only_ever_brings_back(before: Display, order: Order) -> None:
    cell = DISPLAY[before, order]
    shelved = (Display.SHELVED, Display.SHELVED_OUT_OF_SERVICE)
    if order is Order.SHELVE_P1:
        assert cell is Refusal.NEVER_P1
    elif order in (Order.SHELF_EXPIRES, Order.SERVICE_EXPIRES):
        assert not isinstance(cell, Refusal)
        assert (cell.after == before) == (cell.kind is None)
        assert cell.after not in shelved or before in shelved


@given(st.sampled_from(Suppression), st.sampled_from(Cause))
def test_a_withheld_raise_ends_as_raised_or_as_over_and_nothing_else_raises(before: Suppression, cause: Cause) -> None:
    withheld = (Suppression.WITHHELD, Suppression.BOTH)
    cell = SUPPRESSION[before, cause]
    if not isinstance(cell, Change):
        assert cause is Cause.COMMAND
        return
    raised = TransitionKind.RAISED in cell.kinds
    assert raised == (before in withheld and cause is Cause.ENDS)
    if before in withheld and cell.after not in withheld:
        assert cell.kinds[0] is TransitionKind.UNSUPPRESSED
    if cause is Cause.ENDS:
        assert cell.after is Suppression.NONE


class Model:
    """An alarm table, what has been told of it, and what must hold after every step."""

    def __init__(self) -> None:
        self.now_ns = NOW_NS
        self.table = self._fresh()
        self.raised: dict[str, bool] = {}

    def _fresh(self) -> AlarmTable:
        return AlarmTable(BOX, RULES, AlarmBounds(), DEVICE_OF)

    def verdict(self, row: int, truth: Truth) -> None:
        rows, truths = np.array([row], dtype=np.int32), np.array([truth], dtype=np.uint8)
        before = self._of(row)
        transitions = self.table.step(Verdicts(rows, truths, np.array([1.0]), self.now_ns))
        for transition in transitions:
            assert truth is not Truth.UNKNOWN
            self.raised[transition.alarm.alarm_id] = transition.alarm.active
        after = self._of(row)
        if before is not None and after is not None and before.alarm_id == after.alarm_id:
            assert (before.acknowledged, before.shelved) == (after.acknowledged, after.shelved)

    def command(self, name: str, pick: int, for_s: float) -> None:
        alarms = self.table.open_alarms()
        if name == "restart":
            fresh = self._fresh()
            fresh.restore_service(self.table.services())
            fresh.restore(alarms)
            self.table = fresh
        elif name == "expire":
            self.table.expire_shelves(self.now_ns)
            self.table.expire_service(self.now_ns)
        elif name in ("out_of_service", "in_service"):
            self._service(name, TARGETS[pick % len(TARGETS)], for_s)
        elif name != "none" and alarms:
            self._on(alarms[pick % len(alarms)], name, for_s)

    def _service(self, name: str, target: str, for_s: float) -> None:
        known = target in {entry.target for entry in self.table.services()}
        times = [for_s] if name == "out_of_service" else []
        done = _answer(getattr(self.table, name), target, *times, "li", "why", self.now_ns)
        if isinstance(done, Refusal):
            assert done in (Refusal.NO_SUBJECT, Refusal.NOT_OUT_OF_SERVICE, Refusal.TOO_LONG)
            assert known == (target in {entry.target for entry in self.table.services()})

    def _on(self, alarm: Alarm, name: str, for_s: float) -> None:
        p1 = alarm.rule.severity is Severity.P1
        order = {"shelve": Order.SHELVE_P1 if p1 else Order.SHELVE, "unshelve": Order.UNSHELVE}.get(name)
        happening = {"acknowledge": Happening.ACKNOWLEDGE, "reset": Happening.RESET}.get(name)
        said = DISPLAY[display_of(alarm), order] if order else EPISODE[episode_of(alarm), Happening(happening)]
        times = [for_s] if name == "shelve" else []
        done = _answer(getattr(self.table, name), alarm.alarm_id, *times, "li", "why", self.now_ns)
        if isinstance(done, Refusal):
            too_long = done is Refusal.TOO_LONG and for_s > 8 * 3600
            assert too_long or done is (said if isinstance(said, Refusal) else Refusal.NO_ALARM)
            assert alarm in self.table.open_alarms(), "a refusal changes nothing"
            return
        assert not isinstance(said, Refusal)
        assert done.kind is said.kind
        assert said.after == (display_of(done.alarm) if order else episode_of(done.alarm))
        assert done.alarm.active == alarm.active

    def _of(self, row: int) -> Alarm | None:
        rule_id = RULES[row].info.rule_id
        return next((alarm for alarm in self.table.open_alarms() if alarm.rule.rule_id == rule_id), None)

    def check(self) -> None:
        alarms = self.table.open_alarms()
        active = {alarm.alarm_id for alarm in alarms if alarm.active}
        assert active == {alarm_id for alarm_id, still in self.raised.items() if still}, "an active alarm is listed"
        assert len({alarm.rule.rule_id for alarm in alarms}) == len(alarms), "one episode a row"
        for alarm in alarms:
            assert alarm.active == (self.table.phase[_row(alarm)] in ACTIVE_PHASES)
            assert not (alarm.shelved and alarm.rule.severity is Severity.P1)
            assert not (alarm.active and alarm.latched)
            assert alarm.shelved_until_ns - alarm.shelved_at_ns <= 8 * 3600 * SECOND_NS
        for entry in self.table.services():
            assert entry.until_ns - entry.since_ns <= 24 * 3600 * SECOND_NS


def _answer(command: Callable[..., Any], *arguments: object) -> Any:
    try:
        return command(*arguments)
    except CommandError as error:
        return error.refusal


def _row(alarm: Alarm) -> int:
    return [rule.info.rule_id for rule in RULES].index(alarm.rule.rule_id)


steps = st.lists(
    st.tuples(
        st.integers(0, len(RULES) - 1),
        st.sampled_from(Truth),
        st.sampled_from(COMMANDS),
        st.integers(0, 4),
        st.sampled_from([1.0, 60.0, 8 * 3600.0, 8 * 3600.0 + 1, 24 * 3600.0 + 1]),
        st.sampled_from([0, SECOND_NS, 30 * SECOND_NS, 9 * 3600 * SECOND_NS, -3600 * SECOND_NS]),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(steps)
def test_every_order_of_verdicts_and_commands_keeps_to_the_tables(
    history: list[tuple[int, Truth, str, int, float, int]],
) -> None:
    model = Model()
    for row, truth, command, pick, for_s, later_ns in history:
        model.now_ns += later_ns
        model.verdict(row, truth)
        model.check()
        model.command(command, pick, for_s)
        model.check()


@pytest.mark.parametrize("episode", Episode)
def test_every_state_of_an_episode_can_be_reached(episode: Episode) -> None:
    reached, new = set(), {Episode.NORMAL}
    while new:
        reached |= new
        cells = [EPISODE[state, happening] for state in new for happening in Happening]
        new = {cell.after for cell in cells if not isinstance(cell, Refusal)} - reached
    assert episode in reached
