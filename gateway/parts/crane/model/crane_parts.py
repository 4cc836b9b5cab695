"""The parts of a crane's model that remember something, and their states as one.

In: a description and what is fitted. Out: the parts, each fed by `gateway.parts.crane.model.crane`. A part whose kept
state does not fit (other tuning, another sensor) starts anew alone: a changed tilt setting must not cost the cycles.
"""

from collections.abc import Mapping
from typing import Protocol

from gateway.model.derivation import Json
from gateway.model.kept_state import mapping
from gateway.parts.crane.model.clock import ModelClock
from gateway.parts.crane.model.cycle_ledger import CycleLedger
from gateway.parts.crane.model.cycles import WorkingCycles
from gateway.parts.crane.model.description import CraneDescription
from gateway.parts.crane.model.fatigue import LoadSpectrum, MomentDamage
from gateway.parts.crane.model.mast_tilt import MastTilt
from gateway.parts.crane.model.motion import Motions
from gateway.parts.crane.model.operating_state import Fitted, OperatingStates
from gateway.parts.crane.model.safety_device import LimitUncut
from gateway.parts.crane.model.slew import SlewTurns
from gateway.parts.crane.model.swing import LoadSwing, SidePull
from gateway.parts.crane.model.wind import WindMeans

VERSION = 1


class Part(Protocol):
    """Anything with a state to keep."""

    def saved(self) -> Json:
        """The state to keep."""
        ...

    def restore(self, saved: Json) -> None:
        """Go on from a kept state. Raises ValueError when it is none."""
        ...


class CraneParts:
    """All parts of one crane, new."""

    def __init__(self, crane: CraneDescription, fitted: Fitted, two_tilt_axes: bool) -> None:
        parameters = crane.parameters
        self.clock = ModelClock()
        self.states = OperatingStates(parameters.load, parameters.state, fitted)
        self.turns = SlewTurns(crane)
        self.motions = Motions(parameters.swing.speed_span_s)
        self.wind = WindMeans(parameters.wind)
        self.tilt = MastTilt(crane, two_tilt_axes)
        self.swing = LoadSwing(parameters.swing)
        self.pull = SidePull(parameters.swing)
        self.uncut = LimitUncut(parameters.safety)
        self.cycles = WorkingCycles(parameters.load, parameters.marks)
        self.ledger = CycleLedger(parameters.shifts)
        largest_t = max((curve.max_rated_t for curve in crane.chart.curves), default=1.0)  # rescaled once it is known
        self.spectrum = LoadSpectrum(largest_t)
        self.damage = MomentDamage(parameters.fatigue)

    def by_name(self) -> Mapping[str, Part]:
        """Every part under the name of its state. The clock comes first: the others count by it."""
        return {
            "clock": self.clock,
            "states": self.states,
            "turns": self.turns,
            "motions": self.motions,
            "wind": self.wind,
            "tilt": self.tilt,
            "swing": self.swing,
            "pull": self.pull,
            "uncut": self.uncut,
            "cycles": self.cycles,
            "ledger": self.ledger,
            "spectrum": self.spectrum,
            "damage": self.damage,
        }

    def saved(self) -> dict[str, Json]:
        """The states of all parts."""
        return {"version": VERSION, **{name: part.saved() for name, part in self.by_name().items()}}


def restored_parts(
    crane: CraneDescription, fitted: Fitted, two_tilt_axes: bool, saved: Json
) -> tuple[CraneParts, dict[str, str]]:
    """Parts that go on from a kept state, and the names of those that start anew with the reason.

    Raises ValueError when the state as a whole is none, or of another version, or its clock is none.
    """
    state = mapping(saved)
    if state.get("version") != VERSION:
        raise ValueError(f"kept crane state is of version {state.get('version')}, not {VERSION}")
    refused: dict[str, str] = {}
    while True:
        parts = CraneParts(crane, fitted, two_tilt_axes)
        for name, part in parts.by_name().items():
            if name in refused:
                continue
            try:
                part.restore(state.get(name))
            except ValueError as error:
                if name == "clock":
                    raise
                refused[name] = str(error)
                break
        else:
            return parts, refused
