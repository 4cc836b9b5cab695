"""Flat-line rules: a value that does not move, though a living sensor's would.

Source: product-defined; no standard was found that gives a time. Why it matters: a frozen value looks like a quiet
site.

    value                     a change: further than `tolerance` from the anchor; the new value is the next anchor
      |        __
      |  _/\\_/  \\_________________________
      |            ^ anchor               ^ TRUE after limit seconds and min_samples samples
      +------------------------------------------> time

FALSE is said only of what was seen to move (or, with `only_when`, while the condition was off): until a watch is as
long as the limit, or after a hole longer than `gap_s`, the answer is UNKNOWN. What was found stuck is cleared by a
movement only, not by the condition's end.

Horizon: the rule's limit. Memory: a fixed 40 bytes or so a rule; no samples are kept.
"""

from collections.abc import Sequence
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from gateway.model.reading import GOOD, Readings
from gateway.model.rule import FlatLineParameters, ResolvedRule
from gateway.model.verdict import FALSE, TRUE, UNKNOWN, Verdicts
from gateway.rules.columns import Columns, Plan, Positions, no_data
from gateway.rules.coverage import Coverage, Flags, Step
from gateway.rules.window import Window

_OFF, _ON, _NOT_KNOWN = 0, 1, 2
_GOOD = int(GOOD)


