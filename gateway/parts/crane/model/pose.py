"""Where a crane's hook is on the site.

In: a description and readings, NaN where not known. Out: `Pose`, in site axes (x east, y north, z up, m). Knows nothing
of limits and of other cranes.
"""

from math import cos, radians, sin
from typing import NamedTuple

from gateway.parts.crane.model.description import CraneDescription


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
