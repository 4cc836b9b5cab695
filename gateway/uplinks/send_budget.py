"""Rate limit of a receiver: so many messages a minute, and none while it asks for a pause.

In: what was sent and what the receiver asked for. Out: the room left and how long to wait for more. Counts on the
monotonic clock, in memory: a restart begins with an empty minute, and the receiver then says so itself.
"""

from collections import deque

from gateway.ports import Clock

MINUTE_NS = 60_000_000_000


class SendBudget:
    """How many may be sent within a sliding minute."""

    def __init__(self, per_minute: int, clock: Clock) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._sent_ns: deque[int] = deque()
        self._silent_until_ns = 0

    @property
    def room(self) -> int:
        """How many messages may go now."""
        now_ns = self._clock.monotonic_ns()
        while self._sent_ns and self._sent_ns[0] <= now_ns - MINUTE_NS:
            self._sent_ns.popleft()
        return 0 if now_ns < self._silent_until_ns else max(0, self._per_minute - len(self._sent_ns))

    @property
    def wait_s(self) -> float:
        """How long until one may go; 0 when there is room."""
        if self.room:
            return 0.0
        now_ns = self._clock.monotonic_ns()
        free_ns = self._sent_ns[-self._per_minute] + MINUTE_NS if len(self._sent_ns) >= self._per_minute else now_ns
        return max(free_ns, self._silent_until_ns, now_ns) / 1e9 - now_ns / 1e9

    def spend(self) -> None:
        """Note that one message goes out now."""
        self._sent_ns.append(self._clock.monotonic_ns())

    def be_silent(self, seconds: float) -> None:
        """Send nothing for so long: the receiver asked for it."""
        self._silent_until_ns = max(self._silent_until_ns, self._clock.monotonic_ns() + int(seconds * 1e9))
