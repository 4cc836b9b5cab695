"""Change-count rules: an input that chatters, or a state that changes too often.

Source: product-defined; no standard was found that gives a count.

A change is a move of more than `min_change` away from the value of the last change; with a `level`, a crossing of that
level from beyond `min_change` on one side to beyond it on the other. Counted are the changes of the last `window_s`.

TRUE: more than the limit were seen, whatever else may be missing. FALSE: not more, and the whole window was watched
without a hole longer than `gap_s`. Otherwise UNKNOWN: changes may have gone unseen.

Horizon: the rule's `window_s`. Memory: the times of the last 2 (limit + 1) changes a rule; beyond that the count that
is reported stands still, which no verdict depends on.
"""

import math
from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.model.reading import GOOD, Readings
from gateway.model.rule import ChangeCountParameters, ResolvedRule
from gateway.model.verdict import Truth, Verdicts
from gateway.rules.columns import Columns, no_data
from gateway.rules.coverage import Coverage
from gateway.rules.window import Window


class ChangeCountRules:
    """All change-count rows of the box: the anchor and the times of the last changes of each."""

    def __init__(self, rules: Sequence[tuple[int, ResolvedRule]]) -> None:
        own = [_parameters_of(rule) for _, rule in rules]
        self.row = np.array([row for row, _ in rules], dtype=np.int32)
        self._columns = Columns([rule.point_index for _, rule in rules])
        self._coverage = Coverage([each.gap_s for each in own])
        self._counters = [_Counter(rule) for _, rule in rules]
        self.horizon_s = max((each.window_s for each in own), default=0.0)

    def concerned(self, point_index: NDArray[np.int32]) -> bool:
        """Whether polls of this layout bring any of the points."""
        return len(self._columns.of(point_index).position) > 0

    def hold(self, rows: set[int]) -> None:
        """After a restart: nothing is kept; a window that was not watched is UNKNOWN."""

    def evaluate(self, readings: Readings) -> Verdicts:
        """Judge one poll. A sample that is not good is no sample; it is UNKNOWN only once it leaves a hole."""
        plan, now_ns = self._columns.of(readings.point_index), readings.observed_at_ns
        value = readings.value[plan.column]
        good = (readings.quality[plan.column] == GOOD) & np.isfinite(value)
        position = plan.position[good]
        step = self._coverage.note(position, now_ns)
        watched_ns = self._coverage.watched_ns(position, now_ns)
        bad = plan.position[~good]
        judged = [(int(p), Truth.UNKNOWN, math.nan) for p in bad[self._coverage.broken(bad, now_ns)]]
        for i in np.flatnonzero(step.taken):
            counter = self._counters[position[i]]
            if step.set_back[i]:
                counter.forget()
            counter.note(now_ns, float(value[good][i]), follows=not step.begins[i])
            judged.append((int(position[i]), *counter.judge(now_ns, int(watched_ns[i]))))
        truth = np.array([truth for _, truth, _ in judged], dtype=np.uint8)
        measured = np.array([count for _, _, count in judged], dtype=np.float64)
        return Verdicts(self.row[[p for p, _, _ in judged]], truth, measured, now_ns)

    def without_data(self, window: Window, mono_ns: int, now_ns: int) -> Verdicts:
        """UNKNOWN for every row without a good sample for longer than its gap."""
        return no_data(self.row[self._coverage.silent(self._columns.points, window, mono_ns)], now_ns)


class _Counter:
    """One row: where the value stood at its last change, and when it changed."""

    def __init__(self, rule: ResolvedRule) -> None:
        parameters = _parameters_of(rule)
        self._limit = rule.limit
        self._window_ns = int(parameters.window_s * 1e9)
        self._min_change = parameters.min_change
        self._level = parameters.level
        self._anchor = math.nan
        self._changed_ns: deque[int] = deque(maxlen=2 * (int(rule.limit) + 1))

    def forget(self) -> None:
        """The clock was set back: the times kept mean nothing any more."""
        self._changed_ns.clear()

    def note(self, now_ns: int, value: float, *, follows: bool) -> None:
        """Count a change. What changed over a hole is not counted: it is not known when, nor how often."""
        place = value if math.isnan(self._level) else self._side(value)
        if not follows or math.isnan(self._anchor):
            self._anchor = place
        elif abs(place - self._anchor) > (self._min_change if math.isnan(self._level) else 0.0):
            self._anchor = place
            self._changed_ns.append(now_ns)

    def judge(self, now_ns: int, watched_ns: int) -> tuple[Truth, float]:
        """The verdict, and how many changes are known in the window."""
        while self._changed_ns and now_ns - self._changed_ns[0] >= self._window_ns:
            self._changed_ns.popleft()
        count = len(self._changed_ns)
        if count > self._limit:
            return Truth.TRUE, float(count)
        return (Truth.FALSE if watched_ns >= self._window_ns else Truth.UNKNOWN), float(count)

    def _side(self, value: float) -> float:
        """Which side of the level: +1, -1, or the side it was on (NaN: not known yet)."""
        away = value - self._level
        return math.copysign(1.0, away) if abs(away) > self._min_change else self._anchor


def _parameters_of(rule: ResolvedRule) -> ChangeCountParameters:
    assert isinstance(rule.parameters, ChangeCountParameters), rule.info.rule_id
    return rule.parameters
