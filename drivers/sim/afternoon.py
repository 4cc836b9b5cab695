"""A windy afternoon on one site, told in 75 seconds and again every 90: the story of the demonstration.

    0     8    10       16       32   36         46           62        74           85 s
    |calm |= crane-1 overloaded =|
          |~~~~ wind rises: 9, 10.8, 12 m/s, a gust of 15 ~~~~|~~~ falls ~~~|
               |- crane-3 climbs, in it -|
                                     |= jib of crane-1 swings at the hook line of crane-2 =|= back =|

A pit takes weeks: its instruments tell what they would on that afternoon, and its history comes as a surveyor's table
(`drivers.sim.survey`) or, for a replay, from `FAILING_PIT` in its own time.

In: the seconds since the story began. Out: mean wind, where cranes are sent, who climbs, overload plans, the pit's
course, and the models with which the site must describe the cranes. Pure: the same seed tells the same story. Winds are
those at the top of a 48 m crane. Knows nothing of ports, registers and clocks.
"""

import math
from bisect import bisect_right
from dataclasses import dataclass, field

from drivers.sim.crane import CraneModel, CraneState
from drivers.sim.pit import PitModel
from drivers.sim.story import OverloadPlan
from drivers.sim.weather import Climate

PERIOD_S = 90.0
FAILING_PIT = PitModel(wall_top_mm=6.0, wall_mm_d=0.2, failure_after_d=17.0, voight_mm=6.0)
"""A wall that creeps by Voight's law towards failure after 17 days."""
TOP_OVER_MAST = (48.0 / 10.0) ** 0.15
"""Wind at the top of the cranes over that at the mast, by the twins' own profile."""
FLAG_BELOW_M = 3.0
_WIND = ((0, 6.0), (8, 6.5), (14, 9.6), (21, 11.4), (28, 12.8), (32, 15.5), (36, 12.6), (44, 9.2), (54, 6.5), (90, 6.0))
_NO_OVERLOAD = OverloadPlan(every_s=0)


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of the story: what a spectator is to see between two times (seconds since the story began)."""

    name: str
    begins_s: float
    ends_s: float
    title_zh: str
    title_en: str


CHAPTERS = (
    Chapter("overload", 8, 16, "1号塔机超载", "Crane 1 overloaded"),
    Chapter("wind", 12, 46, "大风：9、10.8、12 m/s与阵风", "Wind: 9, 10.8, 12 m/s and a gust"),
    Chapter("climb", 10, 32, "3号塔机大风中顶升", "Crane 3 climbs in the wind"),
    Chapter("closing", 36, 74, "1号塔机臂架逼近2号塔机吊绳", "The jib of crane 1 closes on the hook line of crane 2"),
)

CRANES = {
    "crane-1": CraneModel(sector_deg=(44.0, 48.0), driver_no=1001),
    "crane-2": CraneModel(
        height_m=57.0,
        hook_max_m=49.0,
        base_x_m=60.0,
        sector_deg=(258.0, 290.0),
        lift_radius_m=(8.0, 30.0),
        driver_no=1002,
    ),
    "crane-3": CraneModel(base_y_m=130.0, driver_no=1003),
}
"""Crane 1 is the lower one of the pair: its jib (48 m) passes below that of crane 2 (57 m), not its hook line."""

_CLOSING_DEG = {"crane-1": 88.5, "crane-2": 270.0}
_APART_DEG = {"crane-1": 45.0}


@dataclass(frozen=True, slots=True)
class Story:
    """The afternoon. `overloads` False leaves the overloads to a plan of the caller's own."""

    overloads: bool = True
    climate: Climate = field(default_factory=lambda: Climate(wind_mean_m_s=4.7, turbulence=0.04, wander=0.0))
    pit: PitModel = field(default_factory=lambda: PitModel(wall_top_mm=6.0, wall_mm_d=0.2))

    @property
    def chapters(self) -> tuple[Chapter, ...]:
        """In no particular order: they overlap."""
        return CHAPTERS

    def mast_wind_m_s(self, story_s: float) -> float:
        """Mean wind at the weather mast."""
        at_s = story_s % PERIOD_S
        i = bisect_right(_WIND, (at_s, math.inf))
        (before_s, before), (after_s, after) = _WIND[i - 1], _WIND[min(i, len(_WIND) - 1)]
        share = 0.0 if after_s == before_s else (at_s - before_s) / (after_s - before_s)
        return (before + (after - before) * share) / TOP_OVER_MAST

    def sent_to_deg(self, crane: str, story_s: float) -> float | None:
        """Where a crane is told to slew to, or None when it works as it likes."""
        at_s = story_s % PERIOD_S
        if 36 <= at_s < 62:
            waits = crane == "crane-1" and at_s < 39  # crane 2 is there first
            return None if waits else _CLOSING_DEG.get(crane)
        return _APART_DEG.get(crane) if 62 <= at_s < 74 else None

    def climbs(self, crane: str, story_s: float) -> bool:
        """Whether a crane is being climbed now."""
        return crane == "crane-3" and 10 <= story_s % PERIOD_S < 32

    def overload_plan(self, crane: str, until_s: float = math.inf) -> OverloadPlan:
        """Crane 1 overloads once a round."""
        if crane != "crane-1":
            return _NO_OVERLOAD
        return OverloadPlan(first_after_s=8.5, every_s=PERIOD_S, jitter_s=0.5, duration_s=5.0, until_s=until_s)


def jib_to_line_m(jib: CraneModel, slew_deg: float, line: CraneModel, at: CraneState) -> float:
    """Horizontal distance of one crane's jib to another's hoist line; infinite while that hook is above the jib."""
    if at.hook_m > jib.height_m:
        return math.inf
    bearing = math.radians(at.slew_deg)
    x_m = line.base_x_m + at.radius_m * math.sin(bearing) - jib.base_x_m
    y_m = line.base_y_m + at.radius_m * math.cos(bearing) - jib.base_y_m
    along = (math.sin(math.radians(slew_deg)), math.cos(math.radians(slew_deg)))
    along_m = min(jib.radius_max_m, max(0.0, x_m * along[0] + y_m * along[1]))
    return math.hypot(x_m - along_m * along[0], y_m - along_m * along[1])
