"""The alarm table: (phase, verdict, has the delay passed) -> (phase, transition).

    theory of operation

    Each row (rule, subject) is in one phase. `active` is true in ACTIVE and OFF_DELAY.

                 TRUE                    on-delay passed, TRUE
      INACTIVE --------> ON_DELAY -----------------------------> ACTIVE      RAISED
         ^   <---------     |                                    |   ^
         |     FALSE        |                              FALSE |   | TRUE or UNKNOWN
         |                                                       v   |
         +------------------------------------------------- OFF_DELAY
                 off-delay passed, FALSE                RETURNED

    UNKNOWN never raises and never clears: it freezes ON_DELAY (the clock of the delay keeps running, so a TRUE that
    comes back late raises at once) and pulls OFF_DELAY back to ACTIVE: a dead sensor cannot clear an alarm.
    A delay of zero passes at once. Acknowledging is beside this table: it changes `acknowledged`, never the phase.

In: verdicts with the times of their samples, and commands. Out: transitions. Pure: no clock, no I/O. Delays are
measured in sample time; when that runs backwards (a clock was set) the delay starts again.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from enum import IntEnum

import numpy as np

from gateway.model.alarm import Alarm, Transition, TransitionKind
from gateway.model.rule import Direction, ResolvedRule
from gateway.model.verdict import Truth, Verdicts


class Phase(IntEnum):
    """Where a row stands. Values are the codes used in arrays."""

    INACTIVE = 0
    ON_DELAY = 1
    ACTIVE = 2
    OFF_DELAY = 3


# (phase, verdict) -> (phase while the delay runs, phase once it has passed). The delay is the on-delay towards ACTIVE
# and the off-delay towards INACTIVE. Total over Phase x Truth; a property test holds it to that.
TABLE: Mapping[tuple[Phase, Truth], tuple[Phase, Phase]] = {
    (Phase.INACTIVE, Truth.FALSE): (Phase.INACTIVE, Phase.INACTIVE),
    (Phase.INACTIVE, Truth.TRUE): (Phase.ON_DELAY, Phase.ACTIVE),
    (Phase.INACTIVE, Truth.UNKNOWN): (Phase.INACTIVE, Phase.INACTIVE),
    (Phase.ON_DELAY, Truth.FALSE): (Phase.INACTIVE, Phase.INACTIVE),
    (Phase.ON_DELAY, Truth.TRUE): (Phase.ON_DELAY, Phase.ACTIVE),
    (Phase.ON_DELAY, Truth.UNKNOWN): (Phase.ON_DELAY, Phase.ON_DELAY),
    (Phase.ACTIVE, Truth.FALSE): (Phase.OFF_DELAY, Phase.INACTIVE),
    (Phase.ACTIVE, Truth.TRUE): (Phase.ACTIVE, Phase.ACTIVE),
    (Phase.ACTIVE, Truth.UNKNOWN): (Phase.ACTIVE, Phase.ACTIVE),
    (Phase.OFF_DELAY, Truth.FALSE): (Phase.OFF_DELAY, Phase.INACTIVE),
    (Phase.OFF_DELAY, Truth.TRUE): (Phase.ACTIVE, Phase.ACTIVE),
    (Phase.OFF_DELAY, Truth.UNKNOWN): (Phase.ACTIVE, Phase.ACTIVE),
}
_DELAYED = (Phase.ON_DELAY, Phase.OFF_DELAY)
_ACTIVE = (Phase.ACTIVE, Phase.OFF_DELAY)
# Rows in these combinations cannot move: the fast path of a quiet site.
_AT_REST = np.zeros((len(Phase), len(Truth)), dtype=np.bool_)
for _state, _next in TABLE.items():
    _AT_REST[_state] = _next == (_state[0], _state[0])


def step(phase: Phase, truth: Truth, elapsed_s: float, delay_s: float) -> tuple[Phase, TransitionKind | None]:
    """One step of one row. `elapsed_s` counts from when the row entered its delay (0 when it is not in one)."""
    waiting, passed = TABLE[phase, truth]
    after = passed if waiting not in _DELAYED or elapsed_s >= delay_s else waiting
    if (phase in _ACTIVE) == (after in _ACTIVE):
        return after, None
    return after, TransitionKind.RAISED if after in _ACTIVE else TransitionKind.RETURNED


class AcknowledgeError(Exception):
    """The alarm cannot be acknowledged: it is not open, or already acknowledged."""


class AlarmTable:
    """The state of every row and the open episodes. Row order is that of `rules`."""

    def __init__(self, box_id: str, rules: Sequence[ResolvedRule]) -> None:
        n = len(rules)
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
        return {row for row, alarm in self._open.items() if alarm.active}

    def warm(self, verdicts: Verdicts) -> None:
        """Before the first live sample: what the last run's history said. It can start an on-delay or end one, never
        raise or return: a condition that held before a restart and still holds after it has not waited in vain."""
        for row, truth in zip(verdicts.row, verdicts.truth, strict=True):
            if self.phase[row] == Phase.INACTIVE and truth == Truth.TRUE:
                self.phase[row] = Phase.ON_DELAY
                self._since_ns[row] = verdicts.observed_at_ns
            elif self.phase[row] == Phase.ON_DELAY and truth == Truth.FALSE:
                self.phase[row] = Phase.INACTIVE

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
        """A person has seen it. Silences, never hides, never closes. Raises AcknowledgeError."""
        row, alarm = self._find(alarm_id)
        if alarm.acknowledged:
            raise AcknowledgeError(f"alarm {alarm_id} was already acknowledged by {alarm.acknowledged_by}")
        alarm = replace(
            alarm, acknowledged=True, acknowledged_at_ns=now_ns, acknowledged_by=user, acknowledge_reason=reason
        )
        self._keep(row, alarm)
        return Transition(TransitionKind.ACKNOWLEDGED, alarm, now_ns, alarm.measured, user, reason)

    def _step_row(self, row: int, truth: Truth, measured: float, verdicts: Verdicts) -> Transition | None:
        rule = self._rules[row]
        before = Phase(self.phase[row])
        now_ns = verdicts.observed_at_ns
        if before not in _DELAYED or now_ns < self._since_ns[row]:
            self._since_ns[row] = now_ns
        delay_s = rule.off_delay_s if before in _ACTIVE else rule.on_delay_s
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
        alarm = Alarm(
            alarm_id=_alarm_id(self._box_id, rule, now_ns, self._repeat(row, now_ns)),
            rule=rule.info,
            subject=rule.subject,
            asset=rule.asset,
            asset_kind=rule.asset_kind,
            suspected=rule.suspected,
            raised_at_ns=now_ns,
            measured=measured,
            limit=rule.limit,
            worst=measured,
        )
        self._open[row] = alarm
        return Transition(TransitionKind.RAISED, alarm, now_ns, measured)

    def _repeat(self, row: int, now_ns: int) -> int:
        """How often this row was already raised at this very time: a device that stamps whole seconds may do that."""
        at_ns, repeat = self._raised.get(row, (now_ns, -1))
        repeat = repeat + 1 if at_ns == now_ns else 0
        self._raised[row] = (now_ns, repeat)
        return repeat

    def _return(self, row: int, measured: float, now_ns: int) -> Transition:
        alarm = replace(self._open[row], active=False, returned_at_ns=now_ns, unknown=False)
        self._keep(row, alarm)
        return Transition(TransitionKind.RETURNED, alarm, now_ns, measured)

    def _note_worst(self, row: int, measured: float) -> None:
        alarm = self._open[row]
        sign = 1.0 if self._rules[row].direction is Direction.HIGH else -1.0
        if not sign * measured <= sign * alarm.worst:
            self._open[row] = replace(alarm, worst=measured)

    def _keep(self, row: int | None, alarm: Alarm) -> None:
        if row is None and alarm.open:
            self._orphans[alarm.alarm_id] = alarm
        elif row is None:
            del self._orphans[alarm.alarm_id]
        elif alarm.open:
            self._open[row] = alarm
        else:
            del self._open[row]

    def _find(self, alarm_id: str) -> tuple[int | None, Alarm]:
        if alarm_id in self._orphans:
            return None, self._orphans[alarm_id]
        for row, alarm in self._open.items():
            if alarm.alarm_id == alarm_id:
                return row, alarm
        raise AcknowledgeError(f"no open alarm has the id {alarm_id}")

    def _with_unknown(self, row: int, alarm: Alarm) -> Alarm:
        unknown = alarm.active and self.truth[row] == Truth.UNKNOWN
        return replace(alarm, unknown=True) if unknown else alarm


def _alarm_id(box_id: str, rule: ResolvedRule, raised_at_ns: int, repeat: int) -> str:
    """The same episode has the same id on every retry and after every restart; two episodes never share one."""
    text = f"{box_id}|{rule.info.rule_id}|{rule.subject}|{raised_at_ns}" + (f"|{repeat}" if repeat else "")
    return hashlib.sha256(text.encode()).hexdigest()[:26]
