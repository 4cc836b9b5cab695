"""The crane's height against its ties (附着装置) and its maker's limits, MH24-8-7: room left, in metres.

                  ___________ crane height
                 |  overhang above the top tie (悬臂高度 / 自由端高度)
    top tie    ==|
                 |  spacing (附着间距)
    lowest tie ==|
                 |  stood untied at least so far (独立高度, free height)
    base       __|__

In: heights above the base and the registry of ties. Out: margins; below 0 the limit is passed. All heights are in the
sense of the maker's manual (usually height under hook, 起升高度): the site gives crane height and ties alike.
Pure; a number that is missing makes the margin NaN, never a pass.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from gateway.model.papers import local_day


@dataclass(frozen=True, slots=True)
class ErectionLimits:
    """The maker's limits (使用说明书) for one crane as erected, m; NaN where the site has not filed one."""

    max_free_height_m: float = math.nan
    max_overhang_m: float = math.nan
    max_tie_spacing_m: float = math.nan


@dataclass(frozen=True, slots=True)
class Tie:
    """One tie: its height above the base, and the days it was in place."""

    height_m: float
    fitted_on: date
    removed_on: date | None = None

    def in_place(self, day: date) -> bool:
        """Whether it holds the mast on `day`: from the day it was fitted until before the day it was removed."""
        return self.fitted_on <= day and (self.removed_on is None or day < self.removed_on)


@dataclass(frozen=True, slots=True)
class TieRegistry:
    """The ties of one crane's mast, and their limits."""

    limits: ErectionLimits
    ties: tuple[Tie, ...] = ()

    def heights_m(self, now_ns: int) -> tuple[float, ...]:
        """Heights of the ties in place on the local day of `now_ns`, lowest first."""
        day = local_day(now_ns)
        return tuple(sorted(tie.height_m for tie in self.ties if tie.in_place(day)))


def free_height_margin_m(crane_height_m: float, tie_heights_m: Sequence[float], limits: ErectionLimits) -> float:
    """Room left below the greatest free height (独立高度) of the manual, m.

    Untied, the free height is the crane's. Tied, it is the height of the lowest tie: so far at least the mast stood
    free when that tie was fitted. Source of the duty: 建质规〔2024〕5号 Art. 8(7), V1; of the limit: the manual.
    """
    free_height_m = min(tie_heights_m) if tie_heights_m else crane_height_m
    return math.nan if math.isnan(crane_height_m) else limits.max_free_height_m - free_height_m


def overhang_margin_m(crane_height_m: float, tie_heights_m: Sequence[float], limits: ErectionLimits) -> float:
    """Room left below the greatest overhang above the top tie (悬臂高度) of the manual, m.

    Untied, the topmost support is the base, and what stands above it is judged by the free height: both margins are
    the same number then. Source: as `free_height_margin_m`.
    """
    if not tie_heights_m:
        return free_height_margin_m(crane_height_m, tie_heights_m, limits)
    return limits.max_overhang_m - (crane_height_m - max(tie_heights_m))


def tie_spacing_margin_m(tie_heights_m: Sequence[float], limits: ErectionLimits) -> float | None:
    """Room left between the widest gap of neighbouring ties and the manual's spacing, m; None with fewer than two ties
    (nothing to judge); NaN when no spacing is filed. Source: as `free_height_margin_m`."""
    if len(tie_heights_m) < 2:
        return None
    heights_m = sorted(tie_heights_m)
    return limits.max_tie_spacing_m - max(upper - lower for lower, upper in pairwise(heights_m))
