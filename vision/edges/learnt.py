"""What is known of one edge in the light of one reference picture: how it looked protected, and the light beside it.

An edge has one of these by day, and one more where a person has confirmed a picture by night: lamps make another rail
of it than the sun does, and nothing that one of them has learnt is of use to the other. In: the reference's strip.
Knows no time but what it is told, and not which of them is in force.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from vision.edges.appearance import Appearances
from vision.edges.evidence import NEVER
from vision.edges.light import LightMemory, LightState
from vision.edges.painted import PaintedOut
from vision.edges.structure import Look
from vision.edges.view import View


@dataclass(frozen=True, slots=True, eq=False)
class LearntState:
    """For a restart: the looks that were learnt (the recent one first), and the light beside the columns."""

    looks: Sequence[Look]
    light: LightState


class Learnt:
    """`followed_ns`: when it was last held against a live look. `reference`: the strip of its picture; `before` is what
    is known by the picture that the edge was drawn on, when this is another one."""

    def __init__(self, reference: Look, view: View, before: "Learnt | None" = None) -> None:
        self.by_lamps = before is not None
        lines = None if before is None else before.appearances.weight
        self.appearances: Appearances = Appearances(reference, view, self._painted(reference, view, before), lines)
        self.light = LightMemory(reference.level, view.witness, self.appearances.blank)
        self.followed_ns = NEVER

    @staticmethod
    def _painted(reference: Look, view: View, before: "Learnt | None") -> PaintedOut | None:
        """Where the lines lie is told by the picture that the edge was drawn on."""
        if view.opening:
            return None
        return PaintedOut(reference, view) if before is None else before.appearances.painted

    def state(self) -> LearntState:
        """What a restart goes on with."""
        return LearntState(self.appearances.looks[1:], self.light.state())

    def take_up(self, state: LearntState) -> None:
        """Go on with what `state` gave; of the same strip."""
        self.appearances.take_up(state.looks)
        self.light.take_up(state.light)

    def take_looks(self, before: "Learnt") -> None:
        """Go on with the looks that were learnt of a picture of another size. The light is begun anew."""
        if before.appearances.has_learnt:
            self.appearances.take_up(before.appearances.looks[1:])
