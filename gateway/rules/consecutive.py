"""Consecutive rules: several readings in a row at or beyond a limit, such as three rates above 70 % of the limit.

Source: GB 50497-2019 ch. 8 as read second-hand (V2) and DBJ/T 15-162-2019 3.7.3 (V1): a rate above 70 % of its warning
value three times in a row is a warning. What one reading is on an automatic instrument, which says a value every
second, no clause was found to say: `spacing_s` is a product design.

    value |   x      x                    counted: readings at least spacing_s after the last one that counted
    limit +---------------------          here the third beyond the limit makes it TRUE
          |                    x          one below it begins anew, FALSE
          | x           x
          +-----------------------> time

A reading that is not good neither counts nor resets, but how the row would have gone on is then not known. FALSE is
said only when the last reading was below the limit, or every reading since one that was below has been seen; otherwise,
with too few readings, the answer is UNKNOWN.

Horizon: `times` readings. Memory: a count and three times a rule; no readings are kept.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.model.reading import GOOD, Readings
from gateway.model.rule import ConsecutiveParameters, Direction, ResolvedRule
from gateway.model.verdict import FALSE, TRUE, UNKNOWN, Verdicts
from gateway.rules.columns import Columns, Positions, no_data
from gateway.rules.coverage import Coverage
from gateway.rules.window import Window


class ConsecutiveRules:
    """All rows that count readings, as arrays of one entry a row."""

    def __init__(self, rules: Sequence[tuple[int, ResolvedRule]]) -> None:
        n = len(rules)
        own = [parameters_of(rule) for _, rule in rules]
        self.row = np.array([row for row, _ in rules], dtype=np.int32)
        self._columns = Columns([rule.point_index for _, rule in rules])
        self._coverage = Coverage([each.gap_s for each in own])
        self._sign = np.array([-1.0 if rule.direction is Direction.LOW else 1.0 for _, rule in rules])
        self._either = np.array([rule.direction is Direction.EITHER for _, rule in rules], dtype=np.bool_)
        self._limit = self._sign * np.array([rule.limit for _, rule in rules], dtype=np.float64)
        self._times = np.array([each.times for each in own], dtype=np.int64)
        self._spacing_ns = np.array([each.spacing_s * 1e9 for each in own], dtype=np.int64)
        self._count = np.zeros(n, dtype=np.int64)
        self._known = np.zeros(n, dtype=np.bool_)
        self._counted_ns = np.zeros(n, dtype=np.int64)
        self._counted = np.zeros(n, dtype=np.bool_)
        self.horizon_s = max((each.times * each.gap_s for each in own), default=0.0)

    def concerned(self, point_index: NDArray[np.int32]) -> bool:
        """Whether polls of this layout bring any of the points."""
        return len(self._columns.of(point_index).position) > 0

    def hold(self, rows: set[int]) -> None:
        """After a restart: these rows' alarms are active; a reading below the limit clears them, nothing else."""
        held = np.isin(self.row, list(rows))
        self._count[held] = self._times[held]

    def remember(self, point_index: int, t_ns: NDArray[np.int64], value: NDArray[np.float64]) -> None:
        """Before the first live sample: good values of the last run, oldest first. Minutes of days are looked at only
        as often as a reading can be due, and the newest of them."""
        position = np.flatnonzero(self._columns.points == point_index)
        due_ns, last = 0, len(t_ns) - 1
        for i in range(len(t_ns) if len(position) else 0):
            if t_ns[i] >= due_ns or i == last:
                self._take(position, np.full(len(position), value[i]), int(t_ns[i]))
                due_ns = int(t_ns[i] + self._spacing_ns[position].min())

    def evaluate(self, readings: Readings) -> Verdicts:
        """Judge one poll; `measured` is the value."""
        now_ns, plan = readings.observed_at_ns, self._columns.of(readings.point_index)
        value = readings.value[plan.column]
        good = (readings.quality[plan.column] == GOOD) & np.isfinite(value)
        lost = plan.position[~good]
        lost = lost[self._due(lost, now_ns)]
        self._known[lost] = False
        taken, seen = self._take(plan.position[good], value[good], now_ns)
        enough = self._count[taken] >= self._times[taken]
        truth = np.where(enough, TRUE, np.where(self._known[taken], FALSE, UNKNOWN))
        return Verdicts(
            self.row[np.concatenate((taken, lost))],
            np.concatenate((truth, np.full(len(lost), UNKNOWN))).astype(np.uint8),
            np.concatenate((seen, np.full(len(lost), np.nan))),
            now_ns,
        )

    def without_data(self, window: Window, mono_ns: int, now_ns: int) -> Verdicts:
        """UNKNOWN for every row without a good reading for longer than its gap."""
        return no_data(self.row[self._coverage.silent(self._columns.points, window, mono_ns)], now_ns)

    def _take(
        self, position: Positions, value: NDArray[np.float64], now_ns: int
    ) -> tuple[Positions, NDArray[np.float64]]:
        """Count good readings; the positions and values that were not passed over as older than the newest."""
        step = self._coverage.note(position, now_ns)
        self._known[position[step.begins]] = False
        self._counted[position[step.set_back]] = False
        taken, seen = position[step.taken], value[step.taken]
        due = self._due(taken, now_ns)
        fresh, x = taken[due], self._sign[taken[due]] * seen[due]
        x = np.where(self._either[fresh], np.abs(x), x)
        beyond = x >= self._limit[fresh]
        self._count[fresh] = np.where(beyond, np.minimum(self._count[fresh] + 1, self._times[fresh]), 0)
        self._known[fresh[~beyond]] = True
        self._counted_ns[fresh] = now_ns
        self._counted[fresh] = True
        return taken, seen

    def _due(self, position: Positions, now_ns: int) -> NDArray[np.bool_]:
        """Whether a reading now would be another one than the last that counted."""
        waited = now_ns - self._counted_ns[position] >= self._spacing_ns[position]
        return np.asarray(~self._counted[position] | waited)


def parameters_of(rule: ResolvedRule) -> ConsecutiveParameters:
    """The settings that a consecutive rule has of its own."""
    assert isinstance(rule.parameters, ConsecutiveParameters), rule.info.rule_id
    return rule.parameters
