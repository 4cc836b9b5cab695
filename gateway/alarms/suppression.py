"""Suppression by design: which rows keep which other rows quiet, worked out once from the rules.

In: the rules in row order. Out: for every row the rows whose active alarm suppresses it, an order in which suppressors
are stepped first, and whether verdicts on some rows can change any of it. Knows no alarm and no verdict.
"""

from collections.abc import Iterable, Sequence
from graphlib import TopologicalSorter

import numpy as np
from numpy.typing import NDArray

from gateway.model.alarm import Severity
from gateway.model.rule import ResolvedRule


class SuppressionPlan:
    """Rows by rows; empty and free of cost where no rule is suppressed. Raises graphlib.CycleError for a circle.

    A suppressor is every row of the named rule on the same asset, or on the same subject where the rule says so. A P1
    is never suppressed, whatever its rule says.
    """

    def __init__(self, rules: Sequence[ResolvedRule]) -> None:
        rows_of: dict[tuple[str, str], list[int]] = {}
        here: dict[tuple[str, str], int] = {}
        for row, rule in enumerate(rules):
            rows_of.setdefault((rule.info.rule_id, rule.asset), []).append(row)
            here[rule.info.rule_id, rule.subject] = row
        self._suppressors: dict[int, tuple[int, ...]] = {}
        for row, rule in enumerate(rules):
            named = [r for rule_id in rule.suppressed_while for r in rows_of.get((rule_id, rule.asset), ())]
            named += [here[key] for rule_id in rule.suppressed_here if (key := (rule_id, rule.subject)) in here]
            if named and rule.info.severity is not Severity.P1:
                self._suppressors[row] = tuple(named)
        self._order = np.zeros(len(rules), dtype=np.int32)
        self._concerned = np.zeros(len(rules), dtype=np.bool_)
        for place, row in enumerate(TopologicalSorter(self._suppressors).static_order()):
            self._order[row] = place
            self._concerned[row] = True

    def __bool__(self) -> bool:
        return bool(self._suppressors)

    def suppressors(self, row: int) -> tuple[int, ...]:
        """The rows whose active alarm suppresses this row; none for most."""
        return self._suppressors.get(row, ())

    def concerns(self, rows: NDArray[np.integer]) -> bool:
        """Whether verdicts on these rows can begin or end a suppression."""
        return bool(self._suppressors and np.count_nonzero(self._concerned[rows]))

    def suppressors_first(self, rows: Iterable[int]) -> list[int]:
        """The rows in an order in which nothing is judged before what suppresses it."""
        return sorted(rows, key=lambda row: int(self._order[row]))
