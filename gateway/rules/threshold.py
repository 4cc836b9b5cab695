"""Threshold rules: a value at or beyond its limit. The clause each limit comes from travels in its `RuleInfo`.

Direction and deadband are folded into one comparison by turning LOW rules upside down (sign = -1):

              x = sign * value
    ----------|--------------|---------->  x
      FALSE   lim - deadband lim   TRUE
              |  as before   |
              |  (hysteresis)|

An EITHER rule compares the value's size instead. Rules with conditions are judged by `gateway.rules.gated`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.model.reading import GOOD, Readings
from gateway.model.rule import Direction, ResolvedRule
from gateway.model.verdict import UNKNOWN, Verdicts
from gateway.rules.window import Window


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """Which columns of one device's polls feed which rule rows, and all that is asked of them. Arrays of shape (m,).

    `sign` is None where all are 1; `either` (k,) says which rows compare the size. Between `lower` and `limit` the last
    known answer stays.
    """

    point_index: NDArray[np.int32]
    column: NDArray[np.intp]
    row: NDArray[np.int32]
    position: NDArray[np.intp]
    sign: NDArray[np.float64] | None
    either: NDArray[np.intp]
    limit: NDArray[np.float64]
    lower: NDArray[np.float64]

    def signed(self, measured: NDArray[np.float64]) -> NDArray[np.float64]:
        """The values turned so that beyond the limit is up."""
        x = measured if self.sign is None else self.sign * measured
        if len(self.either):
            x = x.copy()
            x[self.either] = np.abs(x[self.either])
        return x


_NOTHING: NDArray[np.uint8] = np.empty(0, dtype=np.uint8)


class ThresholdRules:
    """All threshold rows of the box, compiled to arrays; state is only the last known answer of each row."""

    def __init__(self, rules: Sequence[tuple[int, ResolvedRule]]) -> None:
        self.row = np.array([row for row, _ in rules], dtype=np.int32)
        self._point = np.array([rule.point_index for _, rule in rules], dtype=np.int32)
        self._sign = np.array([-1.0 if rule.direction is Direction.LOW else 1.0 for _, rule in rules])
        self._either = np.array([rule.direction is Direction.EITHER for _, rule in rules], dtype=np.bool_)
        self._limit = self._sign * np.array([rule.limit for _, rule in rules], dtype=np.float64)
        self._deadband = np.array([rule.deadband for _, rule in rules], dtype=np.float64)
        self._held = np.zeros(len(rules), dtype=np.bool_)
        self._plans: dict[int, _Plan] = {}

    def hold(self, rows: set[int]) -> None:
        """After a restart: these rows' alarms are active, so their last known answer is TRUE."""
        self._held |= np.isin(self.row, list(rows))

    def evaluate(self, readings: Readings) -> Verdicts:
        """Judge one poll. What is not GOOD or not finite is UNKNOWN; the last known answer stays for the deadband."""
        plan = self._plan_of(readings.point_index)
        if not len(plan.row):
            return Verdicts(plan.row, _NOTHING, readings.value[:0], readings.observed_at_ns)
        measured = readings.value[plan.column]
        known = np.isfinite(measured)
        if np.count_nonzero(readings.quality):  # GOOD is 0
            known &= readings.quality[plan.column] == GOOD
        x, held = plan.signed(measured), self._held[plan.position]
        beyond = x >= plan.limit
        if np.count_nonzero(held):
            beyond |= held & (x >= plan.lower)
        if np.count_nonzero(known) == len(known):
            self._held[plan.position] = beyond
            return Verdicts(plan.row, beyond.view(np.uint8), measured, readings.observed_at_ns)
        self._held[plan.position] = np.where(known, beyond, held)
        return Verdicts(plan.row, np.where(known, beyond, UNKNOWN), measured, readings.observed_at_ns)

    def without_data(self, window: Window, mono_ns: int, now_ns: int) -> Verdicts:
        """UNKNOWN for every row whose point is stale or was forgotten: unknown is never normal.

        A point not yet heard since the start is unknown anyway; it is left alone until it is stale, so that a delay
        which the last run's history began is not broken before the first sample.
        """
        row = self.row[window.missing(mono_ns)[self._point]]
        truth = np.full(len(row), UNKNOWN, dtype=np.uint8)
        return Verdicts(row, truth, np.full(len(row), np.nan), now_ns)

    def _plan_of(self, point_index: NDArray[np.int32]) -> _Plan:
        """The plan for this layout. Drivers hand the same array at every poll, so its identity is the key."""
        plan = self._plans.get(id(point_index))
        if plan is None or plan.point_index is not point_index:
            plan = self._plans[id(point_index)] = self._compile(point_index)
        return plan

    def _compile(self, point_index: NDArray[np.int32]) -> _Plan:
        column_of = {int(point): column for column, point in enumerate(point_index)}
        position = np.array([i for i, point in enumerate(self._point) if int(point) in column_of], dtype=np.intp)
        column = np.array([column_of[int(self._point[i])] for i in position], dtype=np.intp)
        sign, limit = self._sign[position], self._limit[position]
        return _Plan(
            point_index,
            column,
            self.row[position],
            position,
            None if (sign == 1.0).all() else sign,
            np.flatnonzero(self._either[position]),
            limit,
            limit - self._deadband[position],
        )
