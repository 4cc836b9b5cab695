"""Which columns of a poll feed which rules: compiled once a layout, because drivers hand the same array every time.

In: the points that a family judges, and the layout of a poll. Out: positions in the family and columns of the poll.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.model.verdict import UNKNOWN, Verdicts

Positions = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """`column[i]` of a poll feeds `position[i]` of the family; both (m,). `point_index` is the layout it is for."""

    point_index: NDArray[np.int32]
    position: Positions
    column: Positions


class Columns:
    """The layouts seen so far. `points` (n,) are the points judged by a family, in its own order; -1 is never met."""

    def __init__(self, points: Sequence[int]) -> None:
        self.points: NDArray[np.int32] = np.array(points, dtype=np.int32)
        self._plans: dict[int, Plan] = {}

    def of(self, point_index: NDArray[np.int32]) -> Plan:
        """The plan for this layout; the array's identity is the key."""
        plan = self._plans.get(id(point_index))
        if plan is None or plan.point_index is not point_index:
            plan = self._plans[id(point_index)] = self._compile(point_index)
        return plan

    def _compile(self, point_index: NDArray[np.int32]) -> Plan:
        column_of = {int(point): column for column, point in enumerate(point_index)}
        position = np.array([i for i, point in enumerate(self.points) if int(point) in column_of], dtype=np.intp)
        column = np.array([column_of[int(self.points[i])] for i in position], dtype=np.intp)
        return Plan(point_index, position, column)


def no_data(row: NDArray[np.int32], now_ns: int) -> Verdicts:
    """UNKNOWN for these rows, with nothing measured."""
    return Verdicts(row, np.full(len(row), UNKNOWN, dtype=np.uint8), np.full(len(row), np.nan), now_ns)
