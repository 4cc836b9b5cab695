"""Rate-of-change rules: how fast a value moves, as a robust slope over a window.

Source: the family is product-defined. GB 50497-2019 Table 8.0.4 gives rate limits for pits in mm/d (certainty with each
rule); no clause was found that says how a rate is computed from automatic readings: window, gaps and the slope are a
product design. The slope is Theil and Sen's: the median of the slopes between all pairs of samples, which up to 29 % of
wild samples cannot move (Sen, J. Am. Stat. Assoc. 63, 1968).

Horizon: the rule's `window_s`. The verdict is UNKNOWN until the window is full, while it has a hole longer than
`gap_s`, and with fewer than `min_samples` samples in it.

Memory: at most `KEPT` + 2 samples a rule (16 bytes of payload each), whatever the window and the polling rate: a sample
is kept when a `KEPT`-th of the window has passed since the last one that was. Only then is the slope computed, over at
most 2,145 pairs. Values that wrap (a slew angle) have no rate here.
"""

from collections import deque
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gateway.model.reading import GOOD, Readings
from gateway.model.rule import Direction, RateParameters, ResolvedRule
from gateway.model.verdict import Truth, Verdicts
from gateway.rules.columns import Columns, no_data
from gateway.rules.coverage import Coverage
from gateway.rules.window import Window

KEPT = 64


def slope_per_s(t_ns: Sequence[int], value: Sequence[float]) -> float:
    """The Theil-Sen slope in units per second. Needs two samples at different times."""
    t_s = (np.array(t_ns, dtype=np.int64) - t_ns[0]) / 1e9
    v = np.array(value, dtype=np.float64)
    first, second = _pairs(len(v))
    return float(np.median((v[second] - v[first]) / (t_s[second] - t_s[first])))


class RateOfChangeRules:
    """All rate rows of the box: a short ring each, and the last known answer for the deadband."""

    def __init__(self, rules: Sequence[tuple[int, ResolvedRule]]) -> None:
        self.row = np.array([row for row, _ in rules], dtype=np.int32)
        self._columns = Columns([rule.point_index for _, rule in rules])
        self._coverage = Coverage([parameters_of(rule).gap_s for _, rule in rules])
        self._rates = [_Rate(rule) for _, rule in rules]
        self.horizon_s = max((parameters_of(rule).window_s for _, rule in rules), default=0.0)

    def concerned(self, point_index: NDArray[np.int32]) -> bool:
        """Whether polls of this layout bring any of the points."""
        return len(self._columns.of(point_index).position) > 0

    def hold(self, rows: set[int]) -> None:
        """After a restart: these rows' alarms are active, so their last known answer is TRUE."""
        for row, rate in zip(self.row, self._rates, strict=True):
            rate.held = rate.held or int(row) in rows

    def remember(self, point_index: int, t_ns: NDArray[np.int64], value: NDArray[np.float64]) -> None:
        """What a point said before the start, oldest first, so that a day's rate need not wait for a day."""
        position = np.flatnonzero(self._columns.points == point_index)
        for at_ns, each in zip(t_ns.tolist(), value.tolist(), strict=True):
            step = self._coverage.note(position, at_ns)
            for p, begins in zip(position[step.taken], step.begins[step.taken], strict=True):
                if begins:
                    self._rates[p].forget()
                self._rates[p].keep(at_ns, each)

    def evaluate(self, readings: Readings) -> Verdicts:
        """Judge the rows that have a new sample in their ring; what lies between says nothing new."""
        plan, now_ns = self._columns.of(readings.point_index), readings.observed_at_ns
        value = readings.value[plan.column]
        good = (readings.quality[plan.column] == GOOD) & np.isfinite(value)
        position = plan.position[good]
        step = self._coverage.note(position, now_ns)
        watched_ns = self._coverage.watched_ns(position, now_ns)
        broken = plan.position[~good][self._coverage.broken(plan.position[~good], now_ns)]
        judged = [(int(p), Truth.UNKNOWN, np.nan) for p in broken]
        for i in np.flatnonzero(step.taken):
            rate = self._rates[position[i]]
            if step.begins[i]:
                rate.forget()
            if rate.keep(now_ns, float(value[good][i])):
                judged.append((int(position[i]), *rate.judge(int(watched_ns[i]))))
        rows = self.row[[p for p, _, _ in judged]]
        truth = np.array([truth for _, truth, _ in judged], dtype=np.uint8)
        return Verdicts(rows, truth, np.array([measured for _, _, measured in judged], dtype=np.float64), now_ns)

    def without_data(self, window: Window, mono_ns: int, now_ns: int) -> Verdicts:
        """UNKNOWN for every row without a good sample for longer than its gap."""
        return no_data(self.row[self._coverage.silent(self._columns.points, window, mono_ns)], now_ns)


class _Rate:
    """One row: its ring and its last known answer."""

    def __init__(self, rule: ResolvedRule) -> None:
        parameters = parameters_of(rule)
        self.held = False
        self._window_ns = int(parameters.window_s * 1e9)
        self._step_ns = self._window_ns // KEPT
        self._per_s = parameters.per_s
        self._either = parameters.either
        self._min_samples = parameters.min_samples
        self._sign = 1.0 if rule.direction is Direction.HIGH else -1.0
        self._limit = self._sign * rule.limit
        self._deadband = rule.deadband
        self._t_ns: deque[int] = deque(maxlen=KEPT + 2)
        self._value: deque[float] = deque(maxlen=KEPT + 2)

    def forget(self) -> None:
        """Forget all: nothing before a hole counts."""
        self._t_ns.clear()
        self._value.clear()

    def keep(self, now_ns: int, value: float) -> bool:
        """Take a sample into the ring, when it is far enough from the last one; let go of what left the window."""
        if self._t_ns and now_ns - self._t_ns[-1] < self._step_ns:
            return False
        self._t_ns.append(now_ns)
        self._value.append(value)
        while self._t_ns[0] < now_ns - self._window_ns:
            self._t_ns.popleft()
            self._value.popleft()
        return True

    def judge(self, watched_ns: int) -> tuple[Truth, float]:
        """The verdict and the rate; UNKNOWN and NaN while the window is not full or too thin."""
        if watched_ns < self._window_ns or len(self._t_ns) < self._min_samples:
            return Truth.UNKNOWN, np.nan
        rate = slope_per_s(self._t_ns, self._value) * self._per_s
        measured = abs(rate) if self._either else rate
        x = self._sign * measured
        self.held = x >= self._limit or (self.held and x >= self._limit - self._deadband)
        return Truth.TRUE if self.held else Truth.FALSE, measured


def parameters_of(rule: ResolvedRule) -> RateParameters:
    """The settings that a rate rule has of its own."""
    assert isinstance(rule.parameters, RateParameters), rule.info.rule_id
    return rule.parameters


@lru_cache(maxsize=KEPT + 3)
def _pairs(count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    first, second = np.triu_indices(count, k=1)
    return first, second
