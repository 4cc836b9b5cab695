"""Escalation: another person is told of a P1 that is not acknowledged in time, or of a box that nobody watches.

    P1, not acknowledged, for p1_after_s                            -> escalation "unacknowledged N s"
    P1 or P2 active, not acknowledged, no live page for the while   -> escalation "no screen listening"

In: the open alarms and how many screens listen. Out: escalations to be sealed and sent, once for each episode and
reason. An alarm that is shelved or out of service calls nobody. Durations are monotonic: a clock that is set neither
hastens nor delays; for alarms that were open at the start, what had passed before is taken from their own time.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.alarms import AlarmTable
from gateway.evidence.evidence import NO_SCREEN, unacknowledged
from gateway.line.recorder import Recorder
from gateway.model.alarm import Alarm, Severity
from gateway.ports import Clock

log = logging.getLogger(__name__)
CHECK_EVERY_S = 1.0
_GRAVE = (Severity.P1, Severity.P2)


@dataclass(frozen=True, slots=True)
class EscalationOutlook:
    """When a P1 that nobody has acknowledged is told to somebody else: in `in_s` seconds, to the uplinks `to`.

    `done` says that this has happened; `in_s` is 0 then. Without uplinks an escalation is only recorded and shown.
    """

    alarm_id: str
    in_s: int
    to: tuple[str, ...]
    done: bool


class Escalation:
    """Watches the open alarms. `screens` tells how many live pages listen now."""

    def __init__(
        self,
        alarms: Callable[[], AlarmTable],
        screens: Callable[[], int],
        recorder: Recorder,
        clock: Clock,
        *,
        p1_after_s: int,
        no_screen_after_s: int,
        channels: Sequence[str] = (),
    ) -> None:
        self._alarms = alarms
        self._screens = screens
        self._recorder = recorder
        self._clock = clock
        self._p1_after_s = p1_after_s
        self._no_screen_after_s = no_screen_after_s
        self._channels = tuple(channels)
        self._started_ns = clock.now_ns()
        self._seen_mono_ns: dict[str, int] = {}
        self._looked_mono_ns = clock.monotonic_ns()

    async def run(self) -> None:
        """Look once a second until cancelled."""
        while True:
            self.check()
            await self._clock.sleep(CHECK_EVERY_S)

    def check(self) -> None:
        """Look now, and put what is due in line to be sealed and sent."""
        mono_ns = self._clock.monotonic_ns()
        if self._screens():
            self._looked_mono_ns = mono_ns
        alarms = self._alarms().open_alarms()
        self._seen_mono_ns = {alarm.alarm_id: self._seen(alarm, mono_ns) for alarm in alarms}
        for alarm in alarms:
            for because in self._due(alarm, mono_ns):
                self._escalate(alarm, because)

    def outlook(self) -> list[EscalationOutlook]:
        """Every P1 that still calls, the most urgent first; one that was told already comes last."""
        mono_ns, late = self._clock.monotonic_ns(), unacknowledged(self._p1_after_s)
        found = []
        for alarm in self._alarms().open_alarms():
            if alarm.rule.severity is Severity.P1 and not alarm.acknowledged and not alarm.silenced:
                left_ns = self._seen(alarm, mono_ns) + self._p1_after_s * 1_000_000_000 - mono_ns
                done = late in alarm.escalated
                left_s = 0 if done else max(0, -(-left_ns // 1_000_000_000))
                found.append(EscalationOutlook(alarm.alarm_id, left_s, self._channels, done))
        return sorted(found, key=lambda each: (each.done, each.in_s))

    def _seen(self, alarm: Alarm, mono_ns: int) -> int:
        """Since when this alarm has been open, on the monotonic clock."""
        known = self._seen_mono_ns.get(alarm.alarm_id)
        if known is not None:
            return known
        return mono_ns - max(0, self._started_ns - alarm.raised_at_ns)

    def _due(self, alarm: Alarm, mono_ns: int) -> list[str]:
        if alarm.acknowledged or alarm.silenced or alarm.rule.severity not in _GRAVE:
            return []
        seen_ns, due = self._seen_mono_ns[alarm.alarm_id], []
        late = unacknowledged(self._p1_after_s)
        if alarm.rule.severity is Severity.P1 and mono_ns - seen_ns >= self._p1_after_s * 1_000_000_000:
            due.append(late)
        alone_ns = mono_ns - max(seen_ns, self._looked_mono_ns)
        if alarm.active and alone_ns >= self._no_screen_after_s * 1_000_000_000:
            due.append(NO_SCREEN)
        return [because for because in due if because not in alarm.escalated]

    def _escalate(self, alarm: Alarm, because: str) -> None:
        transition = self._alarms().escalate(alarm.alarm_id, because, self._clock.now_ns())
        self._recorder.record_transition(transition, None, ())
        log.warning("event=escalated alarm=%s rule=%s because=%r", alarm.alarm_id, alarm.rule.rule_id, because)
