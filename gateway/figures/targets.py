"""Targets of the figures: good, acceptable or over, each with its source and certainty.

ISA-18.2 / EEMUA 191 figures were read second hand only (certainty M-M); what the product proposes is PD. A figure that
is not known meets no target and misses none.
"""

from dataclasses import dataclass
from enum import StrEnum

from gateway.figures.alarm_figures import AlarmFigures
from gateway.model.alarm import Severity

SECOND_HAND = "ISA-18.2 / EEMUA 191"
PROPOSAL = "PD"


class Standing(StrEnum):
    """How a figure stands to its target."""

    UNKNOWN = "unknown"
    MET = "met"
    NEAR = "near"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Target:
    """`met` up to here, `near` up to `at_most`; beyond it is missed. Both bounds belong to the better side."""

    met: float
    at_most: float
    certainty: str

    def judge(self, value: float | None) -> Standing:
        """Where a value stands against this target."""
        if value is None:
            return Standing.UNKNOWN
        if value <= self.met:
            return Standing.MET
        return Standing.NEAR if value <= self.at_most else Standing.MISSED


PER_HOUR = Target(6, 12, "M-M")
PER_TEN_MINUTES = Target(1, 2, "M-M")
PEAK = Target(10, 10, "M-M")
FLOOD_SHARE = Target(0.01, 0.01, "M-M")
STANDING = Target(4, 4, "M-M")
"""Fewer than five on any day."""
CHATTERING = Target(0, 0, "M-M")
FLEETING = Target(0, 0, "M-M")
BAD_ACTOR_SHARE = Target(0.05, 0.05, "M-M")
WITHOUT_REASON = Target(0, 0, "M-M")
P1_ANSWERED_S = Target(120, 120, "PD")
P1_LATE = Target(0.05, 0.05, "PD")
MIX_P1, MIX_P2 = 0.05, 0.15
"""About 80 / 15 / 5 per cent for P3 / P2 / P1 (M-M); a direction, not a bound."""


def mix_shares(figures: AlarmFigures) -> dict[Severity, float | None]:
    """Each priority's share, 0 to 1; None without an alarm."""
    total = sum(figures.mix.values())
    return {severity: count / total if total else None for severity, count in figures.mix.items()}
