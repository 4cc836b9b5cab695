"""Loss rules: a device that answers, and not often enough. Judged on polls of devices that are asked.

Source: product-defined; no standard was found that gives a share.

    polls     . . x . . . x x . . . . x x x x x x x x ... x x . . .        x: not answered
    counted   1 1 1 1 1 1 1 1 1 1 1 1 (an outage)             1 1 1

Counted are the requests of the last `window_s`, and at least the last `min_requests`: fewer prove nothing, and a slow
device needs longer for them. Failures in a row count once an answer ends them within `outage_s`; what lasts longer is
an outage, which another family tells (silence), and counts as nothing.

TRUE: the share that was lost reaches the limit; it must fall behind the deadband to end. FALSE: it does not. UNKNOWN:
too few requests, an outage now, or no poll at all. Fewer requests are enough where none was lost: at the limit's share
that would happen once in a hundred times (of 21 requests at 20 %). Times are those of the polls; a clock that was set
back begins anew.

Horizon: `window_s`. Memory: at most `BUCKETS` + `min_requests` counts a rule.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log

import numpy as np
from numpy.typing import NDArray

from gateway.model.reading import Readings
from gateway.model.rule import LossParameters, ResolvedRule
from gateway.model.verdict import Truth, Verdicts
from gateway.rules.columns import no_data
from gateway.rules.coverage import SET_BACK_NS
from gateway.rules.window import Window

BUCKETS = 60
BY_CHANCE = 0.01
SAY_EVERY_NS = 1_000_000_000
"""A device that is polled fast is judged once a second: a share of hundreds of requests does not change sooner."""


class LossRules:
    """All loss rows of the box. A row's `limit` and `deadband` are in per cent."""

    def __init__(self, rules: Sequence[tuple[int, ResolvedRule]]) -> None:
        self.row = np.array([row for row, _ in rules], dtype=np.int32)
        self._points = [np.array(rule.device_points, dtype=np.int32) for _, rule in rules]
        self._known = frozenset(int(point) for points in self._points for point in points)
        self._counters = [_Counter(rule) for _, rule in rules]
        self._of_device: dict[str, list[int]] = {}
        for position, (_, rule) in enumerate(rules):
            self._of_device.setdefault(rule.subject, []).append(position)
        self.horizon_s = max((_parameters_of(rule).window_s for _, rule in rules), default=0.0)

    def concerned(self, point_index: NDArray[np.int32]) -> bool:
        """Whether polls of this layout bring any of the devices' points."""
        return not self._known.isdisjoint(point_index.tolist())

    def hold(self, rows: set[int]) -> None:
        """After a restart: the alarms of these rows are active."""
        for position, row in enumerate(self.row.tolist()):
            self._counters[position].over |= row in rows

    def evaluate(self, readings: Readings) -> Verdicts:
        """Count one poll, answered or not; `measured` is the share that was lost, per cent."""
        answered = bool(readings.raw.blocks or readings.raw.payload)
        judged = []
        for position in self._of_device.get(readings.device, ()):
            counter = self._counters[position]
            counter.note(readings.observed_at_ns, answered=answered)
            if counter.is_due(readings.observed_at_ns):
                judged.append((position, *counter.judge(readings.observed_at_ns)))
        truth = np.array([truth for _, truth, _ in judged], dtype=np.uint8)
        measured = np.array([share for _, _, share in judged], dtype=np.float64)
        row = self.row[np.array([position for position, _, _ in judged], dtype=np.intp)]
        return Verdicts(row, truth, measured, readings.observed_at_ns)

    def without_data(self, window: Window, mono_ns: int, now_ns: int) -> Verdicts:
        """UNKNOWN for devices of which not even a failed poll came for longer than any of their points may be old."""
        silent = mono_ns - window.seen_mono_ns > window.points.stale_after_ns
        return no_data(self.row[[bool(silent[points].all()) for points in self._points]], now_ns)


@dataclass(slots=True)
class _Bucket:
    """Requests of one stretch of time."""

    begins_ns: int
    asked: int
    lost: int


class _Counter:
    """One device."""

    def __init__(self, rule: ResolvedRule) -> None:
        own = _parameters_of(rule)
        self._limit, self._end = rule.limit, rule.limit - rule.deadband
        self._window_ns, self._outage_ns = int(own.window_s * 1e9), int(own.outage_s * 1e9)
        self._min_requests = own.min_requests
        self._enough_without_loss = ceil(log(BY_CHANCE) / log(1 - rule.limit / 100))
        self._buckets: deque[_Bucket] = deque()
        self._asked = self._lost = 0
        self._failures, self._failing_since_ns = 0, 0
        self._last_ns = self._said_ns = 0
        self.over = False

    def note(self, now_ns: int, *, answered: bool) -> None:
        """Count one poll that was lost, at this moment."""
        if now_ns < self._last_ns - SET_BACK_NS:
            self._forget()
        self._last_ns = now_ns
        if not answered:
            self._failing_since_ns = self._failing_since_ns or now_ns
            self._failures += 1
            return
        self._count(now_ns, 0 if self._in_outage(now_ns) else self._failures)
        self._failures = self._failing_since_ns = 0

    def is_due(self, now_ns: int) -> bool:
        """Whether a second has passed since the last verdict."""
        return now_ns - self._said_ns >= SAY_EVERY_NS

    def judge(self, now_ns: int) -> tuple[Truth, float]:
        """The verdict, and the share that was lost."""
        self._said_ns = now_ns
        enough = self._min_requests if self._lost else min(self._min_requests, self._enough_without_loss)
        if self._asked < enough or self._in_outage(now_ns):
            return Truth.UNKNOWN, np.nan
        share = 100.0 * self._lost / self._asked
        self.over = share >= self._limit or (self.over and share > self._end)
        return Truth(self.over), share

    def _in_outage(self, now_ns: int) -> bool:
        return self._failures > 0 and now_ns - self._failing_since_ns >= self._outage_ns

    def _count(self, now_ns: int, lost: int) -> None:
        """An answer, and the requests before it that had none."""
        width_ns = self._window_ns // BUCKETS
        if not self._buckets or now_ns - self._buckets[-1].begins_ns >= width_ns:
            self._buckets.append(_Bucket(now_ns, 0, 0))
        self._buckets[-1].asked += 1 + lost
        self._buckets[-1].lost += lost
        self._asked += 1 + lost
        self._lost += lost
        while self._may_forget(self._buckets[0], now_ns):
            old = self._buckets.popleft()
            self._asked -= old.asked
            self._lost -= old.lost

    def _may_forget(self, oldest: _Bucket, now_ns: int) -> bool:
        old = now_ns - oldest.begins_ns > self._window_ns
        return old and self._asked - oldest.asked >= self._min_requests

    def _forget(self) -> None:
        self._buckets.clear()
        self._asked = self._lost = self._failures = self._failing_since_ns = self._said_ns = 0


def _parameters_of(rule: ResolvedRule) -> LossParameters:
    assert isinstance(rule.parameters, LossParameters), rule.info.rule_id
    return rule.parameters
