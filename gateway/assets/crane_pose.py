"""Where a crane's hook is on the site, and what stands around it.

In: a description and readings, NaN where not known. Out: `Pose`, in site axes (x east, y north, z up, m). Who knows
the zones and power lines of the site implements `Surroundings`. Knows nothing of limits.
"""

from math import cos, nan, radians, sin
from typing import NamedTuple, Protocol

from gateway.assets.crane_description import CraneDescription


class Pose(NamedTuple):
    """A crane as it stands now; NaN where not known.

    `axis_x_m`, `axis_y_m`: slewing axis. `bearing_deg`: of the jib, clockwise from site north. `mast_height_m`: above
    the base. `hook_z_m` is in site heights, as the base's `base_z_m`.
    """

    axis_x_m: float
    axis_y_m: float
    bearing_deg: float
    radius_m: float
    mast_height_m: float
    hook_x_m: float
    hook_y_m: float
    hook_z_m: float


class Around(NamedTuple):
    """What the hook is in, and near to. Zones: 0 none, else the zone's number. `line_margin_m`: distance to the
    power-line corridor less what its voltage needs."""

    no_lift_zone: float
    forbidden_zone: float
    line_margin_m: float


NOTHING_KNOWN = Around(nan, nan, nan)


class Surroundings(Protocol):
    """What a crane model asks about zones and power lines."""

    def around(self, pose: Pose, loaded: bool | None) -> Around:
        """What there is around a crane at this pose, with or without a load (None: not known)."""
        ...


def pose_of(
    crane: CraneDescription, radius_m: float, slew_deg: float, hook_m: float, mast_height_m: float, travel_m: float
) -> Pose:
    """The pose that these readings mean."""
    axis_x_m, axis_y_m = crane.axis_at(travel_m)
    bearing_deg = crane.bearing_deg(slew_deg)
    bearing_rad = radians(bearing_deg)
    hook_x_m, hook_y_m = axis_x_m + radius_m * sin(bearing_rad), axis_y_m + radius_m * cos(bearing_rad)
    hook_z_m = crane.base_z_m + hook_m
    return Pose(axis_x_m, axis_y_m, bearing_deg, radius_m, mast_height_m, hook_x_m, hook_y_m, hook_z_m)
