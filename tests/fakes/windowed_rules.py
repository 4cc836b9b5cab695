"""Rules that look at more than one sample, on the points of `tests.fakes.site`, and what judges their samples."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gateway.model.reading import Quality, RawBlock, Readings
from gateway.model.rule import (
    ChangeCountParameters,
    Condition,
    ConsecutiveParameters,
    Direction,
    FlatLineParameters,
    GateParameters,
    LossParameters,
    Parameters,
    RateParameters,
    ResolvedRule,
    RuleFamily,
)
from gateway.model.verdict import Truth
from gateway.rules.table import RuleTable
from gateway.rules.window import Window
from tests.fakes.site import NOW_NS, info, points, silence, threshold

ANSWERED = RawBlock(payload=b"{}")


def _rule(family: RuleFamily, point: int, limit: float, parameters: Parameters | None) -> ResolvedRule:
    base = threshold(point, limit, rule=info(f"{family}-{point}"))
    return replace(base, family=family, parameters=parameters)


def rate(
    point: int = 0,
    limit: float = 1.0,
    window_s: float = 20.0,
    gap_s: float = 5.0,
    deadband: float = 0.0,
    direction: Direction = Direction.HIGH,
    either: bool = False,
) -> ResolvedRule:
    rule = _rule(RuleFamily.RATE_OF_CHANGE, point, limit, RateParameters(window_s, gap_s, 5, 1.0, either))
    return replace(rule, deadband=deadband, direction=direction)


def flat_line(
    point: int = 0, for_s: float = 20.0, tolerance: float = 0.0, condition_point: int = -1, gap_s: float = 5.0
) -> ResolvedRule:
    parameters = FlatLineParameters(tolerance, gap_s, 3, condition_point, 0.5)
    return _rule(RuleFamily.FLAT_LINE, point, for_s, parameters)


def impossible(point: int = 0, max_step_per_s: float = math.inf) -> ResolvedRule:
    return _rule(RuleFamily.IMPOSSIBLE, point, max_step_per_s, None)


def change_count(point: int = 0, more_than: int = 3, window_s: float = 20.0, level: float = math.nan) -> ResolvedRule:
    parameters = ChangeCountParameters(window_s, 5.0, 0.0, level)
    return _rule(RuleFamily.CHANGE_COUNT, point, more_than, parameters)


def consecutive(
    point: int = 0,
    limit: float = 1.0,
    times: int = 3,
    spacing_s: float = 2.0,
    gap_s: float = 5.0,
    direction: Direction = Direction.HIGH,
) -> ResolvedRule:
    parameters = ConsecutiveParameters(times, spacing_s, gap_s)
    return replace(_rule(RuleFamily.CONSECUTIVE, point, limit, parameters), direction=direction)


def loss(
    limit: float = 20.0, deadband: float = 5.0, window_s: float = 600.0, min_requests: int = 20, device_points: int = 1
) -> ResolvedRule:
    parameters = LossParameters(window_s, min_requests, 10.0)
    base = silence(range(device_points))
    return replace(base, family=RuleFamily.LOSS, limit=limit, deadband=deadband, parameters=parameters)


def above(point: int, bound: float = 0.5, stale_after_s: float = 5.0) -> Condition:
    return Condition(point, Direction.HIGH, bound, stale_after_s)


def below(point: int, bound: float = 0.5, stale_after_s: float = 5.0) -> Condition:
    return Condition(point, Direction.LOW, bound, stale_after_s)


def gated(
    *conditions: Condition, point: int = 0, limit: float = 3.0, deadband: float = 0.0, stale_after_s: float = 5.0
) -> ResolvedRule:
    rule = _rule(RuleFamily.THRESHOLD, point, limit, GateParameters(conditions, stale_after_s))
    return replace(rule, deadband=deadband, info=info(f"gated-{point}-{len(conditions)}-{conditions[0].direction}"))


class Judge:
    """A rule table fed with samples by point, and what each row said last. Times are seconds after the start."""

    def __init__(self, rules: Sequence[ResolvedRule], start_ns: int = NOW_NS, count: int = 4) -> None:
        self.table = RuleTable(rules)
        self.window = Window(points(count), 0)
        self.truth: NDArray[np.uint8] = np.full(len(rules), Truth.UNKNOWN, dtype=np.uint8)
        self.measured = np.full(len(rules), np.nan)
        self._start_ns = start_ns
        self._layouts: dict[tuple[int, ...], NDArray[np.int32]] = {}

    def sample(
        self, at_s: float, values: Mapping[int, float], quality: int = Quality.GOOD, stamp_s: float | None = None
    ) -> Truth:
        """One poll with these points; what row 0 says then. `stamp_s` is what the device's own clock says."""
        keys = tuple(values)
        index = self._layouts.setdefault(keys, np.array(keys, dtype=np.int32))
        value = np.array(list(values.values()), dtype=np.float64)
        now_ns = self._start_ns + round((at_s if stamp_s is None else stamp_s) * 1e9)
        qualities = np.full(len(keys), quality, dtype=np.uint8)
        return self._judge(Readings("host-1", index, value, qualities, now_ns, now_ns, ANSWERED), at_s)

    def fail(self, at_s: float) -> Truth:
        """A poll that the device did not answer."""
        index = self._layouts.setdefault((), np.arange(len(self.window.points), dtype=np.int32))
        return self._judge(Readings.unreadable("host-1", index, self._start_ns + round(at_s * 1e9)), at_s)

    def tick(self, at_s: float) -> Truth:
        """Time passes; what row 0 says then."""
        for verdicts in self.table.on_tick(self.window, round(at_s * 1e9), self._start_ns + round(at_s * 1e9)):
            self.truth[verdicts.row] = verdicts.truth
        return Truth(self.truth[0])

    def _judge(self, readings: Readings, at_s: float) -> Truth:
        self.window.remember(readings, round(at_s * 1e9))
        verdicts = self.table.on_readings(readings)
        self.truth[verdicts.row] = verdicts.truth
        self.measured[verdicts.row] = verdicts.measured
        return Truth(self.truth[0])
