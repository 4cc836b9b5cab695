"""Which of two cranes that are getting near each other goes first.

In: facts of the cranes. Out: has it, gives way, or not known. It is shown to people; it stops no crane. Knows nothing
of distances.

The default order follows what group plans on Chinese sites usually say (群塔作业: 低塔让高塔, 轻车让重车, 后塔让先塔,
certainty M-M; no clause was found): the lower crane gives way to the higher one, the empty one to the loaded one, the
later one to the one that was there first. A crane whose motors are off cannot give way at all. A site whose own plan
says otherwise gives its own order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum

import numpy as np
from numpy.typing import NDArray


class RightOfWay(IntEnum):
    """What a crane is told. Two cranes that no principle tells apart both give way."""

    NOT_NEEDED = 0
    HAS_IT = 1
    GIVES_WAY = 2


class Principle(StrEnum):
    """Who goes first: one of two cranes whose motors are off, the higher, the lower, the loaded, the first one in."""

    MOTOR_OFF = "motor_off"
    HIGHER = "higher"
    LOWER = "lower"
    LOADED = "loaded"
    FIRST_IN = "first_in"


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """Facts of k cranes. `jib_m` (k,): height of the jib in the site's frame; `loaded` and `motor` (k,): 0, 1 or NaN;
    `entered_ns` (k, k): since when the row's crane is within reach of the column's, 0 when it is not."""

    jib_m: NDArray[np.float64]
    loaded: NDArray[np.float64]
    motor: NDArray[np.float64]
    entered_ns: NDArray[np.int64]


SAME_HEIGHT_M = 1.0
"""Jibs that differ by less than this are of one height. PD"""


def right_of_way(principles: Sequence[Principle], standing: Standing, crane: int, other: int) -> float:
    """What `crane` is told about `other`, as a RightOfWay; NaN when a fact that it hangs on is not known."""
    for principle in principles:
        ahead = _ahead(principle, standing, crane, other)
        if np.isnan(ahead):
            return np.nan
        if ahead != 0.0:
            return float(RightOfWay.HAS_IT if ahead > 0 else RightOfWay.GIVES_WAY)
    return float(RightOfWay.GIVES_WAY)


def _ahead(principle: Principle, standing: Standing, crane: int, other: int) -> float:
    """Above 0: `crane` goes first; below 0: `other` does; 0: the principle does not tell them apart; NaN: unknown."""
    match principle:
        case Principle.MOTOR_OFF:
            return _off(float(standing.motor[crane])) - _off(float(standing.motor[other]))
        case Principle.HIGHER:
            return _higher(standing, crane, other)
        case Principle.LOWER:
            return _higher(standing, other, crane)
        case Principle.LOADED:
            return float(standing.loaded[crane] - standing.loaded[other])
        case Principle.FIRST_IN:
            mine, theirs = int(standing.entered_ns[crane, other]), int(standing.entered_ns[other, crane])
            if mine == 0 or theirs == 0:
                return float((mine > 0) - (theirs > 0))
            return float((mine < theirs) - (mine > theirs))


def _off(motor: float) -> float:
    return np.nan if np.isnan(motor) else float(motor == 0)


def _higher(standing: Standing, crane: int, other: int) -> float:
    above_m = float(standing.jib_m[crane] - standing.jib_m[other])
    return 0.0 if abs(above_m) < SAME_HEIGHT_M else above_m
