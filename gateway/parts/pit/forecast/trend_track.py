"""The remembered displacements of one point, thinned by age so that months of readings fit in some 200 bins.

    age        < 2 d        2 - 7 d       7 - 60 d      older
    a bin      30 min       3 h           24 h          forgotten

In: readings in time order. Out: arrays for the fits. A bin keeps the means of time and displacement and of the daily
wave's sine and cosine, so that a breathing structure can be fitted through bins of any width.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import cos, isfinite, pi, sin

import numpy as np
from numpy.typing import NDArray

from gateway.model.derivation import Json

Floats = NDArray[np.float64]

# (up to this age in days, widest bin in days): product choice (PD).
TIERS = ((2.0, 0.5 / 24), (7.0, 3.0 / 24), (60.0, 1.0))
AGES_D, WIDTHS_D = np.array([age for age, _ in TIERS]), np.array([width for _, width in TIERS] + [0.0])
THIN_EVERY_D = 0.5
FIRST, LAST, COUNT, SUMS, COLUMNS = 0, 1, 2, 3, 7
# A bin's mean is trusted like this many independent readings at most: weather is no white noise.
COUNT_CAP = 6.0


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Arrays (n,) in time order: days since the epoch, displacement, weight (readings in a bin, capped), daily wave."""

    t_d: Floats
    x_mm: Floats
    weight: Floats
    sine: Floats
    cosine: Floats

    def since(self, day: float) -> "Series":
        """The part from `day` on."""
        i = int(self.t_d.searchsorted(day))
        return self if i == 0 else self.part(slice(i, None))

    def part(self, which: slice | NDArray[np.bool_]) -> "Series":
        """The chosen bins."""
        return Series(self.t_d[which], self.x_mm[which], self.weight[which], self.sine[which], self.cosine[which])

    def turned(self, sign: float) -> "Series":
        """The same movement, its displacement times `sign`."""
        return Series(self.t_d, sign * self.x_mm, self.weight, self.sine, self.cosine)

    def moved(self, by_mm: Floats) -> "Series":
        """The same readings, each moved by `by_mm` (n,)."""
        return Series(self.t_d, self.x_mm + by_mm, self.weight, self.sine, self.cosine)

    def __len__(self) -> int:
        return len(self.t_d)


class Track:
    """Bounded memory of one point's displacement: a table of bins, its columns the first and the last reading's day,
    the count, and the sums of day, displacement, sine and cosine."""

    def __init__(self) -> None:
        self._table = np.empty((64, COLUMNS))
        self._bins = 0
        self._thinned_d = -np.inf

    @property
    def last_d(self) -> float:
        """When the last reading was; -inf before the first."""
        return float(self._table[self._bins - 1, LAST]) if self._bins else -np.inf

    def add(self, t_d: float, x_mm: float) -> None:
        """One reading, later than all before."""
        angle = 2 * pi * t_d
        row = np.array((t_d, t_d, 1.0, t_d, x_mm, sin(angle), cos(angle)))
        if self._bins and t_d - self._table[self._bins - 1, FIRST] < TIERS[0][1]:
            _absorb(self._table[self._bins - 1], row)
        else:
            self._append(row)
        if t_d - self._thinned_d >= THIN_EVERY_D:
            self._thin(t_d)

    def series(self) -> Series:
        """Kept state."""
        table = self._table[: self._bins]
        count, mean = table[:, COUNT], table[:, SUMS:].T / table[:, COUNT]
        return Series(mean[0], mean[1], np.minimum(count, COUNT_CAP), mean[2], mean[3])

    def saved(self) -> Json:
        """The bins as lists of numbers, and when they were last thinned."""
        rows: list[list[float]] = self._table[: self._bins].tolist()
        return {"bins": rows, "thinned_d": self._thinned_d if self._bins else None}

    def restore(self, saved: Json) -> None:
        """Go on from kept bins. Raises ValueError when they are not such bins in time order."""
        kept = saved.get("bins") if isinstance(saved, Mapping) else None
        if not isinstance(saved, Mapping) or not isinstance(kept, Sequence) or isinstance(kept, str):
            raise ValueError("kept bins are not a list")
        rows = [_row(row) for row in kept]
        if any(later[FIRST] <= earlier[LAST] for earlier, later in pairwise(rows)):
            raise ValueError("kept bins are not in time order")
        thinned_d = saved.get("thinned_d")
        if thinned_d is not None and not isinstance(thinned_d, int | float):
            raise ValueError("kept bins do not say when they were thinned")
        self._bins, self._thinned_d = 0, -np.inf if thinned_d is None else thinned_d
        for row in rows:
            self._append(row)

    def _append(self, row: Floats) -> None:
        if self._bins == len(self._table):
            self._table = np.concatenate((self._table, np.empty_like(self._table)))
        self._table[self._bins] = row
        self._bins += 1

    def _thin(self, now_d: float) -> None:
        self._thinned_d = now_d
        table = self._table[: self._bins]
        tier = np.searchsorted(AGES_D, now_d - table[:, LAST], side="right")
        forgotten = int(np.count_nonzero(tier == len(TIERS)))
        rows, widest_d = table[forgotten:].copy(), WIDTHS_D[tier[forgotten:]]
        fits = rows[1:, LAST] - rows[:-1, FIRST] < widest_d[1:]
        if forgotten or fits.any():
            self._table[: len(rows)] = rows
            self._bins = min(len(rows), int(np.argmax(fits)) + 1 if fits.any() else len(rows))
            self._take(rows[self._bins :], widest_d[self._bins :])

    def _take(self, rows: Floats, widest_d: Floats) -> None:
        """Append bins, or let the last take them in where it may be so wide."""
        for row, width_d in zip(rows, widest_d.tolist(), strict=True):
            if row[LAST] - self._table[self._bins - 1, FIRST] < width_d:
                _absorb(self._table[self._bins - 1], row)
            else:
                self._append(row)


def _absorb(earlier: Floats, later: Floats) -> None:
    """Take the bin that follows into one."""
    earlier[LAST] = later[LAST]
    earlier[COUNT:] += later[COUNT:]


def _row(saved: Json) -> Floats:
    if not isinstance(saved, Sequence) or isinstance(saved, str) or len(saved) != COLUMNS:
        raise ValueError("a kept bin is not seven numbers")
    row = np.array([float(v) for v in saved if isinstance(v, int | float) and isfinite(v)])
    if len(row) != COLUMNS or row[COUNT] < 1 or row[LAST] < row[FIRST]:
        raise ValueError("a kept bin is not seven believable numbers")
    return row
