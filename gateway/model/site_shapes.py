"""What stands on a site with a shape of its own, in its frame: machines with a jib, areas, lines overhead.

In: made by the parts that know these things. Out: plain shapes, metres, for whoever draws them. Knows no drawing.
"""

from dataclasses import dataclass

from gateway.model.plan_geometry import PlanPoint


@dataclass(frozen=True, slots=True)
class TurningJib:
    """A machine whose jib turns about `base`. `rails`: where its axis is at both ends; None where it does not travel.

    The hook moves between `radius_min_m` and `radius_max_m`. `slew_zero_deg` is where the jib points when its reading
    is 0, clockwise from site north, and `slew_clockwise` how the reading turns it; a rising travel moves it towards
    `rail_bearing_deg`.
    """

    asset: str
    number: int
    base: PlanPoint
    jib_m: float
    counter_jib_m: float
    radius_min_m: float
    radius_max_m: float
    slew_zero_deg: float
    slew_clockwise: bool
    luffing: bool
    rails: tuple[PlanPoint, PlanPoint] | None
    rail_bearing_deg: float


@dataclass(frozen=True, slots=True)
class KeptOutArea:
    """A polygon where something is forbidden: `kind` is `no-lift` or `forbidden`. Screens call it by `number`."""

    kind: str
    number: int
    corners: tuple[PlanPoint, ...]


@dataclass(frozen=True, slots=True)
class SiteShapes:
    """All of it; `lines` run from pole to pole."""

    jibs: tuple[TurningJib, ...] = ()
    areas: tuple[KeptOutArea, ...] = ()
    lines: tuple[tuple[PlanPoint, ...], ...] = ()


NOTHING_DRAWN = SiteShapes()
