"""Every row's alarm: stepped by verdicts, commanded by people, expired by time.

In: verdicts with the times of their samples, commands, and the time that passes. Out: transitions and service changes,
each to be sealed. What may follow what is in `gateway.alarms.tables`, nowhere else. Pure: no clock, no I/O. Delays are
measured in sample time; when that runs backwards (a clock was set) the delay starts again. Shelving and service are
measured in the box's time; when that runs back behind their start, they end.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from gateway.alarms.grouping import FirstOut
from gateway.alarms.performance import Performance, PerformanceCounter
from gateway.alarms.refusal import CommandError
from gateway.alarms.service import ServiceRegister
from gateway.alarms.tables import (
    ACTIVE_PHASES,
    CONDITION,
    DELAYED,
    DISPLAY,
    EPISODE,
    Episode,
    Happening,
    Order,
    Phase,
    Refusal,
    Step,
    Turn,
    display_of,
    episode_of,
    step,
)
from gateway.model.alarm import (
    Alarm,
    AlarmBounds,
    OutOfService,
    ServiceChange,
    Severity,
    Transition,
    TransitionKind,
)
from gateway.model.rule import ResolvedRule
from gateway.model.verdict import Truth, Verdicts

# Rows in these combinations cannot move: the fast path of a quiet site.
_AT_REST = np.zeros((len(Phase), len(Truth)), dtype=np.bool_)
for _state, _next in CONDITION.items():
    _AT_REST[_state] = _next == (_state[0], _state[0])
_BOUNDS = AlarmBounds()


class AlarmTable:
    """The state of every row and the open episodes. Row order is that of `rules`; `device_of` maps points to devices,
    so that a device that is out of service covers its points."""

    def __init__(
        self,
        box_id: str,
        rules: Sequence[ResolvedRule],
        bounds: AlarmBounds = _BOUNDS,
        device_of: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        n = len(rules)
        self._bounds = bounds
        self._service = ServiceRegister((rule.subject for rule in rules), device_of, bounds.out_of_service_max_s)
        self._groups = FirstOut(bounds.first_out_window_s)
        self._performance = PerformanceCounter(bounds)
        self._box_id = box_id
        self._rules = tuple(rules)
        self.phase = np.zeros(n, dtype=np.uint8)
        self.truth = np.full(n, Truth.UNKNOWN, dtype=np.uint8)
        self.measured = np.full(n, np.nan)
        self._since_ns = np.zeros(n, dtype=np.int64)
        self._raised: dict[int, tuple[int, int]] = {}
        self._open: dict[int, Alarm] = {}
        self._orphans: dict[str, Alarm] = {}

    def restore(self, alarms: Iterable[Alarm]) -> set[int]:
        """Take over the open episodes of the last run; the rows that are active again. An alarm whose rule is gone
        stays on the list, active and unknown, until a person deals with it."""
        row_of = {(rule.info.rule_id, rule.subject): row for row, rule in enumerate(self._rules)}
        for alarm in alarms:
            row = row_of.get((alarm.rule.rule_id, alarm.subject))
            if row is None:
                self._orphans[alarm.alarm_id] = replace(alarm, unknown=alarm.active)
                continue
            self._open[row] = alarm
            self.phase[row] = Phase.ACTIVE if alarm.active else Phase.INACTIVE
        self._mark_service()
        return {row for row, alarm in self._open.items() if alarm.active}

    def warm(self, verdicts: Verdicts) -> None:
        """Before the first live sample: what the last run's history said. Delays start, go on and end as in the table,
        but none of them passes: what was so before a restart and still is so after it has not waited in vain."""
        for row, code in zip(verdicts.row, verdicts.truth, strict=True):
            before = Phase(self.phase[row])
            after, _ = CONDITION[before, Truth(code)]
            self.phase[row] = after
            if after is not before and after in DELAYED:
                self._since_ns[row] = verdicts.observed_at_ns

    def open_alarms(self) -> list[Alarm]:
        """Every open alarm, gravest and newest first; never filtered by time."""
        alarms = [self._with_unknown(row, alarm) for row, alarm in self._open.items()]
        alarms += self._orphans.values()
        return sorted(alarms, key=lambda alarm: (alarm.rule.severity, -alarm.raised_at_ns))

    def step(self, verdicts: Verdicts) -> list[Transition]:
        """Step the rows that these verdicts speak of. Quiet rows cost one table look-up for the whole array."""
        rows = verdicts.row
        self.truth[rows] = verdicts.truth
        self.measured[rows] = verdicts.measured
        phase = self.phase[rows]
        moving = ~_AT_REST[phase, verdicts.truth] | (phase == Phase.ACTIVE) & (verdicts.truth == Truth.TRUE)
        transitions = []
        for i in np.flatnonzero(moving):
            transition = self._step_row(int(rows[i]), Truth(verdicts.truth[i]), float(verdicts.measured[i]), verdicts)
            if transition is not None:
                transitions.append(transition)
        return transitions

    def acknowledge(self, alarm_id: str, user: str, reason: str, now_ns: int) -> Transition:
        """A person has seen it. Silences, never hides, never closes. Raises CommandError."""
        row, alarm = self._find(alarm_id)
        kind = _happen(alarm, Happening.ACKNOWLEDGE)
        alarm = replace(
            alarm, acknowledged=True, acknowledged_at_ns=now_ns, acknowledged_by=user, acknowledge_reason=reason
        )
        return self._settle(row, Transition(kind, alarm, now_ns, alarm.measured, user, reason))

    def reset(self, alarm_id: str, user: str, reason: str, now_ns: int) -> Transition:
        """The cause of a latched alarm has been dealt with. Raises CommandError."""
        row, alarm = self._find(alarm_id)
        kind = _happen(alarm, Happening.RESET)
        return self._settle(row, Transition(kind, replace(alarm, latched=False), now_ns, alarm.measured, user, reason))

    def shelve(self, alarm_id: str, for_s: float, user: str, reason: str, now_ns: int) -> Transition:
        """Put aside for `for_s` seconds, with every later episode of the same row in that time. Never a P1.

        Raises CommandError."""
        row, alarm = self._find(alarm_id)
        kind = _turn(alarm, Order.SHELVE_P1 if alarm.rule.severity is Severity.P1 else Order.SHELVE)
        if for_s > self._bounds.shelve_max_s:
            raise CommandError(Refusal.TOO_LONG, f"{for_s:g} s is longer than {self._bounds.shelve_max_s:g} s")
        until_ns = now_ns + max(int(for_s * 1e9), 1)
        alarm = replace(alarm, shelved_at_ns=now_ns, shelved_until_ns=until_ns, shelved_by=user, shelve_reason=reason)
        return self._settle(row, Transition(kind, alarm, now_ns, alarm.measured, user, reason))

    def unshelve(self, alarm_id: str, user: str, reason: str, now_ns: int) -> Transition:
        """Back on the list before its time. Raises CommandError."""
        row, alarm = self._find(alarm_id)
        kind = _turn(alarm, Order.UNSHELVE)
        return self._settle(row, Transition(kind, _unshelved(alarm), now_ns, alarm.measured, user, reason))

    def escalate(self, alarm_id: str, because: str, now_ns: int) -> Transition:
        """It was told to somebody else, for this reason; once an episode and reason. Raises CommandError."""
        row, alarm = self._find(alarm_id)
        alarm = replace(alarm, escalated=(*alarm.escalated, because))
        return self._settle(row, Transition(TransitionKind.ESCALATED, alarm, now_ns, alarm.measured, "", because))

    def out_of_service(self, target: str, for_s: float, user: str, reason: str, now_ns: int) -> ServiceChange:
        """A device or point is being worked on; again is a renewal. Raises CommandError."""
        change = self._service.take_out(target, for_s, user, reason, now_ns)
        self._mark_service()
        return change

    def in_service(self, target: str, user: str, reason: str, now_ns: int) -> ServiceChange:
        """The work is done. Raises CommandError."""
        change = self._service.put_back(target, user, reason, now_ns)
        self._mark_service()
        return change

    def restore_service(self, entries: Iterable[OutOfService]) -> None:
        """Take over what was out of service in the last run; what expired meanwhile is for `expire_service`."""
        self._service.restore(entries)
        self._mark_service()

    def go_on_from(self, old: "AlarmTable") -> None:
        """Before `restore`, when other rules take over in a running box: what is out of service stays so, and groups
        and counts go on."""
        self._groups, self._performance = old._groups, old._performance
        self.restore_service(old.services())

    def services(self) -> list[OutOfService]:
        """What is out of service, the next to expire first."""
        return self._service.entries()

    def expire_shelves(self, now_ns: int) -> list[Transition]:
        """Alarms whose time on the shelf is over."""
        over = [
            (row, alarm)
            for row, alarm in self._all_open()
            if alarm.shelved and not alarm.shelved_at_ns <= now_ns < alarm.shelved_until_ns
        ]
        return [
            self._settle(
                row,
                Transition(
                    _turn(alarm, Order.SHELF_EXPIRES), _unshelved(alarm), now_ns, alarm.measured, "", "time is over"
                ),
            )
            for row, alarm in over
        ]

    def expire_service(self, now_ns: int) -> list[ServiceChange]:
        """Devices and points whose time out of service is over."""
        changes = self._service.expire(now_ns)
        if changes:
            self._mark_service()
        return changes

    def performance(self, now_ns: int) -> Performance:
        """Chatter, flood, standing and stale alarms."""
        return self._performance.report(self.open_alarms(), now_ns)

    def _step_row(self, row: int, truth: Truth, measured: float, verdicts: Verdicts) -> Transition | None:
        rule = self._rules[row]
        before = Phase(self.phase[row])
        now_ns = verdicts.observed_at_ns
        if before not in DELAYED or now_ns < self._since_ns[row]:
            self._since_ns[row] = now_ns
        delay_s = rule.off_delay_s if before in ACTIVE_PHASES else rule.on_delay_s
        after, kind = step(before, truth, (now_ns - int(self._since_ns[row])) / 1e9, delay_s)
        self.phase[row] = after
        if after is Phase.ACTIVE and truth is Truth.TRUE and kind is None:
            self._note_worst(row, measured)
        if kind is TransitionKind.RAISED:
            return self._raise(row, rule, measured, now_ns)
        if kind is TransitionKind.RETURNED:
            return self._return(row, measured, now_ns)
        return None

    def _raise(self, row: int, rule: ResolvedRule, measured: float, now_ns: int) -> Transition:
        alarm_id = _alarm_id(self._box_id, rule, now_ns, self._repeat(row, now_ns))
        alarm = Alarm(
            alarm_id=alarm_id,
            rule=rule.info,
            subject=rule.subject,
            asset=rule.asset,
            asset_kind=rule.asset_kind,
            suspected=rule.suspected,
            raised_at_ns=now_ns,
            measured=measured,
            limit=rule.limit,
            worst=measured,
            latching=rule.latching,
            out_of_service=self._service.covers(rule.subject),
            first_out_id=self._first_out(rule, alarm_id, now_ns),
        )
        if (before := self._open.get(row)) is not None:
            alarm = _on_the_shelf_of(before, alarm)
        self._open[row] = alarm
        self._performance.note(alarm)
        return Transition(TransitionKind.RAISED, alarm, now_ns, measured)

    def _repeat(self, row: int, now_ns: int) -> int:
        """How often this row was already raised at this very time: a device that stamps whole seconds may do that."""
        at_ns, repeat = self._raised.get(row, (now_ns, -1))
        repeat = repeat + 1 if at_ns == now_ns else 0
        self._raised[row] = (now_ns, repeat)
        return repeat

    def _first_out(self, rule: ResolvedRule, alarm_id: str, now_ns: int) -> str:
        return "" if rule.info.severity is Severity.LOG else self._groups.join(rule.asset, alarm_id, now_ns)

    def _return(self, row: int, measured: float, now_ns: int) -> Transition:
        before = self._open[row]
        after = EPISODE[episode_of(before), _how_it_returns(before)]
        latched = not isinstance(after, Refusal) and after.after in (Episode.LATCHED, Episode.LATCHED_ACKNOWLEDGED)
        alarm = replace(before, active=False, returned_at_ns=now_ns, unknown=False, latched=latched)
        return self._settle(row, Transition(TransitionKind.RETURNED, alarm, now_ns, measured))

    def _note_worst(self, row: int, measured: float) -> None:
        alarm = self._open[row]
        reach = self._rules[row].direction.reach
        if not reach(measured) <= reach(alarm.worst):
            self._open[row] = replace(alarm, worst=measured)

    def _settle(self, row: int | None, transition: Transition) -> Transition:
        """Keep the alarm as it now stands; one that asks nothing more of anybody leaves the list."""
        alarm = transition.alarm
        if row is None and alarm.open:
            self._orphans[alarm.alarm_id] = alarm
        elif row is None:
            del self._orphans[alarm.alarm_id]
        elif alarm.open:
            self._open[row] = alarm
        else:
            del self._open[row]
        return transition

    def _all_open(self) -> list[tuple[int | None, Alarm]]:
        return [*self._open.items(), *((None, alarm) for alarm in self._orphans.values())]

    def _find(self, alarm_id: str) -> tuple[int | None, Alarm]:
        for row, alarm in self._all_open():
            if alarm.alarm_id == alarm_id:
                return row, alarm
        raise CommandError(Refusal.NO_ALARM, f"no open alarm has the id {alarm_id}")

    def _mark_service(self) -> None:
        """Say on every open alarm whether its subject is out of service."""
        for alarms in (self._open, self._orphans):
            for key, alarm in list(alarms.items()):
                covered = self._service.covers(alarm.subject)
                if covered != alarm.out_of_service:
                    alarms[key] = replace(alarm, out_of_service=covered)  # type: ignore[index]

    def _with_unknown(self, row: int, alarm: Alarm) -> Alarm:
        unknown = alarm.active and self.truth[row] == Truth.UNKNOWN
        return replace(alarm, unknown=True) if unknown else alarm


_SENTENCES = {
    Refusal.STILL_ACTIVE: "its condition still holds",
    Refusal.NOT_LATCHED: "it does not latch",
    Refusal.ACKNOWLEDGE_FIRST: "it has to be acknowledged first",
    Refusal.NEVER_P1: "a P1 alarm is never shelved",
    Refusal.NOT_SHELVED: "it is not shelved",
    Refusal.IS_OUT_OF_SERVICE: "its device or point is out of service",
    Refusal.NO_ALARM: "it asks for nothing any more",
}


def _happen(alarm: Alarm, happening: Happening) -> TransitionKind:
    return _kind_of(alarm, EPISODE[episode_of(alarm), happening])


def _turn(alarm: Alarm, order: Order) -> TransitionKind:
    return _kind_of(alarm, DISPLAY[display_of(alarm), order])


def _kind_of(alarm: Alarm, answer: Step | Turn | Refusal) -> TransitionKind:
    """The transition that the table gives. Raises CommandError where it refuses, or has nothing to happen."""
    if not isinstance(answer, Refusal) and answer.kind is not None:
        return answer.kind
    refusal = answer if isinstance(answer, Refusal) else Refusal.NO_ALARM
    words = {
        Refusal.ALREADY_ACKNOWLEDGED: f"was already acknowledged by {alarm.acknowledged_by}",
        Refusal.ALREADY_SHELVED: f"was already shelved by {alarm.shelved_by}",
    }.get(refusal) or _SENTENCES[refusal]
    raise CommandError(refusal, f"alarm {alarm.alarm_id}: {words}")


def _how_it_returns(alarm: Alarm) -> Happening:
    if alarm.rule.severity is Severity.LOG:
        return Happening.RETURNS_LOG
    return Happening.RETURNS_LATCHING if alarm.latching else Happening.RETURNS


def _unshelved(alarm: Alarm) -> Alarm:
    return replace(alarm, shelved_at_ns=0, shelved_until_ns=0, shelved_by="", shelve_reason="")


def _on_the_shelf_of(before: Alarm, alarm: Alarm) -> Alarm:
    """A new episode of an alarm that is shelved is shelved too, for the rest of the time."""
    return replace(
        alarm,
        shelved_at_ns=before.shelved_at_ns,
        shelved_until_ns=before.shelved_until_ns,
        shelved_by=before.shelved_by,
        shelve_reason=before.shelve_reason,
    )


def _alarm_id(box_id: str, rule: ResolvedRule, raised_at_ns: int, repeat: int) -> str:
    """The same episode has the same id on every retry and after every restart; two episodes never share one."""
    text = f"{box_id}|{rule.info.rule_id}|{rule.subject}|{raised_at_ns}" + (f"|{repeat}" if repeat else "")
    return hashlib.sha256(text.encode()).hexdigest()[:26]
