"""Which rules a replay could not judge at all, and why.

In: every poll and what the alarm table then knew. Out: the rules that stayed UNKNOWN from the first poll to the last,
each with the first reason that is found on its way: its points, what derives them, what those were derived from.

    rule --> its points: not in the recording? never believed? always in doubt? --> asset model --> its inputs --> ...

A rule that nobody could judge is no rule that found nothing: a replay without alarms says so only of the others.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from gateway.model.derivation import Derivation
from gateway.model.quantity import PointTable
from gateway.model.reading import GOOD, SUSPECT, Quality, Readings
from gateway.model.rule import FlatLineParameters, GateParameters, ResolvedRule
from gateway.model.verdict import UNKNOWN


class Why(StrEnum):
    """Why a rule stayed UNKNOWN; the reason is about the points that stand beside it."""

    NOT_RECORDED = "not_recorded"
    NOT_BELIEVED = "not_believed"
    IN_DOUBT = "in_doubt"
    NOT_DERIVED = "not_derived"
    TOO_FEW = "too_few"


_WORDS = {
    Why.NOT_RECORDED: ("记录中没有{0}的读数", "the recording has no reading of {0}"),
    Why.NOT_BELIEVED: ("{0}的读数全部无效", "no reading of {0} was believed"),
    Why.IN_DOUBT: ("{0}的读数全部可疑", "every reading of {0} was in doubt"),
    Why.NOT_DERIVED: (
        "资产模型始终算不出{0}（缺少基准、证件或足够的读数）",
        "the asset model never told {0} (it needs a baseline, papers or more readings)",
    ),
    Why.TOO_FEW: ("读数太少，不足以判断", "too few readings to judge by"),
}
NAMES_SHOWN = 6


@dataclass(frozen=True, slots=True)
class UnknownRule:
    """A rule on one subject that was never judged."""

    rule_id: str
    title_zh: str
    title_en: str
    subject: str
    why: Why
    points: tuple[str, ...]

    def words(self) -> tuple[str, str]:
        """The reason in Chinese and in English."""
        zh, en = _WORDS[self.why]
        if self.points == (self.subject,):
            return zh.format("本测点"), en.format("its own point")
        left = len(self.points) - NAMES_SHOWN
        names = ", ".join(self.points[:NAMES_SHOWN]) + (f" +{left}" if left > 0 else "")
        return zh.format(f" {names} ").strip(), en.format(names)


@dataclass(slots=True, eq=False)
class Heard:
    """What was heard and judged so far. `said` (3, points) counts readings by quality, `judged` (rows,) says whether a
    row was ever known, `unknown_polls` (rows,) after how many polls it was not."""

    said: NDArray[np.int64]
    judged: NDArray[np.bool_]
    unknown_polls: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.unknown_polls = np.zeros(len(self.judged), dtype=np.int64)

    @classmethod
    def nothing(cls, points: int, rows: int) -> "Heard":
        """What was heard before the first poll: nothing of any point."""
        return cls(np.zeros((len(Quality), points), dtype=np.int64), np.zeros(rows, dtype=np.bool_))

    def take(self, readings: Readings, truth: NDArray[np.uint8]) -> None:
        """A poll, and what is known after it."""
        self.said[readings.quality, readings.point_index] += 1
        unknown = truth == UNKNOWN
        self.unknown_polls += unknown
        self.judged |= ~unknown

    def look(self, truth: NDArray[np.uint8]) -> None:
        """What is known after some time has passed."""
        self.judged |= truth != UNKNOWN


class Reasons:
    """Finds the reason. `derived` (points,) says of which derived points a model ever told a number."""

    def __init__(
        self, points: PointTable, models: Sequence[Derivation], heard: Heard, derived: NDArray[np.bool_]
    ) -> None:
        self._points = points
        self._heard = heard
        self._derived = derived
        self._model_of = {points.index_of[out.point_id]: model for model in models for out in model.outputs}

    def unknown(self, rules: Sequence[ResolvedRule]) -> tuple[UnknownRule, ...]:
        """The rules that were never judged, in their order."""
        return tuple(self._reason(rules[row]) for row in np.flatnonzero(~self._heard.judged).tolist())

    def _reason(self, rule: ResolvedRule) -> UnknownRule:
        own = _points_of(rule)
        for point in own:
            found = self._missing(point)
            if found is not None:
                return self._unknown(rule, *found)
        return self._unknown(rule, Why.TOO_FEW, own)

    def _unknown(self, rule: ResolvedRule, why: Why, points: Iterable[int]) -> UnknownRule:
        names = tuple(self._points[index].point_id for index in points)
        return UnknownRule(rule.info.rule_id, rule.info.title_zh, rule.info.title_en, rule.subject, why, names)

    def _missing(self, point: int) -> tuple[Why, Sequence[int]] | None:
        """Why this point was never known; None when it was."""
        if point not in self._model_of:
            why = self._why_not_heard(point)
            return None if why is None else (why, [point])
        if self._derived[point]:
            return None
        behind = list(dict.fromkeys(self._behind(point)))
        for wanted in (Why.NOT_RECORDED, Why.NOT_BELIEVED, Why.IN_DOUBT):
            found = [index for index in behind if self._why_not_heard(index) is wanted]
            if found:
                return wanted, found
        return Why.NOT_DERIVED, [point]

    def _behind(self, point: int) -> Iterator[int]:
        """The points of devices that a derived point comes from."""
        for name in self._model_of[point].inputs:
            index = self._points.index_of.get(name, -1)
            if index in self._model_of:
                yield from self._behind(index)
            elif index >= 0:
                yield index

    def _why_not_heard(self, point: int) -> Why | None:
        said = self._heard.said[:, point]
        if said[GOOD]:
            return None
        if said[SUSPECT]:
            return Why.IN_DOUBT
        return Why.NOT_BELIEVED if said.any() else Why.NOT_RECORDED


def _points_of(rule: ResolvedRule) -> list[int]:
    """The points that a rule looks at: its own, then those of its conditions."""
    found = [rule.point_index] if rule.point_index >= 0 else list(rule.device_points)
    if isinstance(rule.parameters, GateParameters):
        found += [condition.point_index for condition in rule.parameters.conditions]
    if isinstance(rule.parameters, FlatLineParameters) and rule.parameters.condition_point >= 0:
        found.append(rule.parameters.condition_point)
    return found
