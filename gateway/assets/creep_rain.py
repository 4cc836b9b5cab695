"""How rain would move a point: the ground takes the rain up, lets it go over days, and moves with what it holds.

    rain -> held (falls by 1/e in `memory` days) -> speed ~ held^power -> displacement

In: rain fallen up to each reading. Out: columns of a least-squares fit, one for each memory and power. The factor is
the fit's: how much a point moves for a millimetre of rain is its own.
"""

import numpy as np
from numpy.typing import NDArray

from gateway.assets.trend_track import Series

Floats = NDArray[np.float64]

# Memories of the ground in days and powers of the speed that are tried (PD).
MEMORIES_D = np.array((0.3, 0.7, 1.5, 3.0, 6.0, 12.0))
POWERS = (1.0, 2.0)


def rain_columns(series: Series) -> Floats:
    """Displacements (k, n) that the rain alone would bring, but for a factor. (0, n) where rain is not known or none
    fell."""
    if len(series.rain_mm) == 0 or series.rain_mm[-1] <= series.rain_mm[0]:
        return np.empty((0, len(series)))
    apart = np.diff(series.t_d)
    mean = _held(apart, np.diff(series.rain_mm))
    moved = [np.cumsum(mean**power * apart[:, None], axis=0).T for power in POWERS]
    columns = np.concatenate(moved)
    return np.concatenate((np.zeros((len(columns), 1)), columns), axis=1)


def _held(apart_d: Floats, fallen_mm: Floats) -> Floats:
    """The mean of what the ground held between neighbouring readings (n - 1, memories), the rain spread over each."""
    kept = np.exp(-apart_d[:, None] / MEMORIES_D)
    added = (fallen_mm / apart_d)[:, None] * MEMORIES_D * (1 - kept)
    held = np.zeros((len(apart_d) + 1, len(MEMORIES_D)))
    for i in range(len(apart_d)):
        held[i + 1] = held[i] * kept[i] + added[i]
    mean: Floats = (held[:-1] + fallen_mm[:, None] - held[1:]) * MEMORIES_D / apart_d[:, None]
    return np.maximum(mean, 0.0)
