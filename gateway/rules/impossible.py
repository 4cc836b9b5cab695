"""Impossible-value rules: what a sensor says, though the thing it measures cannot be so. A sensor fault is suspected.

Source: product-defined; ranges and sentinels come from the device table, `max_step_per_s` from the rule.

TRUE: the device answered, and the value is BAD (out of its believable range, a sentinel, NaN), or it is further from
the last believed value than `max_step_per_s` allows for the time between them. A value that jumped is not believed, so
one spike is one hit and not two; a level that really jumped is believed once it could have got there.

      value |        x   TRUE            allowed: |x - believed| <= max_step_per_s * dt
            |      .
            | .  '                       the cone opens with time from the last believed value
            | b . _
            +-----------> time
UNKNOWN: nothing came from the device at all (a poll that failed: that is silence, another family), a SUSPECT value, the
first value where a step is to be judged, or one with no later time than the last (a device that stamps whole seconds).
Horizon: the last believed value. Memory: 25 bytes a rule.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.model.reading import BAD, GOOD, SUSPECT, Readings
from gateway.model.rule import ResolvedRule
from gateway.model.verdict import FALSE, TRUE, UNKNOWN, Verdicts
from gateway.rules.columns import Columns, Plan, Positions, no_data
from gateway.rules.coverage import SET_BACK_NS
from gateway.rules.window import Window

Seconds = NDArray[np.float64]


class ImpossibleRules:
    """All impossible-value rows of the box. A row's `limit` is the greatest possible step per second, or infinite."""

    horizon_s = 0.0

    def __init__(self, rules: Sequence[tuple[int, ResolvedRule]]) -> None:
        n = len(rules)
        self.row = np.array([row for row, _ in rules], dtype=np.int32)
        self._columns = Columns([rule.point_index for _, rule in rules])
        self._max_step_per_s = np.array([rule.limit for _, rule in rules], dtype=np.float64)
        self._believed = np.full(n, np.nan)
        self._believed_ns = np.zeros(n, dtype=np.int64)
        self._answer = np.full(n, UNKNOWN, dtype=np.uint8)

    def concerned(self, point_index: NDArray[np.int32]) -> bool:
        """Whether polls of this layout bring any of the points."""
        return len(self._columns.of(point_index).position) > 0

    def hold(self, rows: set[int]) -> None:
        """After a restart: nothing is kept, the next value decides."""

    def evaluate(self, readings: Readings) -> Verdicts:
        """Judge one poll; `measured` is the step per second, NaN where the value itself is impossible."""
        plan, now_ns = self._columns.of(readings.point_index), readings.observed_at_ns
        value, position = readings.value[plan.column], plan.position
        dt_ns = now_ns - self._believed_ns[position]
        step = np.abs(value - self._believed[position])
        usual = np.isfinite(step) & (dt_ns > 0) & (readings.quality[plan.column] == GOOD)
        if np.count_nonzero(usual) == len(usual):
            return self._usual(position, value, step, dt_ns / 1e9, now_ns)
        return self._any(readings, plan, value, step, dt_ns / 1e9)

    def _usual(
        self, position: Positions, value: NDArray[np.float64], step: NDArray[np.float64], dt_s: Seconds, now_ns: int
    ) -> Verdicts:
        """Nothing but good values, all later than a believed one: what `_any` would say, in a third of the time. No
        step is further than an infinite one."""
        jumped = step > self._max_step_per_s[position] * dt_s
        believed = position
        if np.count_nonzero(jumped):
            believed, value = position[~jumped], value[~jumped]
        self._believed[believed] = value
        self._believed_ns[believed] = now_ns
        self._answer[position] = jumped
        return Verdicts(self.row[position], jumped.view(np.uint8), step / dt_s, now_ns)

    def _any(
        self, readings: Readings, plan: Plan, value: NDArray[np.float64], step: NDArray[np.float64], dt_s: Seconds
    ) -> Verdicts:
        position, quality = plan.position, readings.quality[plan.column]
        answered = bool(readings.raw.blocks or readings.raw.payload)
        good = (quality == GOOD) & np.isfinite(value)
        bad = ~good & (quality != SUSPECT) & answered

        max_step_per_s = self._max_step_per_s[position]
        judges_steps = np.isfinite(max_step_per_s)
        has_believed = np.isfinite(self._believed[position])
        known = has_believed & (dt_s > 0)
        not_after = has_believed & ~known & (dt_s >= -SET_BACK_NS / 1e9)
        allowed = np.where(judges_steps, max_step_per_s, 0.0) * dt_s
        jumped = good & judges_steps & known & (step > allowed)
        truth = np.where(bad | jumped, TRUE, np.where(good & (known | ~judges_steps), FALSE, UNKNOWN))

        believes = good & ~jumped & ~not_after
        believed = position[believes]
        self._believed[believed] = value[believes]
        self._believed_ns[believed] = readings.observed_at_ns
        self._answer[position] = truth
        per_s = np.divide(step, dt_s, out=np.full(len(position), np.nan), where=good & known)
        return Verdicts(self.row[position], truth, per_s, readings.observed_at_ns)

    def without_data(self, window: Window, mono_ns: int, now_ns: int) -> Verdicts:
        """UNKNOWN where the device has said nothing for longer than the point's stale age, or a sample was skipped."""
        points = self._columns.points
        silent = mono_ns - window.seen_mono_ns[points] > window.points.stale_after_ns[points]
        skipped = (window.quality[points] == BAD) & (self._answer != TRUE)
        return no_data(self.row[silent | skipped], now_ns)
