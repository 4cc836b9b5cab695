"""How long a crane's motions go on after the driver lets go, and so how far ahead a conflict must be seen.

In: speeds. Out: seconds until standstill. Knows nothing of positions and neighbours.

The default for slewing is the fit of one open anti-collision project, t = 3.53 |w| + 2.38 s (w in deg/s), which its own
author marks as in need of verification (standards reference 7.3, V1 for the source, PD as a default): give the crane's
own figures from a braking test where there are any. The others are product design (PD).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Braking:
    """Seconds to standstill: a reaction time, plus seconds for each unit of speed."""

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
    """What counts while a speed is not known, seconds. Standards reference 7.3, PD"""


@dataclass(frozen=True, slots=True, eq=False)
class BrakingTable:
    """The braking of k cranes: arrays (3, k) for slewing, trolley (or luffing) and hoist, and (k,) for the unknown."""

    base_s: Floats
    s_per_speed: Floats
    worst_s: Floats

    @classmethod
    def of(cls, cranes: Sequence[Braking]) -> "BrakingTable":
        """From each crane's own figures."""
        base = [(crane.slew_base_s, crane.trolley_base_s, crane.hoist_base_s) for crane in cranes]
        rise = [(crane.slew_s_per_deg_s, crane.trolley_s_per_m_s, crane.hoist_s_per_m_s) for crane in cranes]
        return cls(np.array(base).T.copy(), np.array(rise).T.copy(), np.array([crane.worst_s for crane in cranes]))

    def stop_s(self, speed: Floats) -> Floats:
        """Until all motions of each crane stand still (k,), from their speeds (3, k) in deg/s, m/s, m/s. A crane with
        a speed that is not known gets its worst."""
        longest = (self.base_s + self.s_per_speed * np.abs(speed)).max(axis=0)
        time: Floats = np.where(np.isnan(longest), self.worst_s, longest)
        return time
