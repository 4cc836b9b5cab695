"""Who belongs to a group of cranes, and how its distances are derived.

In: built by the settings. Out: read by the group's models. Frozen data. None of the figures is a limit that anything
is judged by: those live in rule packs; `danger_below_m` and `alert_below_m` must not be below the limits there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gateway.parts.crane.group.braking import Braking
from gateway.parts.crane.group.motion import MotionParameters
from gateway.parts.crane.group.right_of_way import Principle
from gateway.parts.crane.model.geometry import CraneGeometry

Floats = NDArray[np.float64]
Times = NDArray[np.int64]

INPUT_KEYS = ("slew_deg", "radius_m", "hook_m", "crane_h_m", "load_t", "motor", "multi_alarm")
"""What a group reads of each crane, where its device says it."""


@dataclass(frozen=True, slots=True)
class GroupMember:
    """One crane of a group. `keys`: which of INPUT_KEYS its device delivers at all.

    Without `crane_h_m` the mast is as high as the climbing history says; without `hook_m` the hook may be anywhere down
    to the base; without `load_t` it always counts as loaded, without `motor` as running. A key that is delivered and
    silent is not known.
    """

    asset: str
    geometry: CraneGeometry
    keys: tuple[str, ...] = INPUT_KEYS
    braking: Braking = field(default_factory=Braking)


@dataclass(frozen=True, slots=True)
class CraneGroupParameters:
    """How a group's distances are derived."""

    danger_below_m: float = 2.0
    """While a neighbour is silent, a smaller distance is certainly too small. GB 5144-2006 10.5, V1"""
    alert_below_m: float = 5.0
    """The same for the warning; a distance ahead below it is a conflict. Standards reference 7.3, PD"""
    exact_below_m: float = 10.0
    """Distances ahead are found to the moment below this, metres. PD"""
    horizon_s: float = 20.0
    """How far ahead is looked, seconds. Standards reference 7.3, PD"""
    clear_s: float = 30.0
    """What `conflict_in_s` says when there is no conflict within the horizon, seconds. PD"""
    loaded_above_t: float = 0.2
    """A hook with more than this is loaded, tonnes. PD"""
    flag_hold_s: float = 5.0
    """The device's own collision flag must disagree for so long, seconds. PD"""
    flag_clear_m: float = 10.0
    """Above this, now and ahead, the device's flag has no reason to be set, metres. PD"""
    motion: MotionParameters = field(default_factory=MotionParameters)
    right_of_way: tuple[Principle, ...] = (
        Principle.MOTOR_OFF,
        Principle.HIGHER,
        Principle.LOADED,
        Principle.FIRST_IN,
    )
    """Which crane goes first, the first principle that tells two apart. M-M"""
    stale_after_s: float = 3.0
    """Age at which a derived distance counts as unknown, seconds. PD"""


@dataclass(frozen=True, slots=True, eq=False)
class MemberReadings:
    """What was read of k cranes, arrays (k,); NaN where not known. `hook_m` and `mast_m` are filled for cranes whose
    device never says them."""

    slew_deg: Floats
    radius_m: Floats
    hook_m: Floats
    mast_m: Floats
    load_t: Floats
    motor: Floats
    multi_alarm: Floats
    observed_at_ns: Times
    """(3, k), of slew, radius and hook."""


@dataclass(frozen=True, slots=True, eq=False)
class MemberColumns:
    """Where each member's inputs stand: `of_key` (7, k), -1 where a device does not deliver the key."""

    members: tuple[GroupMember, ...]
    inputs: tuple[str, ...]
    of_key: NDArray[np.intp] = field(repr=False)

    @classmethod
    def of(cls, members: Sequence[GroupMember]) -> "MemberColumns":
        """Number the inputs crane by crane. Raises ValueError on an unknown key or a member named twice."""
        inputs = [f"{member.asset}.{key}" for member in members for key in member.keys]
        unknown = {key for member in members for key in member.keys} - set(INPUT_KEYS)
        if unknown or len(set(inputs)) != len(inputs):
            raise ValueError(f"a group's inputs must be known and each once: {sorted(unknown) or inputs}")
        column = {point: i for i, point in enumerate(inputs)}
        of_key = [[column.get(f"{member.asset}.{key}", -1) for member in members] for key in INPUT_KEYS]
        return cls(tuple(members), tuple(inputs), np.array(of_key, dtype=np.intp))

    def read(self, value: Floats, observed_at_ns: Times, now_ns: int) -> MemberReadings:
        """What the inputs (n,) say of each member."""
        padded = np.append(value, np.nan)[self.of_key]
        at_ns = np.append(observed_at_ns, 0)[self.of_key[:3]]
        at_ns[2] = np.where(self.of_key[2] < 0, now_ns, at_ns[2])
        mast_m = np.array([member.geometry.mast_height_at(now_ns) for member in self.members])
        slew, radius, hook, height, load, motor, flag = padded
        hook = np.where(self.of_key[2] < 0, 0.0, hook)
        mast_m = np.where(self.of_key[3] < 0, mast_m, height)
        load = np.where(self.of_key[4] < 0, np.inf, load)
        motor = np.where(self.of_key[5] < 0, 1.0, motor)
        return MemberReadings(slew, radius, hook, mast_m, load, motor, flag, at_ns)
