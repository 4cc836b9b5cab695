"""What moves the readings of a point, as columns of a least-squares fit: with creep to failure and without.

    always        a constant; the daily wave where readings are frequent enough to see it; steps of the instrument
    not failing   a straight line, with one of: a bend (another stage of digging), a constant acceleration, the last
                  reading off it; or with two bends
    rain          a straight line and what the rain alone would bring
    stopping      a straight line and an S-curve: it speeds up like a failure, at first exponentially, and comes to rest
    failing       Voight's creep from the first reading on, or a straight line up to an onset and creep from there on

In: a series, where it may have steps. Out: columns, and how well they explain the readings. All is weighted by the root
of the readings in a bin.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

from gateway.assets.creep_rain import rain_columns
from gateway.assets.trend import median
from gateway.assets.trend_track import Series

Floats = NDArray[np.float64]

# Onsets of the acceleration that are tried, as parts of the data's span (PD).
ONSETS = (0.0, 0.15, 0.3, 0.4, 0.5, 0.6, 0.68, 0.76, 0.82, 0.88, 0.92)
# A later onset needs this many readings after it: the rise and fall of a storm is shorter.
READINGS_AFTER_ONSET = 12
# Bends of movements that do not fail are tried at these parts of the span and at the last few readings (PD).
BENDS = tuple(i / 16 for i in range(1, 16))
LAST_BENDS = 6
# S-curves that are tried (PD): widths as parts of the span, and how many widths ahead the middle lies; 4 ahead all is
# still the exponential start.
WIDTHS = np.geomspace(0.03, 0.5, 10)
MIDDLES = np.array((-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 4.0))
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
    """The first bin, and every later onset that leaves enough readings after it."""
    t = series.t_d
    at = [int(i) for i in np.searchsorted(t, t[0] + np.array(ONSETS) * (t[-1] - t[0]))]
    chosen = sorted({0} | {i for i in at if len(t) - i >= READINGS_AFTER_ONSET})
    root = np.sqrt(series.weight)
    return [Onset(i, root, project(series, _before(t, i, shared))) for i in chosen]


def _before(t: Floats, index: int, shared: Floats) -> Floats:
    if index == 0:
        return shared
    before = np.minimum(t - t[index], 0.0)
    return np.column_stack((shared, before))


@dataclass(frozen=True, slots=True, eq=False)
class Rivals:
    """Movements that do not fail. Sums of squares: of those with a bend (k,), of those with two (k * (k - 1) / 2,), of
    the others with one column more than the line (m,), of those that rain moves (r,), empty without known rain. What
    the best leaves. `stopping` (s,) are the sums of squares of S-curves; they do not count as the best."""

    line: Projection
    bends: Floats
    two_bends: Floats
    others: Floats
    rain: Floats
    stopping: Floats
    best: Floats

    def rain_share(self) -> float:
        """The share of what a line leaves that rain explains, 0 to 1; NaN where rain is not known or none fell."""
        return 1 - float(self.rain.min()) / self.line.rss if len(self.rain) and self.line.rss > 0 else nan


def not_failing(series: Series, shared: Floats) -> Rivals:
    """A line, a line with one of the turns, and a line with rain."""
    t = series.t_d
    root = np.sqrt(series.weight)
    line = project(series, np.column_stack((shared, t - t[-1])))
    bends, others, rain = (_bends(t) * root, _others(t) * root, rain_columns(series) * root)
    turns = _one_more(line, np.concatenate((bends, others)))
    rss, best = turns.rss, turns.best
    wet = _one_more(line, rain, only_forwards=True)
    stopping = _one_more(line, _stopping(t) * root, only_forwards=True)
    best = min((best, wet.best), key=lambda projection: projection.rss)
    two_bends = _two_more(line, bends)
    return Rivals(line, rss[: len(bends)], two_bends, rss[len(bends) :], wet.rss, stopping.rss, best.left)


def _bends(t: Floats) -> Floats:
    """A bend at each of some bins (k, n)."""
    late = np.arange(max(1, len(t) - LAST_BENDS), len(t) - 1)
    spread = np.searchsorted(t, t[0] + np.array(BENDS) * (t[-1] - t[0]))
    at = np.unique(np.concatenate((spread, late)))
    bends: Floats = np.maximum(t - t[at[(at > 0) & (at < len(t) - 1)], None], 0.0)
    return bends


def _others(t: Floats) -> Floats:
    """Columns (m, n): the last reading alone, and a constant acceleration: it grows and never fails at a time of its
    own."""
    last = np.zeros(len(t))
    last[-1] = 1.0
    age = (t[-1] - t) / (t[-1] - t[0])
    return np.stack((last, age * age))


def _stopping(t: Floats) -> Floats:
    """An S-curve of each width and middle (k, n)."""
    width_d = np.repeat(WIDTHS, len(MIDDLES))[:, None] * (t[-1] - t[0])
    ahead = (t - t[-1]) / width_d - np.tile(MIDDLES, len(WIDTHS))[:, None]
    curves: Floats = 1 / (1 + np.exp(np.minimum(-ahead, 50.0)))
    return curves


@dataclass(frozen=True, slots=True, eq=False)
class _Trial:
    """The sum of squares that each of some columns would leave (k,), and the readings without the best of them."""

    rss: Floats
    best: Projection


def _one_more(known: Projection, columns: Floats, only_forwards: bool = False) -> _Trial:
    """Take one of `columns` (k, n) out as well. `only_forwards`: rain and a failure that stops move nothing
    backwards."""
    new = columns - (columns @ known.basis) @ known.basis.T
    size = np.einsum("ij,ij->i", new, new)
    along = new @ known.left
    usable = size > 1e-9 * np.einsum("ij,ij->i", columns, columns)
    if only_forwards:
        usable &= along > 0
    size = np.where(usable, size, 1.0)
    gain = np.where(usable, along * along / size, 0.0)
    i = int(np.argmax(gain)) if len(gain) else 0
    if not len(gain) or gain[i] == 0:
        return _Trial(known.rss - gain, known)
    unit = new[i] / np.sqrt(size[i])
    left = known.left - unit * float(unit @ known.left)
    return _Trial(known.rss - gain, Projection(np.column_stack((known.basis, unit)), left))


def _two_more(known: Projection, columns: Floats) -> Floats:
    """The sum of squares that each pair of `columns` (k, n) would leave."""
    new = columns - (columns @ known.basis) @ known.basis.T
    product, along = new @ new.T, new @ known.left
    one, other = np.triu_indices(len(columns), 1)
    a, b, both = product[one, one], product[other, other], product[one, other]
    apart = a * b - both * both
    usable = apart > 1e-9 * a * b
    gain = along[one] ** 2 * b - 2 * along[one] * along[other] * both + along[other] ** 2 * a
    rss: Floats = known.rss - np.where(usable, gain / np.where(usable, apart, 1.0), 0.0)
    return np.maximum(rss, 0.0)
