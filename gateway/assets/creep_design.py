"""What moves the readings of a point, as columns of a least-squares fit: with creep to failure and without.

    always        a constant; the daily wave where readings are frequent enough to see it; steps of the instrument
    not failing   a straight line, with one or two of: a bend (another stage of digging), a constant acceleration, the
                  last reading off it
    failing       a quadratic up to the onset, Voight's creep from there on

In: a series, where it may have steps. Out: columns, and how well they explain the readings. All is weighted by the root
of the readings in a bin.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.assets.trend import median
from gateway.assets.trend_track import Series

Floats = NDArray[np.float64]

# Onsets of the acceleration that are tried, as parts of the data's span (PD).
ONSETS = (0.0, 0.15, 0.3, 0.4, 0.5, 0.6, 0.68, 0.76, 0.82, 0.88, 0.92)
READINGS_AFTER_ONSET = 6
# Bends of movements that do not fail are tried at these parts of the span and at the last few readings (PD).
BENDS = tuple(i / 16 for i in range(1, 16))
LAST_BENDS = 6
# A wave of a day shows in readings at most this far apart.
WAVE_SPACING_D = 0.45


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


@dataclass(frozen=True, slots=True, eq=False)
class Onset:
    """The readings but for the creep that begins at bin `index`."""

    index: int
    root: Floats
    without: Projection

    def rss(self, grown: Floats) -> Floats:
        """Sums of squares (k,) left by each node's creep (k, n); creep backwards explains nothing."""
        shape = self._shape(grown)
        basis, left = self.without.basis, self.without.left
        known = shape @ basis
        size = np.einsum("ij,ij->i", shape, shape) - np.einsum("ij,ij->i", known, known)
        along = np.maximum(shape @ left, 0.0)
        rss: Floats = self.without.rss - along * along / np.maximum(size, 1e-300)
        return np.maximum(rss, 0.0)

    def left(self, grown: Floats) -> Floats:
        """What one node's creep (n,) leaves of the readings (n,)."""
        shape = self._shape(grown[None, :])[0]
        shape = shape - self.without.basis @ (self.without.basis.T @ shape)
        left: Floats = self.without.left - shape * float(shape @ self.without.left) / float(shape @ shape)
        return left

    def columns(self, t_d: Floats, shared: Floats, grown: Floats) -> Floats:
        """All columns (n, p) of the movement whose creep is `grown` (n,): first the shared ones."""
        shape = np.where(np.arange(len(t_d)) < self.index, 0.0, grown - grown[self.index])
        return np.column_stack((_before(t_d, self.index, shared), shape))

    def _shape(self, grown: Floats) -> Floats:
        shape = grown - grown[:, self.index, None]
        shape[:, : self.index] = 0.0
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


def onsets(series: Series, shared: Floats) -> list[Onset]:
    """Every onset that leaves enough readings after it; the first bin where none does."""
    t = series.t_d
    at = [int(i) for i in np.searchsorted(t, t[0] + np.array(ONSETS) * (t[-1] - t[0]))]
    chosen = sorted({i for i in at if len(t) - i >= READINGS_AFTER_ONSET}) or [0]
    root = np.sqrt(series.weight)
    return [Onset(i, root, project(series, _before(t, i, shared))) for i in chosen]


def _before(t: Floats, index: int, shared: Floats) -> Floats:
    if index == 0:
        return shared
    before = np.minimum(t - t[index], 0.0)
    return np.column_stack((shared, before, before * before))


@dataclass(frozen=True, slots=True, eq=False)
class Rivals:
    """Movements that do not fail: sums of squares (k,) of those with one column more than the line and with two more,
    and what the best of all leaves."""

    line: Projection
    single: Floats
    double: Floats
    best: Projection


def not_failing(series: Series, shared: Floats) -> Rivals:
    """A line; a line with one of the turns; with two of them."""
    t = series.t_d
    line = project(series, np.column_stack((shared, t - t[-1])))
    columns = _turns(t) * np.sqrt(series.weight)
    one, single = _one_more(line, columns)
    two, double = _one_more(one, columns)
    best = min((line, one, two), key=lambda projection: projection.rss)
    return Rivals(line, single, double, best)


def _turns(t: Floats) -> Floats:
    """Columns (k, n): a bend at each of some bins, the last reading alone, and a constant acceleration: it grows and
    never fails at a time of its own."""
    late = np.arange(max(1, len(t) - LAST_BENDS), len(t) - 1)
    spread = np.searchsorted(t, t[0] + np.array(BENDS) * (t[-1] - t[0]))
    at = np.unique(np.concatenate((spread, late)))
    bends = np.maximum(t - t[at[(at > 0) & (at < len(t) - 1)], None], 0.0)
    last = np.zeros((1, len(t)))
    last[0, -1] = 1.0
    age = ((t[-1] - t) / (t[-1] - t[0]))[None, :]
    return np.concatenate((bends, last, age * age))


def _one_more(known: Projection, columns: Floats) -> tuple[Projection, Floats]:
    """Take the best of `columns` (k, n) out as well. Also the sum of squares that each would leave (k,)."""
    new = columns - (columns @ known.basis) @ known.basis.T
    size = np.einsum("ij,ij->i", new, new)
    usable = size > 1e-9 * np.einsum("ij,ij->i", columns, columns)
    along = new @ known.left
    gain = np.where(usable, along * along / np.where(usable, size, 1.0), 0.0)
    i = int(np.argmax(gain))
    if gain[i] == 0:
        return known, known.rss - gain
    unit = new[i] / np.sqrt(size[i])
    left = known.left - unit * float(unit @ known.left)
    return Projection(np.column_stack((known.basis, unit)), left), known.rss - gain
