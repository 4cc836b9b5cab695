"""The rule table: every row of the box, and one evaluator a family. A row number is what `Verdicts.row` holds.

In: resolved rules. Out: verdicts of a poll, and verdicts of the passing of time. Pure but for the held answers.
"""

from collections.abc import Sequence

from gateway.model.reading import Readings
from gateway.model.rule import ResolvedRule, RuleFamily
from gateway.model.verdict import Verdicts
from gateway.rules.silence import SilenceRules
from gateway.rules.threshold import ThresholdRules
from gateway.window import Window


class RuleTable:
    """All rules, compiled. The order of `rules` is the row order and must stay for the life of the process."""

    def __init__(self, rules: Sequence[ResolvedRule]) -> None:
        self.rules = tuple(rules)
        self.row_of = {(rule.info.rule_id, rule.subject): row for row, rule in enumerate(self.rules)}
        self._threshold = ThresholdRules(self._rows_of(RuleFamily.THRESHOLD))
        self._silence = SilenceRules(self._rows_of(RuleFamily.SILENCE))

    def on_readings(self, readings: Readings) -> Verdicts:
        """What one poll makes the rules say."""
        return self._threshold.evaluate(readings)

    def on_tick(self, window: Window, mono_ns: int, now_ns: int) -> tuple[Verdicts, ...]:
        """What the passing of time makes them say: silence, and UNKNOWN where data is missing."""
        return (
            self._silence.evaluate(window, mono_ns, now_ns),
            self._threshold.without_data(window, mono_ns, now_ns),
        )

    def hold(self, rows: set[int]) -> None:
        """After a restart: the alarms of these rows are active."""
        self._threshold.hold(rows)

    def _rows_of(self, family: RuleFamily) -> list[tuple[int, ResolvedRule]]:
        return [(row, rule) for row, rule in enumerate(self.rules) if rule.family is family]
