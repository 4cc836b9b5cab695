"""Movements that do not fail, and how likely each makes the readings of one or several points.

    line        a straight line
    bend        a line with a bend: another stage of digging
    constant    a constant acceleration: it grows and never fails at a time of its own
    late        a constant acceleration that began later
    stage       a line and a stage that dies away
    last        the last reading off the line
    two turns   a line with two of: a bend, a constant acceleration, the last reading; two stages, or one and a bend
    one more    the best of one turn, and one more: of frequent readings any two would follow almost anything
    stopping    a line and an S-curve: it speeds up like a failure, at first exponentially, and comes to rest
    driven      a line and what rain, digging or groundwater would bring

Points that move together share when; each has a size and a noise of its own. In: the points without what every movement
has. Out: log evidences in nats, the noise integrated out. Where a movement turns is not known: the places share it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from math import log

import numpy as np
from numpy.typing import NDArray

from gateway.parts.pit.forecast.creep_design import Moving, Projection, project
from gateway.parts.pit.forecast.creep_drivers import Driver

Floats = NDArray[np.float64]

# Turns are tried at these parts of the span and at the last few readings (PD).
PLACES = np.arange(1, 16) / 16
LAST_PLACES = 6
# How long a stage of digging takes to die away, days (PD).
STAGES_D = np.array((1.0, 2.5, 6.0))
# S-curves that are tried (PD): widths as parts of the span, and how many widths ahead the middle lies; 4 ahead all is
# still the exponential start.
WIDTHS = np.geomspace(0.03, 0.5, 10)
MIDDLES = np.array((-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 4.0))
# Readings are never believed to better than this, so that a perfect fit has a finite evidence.
FINEST_MM = 1e-3


@dataclass(frozen=True, slots=True)
class Judge:
    """Log evidence of a fit of one point, its noise integrated out, for so many independent readings."""

    readings: float
    floor: float

    def of(self, rss: Floats, columns: int) -> Floats:
        """Of sums of squares (k,) that so many columns leave."""
        freedom = max(self.readings - columns, 1.0)
        evidence: Floats = -0.5 * freedom * np.log(rss + self.floor) - 0.5 * columns * log(max(self.readings, 2.0))
        return evidence


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One point to judge: its readings, the columns that every movement has, and its judge."""

    moving: Moving
    shared: Floats
    judge: Judge


@dataclass(frozen=True, slots=True)
class Rivals:
    """Log evidence of each movement that does not fail. -inf: it was not tried."""

    line: float
    bend: float
    constant: float
    late: float
    stage: float
    last: float
    two_bends: float
    two_stages: float
    one_more: float
    stopping: float
    driven: float = -np.inf


@dataclass(frozen=True, slots=True, eq=False)
class _Point:
    judged: Judged
    line: Projection
    root: Floats

    @property
    def t_d(self) -> Floats:
        return self.judged.moving.series.t_d

    def one(self, columns: Floats, forwards: bool) -> Floats:
        """Evidence (k,) of a line with each of `columns` (k, n)."""
        return self.judged.judge.of(_one_more(self.line, columns * self.root, forwards), self.line.columns + 1)

    def one_more(self, columns: Floats) -> Floats:
        """Evidence (k,) of a line with the best of `columns` (k, n) and each."""
        weighted = columns * self.root
        best = int(np.argmin(_one_more(self.line, weighted, forwards=False)))
        unit = weighted[best] - self.line.basis @ (self.line.basis.T @ weighted[best])
        unit = unit / np.sqrt(float(unit @ unit))
        left = self.line.left - unit * float(unit @ self.line.left)
        with_best = Projection(np.column_stack((self.line.basis, unit)), left)
        return self.judged.judge.of(_one_more(with_best, weighted, forwards=False), with_best.columns + 1)

    def two(self, columns: Floats) -> Floats:
        """Evidence of a line with each pair of `columns` (k, n)."""
        return self.judged.judge.of(_two_more(self.line, columns * self.root), self.line.columns + 2)


