"""The `crane_groups:` of a site file: which cranes can meet each other, and how their distances are derived.

In: plain data. Out: frozen models, and what the group's models are built from. Knows nothing of files; what is wrong is
said by code, the words are in `gateway.settings.wording`. Limits are not here: they are in rule packs.
"""

from dataclasses import asdict
from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from gateway.parts.crane.group.braking import Braking
from gateway.parts.crane.group.members import CraneGroupParameters
from gateway.parts.crane.group.motion import MotionParameters
from gateway.parts.crane.group.right_of_way import Principle
from gateway.settings.schema import Name, SettingsModel, Title

_BRAKING, _GROUP, _MOTION = Braking(), CraneGroupParameters(), MotionParameters()

Distance = Annotated[float, Field(gt=0, le=100)]
BrakingTime = Annotated[float, Field(ge=0, le=60)]


class BrakingSettings(SettingsModel):
    """Seconds from letting go to standstill: a base, and more for each unit of speed. Give what a braking test gave."""

    slew_base_s: BrakingTime = _BRAKING.slew_base_s
    """Slewing, from the smallest speed, seconds."""
    slew_s_per_deg_s: BrakingTime = _BRAKING.slew_s_per_deg_s
    """Slewing, seconds more for each degree a second."""
    trolley_base_s: BrakingTime = _BRAKING.trolley_base_s
    """Trolley or luffing, from the smallest speed, seconds."""
    trolley_s_per_m_s: BrakingTime = _BRAKING.trolley_s_per_m_s
    """Trolley or luffing, seconds more for each metre a second."""
    hoist_base_s: BrakingTime = _BRAKING.hoist_base_s
    """Hoist, from the smallest speed, seconds."""
    hoist_s_per_m_s: BrakingTime = _BRAKING.hoist_s_per_m_s
    """Hoist, seconds more for each metre a second."""
    worst_s: BrakingTime = _BRAKING.worst_s
    """What counts while a speed is not known, seconds."""

    def build(self) -> Braking:
        """As the models take it."""
        return Braking(**self.model_dump())


class GroupMemberSettings(SettingsModel):
    """One crane of a group."""

    crane: Name
    """The asset. It needs a `crane:` section with its place and its shape."""
    head_height_m: Annotated[float, Field(ge=0, le=60)]
    """Highest part (tower head, A-frame) above the jib's underside, metres; 0 for a flat-top crane (平头塔机)."""
    braking: BrakingSettings = BrakingSettings()
    """How fast it stops."""


class CraneGroupSettings(SettingsModel):
    """Cranes that are watched together, 2 to 16; a crane is in one group at most."""

    name: Name
    """Unique on the box; its points are delivered by the device `group:<name>`."""
    title_zh: Title
    """Chinese name."""
    title_en: Title
    """English name."""
    members: Annotated[list[GroupMemberSettings], Field(min_length=2, max_length=16)]
    """The cranes."""
    danger_below_m: Distance = _GROUP.danger_below_m
    """While a neighbour is silent, a smaller distance is certainly too small; not below the limit of any rule that
    alarms on it, metres."""
    alert_below_m: Distance = _GROUP.alert_below_m
    """The same for the warning; a distance ahead below it is a conflict, metres."""
    horizon_s: Annotated[float, Field(ge=5, le=60)] = _GROUP.horizon_s
    """How far ahead is looked, seconds."""
    loaded_above_t: Annotated[float, Field(ge=0, le=20)] = _GROUP.loaded_above_t
    """A hook with more than this is loaded, tonnes."""
    flag_hold_s: Annotated[float, Field(ge=0, le=600)] = _GROUP.flag_hold_s
    """How long a device's own collision flag must disagree with the geometry, seconds."""
    flag_clear_m: Distance = _GROUP.flag_clear_m
    """Above this distance a device's flag has no reason to be set, metres."""
    max_age_s: Annotated[float, Field(ge=0.2, le=30)] = _MOTION.max_age_s
    """A reading older than this says nothing of where a crane is now, seconds."""
    smoothing_s: Annotated[float, Field(gt=0, le=30)] = _MOTION.smoothing_s
    """Time constant of the speeds, seconds."""
    right_of_way: Annotated[tuple[Principle, ...], Field(max_length=5)] = _GROUP.right_of_way
    """Which crane goes first; the first entry that tells two cranes apart decides, without one both give way."""

    @model_validator(mode="after")
    def _fits_together(self) -> "CraneGroupSettings":
        cranes = [member.crane for member in self.members]
        for i, crane in enumerate(cranes):
            if crane in cranes[:i]:
                raise PydanticCustomError("group.member_twice", "one crane twice", {"found": crane})
        if self.danger_below_m > self.alert_below_m:
            context = {"danger": self.danger_below_m, "alert": self.alert_below_m}
            raise PydanticCustomError("group.levels", "the danger is beyond the warning", context)
        return self

    def parameters(self) -> CraneGroupParameters:
        """As the group's model takes them. What lies beyond the horizon is said by a time well beyond it, and beyond
        what a rule warns of: a short horizon is no conflict."""
        same = ("danger_below_m", "alert_below_m", "horizon_s", "loaded_above_t", "flag_hold_s", "flag_clear_m")
        motion = MotionParameters(**{**asdict(_MOTION), "max_age_s": self.max_age_s, "smoothing_s": self.smoothing_s})
        return CraneGroupParameters(
            exact_below_m=max(_GROUP.exact_below_m, 2 * self.alert_below_m),
            clear_s=max(_GROUP.clear_s, 1.5 * self.horizon_s),
            motion=motion,
            right_of_way=self.right_of_way,
            **{name: getattr(self, name) for name in same},
        )