class FlatLineRules:
    """All flat-line rows of the box, as arrays of one entry a row."""

    def __init__(self, rules: Sequence[tuple[int, ResolvedRule]]) -> None:
        n = len(rules)
        own = [_parameters_of(rule) for _, rule in rules]
        self.row = np.array([row for row, _ in rules], dtype=np.int32)
        self._columns = Columns([rule.point_index for _, rule in rules])
        self._condition = Columns([each.condition_point for each in own])
        self._coverage = Coverage([each.gap_s for each in own])
        self._limit_ns = np.array([rule.limit * 1e9 for _, rule in rules], dtype=np.int64)
        self._tolerance = np.array([each.tolerance for each in own], dtype=np.float64)
        self._min_samples = np.array([each.min_samples for each in own], dtype=np.int64)
        self._above = np.array([each.condition_above for each in own], dtype=np.float64)
        self._anchor = np.full(n, np.nan)
        self._since_ns = np.zeros(n, dtype=np.int64)
        self._samples = np.zeros(n, dtype=np.int64)
        self._began_known = np.zeros(n, dtype=np.bool_)
        self._held = np.zeros(n, dtype=np.bool_)
        always = self._condition.points < 0
        self._conditional = ~always
        self._unconditional = bool(always.all())
        self._now = np.where(always, _ON, _NOT_KNOWN).astype(np.uint8)
        self._now_ns = np.zeros(n, dtype=np.int64)
        self._before = self._now.copy()
        self.horizon_s = max((rule.limit for _, rule in rules), default=0.0)

    def concerned(self, point_index: NDArray[np.int32]) -> bool:
        """Whether polls of this layout bring any of the points."""
        return len(self._columns.of(point_index).position) + len(self._condition.of(point_index).position) > 0

    def hold(self, rows: set[int]) -> None:
        """After a restart: these rows' alarms are active; only a movement clears them."""
        self._held |= np.isin(self.row, list(rows))

    def evaluate(self, readings: Readings) -> Verdicts:
        """Judge one poll. A sample that is not good is no sample; it is UNKNOWN only once it leaves a hole."""
        now_ns, plan = readings.observed_at_ns, self._columns.of(readings.point_index)
        if self._unconditional and self._all_go_on(plan, readings):
            return self._judge_few(plan, readings)
        self._note_conditions(readings)
        value = readings.value[plan.column]
        good = (readings.quality[plan.column] == GOOD) & np.isfinite(value)
        position = plan.position[good]
        step = self._coverage.note(position, now_ns)
        bad = plan.position[~good]
        broken = bad[self._coverage.broken(bad, now_ns)]
        taken = position[step.taken]
        truth = self._judge(taken, value[good][step.taken], step, now_ns)
        flat_s = (now_ns - self._since_ns[taken]) / 1e9
        return Verdicts(
            self.row[np.concatenate((taken, broken))],
            np.concatenate((truth, np.full(len(broken), UNKNOWN, dtype=np.uint8))),
            np.concatenate((flat_s, np.full(len(broken), np.nan))),
            now_ns,
        )

    def without_data(self, window: Window, mono_ns: int, now_ns: int) -> Verdicts:
        """UNKNOWN for every row whose point, or whose condition, has been silent for longer than the gap."""
        silent = self._coverage.silent(self._columns.points, window, mono_ns)
        silent |= self._conditional & self._coverage.silent(self._condition.points, window, mono_ns)
        return no_data(self.row[silent], now_ns)

    def _note_conditions(self, readings: Readings) -> None:
        plan = self._condition.of(readings.point_index)
        if not len(plan.position):
            return
        value = readings.value[plan.column]
        good = (readings.quality[plan.column] == GOOD) & np.isfinite(value)
        state = np.where(good, np.where(value > self._above[plan.position], _ON, _OFF), _NOT_KNOWN)
        self._now[plan.position] = state
        self._now_ns[plan.position] = readings.observed_at_ns

    def _conditions(self, position: Positions, now_ns: int) -> NDArray[np.uint8]:
        """ON, OFF or NOT_KNOWN; a condition that was told too long ago is not known."""
        old_s = np.abs(now_ns - self._now_ns[position]) / 1e9
        forgotten = self._conditional[position] & (old_s > self._coverage.gap_s[position])
        return np.where(forgotten, np.uint8(_NOT_KNOWN), self._now[position])

    def _judge(self, position: Positions, value: NDArray[np.float64], step: Step, now_ns: int) -> NDArray[np.uint8]:
        begins = step.begins[step.taken]
        moved = ~begins & (np.abs(value - self._anchor[position]) > self._tolerance[position])
        condition = self._conditions(position, now_ns)
        before = self._before[position]
        restarts = begins | moved | (before != _ON)
        self._anchor[position] = np.where(begins | moved, value, self._anchor[position])
        self._since_ns[position] = np.where(restarts, now_ns, self._since_ns[position])
        self._samples[position] = np.where(restarts, 1, self._samples[position] + 1)
        known = moved | (~begins & (before == _OFF))
        self._began_known[position] = np.where(restarts, known, self._began_known[position])
        self._before[position] = condition
        held = self._held[position] & ~moved
        truth = self._answer(position, condition, held, now_ns)
        self._held[position] = held | (truth == TRUE)
        return truth

    def _all_go_on(self, plan: Plan, readings: Readings) -> bool:
        """Whether there are few rows, all with a good sample that goes on where the last one left off."""
        value, quality, now_ns = readings.value, readings.quality, readings.observed_at_ns
        for position, column in plan.few:
            good = quality.item(column) == _GOOD and isfinite(value.item(column))
            if not good or not self._coverage.goes_on(position, now_ns):
                return False
        return len(plan.few) > 0

    def _judge_few(self, plan: Plan, readings: Readings) -> Verdicts:
        """As `_judge`, of rows without a condition whose samples all go on."""
        value, now_ns = readings.value, readings.observed_at_ns
        said = [self._judge_one(position, value.item(column), now_ns) for position, column in plan.few]
        truth = np.array([truth for truth, _ in said], dtype=np.uint8)
        flat_s = np.array([flat_s for _, flat_s in said])
        return Verdicts(self.row[plan.position], truth, flat_s, now_ns)

    def _judge_one(self, position: int, value: float, now_ns: int) -> tuple[np.uint8, float]:
        self._coverage.note_time(position, now_ns)
        if abs(value - self._anchor.item(position)) > self._tolerance.item(position):
            self._anchor[position], self._since_ns[position], self._samples[position] = value, now_ns, 1
            self._began_known[position], self._held[position] = True, False
        else:
            self._samples[position] += 1
        flat_ns = now_ns - self._since_ns.item(position)
        if flat_ns >= self._limit_ns.item(position):
            if self._samples.item(position) >= self._min_samples.item(position):
                self._held[position] = True
                return TRUE, flat_ns / 1e9
        elif self._began_known.item(position) and not self._held.item(position):
            return FALSE, flat_ns / 1e9
        return UNKNOWN, flat_ns / 1e9

    def _answer(self, position: Positions, condition: NDArray[np.uint8], held: Flags, now_ns: int) -> NDArray[np.uint8]:
        long_enough = now_ns - self._since_ns[position] >= self._limit_ns[position]
        enough = self._samples[position] >= self._min_samples[position]
        seen_moving = ~held & ((condition == _OFF) | ((condition == _ON) & ~long_enough & self._began_known[position]))
        stuck = (condition == _ON) & long_enough & enough
        return np.where(stuck, TRUE, np.where(seen_moving, FALSE, UNKNOWN)).astype(np.uint8)


def _parameters_of(rule: ResolvedRule) -> FlatLineParameters:
    assert isinstance(rule.parameters, FlatLineParameters), rule.info.rule_id
    return rule.parameters
