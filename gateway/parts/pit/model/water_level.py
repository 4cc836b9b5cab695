"""Groundwater level (地下水位) in an observation well, as an elevation that rises when the water does.

    well head  -+-  elevation known
                |   depth to water (dipper, radar)
      ~~~~~~~~~~|~  water
                |   column above the probe (pressure probe)
        probe  -+-  elevation known

In: a depth below the well head, a column above a probe, or a probe's pressure. Out: elevation, mm. A rise is positive.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from gateway.parts.pit.model.instrument import Measured, unmeasured

_MM_PER_KPA = 1000.0 / 9.80665
"""Water column per pressure at 1000 kg/m3 and standard gravity."""


class WellReading(StrEnum):
    """What the instrument in the well says: metres of depth, metres of column, or kPa over the probe."""

    DEPTH_M = "depth_m"
    COLUMN_M = "column_m"
    PRESSURE_KPA = "pressure_kpa"


@dataclass(frozen=True, slots=True)
class WaterLevel:
    """One well. `elevation_m` is the well head's for a depth, the probe's for a column or a pressure.

    An absolute pressure probe needs `air_pressure_point` (kPa); a vented one has none.
    """

    point: str
    reads: WellReading
    elevation_m: float
    air_pressure_point: str = ""

    @property
    def inputs(self) -> tuple[str, ...]:
        """The well's point, and the air pressure where it counts."""
        return (self.point, self.air_pressure_point) if self.air_pressure_point else (self.point,)

    def measure(self, value: NDArray[np.float64]) -> Measured:
        """Elevation of the water, mm."""
        above_mm = self._above_reference_mm(value)
        return Measured(self.elevation_m * 1000.0 + above_mm) if np.isfinite(above_mm) else unmeasured()

    def _above_reference_mm(self, value: NDArray[np.float64]) -> float:
        if self.reads is WellReading.DEPTH_M:
            return -1000.0 * float(value[0])
        if self.reads is WellReading.COLUMN_M:
            return 1000.0 * float(value[0])
        air_kpa = float(value[1]) if self.air_pressure_point else 0.0
        return (float(value[0]) - air_kpa) * _MM_PER_KPA
