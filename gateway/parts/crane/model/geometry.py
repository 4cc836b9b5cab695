"""The shape of one tower crane and where it stands, as far as its neighbours and surroundings are concerned.

                     o  head_height_m above the jib's underside
        counter-jib /|\\  jib                       In plan: bearing clockwise from site north
      ####=========--+--==================o
      <-counter_jib_m|--- jib_length_m --->|          N (Y)
                     | mast_height_m       | hook      |  /  bearing = slew_zero_deg + slew (or - slew)
      ---------------+---------------------            | /
                   base_x_m, base_y_m, base_z_m        +------ E (X)

Frame: site X east, Y north, Z up, metres. In: a crane's description. Out: a frozen shape. Knows nothing of motion,
files and limits.
"""

from dataclasses import dataclass
from math import hypot

from gateway.parts.crane.model.description import Climb, CraneDescription


@dataclass(frozen=True, slots=True)
class CraneGeometry:
    """One crane as its neighbours meet it. Lengths m, angles deg; heights above its base, to the jib's underside.

    `number` is its number in the group, 0-15 (docking practice, V1). A level jib (`luffing` False) carries a trolley;
    a luffing one has its hook at the tip, which rises as the radius shrinks. The radii are those of round bodies about
    the axes of the parts: jib, counter-jib with its weights, mast, hook block with its ropes, and load. They are
    product design (PD) unless the site gives its own.
    """

    number: int
    base_x_m: float
    base_y_m: float
    base_z_m: float
    mast_height_m: float
    jib_length_m: float
    counter_jib_m: float
    slew_zero_deg: float = 0.0
    slew_clockwise: bool = True
    luffing: bool = False
    radius_min_m: float = 0.0
    radius_max_m: float = float("inf")
    hook_gap_m: float = 0.0
    """Between the jib and the hook when the hook is at its highest."""
    head_height_m: float = 0.0
    """Highest part (tower head 塔帽, A-frame) above the jib's underside; 0 for a flat-top crane (平头)."""
    jib_half_m: float = 1.0
    counter_jib_half_m: float = 1.5
    mast_half_m: float = 1.2
    hook_half_m: float = 0.4
    load_half_m: float = 1.5
    climbs: tuple[Climb, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.number <= 15:
            raise ValueError(f"crane number {self.number} is not 0 to 15")
        if min(self.mast_height_m, self.jib_length_m, self.counter_jib_m) <= 0:
            raise ValueError(f"crane {self.number}: mast, jib and counter-jib need a length")

    @classmethod
    def of(cls, crane: CraneDescription, head_height_m: float = 0.0) -> "CraneGeometry":
        """The shape of a described crane. A crane on rails (`travels`) has no fixed place: ValueError."""
        if crane.travels:
            raise ValueError(f"{crane.asset}: a crane on rails has no fixed base")
        return cls(
            number=crane.number,
            base_x_m=crane.base_x_m,
            base_y_m=crane.base_y_m,
            base_z_m=crane.base_z_m,
            mast_height_m=crane.mast_height_m,
            jib_length_m=crane.jib_m,
            counter_jib_m=crane.counter_jib_m,
            slew_zero_deg=crane.slew_zero_deg,
            slew_clockwise=crane.slew_clockwise,
            luffing=crane.luffing,
            radius_min_m=crane.radius_min_m,
            radius_max_m=crane.radius_max_m,
            hook_gap_m=crane.mast_height_m - crane.hook_height_max_m,
            head_height_m=head_height_m,
            jib_half_m=crane.jib_radius_m,
            counter_jib_half_m=crane.counter_jib_radius_m,
            mast_half_m=crane.mast_radius_m,
            load_half_m=crane.load_radius_m,
            climbs=crane.climbs,
        )

    @property
    def reach_m(self) -> float:
        """Furthest that any part of it gets from its slewing axis, in plan."""
        jib_m = self.jib_length_m + max(self.jib_half_m, self.load_half_m)
        return max(jib_m, self.counter_jib_m + self.counter_jib_half_m)

    def mast_height_at(self, now_ns: int) -> float:
        """Height of the mast (m) by the climbing history; for a crane whose device does not say it."""
        height_m = self.mast_height_m
        for climb in self.climbs:
            if climb.at_ns <= now_ns:
                height_m = climb.mast_height_m
        return height_m

    def bearing_deg(self, slew_deg: float) -> float:
        """Where the jib points, clockwise from site north (0 to 360)."""
        turned_deg = slew_deg if self.slew_clockwise else -slew_deg
        return (self.slew_zero_deg + turned_deg) % 360.0

    def base_distance_m(self, other: "CraneGeometry") -> float:
        """Between the slewing axes of two cranes, in plan."""
        return hypot(self.base_x_m - other.base_x_m, self.base_y_m - other.base_y_m)

    def can_reach(self, other: "CraneGeometry") -> bool:
        """Whether the circles that the two cranes sweep in plan meet."""
        return self.base_distance_m(other) < self.reach_m + other.reach_m
