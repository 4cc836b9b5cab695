"""Every row's alarm: stepped by verdicts, commanded by people, expired by time.

In: verdicts with the times of their samples, commands, and the time that passes. Out: transitions and service changes,
each to be sealed. What may follow what is in `gateway.alarms.tables`, nowhere else. Pure: no clock, no I/O. Delays are
measured in sample time; when that runs backwards (a clock was set) the delay starts again. Shelving and service are
measured in the box's time; when that runs back behind their start, they end.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from gateway.alarms.episode import (
    abandoned,
    alarm_id_of,
    how_it_returns,
    on_the_shelf_of,
    returned_unheard,
    suppressed,
    unshelved,
    unsuppressed,
)
from gateway.alarms.grouping import FirstOut
from gateway.alarms.performance import Performance, PerformanceCounter
from gateway.alarms.refusal import CommandError, happen, refusal_of, turn
from gateway.alarms.service import ServiceRegister
from gateway.alarms.suppression import SuppressionPlan
from gateway.alarms.tables import (
    ACTIVE_PHASES,
    CONDITION,
    DELAYED,
    EPISODE,
    SUPPRESSION,
    Cause,
    Change,
    Episode,
    Happening,
    Order,
    Phase,
    Refusal,
    Suppression,
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
from gateway.model.verdict import FALSE, TRUE, UNKNOWN, Truth, Verdicts

# Rows in the other combinations neither change nor have a worst value to note: the fast path of a quiet site.
_MOVES = np.zeros((len(Phase), len(Truth)), dtype=np.bool_)
for _state, _next in CONDITION.items():
    _MOVES[_state] = _next != (_state[0], _state[0]) or _state == (Phase.ACTIVE, Truth.TRUE)
_ON_DELAY, _OFF_DELAY = np.uint8(Phase.ON_DELAY), np.uint8(Phase.OFF_DELAY)  # numpy compares slowly with an enum
_BOUNDS = AlarmBounds()


class AlarmTable:
    """The state of every row and the open episodes. Row order is that of `rules`; `device_of` maps points to devices,
    so that a device that is out of service covers its points. What is withheld is kept beside the open episodes: an
    older alarm of the same row may still wait for a person."""

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
        self.truth = np.full(n, UNKNOWN, dtype=np.uint8)
        self.measured = np.full(n, np.nan)
        self._since_ns = np.zeros(n, dtype=np.int64)
        delays_s = [[rule.on_delay_s for rule in rules], [rule.off_delay_s for rule in rules]]
        self._delays_ns = (np.array(delays_s, dtype=np.float64) * 1e9).astype(np.int64)
        self._raised: dict[int, tuple[int, int]] = {}
        self._open: dict[int, Alarm] = {}
        self._orphans: dict[str, Alarm] = {}
        self._withheld: dict[int, Alarm] = {}
        self._plan = SuppressionPlan(rules)
        self._judged = np.zeros(n, dtype=np.bool_)
        self._reviewed = False  # nothing that suppressions depend on has changed since the last review

    @property
    def bounds(self) -> AlarmBounds:
        """The bounds that the site has set on its alarms."""
        return self._bounds

    def restore(self, alarms: Iterable[Alarm]) -> set[int]:
        """Take over the open episodes of the last run, and what was withheld; the rows that are active again. An alarm
        whose rule is gone stays on the list, active and unknown, until a person deals with it."""
        row_of = {(rule.info.rule_id, rule.subject): row for row, rule in enumerate(self._rules)}
        for alarm in alarms:
            row = row_of.get((alarm.rule.rule_id, alarm.subject))
            if row is None:
                self._orphans[alarm.alarm_id] = replace(alarm, unknown=alarm.active)
                continue
            (self._withheld if alarm.withheld else self._open)[row] = alarm
        active = {row for row, alarm in self._open.items() if alarm.active} | self._withheld.keys()
        self.phase[list(active)] = Phase.ACTIVE
        self._mark_service()
        return active

    def warm(self, verdicts: Verdicts) -> None:
        """Before the first live sample: what the last run's history said. Delays start, go on and end as in the table,
        but none of them passes: what was so before a restart and still is so after it has not waited in vain."""
        self._reviewed = False
        for row, code in zip(verdicts.row, verdicts.truth, strict=True):
            before = Phase(self.phase[row])
            after, _ = CONDITION[before, Truth(code)]
            self.phase[row] = after
            if after is not before and after in DELAYED:
                self._since_ns[row] = verdicts.observed_at_ns

    def open_alarms(self) -> list[Alarm]:
        """Every open alarm, gravest and newest first; never filtered by time. What is withheld is not among them."""
        alarms = [self._with_unknown(row, alarm) for row, alarm in self._open.items()]
        alarms += (alarm for alarm in self._orphans.values() if not alarm.withheld)
        return sorted(alarms, key=lambda alarm: (alarm.rule.severity, -alarm.raised_at_ns))

    def withheld_alarms(self) -> list[Alarm]:
        """Alarms that were suppressed by design before anybody was told, gravest and newest first."""
        alarms = [self._with_unknown(row, alarm) for row, alarm in self._withheld.items()]
        alarms += (alarm for alarm in self._orphans.values() if alarm.withheld)
        return sorted(alarms, key=lambda alarm: (alarm.rule.severity, -alarm.raised_at_ns))

    def step(self, verdicts: Verdicts) -> list[Transition]:
        """Step the rows that these verdicts speak of. Quiet rows cost one table look-up for the whole array."""
        if not len(verdicts.row):
            return []
        rows = verdicts.row.astype(np.intp)  # numpy indexes by nothing else so fast
        if self._reviewed:
            self._reviewed = np.array_equal(self.truth[rows], verdicts.truth)
        self.truth[rows] = verdicts.truth
        self.measured[rows] = verdicts.measured
        moves = _MOVES[self.phase[rows], verdicts.truth]
        moved = rows[moves].tolist() if np.count_nonzero(moves) else []
        if self._plan or self._withheld:
            self._reviewed &= bool(self._judged[rows].all())
            self._judged[rows] = True
            moved = self._plan.suppressors_first(moved) if moved else moved
        transitions = [found for row in moved if (found := self._step_row(row, verdicts.observed_at_ns)) is not None]
        return transitions + self.review(verdicts.observed_at_ns) if self._plan.concerns(rows) else transitions

    def review(self, now_ns: int) -> list[Transition]:
        """Begin and end suppressions by design as the suppressors now stand: after verdicts, and as time passes, since
        shelving a suppressor, or putting it out of service, ends what it suppresses. While nothing changes that they
        depend on, there is nothing to review: a box asks four times a second."""
        if self._reviewed or not (self._open or self._withheld or self._orphans):
            return []
        self._reviewed = True
        marked = [row for row, alarm in self._open.items() if alarm.suppressed or self._plan.suppressors(row)]
        rows = self._plan.suppressors_first({*self._withheld, *marked})
        return [each for row in rows for each in self._review_row(row, now_ns)] + self._let_orphans_go(now_ns)

    def delays_end_ns(self) -> NDArray[np.int64]:
        """When the delays that run now are over, if nothing breaks them; in the time of the samples."""
        on, off = np.flatnonzero(self.phase == _ON_DELAY), np.flatnonzero(self.phase == _OFF_DELAY)
        on_ns, off_ns = self._delays_ns
        return np.concatenate([self._since_ns[on] + on_ns[on], self._since_ns[off] + off_ns[off]])

    def acknowledge(self, alarm_id: str, user: str, reason: str, now_ns: int) -> Transition:
        """A person has seen it. Silences, never hides, never closes. Raises CommandError."""
        row, alarm = self._find(alarm_id)
        kind = happen(alarm, Happening.ACKNOWLEDGE)
        alarm = replace(
            alarm, acknowledged=True, acknowledged_at_ns=now_ns, acknowledged_by=user, acknowledge_reason=reason
        )
        return self._settle(row, Transition(kind, alarm, now_ns, alarm.measured, user, reason))

    def reset(self, alarm_id: str, user: str, reason: str, now_ns: int) -> Transition:
        """The cause of a latched alarm has been dealt with. Raises CommandError."""
        row, alarm = self._find(alarm_id)
        kind = happen(alarm, Happening.RESET)
        return self._settle(row, Transition(kind, replace(alarm, latched=False), now_ns, alarm.measured, user, reason))

    def shelve(self, alarm_id: str, for_s: float, user: str, reason: str, now_ns: int) -> Transition:
        """Put aside for `for_s` seconds, with every later episode of the same row in that time. Never a P1.

        Raises CommandError."""
        row, alarm = self._find(alarm_id)
        kind = turn(alarm, Order.SHELVE_P1 if alarm.rule.severity is Severity.P1 else Order.SHELVE)
        if for_s > self._bounds.shelve_max_s:
            raise CommandError(Refusal.TOO_LONG, f"{for_s:g} s is longer than {self._bounds.shelve_max_s:g} s")
        until_ns = now_ns + max(int(for_s * 1e9), 1)
        alarm = replace(alarm, shelved_at_ns=now_ns, shelved_until_ns=until_ns, shelved_by=user, shelve_reason=reason)
        return self._settle(row, Transition(kind, alarm, now_ns, alarm.measured, user, reason))

    def unshelve(self, alarm_id: str, user: str, reason: str, now_ns: int) -> Transition:
        """Back on the list before its time. Raises CommandError."""
        row, alarm = self._find(alarm_id)
        kind = turn(alarm, Order.UNSHELVE)
        return self._settle(row, Transition(kind, unshelved(alarm), now_ns, alarm.measured, user, reason))

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
        and counts go on. So do the times of the last raises: no two episodes share an id."""
        self._groups, self._performance = old._groups, old._performance
        raised = {(old._rules[row].info.rule_id, old._rules[row].subject): at for row, at in old._raised.items()}
        names = enumerate((rule.info.rule_id, rule.subject) for rule in self._rules)
        self._raised = {row: raised[name] for row, name in names if name in raised}
        self.restore_service(old.services())

    def services(self) -> list[OutOfService]:
        """Devices and points out of service, the next to expire first."""
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
                    turn(alarm, Order.SHELF_EXPIRES), unshelved(alarm), now_ns, alarm.measured, "", "time is over"
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

    def _step_row(self, row: int, now_ns: int) -> Transition | None:
        rule, truth, measured = self._rules[row], Truth(self.truth[row]), float(self.measured[row])
        before = Phase(self.phase[row])
        if before not in DELAYED or now_ns < self._since_ns[row]:
            self._since_ns[row] = now_ns
        delay_s = rule.off_delay_s if before in ACTIVE_PHASES else rule.on_delay_s
        after, kind = step(before, truth, (now_ns - int(self._since_ns[row])) / 1e9, delay_s)
        self.phase[row] = after
        self._reviewed &= after is before
        if after is Phase.ACTIVE and truth is Truth.TRUE and kind is None:
            self._note_worst(row, measured)
        if kind is TransitionKind.RAISED:
            alarm, by = self._begun(row, rule, measured, now_ns), self._suppressor_of(row)
            return self._withhold(row, alarm, by) if by else self._raise(row, alarm)
        if kind is TransitionKind.RETURNED:
            return self._return(row, measured, now_ns)
        return None

    def _begun(self, row: int, rule: ResolvedRule, measured: float, now_ns: int) -> Alarm:
        return Alarm(
            alarm_id=alarm_id_of(self._box_id, rule, now_ns, self._repeat(row, now_ns)),
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
        )

    def _raise(self, row: int, alarm: Alarm) -> Transition:
        """From now on everybody is told of it. An older episode of the row gives way to it."""
        self._reviewed = False
        alarm = replace(alarm, first_out_id=self._first_out(alarm))
        if (before := self._open.get(row)) is not None:
            alarm = on_the_shelf_of(before, alarm)
        self._open[row] = alarm
        self._performance.note(alarm)
        return Transition(TransitionKind.RAISED, alarm, alarm.raised_at_ns, alarm.measured)

    def _withhold(self, row: int, alarm: Alarm, by: str) -> Transition:
        return self._settle(row, suppressed(replace(alarm, withheld=True), by, alarm.raised_at_ns))

    def _review_row(self, row: int, now_ns: int) -> list[Transition]:
        by = self._suppressor_of(row)
        held = [alarm for alarm in (self._open.get(row), self._withheld.get(row)) if alarm is not None]
        if by:
            return [self._settle(row, suppressed(alarm, by, now_ns)) for alarm in held if alarm.suppressed_by != by]
        if row in self._withheld and not (self._judged[row] and self.truth[row] != FALSE):
            return []
        return self._end_suppression(row, held[-1], now_ns)

    def _end_suppression(self, row: int, alarm: Alarm, now_ns: int) -> list[Transition]:
        """`alarm` is the withheld one where there is one. Its condition still holds: it is raised now."""
        change = SUPPRESSION[self._suppression_of(row), Cause.ENDS]
        kinds = change.kinds if isinstance(change, Change) else ()
        transitions = []
        if TransitionKind.UNSUPPRESSED in kinds:
            ended = unsuppressed(alarm, f"{alarm.suppressed_by} no longer suppresses it", now_ns)
            transitions.append(self._settle(row, ended))
        if TransitionKind.RAISED in kinds:
            del self._withheld[row]
            measured = float(self.measured[row]) if self.truth[row] == TRUE else alarm.measured
            raised = replace(ended.alarm, withheld=False, raised_at_ns=now_ns, measured=measured)
            transitions.append(self._raise(row, raised))
        return transitions

    def _suppression_of(self, row: int) -> Suppression:
        alarm = self._open.get(row)
        covered = alarm is not None and alarm.suppressed
        if row in self._withheld:
            return Suppression.BOTH if covered else Suppression.WITHHELD
        return Suppression.COVERED if covered else Suppression.NONE

    def _suppressor_of(self, row: int) -> str:
        """The rule whose active alarm suppresses this row now; the one that already does comes first."""
        found = [self._rules[by].info.rule_id for by in self._plan.suppressors(row) if self._suppresses(by)]
        alarm = self._withheld.get(row) or self._open.get(row)
        before = alarm.suppressed_by if alarm is not None else ""
        return before if before in found else found[0] if found else ""

    def _suppresses(self, row: int) -> bool:
        """Active and known to be so; after a restart, as it was until it is judged again. What is silenced itself
        suppresses nothing: somebody has to be called."""
        known = self.truth[row] != UNKNOWN or not self._judged[row]
        if self.phase[row] not in ACTIVE_PHASES or not known:
            return False
        alarm = self._open.get(row)
        return not (self._service.covers(self._rules[row].subject) or (alarm is not None and alarm.shelved))

    def _let_orphans_go(self, now_ns: int) -> list[Transition]:
        held = [alarm for alarm in self._orphans.values() if alarm.suppressed or alarm.withheld]
        return [self._settle(None, abandoned(alarm, now_ns)) for alarm in held]

    def _repeat(self, row: int, now_ns: int) -> int:
        """How often this row was already raised at this very time: a device that stamps whole seconds may do that."""
        at_ns, repeat = self._raised.get(row, (now_ns, -1))
        repeat = repeat + 1 if at_ns == now_ns else 0
        self._raised[row] = (now_ns, repeat)
        return repeat

    def _first_out(self, alarm: Alarm) -> str:
        if alarm.rule.severity is Severity.LOG:
            return ""
        return self._groups.join(alarm.asset, alarm.alarm_id, alarm.raised_at_ns)

    def _return(self, row: int, measured: float, now_ns: int) -> Transition:
        if row in self._withheld:
            return self._settle(row, returned_unheard(self._withheld[row], measured, now_ns))
        before = self._open[row]
        after = EPISODE[episode_of(before), how_it_returns(before)]
        latched = not isinstance(after, Refusal) and after.after in (Episode.LATCHED, Episode.LATCHED_ACKNOWLEDGED)
        alarm = replace(before, active=False, returned_at_ns=now_ns, unknown=False, latched=latched)
        return self._settle(row, Transition(TransitionKind.RETURNED, alarm, now_ns, measured))

    def _note_worst(self, row: int, measured: float) -> None:
        alarms = self._withheld if row in self._withheld else self._open
        reach = self._rules[row].direction.reach
        if not reach(measured) <= reach(alarms[row].worst):
            alarms[row] = replace(alarms[row], worst=measured)

    def _settle(self, row: int | None, transition: Transition) -> Transition:
        """Keep the alarm as it now stands; one that asks nothing more of anybody leaves the list."""
        self._reviewed = False
        alarm = transition.alarm
        if row is None and alarm.open:
            self._orphans[alarm.alarm_id] = alarm
        elif row is None:
            del self._orphans[alarm.alarm_id]
        else:
            alarms = self._withheld if alarm.withheld else self._open
            alarms[row] = alarm
            if not alarm.open:
                del alarms[row]
        return transition

    def _all_open(self) -> list[tuple[int | None, Alarm]]:
        return [*self._open.items(), *((None, alarm) for alarm in self._orphans.values())]

    def _find(self, alarm_id: str) -> tuple[int | None, Alarm]:
        for row, alarm in self._all_open():
            if alarm.alarm_id == alarm_id:
                return row, alarm
        for row, alarm in self._withheld.items():
            if alarm.alarm_id == alarm_id:
                raise refusal_of(alarm, SUPPRESSION[self._suppression_of(row), Cause.COMMAND])
        raise CommandError(Refusal.NO_ALARM, f"no open alarm has the id {alarm_id}")

    def _mark_service(self) -> None:
        """Say on every open alarm whether its subject is out of service."""
        self._reviewed = False
        for alarms in (self._open, self._orphans, self._withheld):
            for key, alarm in list(alarms.items()):
                covered = self._service.covers(alarm.subject)
                if covered != alarm.out_of_service:
                    alarms[key] = replace(alarm, out_of_service=covered)  # type: ignore[index]

    def _with_unknown(self, row: int, alarm: Alarm) -> Alarm:
        unknown = alarm.active and self.truth[row] == UNKNOWN
        return replace(alarm, unknown=True) if unknown else alarm
