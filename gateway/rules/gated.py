"""Threshold rules that count only while other points of the asset say so: wind while a load hangs, or a band lower
while the neighbours rise together. Also those whose limit is only an upper bound.

Source: the family is product-defined; the clause that names the condition travels in the rule's `RuleInfo`.

    value \\ conditions   all TRUE   one FALSE   else
    FALSE                 FALSE      FALSE       FALSE
    TRUE                  TRUE       FALSE       UNKNOWN
    UNKNOWN               UNKNOWN    FALSE       UNKNOWN

A limit that is only an upper bound (a pit whose depth nobody has given) knows no FALSE: below it a value is UNKNOWN.

This is Kleene's strong AND: taking a point away never turns TRUE or UNKNOWN into FALSE. Value and conditions may come
in polls of different devices: what was last said of each holds for as long as its point is not stale, measured in the
time of the samples, and a poll that brings either judges the row anew.

Memory: one answer and one time for each value and each condition.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.model.reading import GOOD, Readings
from gateway.model.rule import Direction, GateParameters, ResolvedRule
from gateway.model.verdict import FALSE, UNKNOWN, Verdicts
from gateway.rules.columns import Columns, Plan, Positions, no_data
from gateway.rules.threshold import ThresholdRules
from gateway.rules.window import Window

Truths = NDArray[np.uint8]
# FALSE < UNKNOWN < TRUE, so that AND is the smallest; the table is its own inverse.
_RANK: Truths = np.array([0, 2, 1], dtype=np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class _Reach:
    """What one layout moves: rows (m,) by position, and all their conditions (k,), which stand together row by row.

    `by_value` are the rows whose value it brings. `anded` (j,) says which of the rows have conditions, `first` (j,)
    where those of each begin. `at_once`: the layout brings every value and every condition of its rows.
    """

    point_index: NDArray[np.int32]
    by_value: Positions
    position: Positions
    condition: Positions
    anded: Positions
    first: Positions
    at_once: bool


class GatedThresholdRules:
    """All threshold rows with conditions. The value itself is judged as any threshold is, with its deadband."""

    horizon_s = 0.0

    def __init__(self, rules: Sequence[tuple[int, ResolvedRule]]) -> None:
        gates = [_gate_of(rule) for _, rule in rules]
        flat = [(i, each) for i, gate in enumerate(gates) for each in gate.conditions]
        self.row = np.array([row for row, _ in rules], dtype=np.int32)
        self._point = np.array([rule.point_index for _, rule in rules], dtype=np.int32)
        self._value = ThresholdRules([(i, rule) for i, (_, rule) in enumerate(rules)])
        self._conditions = Columns([each.point_index for _, each in flat])
        self._owner: Positions = np.array([i for i, _ in flat], dtype=np.intp)
        self._anded, self._first = np.unique(self._owner, return_index=True)
        self._sign = np.array([1.0 if each.direction is Direction.HIGH else -1.0 for _, each in flat])
        self._bound = self._sign * np.array([each.bound for _, each in flat], dtype=np.float64)
        self._said = _Said([gate.stale_after_s for gate in gates])
        self._told = _Said([each.stale_after_s for _, each in flat])
        self._measured = np.full(len(rules), np.nan)
        self._inexact = np.array([not gate.exact for gate in gates], dtype=np.bool_)
        self._all_exact = not self._inexact.any()
        self._reaches: dict[int, _Reach] = {}

    def concerned(self, point_index: NDArray[np.int32]) -> bool:
        """Whether polls of this layout bring any of the points."""
        return len(self._reach_of(point_index).position) > 0

    def hold(self, rows: set[int]) -> None:
        """After a restart: these rows' alarms are active, so their values' last known answer is TRUE."""
        self._value.hold({int(i) for i in np.flatnonzero(np.isin(self.row, list(rows)))})

    def evaluate(self, readings: Readings) -> Verdicts:
        """Judge every row that this poll brings a value or a condition of; `measured` is the value last heard."""
        now_ns, reach = readings.observed_at_ns, self._reach_of(readings.point_index)
        value = self._value.evaluate(readings)
        said, position = value.truth, reach.by_value
        if not self._all_exact:
            said = np.where(self._inexact[position] & (said == FALSE), UNKNOWN, said)
        self._said.note(position, said, now_ns)
        self._measured[position] = value.measured
        plan = self._conditions.of(readings.point_index)
        told = self._judged(plan, readings)
        self._told.note(plan.position, told, now_ns)
        if not reach.at_once:
            said, told = self._said.at(reach.position, now_ns), self._told.at(reach.condition, now_ns)
        truth = _both(said, told, reach.anded, reach.first)
        return Verdicts(self.row[reach.position], truth, self._measured[reach.position], now_ns)

    def without_data(self, window: Window, mono_ns: int, now_ns: int) -> Verdicts:
        """UNKNOWN for every row that a stale or forgotten point leaves undecided."""
        missing = window.missing(mono_ns)
        no_value, no_condition = missing[self._point], missing[self._conditions.points]
        if not (np.count_nonzero(no_value) or np.count_nonzero(no_condition)):
            return no_data(self.row[:0], now_ns)
        said = np.where(no_value, UNKNOWN, self._said.truth)
        told = np.where(no_condition, UNKNOWN, self._told.truth)
        affected = no_value.copy()
        affected[self._owner[no_condition]] = True
        return no_data(self.row[affected & (_both(said, told, self._anded, self._first) == UNKNOWN)], now_ns)

    def _judged(self, plan: Plan, readings: Readings) -> Truths:
        value = readings.value[plan.column]
        good = (readings.quality[plan.column] == GOOD) & np.isfinite(value)
        beyond = self._sign[plan.position] * value > self._bound[plan.position]
        if np.count_nonzero(good) == len(good):
            return beyond.view(np.uint8)
        return np.where(good, beyond, UNKNOWN)

    def _reach_of(self, point_index: NDArray[np.int32]) -> _Reach:
        """What this layout moves; the array's identity is the key."""
        reach = self._reaches.get(id(point_index))
        if reach is None or reach.point_index is not point_index:
            reach = self._reaches[id(point_index)] = self._compile(point_index)
        return reach

    def _compile(self, point_index: NDArray[np.int32]) -> _Reach:
        by_value = np.flatnonzero(np.isin(self._point, point_index))
        by_condition = self._owner[self._conditions.of(point_index).position]
        position = np.union1d(by_value, by_condition).astype(np.intp)
        condition = np.flatnonzero(np.isin(self._owner, position)).astype(np.intp)
        anded, first = np.unique(np.searchsorted(position, self._owner[condition]), return_index=True)
        told = self._conditions.of(point_index).position
        at_once = np.array_equal(by_value, position) and np.array_equal(told, condition)
        return _Reach(point_index, by_value, position, condition, anded, first, at_once)


