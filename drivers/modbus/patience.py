"""Timeouts of units on a shared bus. A dead unit must not starve the others. Pure.

In: which unit answered after how long, which was silent at what cost, the monotonic time. Out: the reply timeout for a
unit, and when an untrusted unit may be asked next. Knows no line.

Theory of operation. On a bus one silent unit makes all others wait. A unit is trusted at the start; a silence makes it
untrusted, `TRUST_AFTER` answers in a row make it trusted again. An untrusted unit is waited for only `down_timeout_ms`
(or twice its slowest answer, when that is longer); every `FULL_EVERY`th try gets the full timeout, in case the unit has
become slower than it was. Each silence of a unit that was untrusted already is paid for: for `REST` times what it cost,
no untrusted unit is asked, as long as anybody on the bus answers. So all silent units together take at most 1/REST of
the time of the bus. With nobody left to protect, the poller's back-off alone decides.
"""

from dataclasses import dataclass

REST = 100
TRUST_AFTER = 10
FULL_EVERY = 8


@dataclass(slots=True)
class _Record:
    silences: int = 0
    answers_in_a_row: int = 0
    slowest_ms: float = 0.0
    trusted: bool = True


class Patience:
    """One bus."""

    def __init__(self, timeout_ms: float, down_timeout_ms: float) -> None:
        self._timeout_ms = timeout_ms
        self._down_timeout_ms = down_timeout_ms
        self._records: dict[int, _Record] = {}
        self._rest_until_ns = 0

    def trusts(self, unit_id: int) -> bool:
        """Whether the unit may be asked at any time."""
        return self._record(unit_id).trusted

    def rest_s(self, now_ns: int) -> float:
        """How long untrusted units must still be left alone; 0 when nobody on the bus answers."""
        if not any(record.answers_in_a_row for record in self._records.values()):
            return 0.0
        return max(0, self._rest_until_ns - now_ns) / 1e9

    def timeout_ms(self, unit_id: int) -> float:
        """How long this unit's next reply is waited for."""
        record = self._record(unit_id)
        if record.trusted or record.silences % FULL_EVERY == 0:
            return self._timeout_ms
        return min(self._timeout_ms, max(self._down_timeout_ms, 2 * record.slowest_ms))

    def answered(self, unit_id: int, took_ms: float) -> None:
        """The unit answered, in whatever words."""
        record = self._record(unit_id)
        record.slowest_ms = max(record.slowest_ms, took_ms)
        record.answers_in_a_row += 1
        if record.answers_in_a_row >= TRUST_AFTER:
            record.trusted = True
            record.silences = 0

    def silent(self, unit_id: int, cost_ns: int, now_ns: int) -> None:
        """The unit did not answer; the bus was kept waiting for `cost_ns`."""
        record = self._record(unit_id)
        if not record.trusted:
            self._rest_until_ns = now_ns + REST * cost_ns
        record.trusted = False
        record.silences += 1
        record.answers_in_a_row = 0

    def _record(self, unit_id: int) -> _Record:
        return self._records.setdefault(unit_id, _Record())
