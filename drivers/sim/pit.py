"""A deep pit that is being dug: the wall creeps inwards, the ground follows, struts take load, the water level swings.

In: dt and the air temperature. Out: what the pit's logger shows, by register key. Pure and seeded. Knows nothing of
registers, sockets or clocks. `accelerate` makes pit time run faster than the clock (8640: a day in ten seconds).

Displacements creep with the dig and breathe with the day's warmth; instruments add their noise. Figures are a product
design in the range of a 12 m pit with a diaphragm wall.
"""

import math
import random
from dataclasses import dataclass

_DAY_S = 86_400.0
_YEAR_D = 365.25


@dataclass(frozen=True, slots=True)
class PitModel:
    """Where the pit starts and how fast it moves. `wall_mm_d` is the wall top's creep at the start of the story.

    With `failure_after_d` (pit days) the wall creeps towards failure on top of it: velocity `voight_mm` / (time left),
    Voight's law with exponent 2 [Voight 1989, Fukuzono's straight line]. It stops at 98.5 % of the way, where the model
    ends and no wall stands.
    """

    excavated_m: float = 8.0
    final_depth_m: float = 12.0
    dig_m_d: float = 0.12
    wall_top_mm: float = 18.0
    wall_mm_d: float = 0.4
    strut_kn: float = 1800.0
    strut_kn_mm: float = 18.0
    strut_kn_degc: float = 12.0
    accelerate: float = 1.0
    failure_after_d: float = math.inf
    voight_mm: float = 6.0

    def voight_creep_mm(self, pit_d: float) -> float:
        """What the wall has crept by Voight's law after so many pit days: u = voight_mm ln(t_f / (t_f - t))."""
        if math.isinf(self.failure_after_d):
            return 0.0
        share = min(0.985, pit_d / self.failure_after_d)
        return -self.voight_mm * math.log(1 - share)


@dataclass(frozen=True, slots=True)
class PitState:
    """What the logger shows. Field names are the register keys of the pit table."""

    wall_top_h: float
    wall_top_v: float
    deep_h: float
    water_level_mm: float
    strut_force_kn: float
    ground_settlement: float
    building_settlement: float
    column_v: float
    building_tilt_permille: float
    excavated_m: float
    box_temp: float
    sensor_fault: float = 0.0
    mains_lost: float = 0.0
    battery_level: float = 14.0


class PitTwin:
    """One deep pit, moved on in steps of `dt_s`."""

    def __init__(self, seed: str, model: PitModel | None = None) -> None:
        self.model = model or PitModel()
        self._random = random.Random(seed)
        self._pit_d = 0.0
        self._creep_mm = self.model.wall_top_mm
        self._excavated_m = self.model.excavated_m
        self.state = self._observe(22.0)

    def step(self, dt_s: float, air_degc: float) -> PitState:
        """Let `dt_s` of clock time pass, which is `accelerate` times as much for the pit."""
        days = dt_s * self.model.accelerate / _DAY_S
        self._pit_d += days
        dug_m = min(self.model.final_depth_m, self._excavated_m + self.model.dig_m_d * days) - self._excavated_m
        self._excavated_m += dug_m
        digging = dug_m > 0
        self._creep_mm += self.model.wall_mm_d * days * (1.0 if digging else 0.25)
        self.state = self._observe(air_degc)
        return self.state

    def _observe(self, air_degc: float) -> PitState:
        noise = self._random.gauss
        warmth_degc = 4 * math.sin(2 * math.pi * self._pit_d) + 9 * math.sin(2 * math.pi * self._pit_d / _YEAR_D)
        wall_mm = self._creep_mm + self.model.voight_creep_mm(self._pit_d) + 0.03 * warmth_degc
        moved_mm = wall_mm - self.model.wall_top_mm
        strut_kn = self.model.strut_kn + self.model.strut_kn_mm * moved_mm + self.model.strut_kn_degc * warmth_degc
        return PitState(
            wall_top_h=wall_mm + noise(0, 0.05),
            wall_top_v=0.12 * wall_mm + noise(0, 0.05),
            deep_h=1.25 * wall_mm + noise(0, 0.1),
            water_level_mm=-150 - 25 * math.sin(4 * math.pi * self._pit_d) + noise(0, 2),
            strut_force_kn=strut_kn + noise(0, 2),
            ground_settlement=0.6 * wall_mm + noise(0, 0.05),
            building_settlement=0.2 * wall_mm + noise(0, 0.05),
            column_v=0.15 * wall_mm + noise(0, 0.05),
            building_tilt_permille=0.02 * wall_mm + noise(0, 0.005),
            excavated_m=self._excavated_m,
            box_temp=air_degc + 4 + noise(0, 0.1),
        )
