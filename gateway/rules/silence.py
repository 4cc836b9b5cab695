"""Silence rules: nothing usable heard from a device or a point for too long. Judged on the tick, not on samples.

A device is as old as its freshest point. Ages are monotonic, so a wall clock that jumps neither raises nor clears.
A device not heard since the start is UNKNOWN until its limit has passed: a restart must not clear a silence.
"""

from collections.abc import Sequence

import numpy as np

from gateway.model.rule import ResolvedRule
from gateway.model.verdict import FALSE, TRUE, UNKNOWN, Verdicts
from gateway.rules.window import Window


class SilenceRules:
    """All silence rows of the box. `limit` of a row is the age in seconds at which silence is TRUE."""

    def __init__(self, rules: Sequence[tuple[int, ResolvedRule]]) -> None:
        self.row = np.array([row for row, _ in rules], dtype=np.int32)
        self._limit_s = np.array([rule.limit for _, rule in rules], dtype=np.float64)
        points = [rule.device_points or (rule.point_index,) for _, rule in rules]
        self._points = np.array([point for own in points for point in own], dtype=np.intp)
        self._first = np.cumsum([0, *map(len, points)])[:-1]

    def evaluate(self, window: Window, mono_ns: int, now_ns: int) -> Verdicts:
        """TRUE where the freshest point of the subject has reached the limit; `measured` is its age in seconds."""
        youngest_s = np.minimum.reduceat(window.age_of_s(self._points, mono_ns), self._first)
        heard = np.logical_or.reduceat(window.heard[self._points], self._first)
        otherwise = np.where(heard, FALSE, UNKNOWN)
        truth = np.where(youngest_s >= self._limit_s, TRUE, otherwise).astype(np.uint8)
        return Verdicts(self.row, truth, youngest_s, now_ns)
