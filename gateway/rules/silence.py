"""Silence rules: nothing usable heard from a device or a point for too long. Judged on the tick, not on samples.

A device is as old as its freshest point. Ages are monotonic, so a wall clock that jumps neither raises nor clears.
A device not heard since the start is UNKNOWN until its limit has passed: a restart must not clear a silence.
"""

from collections.abc import Sequence

import numpy as np

from gateway.model.rule import ResolvedRule
from gateway.model.verdict import FALSE, TRUE, UNKNOWN, Verdicts
from gateway.window import Window


class SilenceRules:
    """All silence rows of the box. `limit` of a row is the age in seconds at which silence is TRUE."""

    def __init__(self, rules: Sequence[tuple[int, ResolvedRule]]) -> None:
        self.row = np.array([row for row, _ in rules], dtype=np.int32)
        self._limit_s = np.array([rule.limit for _, rule in rules], dtype=np.float64)
        self._points = [np.array(rule.device_points or (rule.point_index,), dtype=np.intp) for _, rule in rules]

    def evaluate(self, window: Window, mono_ns: int, now_ns: int) -> Verdicts:
        """TRUE where the freshest point of the subject has reached the limit; `measured` is its age in seconds."""
        age_s = window.age_s(mono_ns)
        youngest_s = np.array([age_s[points].min() for points in self._points], dtype=np.float64)
        heard = np.array([window.heard[points].any() for points in self._points], dtype=np.bool_)
        otherwise = np.where(heard, FALSE, UNKNOWN)
        truth = np.where(youngest_s >= self._limit_s, TRUE, otherwise).astype(np.uint8)
        return Verdicts(self.row, truth, youngest_s, now_ns)
