"""One figure as it is shown, exported and frozen: what it is, how much, of how many, over which days. Pure.

    Definition (what it is, target, where that comes from)  +  value or why there is none  ->  Figure

A value that nobody knows is None and says why. A window of fewer than thirty days with data is marked indicative.
"""

import math
from dataclasses import dataclass
from enum import Enum

from kit.words import NO_WORDS, Words
from regulator.base.days import DAY_NS

INDICATIVE_BELOW_DAYS = 30
"""ISA-18.2 and EEMUA 191, as quoted elsewhere, assess alarms over at least thirty days."""


class Certainty(Enum):
    """Where a target comes from."""

    SECONDARY = "2nd"
    PROPOSAL = "proposal"
    RULE = "rule"
    NONE = "none"


class Sense(Enum):
    """What meets the target."""

    AT_MOST = "≤"
    BELOW = "<"
    AT_LEAST = "≥"
    ABOVE = ">"
    ABOUT = "≈"
    TREND = "→"


@dataclass(frozen=True, slots=True)
class Target:
    """`value` in the figure's unit; NaN for a figure that is only followed over time."""

    sense: Sense
    value: float = math.nan


@dataclass(frozen=True, slots=True)
class Definition:
    """What a figure is. `group` sorts the page; `source` names where target and formula come from."""

    key: str
    group: str
    zh: str
    en: str
    unit: str
    target: Target
    certainty: Certainty
    source: str
    formula_zh: str
    formula_en: str


@dataclass(frozen=True, slots=True)
class Window:
    """Whole days of Shanghai, [from_ns, to_ns), UTC ns. `covered_days`: those from which the desk has anything."""

    from_ns: int
    to_ns: int
    covered_days: int

    @property
    def days(self) -> int:
        """How many days there are."""
        return (self.to_ns - self.from_ns) // DAY_NS

    @property
    def indicative(self) -> bool:
        """Fewer than thirty days with data."""
        return self.covered_days < INDICATIVE_BELOW_DAYS


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` None: UNKNOWN, and `why` says so. `n`: how many things it is made of. `low`, `high`: a 95 % interval, NaN
    without. `window` None: as things stand now, at the end of the period. `note`: what a reader must know beside it."""

    definition: Definition
    value: float | None
    n: int
    window: Window | None
    why: Words = NO_WORDS
    note: Words = NO_WORDS
    low: float = math.nan
    high: float = math.nan

    @property
    def unknown(self) -> bool:
        """Whether nobody can say."""
        return self.value is None

    @property
    def indicative(self) -> bool:
        """Made from fewer than thirty days."""
        return self.window is not None and self.window.indicative

    @property
    def meets(self) -> bool | None:
        """Whether the target is met; None where there is none, where it is only about, or where nothing is known."""
        goal = self.definition.target
        if self.value is None or math.isnan(goal.value):
            return None
        return {
            Sense.AT_MOST: self.value <= goal.value,
            Sense.BELOW: self.value < goal.value,
            Sense.AT_LEAST: self.value >= goal.value,
            Sense.ABOVE: self.value > goal.value,
        }.get(goal.sense)


def quantile(ordered: "list[tuple[int, int]]", share: float) -> int | None:
    """The smallest value that at least this share does not exceed, of (value, count) in rising order; None of none."""
    total = sum(count for _, count in ordered)
    needed, seen = max(1, math.ceil(share * total)), 0
    for value, count in ordered:
        seen += count
        if seen >= needed:
            return value
    return None
