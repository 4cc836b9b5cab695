"""How long a crane's motions go on after the driver lets go, and so how far ahead a conflict must be seen.

In: speeds. Out: seconds until standstill. Knows nothing of positions and neighbours.

The default for slewing is the fit of one open anti-collision project, t = 3.53 |w| + 2.38 s (w in deg/s), which its own
author marks as in need of verification (standards reference 7.3, V1 for the source, PD as a default): give the crane's
own figures from a braking test where there are any. The others are product design (PD).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Braking:
    """Seconds to standstill: a reaction time, plus seconds for each unit of speed. A motion that stands needs none."""

    slew_base_s: float = 2.38
    """Reaction of slewing, seconds. Standards reference 7.3, PD"""
    slew_s_per_deg_s: float = 3.53
    """Seconds for each degree a second. Standards reference 7.3, PD"""
    trolley_base_s: float = 1.0
    """Reaction of the trolley (or of luffing), seconds. PD"""
    trolley_s_per_m_s: float = 2.0
    """Seconds for each metre a second. PD"""
    hoist_base_s: float = 1.0
    """Reaction of the hoist, seconds. PD"""
    hoist_s_per_m_s: float = 1.0
    """Seconds for each metre a second. PD"""
    worst_s: float = 15.0
    """Longest braking of this crane, seconds. Standards reference 7.3, PD"""

    def time_s(self, slew_deg_s: Floats, radius_m_s: Floats, hook_m_s: Floats) -> Floats:
        """Until all three motions stand still; arrays of one shape. A speed that is not known counts as the worst."""
        slew = self.slew_base_s + self.slew_s_per_deg_s * np.abs(slew_deg_s)
        trolley = self.trolley_base_s + self.trolley_s_per_m_s * np.abs(radius_m_s)
        hoist = self.hoist_base_s + self.hoist_s_per_m_s * np.abs(hook_m_s)
        longest = np.maximum(slew, np.maximum(trolley, hoist))
        time: Floats = np.where(np.isnan(longest), self.worst_s, np.minimum(longest, self.worst_s))
        return time
