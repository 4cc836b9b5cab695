"""What the readings of one point are fitted by, as columns of least squares: what every movement has, and creep.

    always        a constant; the daily wave where readings are frequent enough to see it; steps of the instrument
    failing       Voight's creep from an onset on; before a later onset the line that touches it, or of frequent
                  readings a parabola

In: a point's series, where it may have steps. Out: columns, and how well they explain the readings. All is weighted by
the root of the readings in a bin.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

from gateway.parts.pit.forecast.trend import median
from gateway.parts.pit.forecast.trend_track import Series

Floats = NDArray[np.float64]

# A wave of a day shows in readings at most this far apart.
WAVE_SPACING_D = 0.45
# Readings at most this far apart show by themselves how each window moved (PD); daily ones lie farther apart.
FREQUENT_SPACING_D = 0.75


@dataclass(frozen=True, slots=True, eq=False)
class Moving:
    """One point's readings since its trend began: no spikes, its displacement growing. `sigma_mm` is the scatter of one
    reading; `steps` are bins before which the instrument may have jumped."""

    series: Series
    sigma_mm: float
    steps: tuple[int, ...] = ()

    def later(self, by_d: float) -> "Moving":
        """The same in days that count from another day."""
        return replace(self, series=replace(self.series, t_d=self.series.t_d + by_d))

    def until(self, day: float) -> "Moving":
        """What was known of it on that day: old readings of one point may come after new ones of another."""
        known = int(self.series.t_d.searchsorted(day, side="right"))
        steps = tuple(step for step in self.steps if step < known)
        return replace(self, series=self.series.part(slice(known)), steps=steps)


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """Readings with some columns taken out: an orthonormal basis (n, p) of these columns, and what is left (n,)."""

    basis: Floats
    left: Floats

    @property
    def rss(self) -> float:
        """Sum of squares of what is left."""
        return float(self.left @ self.left)

    @property
    def columns(self) -> int:
        """p."""
        return int(self.basis.shape[1])


class Before(Enum):
    """How a point moved before its creep began. TANGENT: steadily, as fast as the creep was at first. CURVE: anyhow
    along a parabola."""

    TANGENT = auto()
    CURVE = auto()


@dataclass(frozen=True, slots=True, eq=False)
class Onset:
    """The readings but for the creep that begins at bin `index`."""

    index: int
    root: Floats
    without: Projection
    before: Before
    early_d: Floats

    def rss(self, grown: Floats, speed: Floats) -> Floats:
        """Sums of squares (k,) left by each node's creep (k, n), as fast as `speed` (k,) at the onset; creep backwards
        explains nothing."""
        shape = self._shape(grown, speed)
        basis, left = self.without.basis, self.without.left
        known = shape @ basis
        size = np.einsum("ij,ij->i", shape, shape) - np.einsum("ij,ij->i", known, known)
        along = np.maximum(shape @ left, 0.0)
        rss: Floats = self.without.rss - along * along / np.maximum(size, 1e-300)
        return np.maximum(rss, 0.0)

    def left(self, grown: Floats, speed: Floats) -> Floats:
        """What one node's creep (1, n) leaves of the readings (n,)."""
        shape = self._shape(grown, speed)[0]
        shape = shape - self.without.basis @ (self.without.basis.T @ shape)
        left: Floats = self.without.left - shape * float(shape @ self.without.left) / float(shape @ shape)
        return left

    def columns(self, t_d: Floats, shared: Floats, grown: Floats, speed: Floats) -> Floats:
        """All columns (n, p) of the movement whose creep is `grown` (1, n): first the shared ones."""
        shape = self._shape(grown, speed)[0] / self.root
        return np.column_stack((_before(t_d, self.index, shared, self.before), shape))

    def _shape(self, grown: Floats, speed: Floats) -> Floats:
        shape = grown - grown[:, self.index, None]
        shape[:, : self.index] = speed[:, None] * self.early_d if self.before is Before.TANGENT else 0.0
        shape *= self.root
        return shape


def project(series: Series, columns: Floats) -> Projection:
    """Take `columns` (n, p) out of the readings."""
    root = np.sqrt(series.weight)
    basis, _ = np.linalg.qr(columns * root[:, None])
    left = series.x_mm * root
    return Projection(basis, left - basis @ (basis.T @ left))


def common(series: Series, steps: Sequence[int]) -> Floats:
    """The columns that every movement has (n, p). A step lies before the bin of its index."""
    t = series.t_d
    columns = [np.ones(len(t))]
    if sees_wave(series):
        columns += [series.sine, series.cosine]
    columns += [np.where(np.arange(len(t)) >= step, 1.0, 0.0) for step in steps]
    return np.stack(columns, axis=1)


def sees_wave(series: Series) -> bool:
    """Whether readings of late are frequent and many enough to tell a daily wave from a movement."""
    t = series.t_d
    return len(t) > 12 and median(np.diff(t[-13:])) < WAVE_SPACING_D and bool(t[-1] - t[0] > 2)


def read_often(series: Series) -> bool:
    """Whether readings of late are less than a day apart."""
    return median(np.diff(series.t_d[-13:])) < FREQUENT_SPACING_D


def onset(moving: Moving, shared: Floats, day: float, before: Before) -> Onset:
    """Creep from the first bin of `day` on."""
    series = moving.series
    index = min(int(series.t_d.searchsorted(day)), len(series) - 1)
    columns = _before(series.t_d, index, shared, before)
    early_d = series.t_d[:index] - series.t_d[index]
    return Onset(index, np.sqrt(series.weight), project(series, columns), before, early_d)


def _before(t: Floats, index: int, shared: Floats, before: Before) -> Floats:
    if index == 0 or before is Before.TANGENT:
        return shared
    early = np.minimum(t - t[index], 0.0)
    return np.column_stack((shared, early, early * early))
