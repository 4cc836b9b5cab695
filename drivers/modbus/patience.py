"""Timeouts of units on a shared bus. A dead unit must not starve the others. Pure.

In: which unit answered after how long, which did not at what cost, the monotonic time. Out: the reply timeout for a
unit, and how long an untrusted unit must still be left alone. Knows no line.

Theory of operation. On a bus one silent unit makes all others wait. Each unit is judged by its own record alone.

    trusted --DOUBT_AFTER failures in a row; the first failure, when it never answered--> untrusted
    untrusted --TRUST_AFTER answers in a row--> trusted

A failure is silence or an unreadable reply: noise spoils a reply of a healthy unit now and then, so one failure proves
nothing. An untrusted unit is waited for only `down_timeout_ms` (or twice its slowest answer, when that is longer);
every `FULL_EVERY`th try gets the full timeout, in case the unit has become slower than it was.

An untrusted unit that fails again rests for `REST` times what the failure cost, times the number of untrusted units:
all of them together take at most 1/REST of the time of the bus. It never rests for longer than it has been without an
answer: a burst of noise of three seconds keeps nobody away for a minute. One answer ends the rest, and that of all
units which began to fail within `COMMON_CAUSE_S` of this one: a cable that was out is in again for all of them. When no
unit on the bus answers, nobody rests: the poller's back-off alone decides.
"""

from dataclasses import dataclass

REST = 100
DOUBT_AFTER = 3
TRUST_AFTER = 10
FULL_EVERY = 8
COMMON_CAUSE_S = 30


@dataclass(slots=True)
class _Record:
    trusted: bool = True
    tries_without_trust: int = 0
    failures_in_a_row: int = 0
    answers_in_a_row: int = 0
    slowest_ms: float = 0.0
    failing_since_ns: int = 0
    rests_until_ns: int = 0
    ever_answered: bool = False


class Patience:
    """How long one bus is waited for."""

    def __init__(self, timeout_ms: float, down_timeout_ms: float) -> None:
        self._timeout_ms = timeout_ms
        self._down_timeout_ms = down_timeout_ms
        self._records: dict[int, _Record] = {}

    def trusts(self, unit_id: int) -> bool:
        """Whether the unit may be asked at any time."""
        return self._record(unit_id).trusted

    def rest_s(self, unit_id: int, now_ns: int) -> float:
        """How long this unit must still be left alone; 0 for a trusted one, and when no unit on the bus answers."""
        record = self._record(unit_id)
        if record.trusted or not any(other.answers_in_a_row for other in self._records.values()):
            return 0.0
        return max(0, record.rests_until_ns - now_ns) / 1e9

    def timeout_ms(self, unit_id: int) -> float:
        """How long this unit's next reply is waited for."""
        record = self._record(unit_id)
        if record.trusted or record.tries_without_trust % FULL_EVERY == 0:
            return self._timeout_ms
        return min(self._timeout_ms, max(self._down_timeout_ms, 2 * record.slowest_ms))

    def answered(self, unit_id: int, took_ms: float) -> None:
        """The unit answered, in whatever words."""
        record = self._record(unit_id)
        record.ever_answered = True
        record.slowest_ms = max(record.slowest_ms, took_ms)
        if record.failures_in_a_row:
            self._end_rests(record.failing_since_ns)
            record.failures_in_a_row = 0
        record.answers_in_a_row += 1
        if record.answers_in_a_row >= TRUST_AFTER:
            record.trusted = True
            record.tries_without_trust = 0

    def failed(self, unit_id: int, cost_ns: int, now_ns: int) -> None:
        """The unit was silent or its reply unreadable; the bus was kept busy for `cost_ns`."""
        record = self._record(unit_id)
        record.answers_in_a_row = 0
        record.failures_in_a_row += 1
        if record.failures_in_a_row == 1:
            record.failing_since_ns = now_ns - cost_ns
        if not record.trusted:
            untrusted = sum(not other.trusted for other in self._records.values())
            rest_ns = min(REST * untrusted * cost_ns, now_ns - record.failing_since_ns)
            record.rests_until_ns = now_ns + rest_ns
            record.tries_without_trust += 1
        elif record.failures_in_a_row >= DOUBT_AFTER or not record.ever_answered:
            record.trusted = False
            record.tries_without_trust = 1

    def _end_rests(self, failing_since_ns: int) -> None:
        for record in self._records.values():
            if abs(record.failing_since_ns - failing_since_ns) <= COMMON_CAUSE_S * 1e9:
                record.rests_until_ns = 0

    def _record(self, unit_id: int) -> _Record:
        return self._records.setdefault(unit_id, _Record())
