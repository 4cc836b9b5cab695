"""The remembered displacements of one point, thinned by age so that months of readings fit in some 200 bins.

    age        < 2 d        2 - 7 d       7 - 60 d      older
    a bin      30 min       3 h           24 h          forgotten

In: readings in time order. Out: arrays for the fits. A bin keeps the means of time and displacement and of the daily
wave's sine and cosine, so that a breathing structure can be fitted through bins of any width.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import cos, isfinite, pi, sin

import numpy as np
from numpy.typing import NDArray

from gateway.assets.derivation import Json

Floats = NDArray[np.float64]

# (up to this age in days, widest bin in days): product choice (PD).
TIERS = ((2.0, 0.5 / 24), (7.0, 3.0 / 24), (60.0, 1.0))
THIN_EVERY_D = 0.5
# A bin's mean is trusted like this many independent readings at most: weather is no white noise.
COUNT_CAP = 6.0


@dataclass(slots=True)
class Bin:
    """Sums over the readings from `first_d` to `last_d`; days since the track's epoch."""

    first_d: float
    last_d: float
    count: float
    day: float
    mm: float
    sine: float
    cosine: float

    def absorb(self, later: "Bin") -> None:
        """Take in the bin that follows."""
        self.last_d = later.last_d
        self.count += later.count
        self.day += later.day
        self.mm += later.mm
        self.sine += later.sine
        self.cosine += later.cosine


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
        i = int(np.searchsorted(self.t_d, day))
        return self if i == 0 else self.part(slice(i, None))

    def part(self, which: slice | NDArray[np.bool_]) -> "Series":
        """The chosen bins."""
        columns = (self.t_d, self.x_mm, self.weight, self.sine, self.cosine)
        return Series(*(column[which] for column in columns))

    def turned(self, sign: float) -> "Series":
        """The same movement, its displacement times `sign`."""
        return Series(self.t_d, sign * self.x_mm, self.weight, self.sine, self.cosine)

    def moved(self, by_mm: Floats) -> "Series":
        """The same readings, each moved by `by_mm` (n,)."""
        return Series(self.t_d, self.x_mm + by_mm, self.weight, self.sine, self.cosine)

    def __len__(self) -> int:
        return len(self.t_d)


class Track:
    """Bounded memory of one point's displacement."""

    def __init__(self) -> None:
        self._bins: list[Bin] = []
        self._thinned_d = -np.inf

    @property
    def last_d(self) -> float:
        """When the last reading was; -inf before the first."""
        return self._bins[-1].last_d if self._bins else -np.inf

    def add(self, t_d: float, x_mm: float) -> None:
        """One reading, later than all before."""
        angle = 2 * pi * t_d
        new = Bin(t_d, t_d, 1.0, t_d, x_mm, sin(angle), cos(angle))
        if self._bins and t_d - self._bins[-1].first_d < TIERS[0][1]:
            self._bins[-1].absorb(new)
        else:
            self._bins.append(new)
        if t_d - self._thinned_d >= THIN_EVERY_D:
            self._thin(t_d)

    def series(self) -> Series:
        """All that is remembered."""
        table = np.array([(b.count, b.day, b.mm, b.sine, b.cosine) for b in self._bins], dtype=np.float64)
        count, rest = table[:, 0], table[:, 1:].T / table[:, 0]
        return Series(rest[0], rest[1], np.minimum(count, COUNT_CAP), rest[2], rest[3])

    def saved(self) -> Json:
        """The bins as lists of numbers."""
        return [[b.first_d, b.last_d, b.count, b.day, b.mm, b.sine, b.cosine] for b in self._bins]

    def restore(self, saved: Json) -> None:
        """Go on from kept bins. Raises ValueError when they are not such bins in time order."""
        if not isinstance(saved, Sequence) or isinstance(saved, str):
            raise ValueError("kept bins are not a list")
        bins = [_bin(row) for row in saved]
        if any(later.first_d <= earlier.last_d for earlier, later in pairwise(bins)):
            raise ValueError("kept bins are not in time order")
        self._bins, self._thinned_d = bins, -np.inf

    def _thin(self, now_d: float) -> None:
        self._thinned_d = now_d
        kept: list[Bin] = []
        for b in self._bins:
            age_d = now_d - b.last_d
            widest_d = next((width for age, width in TIERS if age_d < age), None)
            if widest_d is None:
                continue
            if kept and b.last_d - kept[-1].first_d < widest_d:
                kept[-1].absorb(b)
            else:
                kept.append(b)
        self._bins = kept


def _bin(row: Json) -> Bin:
    if not isinstance(row, Sequence) or isinstance(row, str) or len(row) != 7:
        raise ValueError("a kept bin is not seven numbers")
    numbers = [float(v) for v in row if isinstance(v, int | float) and isfinite(v)]
    if len(numbers) != 7 or numbers[2] < 1 or numbers[1] < numbers[0]:
        raise ValueError("a kept bin is not seven believable numbers")
    return Bin(*numbers)
