"""Which columns of a poll feed which rules: compiled once a layout, because drivers hand the same array every time.

In: the points that a family judges, and the layout of a poll. Out: positions in the family and columns of the poll.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.model.verdict import UNKNOWN, Verdicts

Positions = NDArray[np.intp]
FEW = 8
"""Up to so many rows are quicker judged one by one: numpy takes longer to begin than to do."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """`column[i]` of a poll feeds `position[i]` of the family; both (m,). `point_index` is the layout it is for.

    `few` are the same pairs, position first, where there are few enough to take them one by one.
    """

    point_index: NDArray[np.int32]
    position: Positions
    column: Positions
    few: tuple[tuple[int, int], ...]


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
        few = zip(position.tolist(), column.tolist(), strict=True) if len(position) <= FEW else ()
        return Plan(point_index, position, column, tuple(few))


def no_data(row: NDArray[np.int32], now_ns: int) -> Verdicts:
    """UNKNOWN for these rows, with nothing measured."""
    return Verdicts(row, np.full(len(row), UNKNOWN, dtype=np.uint8), np.full(len(row), np.nan), now_ns)
