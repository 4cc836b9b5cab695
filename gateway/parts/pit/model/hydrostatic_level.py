"""Hydrostatic levels (静力水准): settlement of a tank against a reference tank that stands on firm ground.

       reference          point
       |~~~|==============|~~~|      one liquid surface: a tank that sinks sees the liquid rise in it
       |___|              |   |
                          |___|      settlement = change at the point - change at the reference

In: liquid levels of both tanks, mm, and the liquid's temperatures. Out: settlement against the baseline's zero, mm,
positive downwards. Always minus the reference (certainty M-H): a level alone also moves with leaks and temperature.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.parts.pit.model.instrument import Measured, unmeasured


@dataclass(frozen=True, slots=True)
class HydrostaticLevel:
    """A tank and its reference. `expansion_per_c` is the liquid's volume expansion by its data sheet, 0: uncorrected.

    With a correction both temperatures (degrees C) count, and `t0_c` is where the level needs none.
    """

    level_point: str
    reference_point: str
    temperature_point: str = ""
    reference_temperature_point: str = ""
    expansion_per_c: float = 0.0
    t0_c: float = 20.0

    @property
    def inputs(self) -> tuple[str, ...]:
        """Both levels, and both temperatures where they count."""
        levels = (self.level_point, self.reference_point)
        warmth = (self.temperature_point, self.reference_temperature_point)
        return (*levels, *warmth) if self.expansion_per_c else levels

    def measure(self, value: NDArray[np.float64]) -> Measured:
        """Point minus reference, mm; without the reference (or a temperature that counts) nothing is known."""
        level_mm = value[:2]
        if self.expansion_per_c:
            level_mm = level_mm / (1.0 + self.expansion_per_c * (value[2:4] - self.t0_c))
        difference_mm = float(level_mm[0] - level_mm[1])
        return Measured(difference_mm, gauges=2) if np.isfinite(difference_mm) else unmeasured()