def rivals(points: Sequence[Judged], drivers: Sequence[Driver]) -> Rivals:
    """The evidences. The first point's days say where turns are tried."""
    group = [_point(judged) for judged in points]
    days = group[0].t_d
    first_d, span_d = float(days[0]), float(days[-1] - days[0])
    places = _places(days)

    def shared(columns: Callable[[Floats], Floats], forwards: bool = False) -> float:
        return _shared(np.sum([point.one(columns(point.t_d), forwards) for point in group], axis=0))

    def pairs(columns: Callable[[Floats], Floats]) -> float:
        return _shared(np.sum([point.two(columns(point.t_d)) for point in group], axis=0))

    def bends(t_d: Floats) -> Floats:
        bends: Floats = np.maximum(t_d - places[:, None], 0.0)
        return bends

    def constant(t_d: Floats) -> Floats:
        return np.asarray(((t_d[None, :] - days[-1]) / span_d) ** 2)

    def last(t_d: Floats) -> Floats:
        return np.where(np.arange(len(t_d)) == len(t_d) - 1, 1.0, 0.0)[None, :]

    def stages(t_d: Floats) -> Floats:
        return _stages(t_d, places)

    def stopping(t_d: Floats) -> Floats:
        width_d = np.repeat(WIDTHS, len(MIDDLES))[:, None] * span_d
        ahead = (t_d - days[-1]) / width_d - np.tile(MIDDLES, len(WIDTHS))[:, None]
        return np.asarray(1 / (1 + np.exp(np.minimum(-ahead, 50.0))))

    def turns(t_d: Floats) -> Floats:
        return np.concatenate((bends(t_d), last(t_d), constant(t_d)))

    more = np.sum([point.one_more(turns(point.t_d)) for point in group], axis=0)
    known = [driver for driver in drivers if driver.covers(first_d, float(days[-1]))]
    return Rivals(
        line=sum(float(p.judged.judge.of(np.array(p.line.rss), p.line.columns)) for p in group),
        bend=shared(bends),
        constant=shared(constant),
        late=shared(lambda t_d: bends(t_d) ** 2, forwards=True),
        stage=shared(stages, forwards=True),
        last=shared(last),
        two_bends=pairs(turns),
        two_stages=pairs(lambda t_d: np.concatenate((stages(t_d), bends(t_d)))),
        one_more=float(np.logaddexp.reduce(more)) - log(len(more) * (len(more) - 1) / 2),
        stopping=shared(stopping, forwards=True),
        driven=max((shared(driver.columns, forwards=True) for driver in known), default=-np.inf),
    )


def event(points: Sequence[Judged], explained: Sequence[Floats]) -> float:
    """By how many nats a stage that begins at one time in all points, on top of the columns (n, p) that explain each,
    makes their readings likelier: an event of the site that those columns know nothing of."""
    places = _places(points[0].moving.series.t_d)
    gain: Floats = np.zeros(len(places) * len(STAGES_D))
    for judged, columns in zip(points, explained, strict=True):
        series = judged.moving.series
        known = project(series, columns)
        left = _one_more(known, _stages(series.t_d, places) * np.sqrt(series.weight), forwards=True)
        gain += judged.judge.of(left, known.columns + 1) - judged.judge.of(np.array(known.rss), known.columns)
    return _shared(gain)


def _stages(t_d: Floats, places: Floats) -> Floats:
    since = np.maximum(t_d - places[:, None] + 0.5, 0.0)
    return np.concatenate([-np.expm1(-since / lasts_d) for lasts_d in STAGES_D])


def _point(judged: Judged) -> _Point:
    series = judged.moving.series
    t_d = series.t_d
    line = project(series, np.column_stack((judged.shared, t_d - t_d[-1])))
    return _Point(judged, line, np.sqrt(series.weight))


def _places(t_d: Floats) -> Floats:
    late = np.arange(max(1, len(t_d) - LAST_PLACES), len(t_d) - 1)
    spread = t_d.searchsorted(t_d[0] + PLACES * (t_d[-1] - t_d[0]))
    at = np.unique(np.concatenate((spread, late)))
    return np.asarray(t_d[at[(at > 0) & (at < len(t_d) - 1)]])


def _shared(evidence: Floats) -> float:
    """The evidence of one of several (k,) of which any may be true; -inf of none."""
    return float(np.logaddexp.reduce(evidence)) - log(len(evidence)) if np.size(evidence) else -np.inf


def _one_more(known: Projection, columns: Floats, forwards: bool) -> Floats:
    """The sum of squares that each of `columns` (k, n) would leave. `forwards`: none moves the point backwards."""
    new = columns - (columns @ known.basis) @ known.basis.T
    size, along = np.einsum("ij,ij->i", new, new), new @ known.left
    usable = size > 1e-9 * np.einsum("ij,ij->i", columns, columns)
    if forwards:
        usable &= along > 0
    gain = np.where(usable, along * along / np.where(usable, size, 1.0), 0.0)
    return np.maximum(known.rss - gain, 0.0)


def _two_more(known: Projection, columns: Floats) -> Floats:
    """The sum of squares that each pair of `columns` (k, n) would leave."""
    new = columns - (columns @ known.basis) @ known.basis.T
    product, along = new @ new.T, new @ known.left
    one, other = _pairs(len(columns))
    a, b, both = product[one, one], product[other, other], product[one, other]
    apart = a * b - both * both
    usable = apart > 1e-9 * a * b
    p, q = along[one], along[other]
    gain = np.where(usable, (p * p * b - 2 * p * q * both + q * q * a) / np.where(usable, apart, 1.0), 0.0)
    return np.maximum(known.rss - gain, 0.0)


@cache
def _pairs(n: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return np.triu_indices(n, 1)
