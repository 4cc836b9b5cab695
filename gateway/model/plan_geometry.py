"""Places and shapes in plan, in the site's frame: metres east and north of its origin. Pure geometry."""

from math import ceil, cos, radians, sin

PlanPoint = tuple[float, float]
"""Metres east, metres north."""

_ARC_DEG = 3.0
"""An arc is drawn in steps of at most this; the polygon lies outside the sector by at most 0.04 % of its radius."""


def sector(base: PlanPoint, from_deg: float, to_deg: float, inner_m: float, outer_m: float) -> tuple[PlanPoint, ...]:
    """Corners of the sector clockwise from one bearing to another, between two radii (type A). Never too small."""
    turn_deg = (to_deg - from_deg) % 360.0 or 360.0
    steps = ceil(turn_deg / _ARC_DEG)
    bearings = [from_deg + turn_deg * i / steps for i in range(steps + 1)]
    around_m = outer_m / cos(radians(turn_deg / steps / 2))
    outside = [polar(base, bearing, around_m) for bearing in bearings]
    inside = [polar(base, bearing, inner_m) for bearing in reversed(bearings)] if inner_m > 0 else [base]
    return (*outside, *inside)


def polar(base: PlanPoint, bearing_deg: float, radius_m: float) -> PlanPoint:
    """A point at a bearing clockwise from site north and a radius (type B gives four of them)."""
    bearing = radians(bearing_deg)
    return base[0] + radius_m * sin(bearing), base[1] + radius_m * cos(bearing)
