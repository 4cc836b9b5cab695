"""How well the alarms serve the person who answers them: chatter, flood, standing and stale alarms.

In: every raise, and the open alarms. Out: counts and lists for screens and metrics. Nothing here changes an alarm.
Standing: active for a day. Stale: on the list for a day although its condition is over. Times are UTC ns.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.model.alarm import Alarm, AlarmBounds, Severity


@dataclass(frozen=True, slots=True)
class Chatter:
    """One alarm that comes too often: `raises` within the window."""

    rule_id: str
    subject: str
    raises: int


@dataclass(frozen=True, slots=True)
class Performance:
    """Performance of the alarms for a shift leader. `standing` and `stale` hold alarm ids."""

    flood: bool
    raised_in_flood_window: int
    chattering: tuple[Chatter, ...]
    standing: tuple[str, ...]
    stale: tuple[str, ...]


class PerformanceCounter:
    """Remembers the raises of the last windows, bounded."""

    MAX_RAISES = 10_000

    def __init__(self, bounds: AlarmBounds) -> None:
        self._bounds = bounds
        self._raises: deque[tuple[int, str, str, bool]] = deque(maxlen=self.MAX_RAISES)
        self._kept_ns = int(max(bounds.flood_window_s, bounds.chatter_window_s) * 1e9)

    def note(self, alarm: Alarm) -> None:
        """An alarm was raised. One that calls nobody counts for chatter, not for the flood."""
        calls = not (alarm.silenced or alarm.rule.severity is Severity.LOG)
        self._raises.append((alarm.raised_at_ns, alarm.rule.rule_id, alarm.subject, calls))
        while self._raises[0][0] < alarm.raised_at_ns - self._kept_ns:
            self._raises.popleft()

    def report(self, alarms: Sequence[Alarm], now_ns: int) -> Performance:
        """How it stands now, over the open alarms."""
        bounds = self._bounds
        raised = sum(calls for at_ns, _, _, calls in self._raises if _within(at_ns, now_ns, bounds.flood_window_s))
        old_ns = now_ns - int(bounds.standing_after_s * 1e9)
        return Performance(
            flood=raised > bounds.flood_alarms,
            raised_in_flood_window=raised,
            chattering=self._chattering(now_ns),
            standing=tuple(a.alarm_id for a in alarms if a.active and a.raised_at_ns <= old_ns),
            stale=tuple(a.alarm_id for a in alarms if not a.active and a.raised_at_ns <= old_ns),
        )

    def _chattering(self, now_ns: int) -> tuple[Chatter, ...]:
        counts: dict[tuple[str, str], int] = {}
        for at_ns, rule_id, subject, _ in self._raises:
            if _within(at_ns, now_ns, self._bounds.chatter_window_s):
                counts[rule_id, subject] = counts.get((rule_id, subject), 0) + 1
        return tuple(Chatter(*key, n) for key, n in counts.items() if n >= self._bounds.chatter_raises)


def _within(at_ns: int, now_ns: int, window_s: float) -> bool:
    return abs(now_ns - at_ns) <= window_s * 1e9
