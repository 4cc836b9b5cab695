"""Axial force of a strut (支撑轴力) from several strain gauges around its section.

In: the strains of the gauges, microstrain, compression positive, each corrected for its own temperature. Out: force,
kN: mean strain times EA, and how many gauges that mean rests on (mean of at least 2 to 4 gauges: certainty M-H).
A broken gauge lowers the count; below the minimum the force is unknown. A strut also bends, so that a mean over fewer
gauges is another mean: whoever takes a rate has to look at the count.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.parts.pit.model.instrument import Defect, DirectReading, Measured, unmeasured
from gateway.parts.pit.model.vibrating_wire import VibratingWire

StrainGauge = VibratingWire | DirectReading


@dataclass(frozen=True, slots=True)
class StrutLoad:
    """The gauges of one section. `modulus_gpa` (E) and `area_m2` (A) are the strut's, from its drawing."""

    gauges: tuple[StrainGauge, ...]
    modulus_gpa: float
    area_m2: float
    minimum_gauges: int = 2

    @property
    def inputs(self) -> tuple[str, ...]:
        """The gauges' inputs, one gauge after the other."""
        return tuple(point for gauge in self.gauges for point in gauge.inputs)

    def measure(self, value: NDArray[np.float64]) -> Measured:
        """Force in kN: E [GPa] A [m2] strain [1e-6] is E A strain in kN, the powers of ten cancel."""
        strain = self._strains(value)
        alive = strain[np.isfinite(strain)]
        if len(alive) == 0:
            return unmeasured()
        if len(alive) < self.minimum_gauges:
            return unmeasured(Defect.TOO_FEW_GAUGES, len(alive))
        return Measured(float(alive.mean()) * self.modulus_gpa * self.area_m2, gauges=len(alive))

    def _strains(self, value: NDArray[np.float64]) -> NDArray[np.float64]:
        strains = []
        start = 0
        for gauge in self.gauges:
            end = start + len(gauge.inputs)
            strains.append(gauge.measure(value[start:end]).value)
            start = end
        return np.array(strains)
