"""How rain, digging and groundwater would move a point: what a gauge beside it says, as columns of a least-squares fit.

    put in (rain fallen, depth dug) -> held (falls by 1/e in `memory` days) -> speed ~ held^power -> displacement
    a level (groundwater)           -> displacement ~ level, or speed ~ (level - lowest)^power, or ~ (highest - level)

In: a driver's course in the same days as the readings. Out: columns; the factor is the fit's: how much a point moves
for a millimetre of rain is its own. Knows nothing of points and clauses.
"""

from dataclasses import dataclass
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Memories of the ground in days and powers of the speed that are tried (PD).
MEMORIES_D = np.array((0.3, 0.7, 1.5, 3.0, 6.0, 12.0))
POWERS = (1.0, 2.0)


class DriverKind(Enum):
    """PUT_IN: a count that only grows (rain in all, depth dug). LEVEL: it rises and falls (groundwater)."""

    PUT_IN = auto()
    LEVEL = auto()


@dataclass(frozen=True, slots=True, eq=False)
class Driver:
    """What was read of something that may move the ground: days and values (m,), in time order."""

    kind: DriverKind
    t_d: Floats
    value: Floats

    def covers(self, from_d: float, to_d: float) -> bool:
        """Whether it was known all that time, but for a day at each end. What is known of half a movement explains
        none."""
        return len(self.t_d) > 1 and bool(self.t_d[0] <= from_d + 1.0 and self.t_d[-1] >= to_d - 1.0)

    def columns(self, t_d: Floats) -> Floats:
        """Displacements (k, n) that it alone would bring by the times `t_d` (n,), but for a positive factor."""
        value = np.interp(t_d, self.t_d, self.value)
        moved = _put_in(t_d, value) if self.kind is DriverKind.PUT_IN else _level(t_d, value)
        return np.concatenate((np.zeros((len(moved), 1)), moved), axis=1)


def _put_in(t_d: Floats, total: Floats) -> Floats:
    apart = np.diff(t_d)
    mean = _held(apart, np.maximum(np.diff(total), 0.0))
    return np.concatenate([np.cumsum(mean**power * apart[:, None], axis=0).T for power in POWERS])


def _level(t_d: Floats, level: Floats) -> Floats:
    apart, mean = np.diff(t_d), (level[1:] + level[:-1]) / 2
    above, below = mean - level.min(), level.max() - mean
    since = level[1:] - level[0]
    return np.stack((since, -since, *(np.cumsum(head * apart) for head in (above, above * above, below))))


def _held(apart_d: Floats, put_in: Floats) -> Floats:
    """The mean of what the ground held between neighbouring readings (n - 1, memories), what was put in spread over
    each."""
    kept = np.exp(-apart_d[:, None] / MEMORIES_D)
    added = (put_in / apart_d)[:, None] * MEMORIES_D * (1 - kept)
    held = np.zeros((len(apart_d) + 1, len(MEMORIES_D)))
    for i in range(len(apart_d)):
        held[i + 1] = held[i] * kept[i] + added[i]
    mean: Floats = (held[:-1] + put_in[:, None] - held[1:]) * MEMORIES_D / apart_d[:, None]
    return np.maximum(mean, 0.0)
