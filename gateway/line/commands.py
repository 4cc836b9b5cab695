"""The one door for what people do to alarms: each command is carried out, sealed, and answered once it is kept.

In: an alarm (or a device or point), a user and a reason. Out: the number of the sealed record. Raises CommandError when
the alarm table refuses; nothing has changed then. Knows no HTTP.
"""

from collections.abc import Callable, Sequence

from gateway.alarms import AlarmTable, CommandError, Refusal
from gateway.alarms.judgements import Judgement, Judgements
from gateway.line.recorder import Recorder
from gateway.model.alarm import Alarm, ServiceChange, Severity, Transition
from gateway.model.alarm_note import AlarmNote, FalseAlarmCause, NoteKind
from gateway.ports import Clock
from gateway.store.alarm_history import AlarmHistory
from gateway.store.alert_store import AlertStore


class AlarmCommands:
    """Commands on the alarms as they are now: a reload may put another table in place."""

    def __init__(self, alarms: Callable[[], AlarmTable], recorder: Recorder, clock: Clock, alerts: AlertStore) -> None:
        self._alarms = alarms
        self._recorder = recorder
        self._clock = clock
        self._alerts = alerts
        self._judgements = Judgements(AlarmHistory(alerts.path).notes())

    async def acknowledge(self, alarm_id: str, user: str, reason: str) -> int:
        """Note that a person has seen the alarm; the record's number."""
        return await self._seal(self._alarms().acknowledge(alarm_id, user, reason, self._clock.now_ns()))

    def check_together(self, alarm_ids: Sequence[str]) -> None:
        """Several alarms are acknowledged with one reason only when none of them is a P1. Raises CommandError."""
        for alarm_id in alarm_ids:
            alarm = self.alarm(alarm_id)
            if alarm is None:
                raise CommandError(Refusal.NO_ALARM, f"no alarm has the id {alarm_id}")
            if alarm.rule.severity is Severity.P1:
                raise CommandError(
                    Refusal.P1_ALONE, f"alarm {alarm_id}: a P1 alarm is acknowledged alone, not together with others"
                )

    async def reset(self, alarm_id: str, user: str, reason: str) -> int:
        """Let a latched alarm go; the record's number."""
        return await self._seal(self._alarms().reset(alarm_id, user, reason, self._clock.now_ns()))

    async def shelve(self, alarm_id: str, for_s: float, user: str, reason: str) -> int:
        """Put aside for a while; never a P1."""
        return await self._seal(self._alarms().shelve(alarm_id, for_s, user, reason, self._clock.now_ns()))

    async def unshelve(self, alarm_id: str, user: str, reason: str) -> int:
        """Bring an alarm back before its shelf time; the record's number."""
        return await self._seal(self._alarms().unshelve(alarm_id, user, reason, self._clock.now_ns()))

    async def out_of_service(self, target: str, for_s: float, user: str, reason: str) -> int:
        """A device or point is being worked on; again is a renewal."""
        return await self._seal_service(
            self._alarms().out_of_service(target, for_s, user, reason, self._clock.now_ns())
        )

    async def in_service(self, target: str, user: str, reason: str) -> int:
        """End an out-of-service time, the work being done; the record's number."""
        return await self._seal_service(self._alarms().in_service(target, user, reason, self._clock.now_ns()))

    async def note(self, alarm_id: str, user: str, reason: str) -> int:
        """What was done about an alarm, open or past."""
        return await self._say(NoteKind.NOTE, alarm_id, user, reason)

    async def false_alarm(self, alarm_id: str, cause: FalseAlarmCause, user: str, reason: str) -> int:
        """A judgement: it was no danger. The alarm goes on calling while its condition holds."""
        return await self._say(NoteKind.FALSE_ALARM, alarm_id, user, reason, cause)

    async def withdraw_judgement(self, alarm_id: str, user: str, reason: str) -> int:
        """It was no false alarm after all."""
        return await self._say(NoteKind.WITHDRAWN, alarm_id, user, reason)

    async def hand_over(self, alarm_id: str, user: str, reason: str) -> int:
        """A person reports it to the regulator, once."""
        if not self._recorder.reaches_regulator:
            raise CommandError(Refusal.NO_REGULATOR, "this box reports to no regulator")
        return await self._say(NoteKind.HANDED_OVER, alarm_id, user, reason)

    def judgement(self, alarm_id: str) -> Judgement:
        """What people have said of an alarm so far."""
        return self._judgements.of(alarm_id)

    def alarm(self, alarm_id: str) -> Alarm | None:
        """An alarm as it is now, open or past."""
        table = self._alarms()
        held = [*table.open_alarms(), *table.withheld_alarms()]
        return next((alarm for alarm in held if alarm.alarm_id == alarm_id), None) or self._alerts.alarm(alarm_id)

    @property
    def reaches_regulator(self) -> bool:
        """Whether a hand-over has anywhere to go."""
        return self._recorder.reaches_regulator

    async def _say(
        self, kind: NoteKind, alarm_id: str, user: str, reason: str, cause: FalseAlarmCause | None = None
    ) -> int:
        alarm = self.alarm(alarm_id)
        if alarm is None:
            raise CommandError(Refusal.NO_ALARM, f"no alarm has the id {alarm_id}")
        note = AlarmNote(kind, alarm, self._clock.now_ns(), user, reason, cause)
        self._judgements.take(note)
        return (await self._recorder.record_note(note)).seq

    async def _seal(self, transition: Transition) -> int:
        return (await self._recorder.record_transition(transition, None, ())).seq

    async def _seal_service(self, change: ServiceChange) -> int:
        return (await self._recorder.record_service(change)).seq
