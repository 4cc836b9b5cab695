"""The one door for what people do to alarms: each command is carried out, sealed, and answered once it is kept.

In: an alarm (or a device or point), a user and a reason. Out: the number of the sealed record. Raises CommandError when
the alarm table refuses; nothing has changed then. Knows no HTTP.
"""

from collections.abc import Callable

from gateway.alarms import AlarmTable
from gateway.model.alarm import ServiceChange, Transition
from gateway.ports import Clock
from gateway.recorder import Recorder


class AlarmCommands:
    """Commands on the alarms as they are now: a reload may put another table in place."""

    def __init__(self, alarms: Callable[[], AlarmTable], recorder: Recorder, clock: Clock) -> None:
        self._alarms = alarms
        self._recorder = recorder
        self._clock = clock

    async def acknowledge(self, alarm_id: str, user: str, reason: str) -> int:
        """A person has seen it."""
        return await self._seal(self._alarms().acknowledge(alarm_id, user, reason, self._clock.now_ns()))

    async def reset(self, alarm_id: str, user: str, reason: str) -> int:
        """A latched alarm may go."""
        return await self._seal(self._alarms().reset(alarm_id, user, reason, self._clock.now_ns()))

    async def shelve(self, alarm_id: str, for_s: float, user: str, reason: str) -> int:
        """Put aside for a while; never a P1."""
        return await self._seal(self._alarms().shelve(alarm_id, for_s, user, reason, self._clock.now_ns()))

    async def unshelve(self, alarm_id: str, user: str, reason: str) -> int:
        """Back before its time."""
        return await self._seal(self._alarms().unshelve(alarm_id, user, reason, self._clock.now_ns()))

    async def out_of_service(self, target: str, for_s: float, user: str, reason: str) -> int:
        """A device or point is being worked on; again is a renewal."""
        return await self._seal_service(
            self._alarms().out_of_service(target, for_s, user, reason, self._clock.now_ns())
        )

    async def in_service(self, target: str, user: str, reason: str) -> int:
        """The work is done."""
        return await self._seal_service(self._alarms().in_service(target, user, reason, self._clock.now_ns()))

    async def _seal(self, transition: Transition) -> int:
        return (await self._recorder.record_transition(transition, None, ())).seq

    async def _seal_service(self, change: ServiceChange) -> int:
        return (await self._recorder.record_service(change)).seq
