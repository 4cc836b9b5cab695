"""A movement of the crane must change the right point, with the right sign. Pure.

In: the values before and after a movement that the operator made. Out: what was found. Only the points of a crane's own
movements are compared with one another; load, rated load and moment follow a trolley anyway. Every movement is asked
for both ways: a sensor that counts turns without their direction, or sticks on the way back, passes one of the two.

    slew right, left  -> slew_deg up, down (clockwise seen from above, through 360)
    trolley out, in   -> radius_m up, down
    hoist up, down    -> hook_m up, down
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement to ask for. It counts once the point has changed by `least`, in the point's unit; `sign` is the
    direction in which it has to change."""

    name: str
    key: str
    sign: int
    least: float
    ask_zh: str
    ask_en: str
    full_turn: float = 0.0


MOVEMENTS = (
    Movement(
        "slew_right",
        "slew_deg",
        1,
        2.0,
        "请向右回转（俯视顺时针）至少10°",
        "slew right (clockwise), 10 deg or more",
        360,
    ),
    Movement(
        "slew_left",
        "slew_deg",
        -1,
        2.0,
        "请向左回转（俯视逆时针）至少10°",
        "slew left (anticlockwise), 10 deg or more",
        360,
    ),
    Movement("trolley_out", "radius_m", 1, 0.3, "请将小车向外变幅至少2 m", "trolley out, 2 m or more"),
    Movement("trolley_in", "radius_m", -1, 0.3, "请将小车向内变幅至少2 m", "trolley in, 2 m or more"),
    Movement("hoist_up", "hook_m", 1, 0.3, "请将吊钩起升至少2 m", "hoist up, 2 m or more"),
    Movement("hoist_down", "hook_m", -1, 0.3, "请将吊钩下降至少2 m", "hoist down, 2 m or more"),
)


class Finding(StrEnum):
    """RIGHT: as it should. REVERSED: right point, wrong sign. SWAPPED: another movement's point changed instead.
    NOTHING: no movement's point changed. BLIND: the point could not be read before or after. SKIPPED: not asked for.
    """

    RIGHT = "right"
    REVERSED = "reversed"
    SWAPPED = "swapped"
    NOTHING = "nothing"
    BLIND = "blind"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class MovementCheck:
    """What one movement showed. `change` in the point's unit (NaN: unknown); `instead` is the point that moved."""

    movement: Movement
    finding: Finding
    change: float = np.nan
    instead: str = ""

    @property
    def passed(self) -> bool:
        """The wiring of this movement is proven."""
        return self.finding is Finding.RIGHT


def judge_movement(movement: Movement, before: Mapping[str, float], after: Mapping[str, float]) -> MovementCheck:
    """Compare the movement's own point first, then the other movements' points."""
    change = _change(movement, before, after)
    if np.isfinite(change) and abs(change) >= movement.least:
        return MovementCheck(movement, Finding.RIGHT if change * movement.sign > 0 else Finding.REVERSED, change)
    others = {other.key: other for other in MOVEMENTS if other.key != movement.key}
    changes = {key: _change(other, before, after) for key, other in others.items()}
    moved = [key for key, by in changes.items() if np.isfinite(by) and abs(by) >= others[key].least]
    if moved:
        return MovementCheck(movement, Finding.SWAPPED, change, ", ".join(moved))
    return MovementCheck(movement, Finding.NOTHING if np.isfinite(change) else Finding.BLIND, change)


def _change(movement: Movement, before: Mapping[str, float], after: Mapping[str, float]) -> float:
    by = after.get(movement.key, np.nan) - before.get(movement.key, np.nan)
    if movement.full_turn:
        half = movement.full_turn / 2
        by = (by + half) % movement.full_turn - half
    return float(by)
