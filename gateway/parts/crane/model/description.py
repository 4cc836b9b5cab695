"""What is known of one tower crane before it moves: where it stands, how it is built, what it may lift.

        counter-jib        jib
      ####==========|=======================o  trolley, radius from the slewing axis
         counter_   |                       |
         jib_m      |<------ jib_m -------->|  hook, height above the base
                    | mast_height_m
      --------------+-----------------  base: x_m east, y_m north, z_m up, from the site's origin

Frame: site X east, Y north, Z up, metres. Slew: degrees clockwise from site north.
In: a site's settings. Out: a frozen description that every crane model reads. Knows nothing of files and of limits.
"""

from dataclasses import dataclass, field
from math import cos, inf, nan, radians, sin, sqrt

from gateway.parts.crane.model.load_chart import LoadChart
from gateway.parts.crane.model.parameters import CraneParameters


@dataclass(frozen=True, slots=True)
class Climb:
    """One climb (顶升) or lowering of the mast: from `at_ns` (UTC ns) on it is `mast_height_m` high."""

    at_ns: int
    mast_height_m: float


@dataclass(frozen=True, slots=True)
class CraneDescription:
    """One tower crane. Lengths m, angles deg, speeds m/s and deg/s. What is not fitted is infinite or empty.

    `number` is its number in the group, 0-15 (up to 16 cranes, docking practice, V1). Heights are above the base, at
    the underside of the jib (of a luffing jib: its pivot). `hook_height_max_m` is the hook's height when its block
    touches the jib, with the mast at `mast_height_m`.
    """

    asset: str
    number: int
    chart: LoadChart
    jib_m: float
    counter_jib_m: float
    base_x_m: float
    base_y_m: float
    base_z_m: float
    mast_height_m: float
    hook_height_max_m: float
    radius_min_m: float
    radius_max_m: float
    slew_zero_deg: float = 0.0
    """Bearing of the jib, clockwise from site north, when the device reads 0."""
    slew_clockwise: bool = True
    """Whether the device's reading rises as the jib turns clockwise, seen from above."""
    slew_left_deg: float = -inf
    """How far the jib may turn to the left (anticlockwise) from its zero, negative; -inf with a slip ring."""
    slew_right_deg: float = inf
    """The same to the right."""
    luffing: bool = False
    """A luffing jib (动臂): its tip rises as the radius shrinks."""
    climbs: tuple[Climb, ...] = ()
    """Climbing history, oldest first, times strictly rising. Before the first one the mast was `mast_height_m` high."""
    ties_m: tuple[float, ...] = ()
    """Heights of the ties to the building (附着) above the base, lowest first."""
    travel_min_m: float = nan
    """End of the rails; NaN for a crane that stands still."""
    travel_max_m: float = nan
    """The other end."""
    travel_bearing_deg: float = 0.0
    """Where the rails lead as `travel_m` rises, clockwise from site north. The base is where it reads 0."""
    parts_of_line: int | None = None
    """Parts of line in use when the device does not say; None: not known then."""
    tilt_axis_deg: float = 0.0
    """Where the tilt sensor's +x axis points, clockwise from site north, or from the jib if it turns with it. Its +y
    axis is 90 degrees further clockwise."""
    tilt_turns: bool = False
    """Whether the tilt sensor sits above the slewing ring and turns with the jib."""
    trolley_max_m_s: float = 1.0
    """Fastest trolley motion. 60 m/min, PD"""
    slew_max_deg_s: float = 4.8
    """Fastest slewing. 0.8 r/min, PD"""
    hoist_max_m_s: float = 1.5
    """Fastest hoisting. 90 m/min, PD"""
    jib_radius_m: float = 1.0
    """Half the height of the jib's section, as a round body about its axis. PD"""
    counter_jib_radius_m: float = 1.5
    """The same of the counter-jib with its weights. PD"""
    mast_radius_m: float = 1.2
    """Half the diagonal of the mast's section. PD"""
    load_radius_m: float = 1.5
    """Half the size of a load on the hook, as a ball. PD"""
    parameters: CraneParameters = field(default_factory=CraneParameters)
    """How its derived quantities are computed."""

    @property
    def described(self) -> bool:
        """Whether position and geometry are configured."""
        return self.jib_m == self.jib_m

    @property
    def travels(self) -> bool:
        """Whether it stands on rails."""
        return self.travel_min_m == self.travel_min_m

    def mast_height_at(self, now_ns: int) -> float:
        """Height of the mast above the base (m) at a time, by the climbing history."""
        height_m = self.mast_height_m
        for climb in self.climbs:
            if climb.at_ns > now_ns:
                break
            height_m = climb.mast_height_m
        return height_m

    def bearing_deg(self, slew_deg: float) -> float:
        """Where the jib points, clockwise from site north (0 to 360), from the device's reading."""
        turned_deg = slew_deg if self.slew_clockwise else -slew_deg
        return (self.slew_zero_deg + turned_deg) % 360.0

    def axis_at(self, travel_m: float = 0.0) -> tuple[float, float]:
        """x and y (m) of the slewing axis. A crane on rails needs its travel; a standing one takes no notice of it."""
        if not self.travels:
            return self.base_x_m, self.base_y_m
        bearing_rad = radians(self.travel_bearing_deg)
        return self.base_x_m + travel_m * sin(bearing_rad), self.base_y_m + travel_m * cos(bearing_rad)

    def jib_rise_m(self, radius_m: float) -> float:
        """How far the hook's suspension is above the jib's pivot (m): 0 for a level jib; NaN beyond the jib."""
        if not self.luffing:
            return 0.0
        return sqrt(self.jib_m**2 - radius_m**2) if radius_m <= self.jib_m else nan

    def hook_top_m(self, mast_height_m: float, radius_m: float) -> float:
        """Hook height above the base (m) at which its block touches the jib."""
        block_m = self.mast_height_m - self.hook_height_max_m
        return mast_height_m - block_m + self.jib_rise_m(radius_m)


def undescribed(asset: str) -> CraneDescription:
    """A crane of which nothing is known but that it is one: no load chart, no place, no limits of its own."""
    unknown = (nan,) * 9
    return CraneDescription(asset, 0, LoadChart.unknown(), *unknown)
