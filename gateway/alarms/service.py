"""Out of service: devices and points that are being worked on, each for a stated time.

In: commands and the time. Out: changes to be sealed, and whether a subject is covered. A device covers its points.
Knows no alarm: the alarms of what is out are judged and recorded as ever.
"""

from collections.abc import Iterable, Mapping

from gateway.alarms.refusal import CommandError
from gateway.alarms.tables import Refusal
from gateway.model.alarm import OutOfService, ServiceChange, TransitionKind


class ServiceRegister:
    """Out-of-service list. `subjects` are the points and devices of the box, `device_of` the points' devices."""

    def __init__(self, subjects: Iterable[str], device_of: Mapping[str, str], max_s: float) -> None:
        self._subjects = {*subjects, *device_of, *device_of.values()}
        self._device_of = device_of
        self._max_s = max_s
        self._out: dict[str, OutOfService] = {}

    def restore(self, entries: Iterable[OutOfService]) -> None:
        """Take over what was out of service at the last commit."""
        self._out = {entry.target: entry for entry in entries}

    def entries(self) -> list[OutOfService]:
        """Everything that is out of service, the next to expire first."""
        return sorted(self._out.values(), key=lambda entry: entry.until_ns)

    def covers(self, subject: str) -> bool:
        """Whether this point or device, or the device of this point, is out of service."""
        return bool(self._out) and (subject in self._out or self._device_of.get(subject, "") in self._out)

    def take_out(self, target: str, for_s: float, user: str, reason: str, now_ns: int) -> ServiceChange:
        """Out of service for `for_s` seconds from now; again is a renewal. Raises CommandError."""
        if target not in self._subjects:
            raise CommandError(Refusal.NO_SUBJECT, f"no point or device has the id {target}")
        if for_s > self._max_s:
            raise CommandError(
                Refusal.TOO_LONG, f"{for_s:g} s is longer than {self._max_s:g} s; renew it before the time is over"
            )
        entry = OutOfService(target, now_ns, now_ns + int(for_s * 1e9), user, reason)
        self._out[target] = entry
        return ServiceChange(TransitionKind.OUT_OF_SERVICE, entry, now_ns, user, reason)

    def put_back(self, target: str, user: str, reason: str, now_ns: int) -> ServiceChange:
        """In service again. Raises CommandError when it is not out of service."""
        if target not in self._out:
            raise CommandError(Refusal.NOT_OUT_OF_SERVICE, f"{target} is not out of service")
        return ServiceChange(TransitionKind.IN_SERVICE, self._out.pop(target), now_ns, user, reason)

    def expire(self, now_ns: int) -> list[ServiceChange]:
        """Back in service whose time is over; a clock that was set back behind the start ends it too."""
        over = [entry for entry in self._out.values() if not entry.since_ns <= now_ns < entry.until_ns]
        for entry in over:
            del self._out[entry.target]
        return [ServiceChange(TransitionKind.IN_SERVICE, entry, now_ns, "", "time is over") for entry in over]
