"""What a crane is doing: idle, lifting, climbing, or out of service.

    work status 1, or the mast's height has moved lately  ->  CLIMBING
    else a load on the hook                               ->  LIFTING
    else no motor for hours                               ->  OUT_OF_SERVICE
    else                                                  ->  IDLE

In: load, motor, work status and crane height, NaN where not known, and which of them are fitted at all. Out:
`Operation`. Whatever depends on something that is fitted and not known is itself not known. Knows nothing of limits.
"""

from dataclasses import dataclass
from enum import IntEnum
from math import isnan, nan
from typing import NamedTuple

from gateway.model.derivation import Json
from gateway.model.kept_state import kept, known, mapping, optional_whole, whole
from gateway.parts.crane.model.parameters import LoadParameters, StateParameters

SECOND_NS = 1_000_000_000
_HOLE_NS = 600 * SECOND_NS


class OperatingState(IntEnum):
    """What the derived point `operating_state` says."""

    IDLE = 0
    LIFTING = 1
    CLIMBING = 2
    OUT_OF_SERVICE = 3


@dataclass(frozen=True, slots=True)
class Fitted:
    """Which instruments the crane has."""

    motor: bool
    work_status: bool
    crane_height: bool


class Operation(NamedTuple):
    """Operating state. `loaded` and `climbing` are None where unknown; `state` is None then too."""

    state: OperatingState | None
    loaded: bool | None
    climbing: bool | None


class Climbed(NamedTuple):
    """The mast's height has changed for good."""

    from_m: float
    to_m: float


class HookLoad:
    """Whether a load hangs on the hook, with a deadband: between the two bounds the last answer stays."""

    def __init__(self, parameters: LoadParameters) -> None:
        self._loaded_above_t = parameters.no_load_t + parameters.load_delta_t
        self._empty_at_t = parameters.no_load_t + parameters.unload_delta_t
        self.last: bool = False

    def step(self, load_t: float) -> bool | None:
        """The answer for this load; None for NaN, which leaves the last answer to later ones."""
        if isnan(load_t):
            return None
        if load_t > self._loaded_above_t:
            self.last = True
        elif load_t <= self._empty_at_t:
            self.last = False
        return self.last


class MastHeight:
    """Sees a climb in the crane's height: a step that stays."""

    def __init__(self, parameters: StateParameters) -> None:
        self._step_m = parameters.climb_step_m
        self._confirm_ns = int(parameters.climb_confirm_s * SECOND_NS)
        self._settle_ns = int(parameters.climb_settle_s * SECOND_NS)
        self._height_m = nan
        self._seen_m = nan
        self._seen_ns = 0
        self._climbed_ns: int | None = None
        self.climbed: Climbed | None = None

    def step(self, t_ns: int, height_m: float) -> bool | None:
        """Whether a climb was seen lately; None while the height is not known. `climbed` is set in the step that
        believes a new height."""
        self.climbed = None
        if isnan(height_m):
            return True if self._lately(t_ns) else None
        if isnan(self._height_m):
            self._height_m = height_m
        if abs(height_m - self._height_m) < self._step_m:
            self._seen_m = nan
        elif not abs(height_m - self._seen_m) < self._step_m:
            self._seen_m, self._seen_ns = height_m, t_ns
        elif t_ns - self._seen_ns >= self._confirm_ns:
            self.climbed = Climbed(self._height_m, height_m)
            self._height_m, self._seen_m, self._climbed_ns = height_m, nan, t_ns
        return self._lately(t_ns)

    def _lately(self, t_ns: int) -> bool:
        return self._climbed_ns is not None and t_ns - self._climbed_ns < self._settle_ns

    def saved(self) -> Json:
        """The state to keep."""
        return {
            "height_m": kept(self._height_m),
            "seen_m": kept(self._seen_m),
            "seen_ns": self._seen_ns,
            "climbed_ns": self._climbed_ns,
        }

    def restore(self, saved: Json) -> None:
        """Go on from a kept state. Raises ValueError when it is none."""
        state = mapping(saved)
        self._height_m, self._seen_m = known(state.get("height_m")), known(state.get("seen_m"))
        self._seen_ns = optional_whole(state.get("seen_ns")) or 0
        self._climbed_ns = optional_whole(state.get("climbed_ns"))


class OperatingStates:
    """The operating state of one crane. Feed it with rising times (ns, any origin that stays the same)."""

    def __init__(self, load: LoadParameters, state: StateParameters, fitted: Fitted) -> None:
        self._fitted = fitted
        self._hook = HookLoad(load)
        self._mast = MastHeight(state)
        self._out_after_ns = int(state.out_of_service_after_s * SECOND_NS)
        self._quiet_since_ns: int | None = None
        self._stepped_ns = 0

    @property
    def climbed(self) -> Climbed | None:
        """The climb that the last step has seen to the end."""
        return self._mast.climbed

    def step(self, t_ns: int, load_t: float, motor: float, work_status: float, crane_h_m: float) -> Operation:
        """What it does at `t_ns`. `motor` and `work_status` are 0 or 1."""
        loaded = self._hook.step(load_t)
        climbing = self._climbing(t_ns, work_status, crane_h_m)
        self._note_quiet(t_ns, loaded is False and motor == 0)
        return Operation(self._state(t_ns, loaded, climbing, motor), loaded, climbing)

    def _note_quiet(self, t_ns: int, quiet: bool) -> None:
        """Start of the time without load and motor. A gap in the data ends it."""
        seen = t_ns - self._stepped_ns <= _HOLE_NS
        self._stepped_ns = t_ns
        if not quiet:
            self._quiet_since_ns = None
        elif self._quiet_since_ns is None or not seen:
            self._quiet_since_ns = t_ns

    def _climbing(self, t_ns: int, work_status: float, crane_h_m: float) -> bool | None:
        fitted = self._fitted
        by_height = self._mast.step(t_ns, crane_h_m) if fitted.crane_height else False
        if by_height or work_status == 1:
            return True
        if not (fitted.work_status or fitted.crane_height):
            return None
        by_status_unknown = fitted.work_status and isnan(work_status)
        return None if by_status_unknown or by_height is None else False

    def _state(self, t_ns: int, loaded: bool | None, climbing: bool | None, motor: float) -> OperatingState | None:
        if climbing:
            return OperatingState.CLIMBING
        told = self._fitted.work_status or self._fitted.crane_height
        if loaded is None or (climbing is None and told):
            return None
        if loaded:
            return OperatingState.LIFTING
        if self._fitted.motor and isnan(motor):
            return None
        if self._quiet_since_ns is not None and t_ns - self._quiet_since_ns >= self._out_after_ns:
            return OperatingState.OUT_OF_SERVICE
        return OperatingState.IDLE

    def saved(self) -> Json:
        """The state to keep."""
        return {
            "loaded": self._hook.last,
            "mast": self._mast.saved(),
            "quiet_since_ns": self._quiet_since_ns,
            "stepped_ns": self._stepped_ns,
        }

    def restore(self, saved: Json) -> None:
        """Go on from a kept state. Raises ValueError when it is none."""
        state = mapping(saved)
        self._mast.restore(state.get("mast"))
        self._quiet_since_ns = optional_whole(state.get("quiet_since_ns"))
        self._stepped_ns = whole(state.get("stepped_ns"))
        self._hook.last = bool(state.get("loaded"))