class _Said:
    """The last answers (n,) of values or of conditions, and until when each holds."""

    def __init__(self, stale_after_s: Sequence[float]) -> None:
        n = len(stale_after_s)
        self.truth: Truths = np.full(n, UNKNOWN, dtype=np.uint8)
        self._at_ns = np.zeros(n, dtype=np.int64)
        self._stale_ns = (np.array(stale_after_s, dtype=np.float64) * 1e9).astype(np.int64)

    def note(self, position: Positions, truth: Truths, now_ns: int) -> None:
        """Note what the conditions at this place say now."""
        self.truth[position] = truth
        self._at_ns[position] = now_ns

    def at(self, position: Positions, now_ns: int) -> Truths:
        """What these say; what was said too long ago, or in a time yet to come, is not known."""
        far = np.abs(now_ns - self._at_ns[position]) > self._stale_ns[position]
        return np.where(far, UNKNOWN, self.truth[position])


def _both(said: Truths, told: Truths, anded: Positions, first: Positions) -> Truths:
    """Kleene's AND of values (m,) with their conditions (k,). `anded` (j,) are the positions in (m,) of those that have
    any, `first` (j,) where the conditions of each begin in (k,)."""
    rank = _RANK[said]
    if len(first):
        rank[anded] = np.minimum(rank[anded], np.minimum.reduceat(_RANK[told], first))
    return _RANK[rank]


def _gate_of(rule: ResolvedRule) -> GateParameters:
    assert isinstance(rule.parameters, GateParameters), rule.info.rule_id
    return rule.parameters
