"""How many times a crane has turned: slew without a slip ring is limited to about one and a half turns each way.

A device says the angle within one turn (0-360), so the turn is one of several:

    left limit -540        -360         0          360        540 right limit
         |-------------------|----------|-----------|----------|
                 o                 o          o                     all that fit the reading are kept in mind

Every reading moves all of them; one that passes a limit was wrong and is dropped. While more than one is left the turn
is not known (NaN): it is never guessed. After a hole in which the jib might have turned half a circle, all that fit are
possible again. A device that counts turns itself (readings below 0 or above 360) is taken at its word.

With a limit on one side only nothing can be told.

In: the device's reading. Out: turn and margins in degrees, right (clockwise) positive.
"""

from math import ceil, floor, isinf, isnan, nan
from typing import NamedTuple

from gateway.model.derivation import Json
from gateway.model.kept_state import kept, known, mapping, numbers, whole
from gateway.parts.crane.model.description import CraneDescription

UNLIMITED_DEG = 1e6
SECOND_NS = 1_000_000_000
_SLACK_DEG = 20.0
"""A limit switch may let the jib run on by so much before a turn counts as impossible. PD"""


class Turn(NamedTuple):
    """`turn_deg` from the device's zero, and how far the jib may turn on each way; NaN where not known."""

    turn_deg: float
    left_margin_deg: float
    right_margin_deg: float


UNKNOWN = Turn(nan, nan, nan)


class SlewTurns:
    """The turns of one crane. Feed it with rising times (ns, any origin that stays the same)."""

    def __init__(self, crane: CraneDescription) -> None:
        self._left_deg, self._right_deg = crane.slew_left_deg, crane.slew_right_deg
        self._limited = not (isinf(self._left_deg) or isinf(self._right_deg))
        self._unlimited = isinf(self._left_deg) and isinf(self._right_deg)
        self._clockwise = crane.slew_clockwise
        self._half_turn_ns = int(180.0 / crane.slew_max_deg_s * SECOND_NS)
        self._counts_turns = False
        self._reading_deg = nan
        self._seen_ns = 0
        self._turns_deg: list[float] = []

    def step(self, t_ns: int, slew_deg: float) -> Turn:
        """Take a reading; NaN: there was none."""
        if isnan(slew_deg):
            return UNKNOWN
        reading = slew_deg if self._clockwise else -slew_deg
        self._counts_turns = self._counts_turns or not 0.0 <= slew_deg <= 360.0
        if self._counts_turns:
            self._turns_deg = [reading]
        elif not self._turns_deg or t_ns - self._seen_ns > self._half_turn_ns:
            self._turns_deg = self._possible(reading)
        elif reading != self._reading_deg:
            self._move((reading - self._reading_deg + 180.0) % 360.0 - 180.0)
        self._reading_deg, self._seen_ns = reading, t_ns
        return self._turn()

    def _possible(self, reading: float) -> list[float]:
        if self._unlimited:
            return [reading % 360.0]
        if not self._limited:
            return []
        first = ceil((self._left_deg - _SLACK_DEG - reading) / 360.0)
        last = floor((self._right_deg + _SLACK_DEG - reading) / 360.0)
        return [reading + 360.0 * turn for turn in range(first, last + 1)]

    def _move(self, by_deg: float) -> None:
        low, high = self._left_deg - _SLACK_DEG, self._right_deg + _SLACK_DEG
        moved = [turn + by_deg for turn in self._turns_deg]
        self._turns_deg = [turn for turn in moved if low <= turn <= high] if len(moved) > 1 else moved

    def _turn(self) -> Turn:
        if self._unlimited:
            return Turn(self._turns_deg[0], UNLIMITED_DEG, UNLIMITED_DEG)
        if len(self._turns_deg) != 1:
            return UNKNOWN
        turn = self._turns_deg[0]
        return Turn(turn, min(turn - self._left_deg, UNLIMITED_DEG), min(self._right_deg - turn, UNLIMITED_DEG))

    def saved(self) -> Json:
        """The state to keep."""
        return {
            "counts_turns": self._counts_turns,
            "reading_deg": kept(self._reading_deg),
            "seen_ns": self._seen_ns,
            "turns_deg": list(self._turns_deg),
        }

    def restore(self, saved: Json) -> None:
        """Go on from a kept state. Raises ValueError when it is none."""
        state = mapping(saved)
        self._turns_deg, self._reading_deg = numbers(state.get("turns_deg")), known(state.get("reading_deg"))
        self._seen_ns, self._counts_turns = whole(state.get("seen_ns")), bool(state.get("counts_turns"))
