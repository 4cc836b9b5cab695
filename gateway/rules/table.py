"""The rule table: every row of the box, and one evaluator a family. A row number is what `Verdicts.row` holds.

In: resolved rules. Out: verdicts of a poll, and verdicts of the passing of time. Pure but for the held answers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gateway.model.reading import Readings
from gateway.model.rule import GateParameters, ResolvedRule, RuleFamily
from gateway.model.verdict import Verdicts
from gateway.rules.change_count import ChangeCountRules
from gateway.rules.consecutive import ConsecutiveRules
from gateway.rules.flat_line import FlatLineRules
from gateway.rules.gated import GatedThresholdRules
from gateway.rules.impossible import ImpossibleRules
from gateway.rules.loss import LossRules
from gateway.rules.rate_of_change import RateOfChangeRules
from gateway.rules.silence import SilenceRules
from gateway.rules.threshold import ThresholdRules
from gateway.rules.window import Window


class WindowedRules(Protocol):
    """A family that remembers more than one sample, or looks at more than one point. `horizon_s` is how far back its
    longest rule looks."""

    row: NDArray[np.int32]
    horizon_s: float

    def concerned(self, point_index: NDArray[np.int32]) -> bool:
        """Whether polls of this layout bring any of their points. Asked once a layout."""
        ...

    def hold(self, rows: set[int]) -> None:
        """After a restart: the alarms of these rows are active."""
        ...

    def evaluate(self, readings: Readings) -> Verdicts:
        """What one poll makes them say; a row that has nothing new to say is left out."""
        ...

    def without_data(self, window: Window, mono_ns: int, now_ns: int) -> Verdicts:
        """UNKNOWN for the rows whose data is missing by the passing of time."""
        ...


WINDOWED: Mapping[RuleFamily, Callable[[Sequence[tuple[int, ResolvedRule]]], WindowedRules]] = {
    RuleFamily.RATE_OF_CHANGE: RateOfChangeRules,
    RuleFamily.FLAT_LINE: FlatLineRules,
    RuleFamily.IMPOSSIBLE: ImpossibleRules,
    RuleFamily.CHANGE_COUNT: ChangeCountRules,
    RuleFamily.CONSECUTIVE: ConsecutiveRules,
    RuleFamily.LOSS: LossRules,
}


class RuleTable:
    """All rules, compiled. The order of `rules` is the row order and must stay for the life of the process."""

    def __init__(self, rules: Sequence[ResolvedRule]) -> None:
        self.rules = tuple(rules)
        self.row_of = {(rule.info.rule_id, rule.subject): row for row, rule in enumerate(self.rules)}
        plain, gated = _by_gate(self._rows_of(RuleFamily.THRESHOLD))
        self._threshold = ThresholdRules(plain)
        self._silence = SilenceRules(self._rows_of(RuleFamily.SILENCE))
        self._windowed = [build(rows) for family, build in WINDOWED.items() if (rows := self._rows_of(family))]
        self._windowed += [GatedThresholdRules(gated)] if gated else []
        self._concerned: dict[int, tuple[NDArray[np.int32], list[WindowedRules]]] = {}
        self.horizon_s = max((family.horizon_s for family in self._windowed), default=0.0)

    def remember(self, point_index: int, t_ns: NDArray[np.int64], value: NDArray[np.float64]) -> None:
        """Before the first live sample: good values of the last run, oldest first. Slopes and readings in a row make
        use of them."""
        for family in self._windowed:
            if isinstance(family, RateOfChangeRules | ConsecutiveRules):
                family.remember(point_index, t_ns, value)

    def on_readings(self, readings: Readings) -> Verdicts:
        """What one poll makes the rules say."""
        verdicts = self._threshold.evaluate(readings)
        if not self._windowed:
            return verdicts
        families = self._families_of(readings.point_index)
        more = [said for family in families if len((said := family.evaluate(readings)).row)]
        return _joined([verdicts, *more]) if more else verdicts

    def on_tick(self, window: Window, mono_ns: int, now_ns: int) -> tuple[Verdicts, ...]:
        """What the passing of time makes them say: silence, and UNKNOWN where data is missing."""
        return (
            self._silence.evaluate(window, mono_ns, now_ns),
            self._threshold.without_data(window, mono_ns, now_ns),
            *(family.without_data(window, mono_ns, now_ns) for family in self._windowed),
        )

    def hold(self, rows: set[int]) -> None:
        """After a restart: the alarms of these rows are active."""
        self._threshold.hold(rows)
        for family in self._windowed:
            family.hold(rows)

    def carry_over(self, old: "RuleTable") -> None:
        """A windowed family whose rules are all the same on the same points goes on with all that it remembers."""
        for i, family in enumerate(self._windowed):
            for before in old._windowed:
                if type(before) is type(family) and _same(self._own(family), old._own(before)):
                    before.row = family.row
                    self._windowed[i] = before
        self._concerned = {}  # it names the families that were just replaced

    def _own(self, family: WindowedRules) -> list[ResolvedRule]:
        return [self.rules[row] for row in family.row]

    def _families_of(self, point_index: NDArray[np.int32]) -> list[WindowedRules]:
        """The families that this layout concerns: a device without such rules pays one look-up for all of them."""
        known = self._concerned.get(id(point_index))
        if known is None or known[0] is not point_index:
            families = [family for family in self._windowed if family.concerned(point_index)]
            known = self._concerned[id(point_index)] = (point_index, families)
        return known[1]

    def _rows_of(self, family: RuleFamily) -> list[tuple[int, ResolvedRule]]:
        return [(row, rule) for row, rule in enumerate(self.rules) if rule.family is family]


def _by_gate(
    rules: list[tuple[int, ResolvedRule]],
) -> tuple[list[tuple[int, ResolvedRule]], list[tuple[int, ResolvedRule]]]:
    """Threshold rows without conditions, which are the fast path, and those with."""
    gated = [isinstance(rule.parameters, GateParameters) for _, rule in rules]
    plain = [each for each, has in zip(rules, gated, strict=True) if not has]
    return plain, [each for each, has in zip(rules, gated, strict=True) if has]


def _same(these: list[ResolvedRule], those: list[ResolvedRule]) -> bool:
    """Whether the rules are the same, wherever they are written. As text, because a NaN is the same as a NaN here."""
    return [repr(replace(rule, origin="")) for rule in these] == [repr(replace(rule, origin="")) for rule in those]


def _joined(parts: Sequence[Verdicts]) -> Verdicts:
    """Verdicts of several families on one poll; a row belongs to one family, so none is there twice."""
    return Verdicts(
        np.concatenate([part.row for part in parts]),
        np.concatenate([part.truth for part in parts]),
        np.concatenate([part.measured for part in parts]),
        parts[0].observed_at_ns,
    )
