"""The maker's load chart (起重特性曲线): what a crane may lift, by radius and parts of line (倍率).

    rated_t
      6 |----------.                       between two radii of the maker's table: a straight line
        |           \\__                    outside the table: not known (NaN), never guessed
      2 |              ```----.
        +----|-----|----|-----|---> radius_m
          2.5    20   30    50

In: the maker's table as numbers. Out: the rated load at a radius. Knows nothing of files, sensors and limits.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite, nan


class ChartFault(StrEnum):
    """A table that is not a load chart."""

    TOO_SHORT = "too_short"
    LENGTHS_DIFFER = "lengths_differ"
    NOT_POSITIVE = "not_positive"
    NOT_RISING = "not_rising"
    DUPLICATE = "duplicate"


class ChartError(ValueError):
    """A table that is no load chart; `fault` says why, `position` is the first entry that shows it."""

    def __init__(self, fault: ChartFault, position: int) -> None:
        super().__init__(f"load chart: {fault.value} at entry {position}")
        self.fault = fault
        self.position = position


@dataclass(frozen=True, slots=True)
class LoadCurve:
    """One line of the maker's chart. `radius_m` and `rated_t` have the same length n >= 2; radii rise strictly.

    Radii are 0 or more, loads more than 0, all finite. Raises ChartError otherwise.
    """

    parts_of_line: int
    radius_m: tuple[float, ...]
    rated_t: tuple[float, ...]

    def __post_init__(self) -> None:
        found = fault_of(self.radius_m, self.rated_t)
        if found is not None:
            raise ChartError(*found)

    @property
    def max_rated_t(self) -> float:
        """The most that these parts of line may ever carry (t)."""
        return max(self.rated_t)

    def rated_at(self, radius_m: float) -> float:
        """Rated load (t) at a radius, by linear interpolation; NaN outside the table and for NaN."""
        radii = self.radius_m
        if not radii[0] <= radius_m <= radii[-1]:
            return nan
        i = bisect_left(radii, radius_m)
        if radii[i] == radius_m:
            return self.rated_t[i]
        low, high = self.rated_t[i - 1], self.rated_t[i]
        share = (radius_m - radii[i - 1]) / (radii[i] - radii[i - 1])
        return low + (high - low) * share


@dataclass(frozen=True, slots=True)
class LoadChart:
    """All lines of a crane's chart, one for each number of parts of line. Raises ChartError when empty or repeated."""

    curves: tuple[LoadCurve, ...]
    _by_parts: dict[int, LoadCurve] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts = [curve.parts_of_line for curve in self.curves]
        if not parts:
            raise ChartError(ChartFault.TOO_SHORT, 0)
        for i, each in enumerate(parts):
            if each < 1:
                raise ChartError(ChartFault.NOT_POSITIVE, i)
            if each in parts[:i]:
                raise ChartError(ChartFault.DUPLICATE, i)
        object.__setattr__(self, "_by_parts", {curve.parts_of_line: curve for curve in self.curves})

    @classmethod
    def unknown(cls) -> "LoadChart":
        """Empty chart of a crane without a configured load chart. It gives no rating at any radius."""
        chart = object.__new__(cls)
        object.__setattr__(chart, "curves", ())
        object.__setattr__(chart, "_by_parts", {})
        return chart

    def curve_of(self, parts_of_line: float) -> LoadCurve | None:
        """The line for these parts of line; None when the maker gives none (also for NaN)."""
        return self._by_parts.get(int(parts_of_line)) if parts_of_line == parts_of_line // 1 else None

    def rated_at(self, parts_of_line: float, radius_m: float) -> float:
        """Rated load (t); NaN where the maker says nothing."""
        curve = self.curve_of(parts_of_line)
        return nan if curve is None else curve.rated_at(radius_m)

    @property
    def parts_of_line(self) -> tuple[int, ...]:
        """The parts of line that the chart knows, in the maker's order."""
        return tuple(curve.parts_of_line for curve in self.curves)


def fault_of(radius_m: Sequence[float], rated_t: Sequence[float]) -> tuple[ChartFault, int] | None:
    """Why these two rows are no line of a chart, and at which entry; None when they are one."""
    if len(radius_m) != len(rated_t):
        return ChartFault.LENGTHS_DIFFER, min(len(radius_m), len(rated_t))
    if len(radius_m) < 2:
        return ChartFault.TOO_SHORT, len(radius_m)
    for i, (radius, rated) in enumerate(zip(radius_m, rated_t, strict=True)):
        if not (isfinite(radius) and isfinite(rated) and radius >= 0 and rated > 0):
            return ChartFault.NOT_POSITIVE, i
        if i and radius <= radius_m[i - 1]:
            return (ChartFault.DUPLICATE if radius == radius_m[i - 1] else ChartFault.NOT_RISING), i
    return None
