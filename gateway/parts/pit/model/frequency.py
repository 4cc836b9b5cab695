"""How often a pit has to be read: the interval that a frequency table asks for at the present stage.

In: tables as data (each row with its certainty), the pit's description, the excavated depth, the time. Out: hours, NaN
when the table has no row or a fact it asks for is not known. Of a range such as "once in 2 to 3 days" the longer
interval counts: only beyond it has the table been broken.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import inf, isfinite, nan

from gateway.parts.pit.model.description import PitDescription, PitTrade, SafetyGrade

NS_A_DAY = 86_400_000_000_000


class PitPhase(StrEnum):
    """Stages of GB 50497-2019 7.0.3: thirds of the design depth, then the age of the base slab."""

    FIRST_THIRD = "first_third"
    SECOND_THIRD = "second_third"
    LAST_THIRD = "last_third"
    SLAB_7_DAYS = "slab_7_days"
    SLAB_14_DAYS = "slab_14_days"
    SLAB_28_DAYS = "slab_28_days"
    SLAB_LATER = "slab_later"


_SLAB_PHASES = ((7, PitPhase.SLAB_7_DAYS), (14, PitPhase.SLAB_14_DAYS), (28, PitPhase.SLAB_28_DAYS))
SLAB_DAYS = tuple(days for days, _ in _SLAB_PHASES)
"""Ages of the base slab after which another interval holds."""


@dataclass(frozen=True, slots=True)
class PhaseInterval:
    """One cell of the building table: at least once in `longest_h` hours (`shortest_h`: the range's other end)."""

    phase: PitPhase
    grade: SafetyGrade
    shortest_h: float
    longest_h: float


@dataclass(frozen=True, slots=True)
class DepthInterval:
    """One cell of the urban-rail table: excavated and design depth up to and including these, metres."""

    excavated_up_to_m: float
    design_up_to_m: float
    shortest_h: float
    longest_h: float


@dataclass(frozen=True, slots=True)
class FrequencyTable:
    """Both tables with where they come from. Rows of the rail table are in rising order of depth."""

    building: tuple[PhaseInterval, ...] = ()
    urban_rail: tuple[DepthInterval, ...] = ()
    building_clause: str = ""
    building_certainty: str = ""
    urban_rail_clause: str = ""
    urban_rail_certainty: str = ""

    def interval_h(self, pit: PitDescription, excavated_m: float, now_ns: int) -> float:
        """The longest time between readings, hours; NaN when it cannot be told."""
        if pit.trade is PitTrade.URBAN_RAIL:
            return self._by_depth(pit, excavated_m, now_ns)
        phase = phase_of(pit, excavated_m, now_ns)
        found = [row.longest_h for row in self.building if row.phase is phase and row.grade is pit.grade]
        return found[0] if found else nan

    def _by_depth(self, pit: PitDescription, excavated_m: float, now_ns: int) -> float:
        """Only of the time before the base slab: that is what the rail table is about."""
        depth_m = pit.design_depth_m
        if depth_m is None or not isfinite(excavated_m) or slab_age_d(pit, now_ns) >= 0:
            return nan
        excavated_m = min(excavated_m, depth_m)
        rows = [row for row in self.urban_rail if depth_m <= row.design_up_to_m]
        column_m = min((row.design_up_to_m for row in rows), default=inf)
        found = [row for row in rows if row.design_up_to_m == column_m and excavated_m <= row.excavated_up_to_m]
        return min(found, key=lambda row: row.excavated_up_to_m).longest_h if found else nan


def phase_of(pit: PitDescription, excavated_m: float, now_ns: int) -> PitPhase | None:
    """The stage of the works; None when the depths it follows from are not known."""
    age_d = slab_age_d(pit, now_ns)
    if age_d >= 0:
        return next((phase for days, phase in _SLAB_PHASES if age_d <= days), PitPhase.SLAB_LATER)
    if pit.design_depth_m is None or not isfinite(excavated_m):
        return None
    share = excavated_m / pit.design_depth_m
    if share <= 1 / 3:
        return PitPhase.FIRST_THIRD
    return PitPhase.SECOND_THIRD if share <= 2 / 3 else PitPhase.LAST_THIRD


def slab_age_d(pit: PitDescription, now_ns: int) -> float:
    """Days since the base slab was cast; negative before, and as long as nobody has said that it was."""
    cast_ns = pit.stage.base_slab_cast_ns
    return -inf if cast_ns is None else (now_ns - cast_ns) / NS_A_DAY
