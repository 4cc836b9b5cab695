"""Time of failure of accelerating creep: Voight's law fitted to displacements gives an interval.

Voight: dv/dt = A v^alpha, so that v = C (tf - t)^-beta with beta = 1 / (alpha - 1) until failure at tf. For alpha = 2
the inverse velocity (逆速度, Fukuzono) falls on a straight line to zero:

      1/v |.                       x |            |
          |   .   .                  |          . |
          |         .  .             |       .    |   readings, steady until s, then Voight
          |              . .         |. .  .      |
          +-----s----------tf        +----s-------tf

Taking 1/v of noisy readings and drawing a line through it is biased, so the line only opens the gate (standards 7.1).
The interval comes from the displacements themselves: a grid over remaining time, alpha and onset s, each node fitted by
least squares together with what else moves the readings (the rate before s, the daily wave, steps), its weight the
posterior probability with the noise integrated out. Points that creep as one mass share time, alpha and onset; each has
a size and a noise of its own. The same readings are also fitted by movements that do not fail (`creep_rivals`).

In: arrays. Out: a `Fit`. Knows nothing of memory, points and rules.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, nan, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from gateway.parts.pit.forecast.creep_design import Before, Moving, Onset, common, onset, read_often
from gateway.parts.pit.forecast.creep_drivers import Driver
from gateway.parts.pit.forecast.creep_grid import Bounds, Nodes, Search, bounds, closer, coarse
from gateway.parts.pit.forecast.creep_rivals import FINEST_MM, Judge, Judged, Rivals, event, rivals
from gateway.parts.pit.forecast.trend_track import Series

Floats = NDArray[np.float64]

# Onsets less likely than the best by this many nats are left out of the finer search.
NATS = 6.0


@dataclass(frozen=True, slots=True, eq=False)
class Prior:
    """What is held of creep before a reading is seen; all PD.

    `beta_deviation`: ln beta is normal around 0 (alpha = 2) with it (alpha 1.5 to 2.5 in literature, M-H), and any day
    ahead is as likely as the next, for a creep is looked at on each of its days alike; None: any ln beta and ln kappa
    is as likely as another. `later` is the probability that the creep began after the first reading; None: any onset
    is as likely as another. After a later onset there must be so many `readings`. `before` is how the point moved until
    then. `onsets` are tried, as parts of the data's span, and up to `refined` of them in the finer search.
    """

    beta_deviation: float | None
    later: float | None
    readings: int
    before: Before
    onsets: Floats
    refined: int

    def density(self, nodes: Nodes, within: Bounds) -> Floats:
        """Log of the probability density at nodes (k,)."""
        if self.beta_deviation is None:
            return np.full(len(nodes.log_beta), -log(within.area))
        off = nodes.log_beta / self.beta_deviation
        longest_d, shortest_d = exp(-within.kappa[0]), exp(-within.kappa[1])
        scale = self.beta_deviation * sqrt(2 * pi) * (longest_d - shortest_d)
        density: Floats = -0.5 * off * off - nodes.log_kappa - log(scale)
        return density

    def of_onsets(self, count: int) -> Floats:
        """Log of the probability of each onset, the first of them at the first reading."""
        if self.later is None or count == 1:
            return np.full(count, -log(count))
        return np.asarray(np.log(np.array([1 - self.later] + [self.later / (count - 1)] * (count - 1))))


# Readings a day apart hardly tell creep from a curve before it; readings hours apart do.
SELDOM = Prior(0.3, later=0.5, readings=6, before=Before.TANGENT, onsets=np.arange(50) / 50, refined=8)
SPREAD = np.array((0.0, 0.15, 0.3, 0.4, 0.5, 0.6, 0.68, 0.76, 0.82, 0.88, 0.92))
FREQUENT = Prior(None, later=None, readings=6, before=Before.CURVE, onsets=SPREAD, refined=4)


@dataclass(frozen=True, slots=True)
class Creeping:
    """One point's readings since the likeliest onset without the daily wave and the steps; `sigma_mm` is their scatter
    around the fit, `noise_mm` that between neighbouring readings, `readings` how many bins were fitted."""

    series: Series
    sigma_mm: float
    noise_mm: float
    readings: int

    @property
    def lasted_d(self) -> float:
        """How long the creep has lasted."""
        return float(self.series.t_d[-1] - self.series.t_d[0])


@dataclass(frozen=True, slots=True)
class Fit:
    """The posterior of the time to failure, from the first point's last reading on.

    `evidence` is the log evidence of creep that fails, `rivals` those of what does not, in nats; `at_edge` is the
    probability of the shortest and longest times that were searched. `creeping` are the points, empty without a fit.
    `event` is by how many nats a stage that begins at one time in all points adds to what creep explains.
    """

    low_d: float = nan
    high_d: float = nan
    evidence: float = -np.inf
    rivals: Rivals | None = None
    at_edge: float = 1.0
    creeping: tuple[Creeping, ...] = ()
    frequent: bool = False
    event: float = -np.inf


@dataclass(frozen=True, slots=True, eq=False)
class _Mass:
    """Log of the probability at nodes (k,), each with its share of the plane."""

    nodes: Nodes
    log_mass: Floats

    def best(self) -> Nodes:
        """The likeliest node."""
        return self.nodes.one(int(np.argmax(self.log_mass)))


@dataclass(frozen=True, slots=True, eq=False)
class _Point:
    """One point of the mass, and how old its readings are now."""

    judged: Judged
    onsets: list[Onset]
    age_d: Floats

    def columns(self, i: int, node: Nodes) -> Floats:
        """What explains the readings (n, p) when the creep of onset `i` is that of the node."""
        start, moving = self.onsets[i], self.judged.moving
        speed = _at_first(node, start, self.age_d)
        return start.columns(moving.series.t_d, self.judged.shared, node.grown(self.age_d), speed)


def fit(points: Sequence[Moving], level: float, drivers: Sequence[Driver] = (), search: Search | None = None) -> Fit:
    """The central interval of probability `level` for the first of `points`; the others move with it. An empty fit
    where it has under 6 readings."""
    series = points[0].series
    if len(series) < 6:
        return Fit()
    search = search or Search()
    frequent = read_often(series)
    prior = FREQUENT if frequent else SELDOM
    first_d, now_d = float(series.t_d[0]), float(series.t_d[-1])
    days = _onset_days(series, prior)
    within = bounds(now_d - first_d, search)
    nodes = coarse(within, search)
    group = _judged(points, days, prior, nodes, now_d)
    look = _Look(group, within, search, prior)
    evidence = look.evidence(nodes)
    at_edge = _at_edge(max(evidence, key=lambda each: float(each.max())), search)
    finer = None if frequent else closer(nodes, _probability(np.logaddexp.reduce(evidence)), within, search)
    if finer is not None:  # the coarse mesh may miss the narrow ridge of several points, and so the likeliest onset
        nodes, evidence = finer, look.evidence(finer)
    best = sorted(range(len(days)), key=lambda i: -float(evidence[i].max()))[: prior.refined]
    top = float(evidence[best[0]].max())
    masses = [look.mass(i, nodes, evidence[i]) for i in best if evidence[i].max() > top - NATS]
    low_d, high_d, total = _interval(masses, level)
    likeliest = 0 if frequent else max(range(len(masses)), key=lambda k: _total(masses[k]))
    at, node = best[likeliest], masses[likeliest].best()
    explained = [point.columns(at, node) for point in group]
    judged = [point.judged for point in group]
    return Fit(
        low_d,
        high_d,
        evidence=total,
        rivals=rivals(judged, drivers),
        at_edge=at_edge,
        creeping=tuple(_creeping(point, at, columns) for point, columns in zip(group, explained, strict=True)),
        frequent=frequent,
        event=-np.inf if frequent else event(judged, explained),
    )


def _onset_days(series: Series, prior: Prior) -> list[float]:
    """The first reading's day, and every later one that leaves enough readings after it."""
    t = series.t_d
    at = sorted({int(i) for i in t.searchsorted(t[0] + prior.onsets * (t[-1] - t[0]))})
    chosen = [i for i in at if i == 0 or len(t) - i >= prior.readings]
    return [float(t[i]) for i in chosen]


def _judged(points: Sequence[Moving], days: Sequence[float], prior: Prior, nodes: Nodes, now_d: float) -> list[_Point]:
    """The points with their onsets, each judged by what the creep that is likeliest for all leaves of its readings."""
    shared = [common(point.series, point.steps) for point in points]
    starts = [
        [onset(point, columns, -np.inf if i == 0 else day, prior.before) for i, day in enumerate(days)]
        for point, columns in zip(points, shared, strict=True)
    ]
    ages = [now_d - point.series.t_d for point in points]
    grown = [nodes.grown(age_d) for age_d in ages]
    floors = [FINEST_MM * FINEST_MM * float(point.series.weight.sum()) for point in points]
    misfit = np.array(
        [
            sum(
                0.5 * len(point.series) * np.log(start[i].rss(shape, _at_first(nodes, start[i], age_d)) + floor)
                for point, start, shape, floor, age_d in zip(points, starts, grown, floors, ages, strict=True)
            )
            for i in range(len(days))
        ]
    )
    at, node = np.unravel_index(int(np.argmin(misfit)), misfit.shape)
    likeliest, one = [start[int(at)] for start in starts], nodes.one(int(node))
    pairs = zip(likeliest, ages, strict=True)
    left = [start.left(one.grown(age_d), _at_first(one, start, age_d)) for start, age_d in pairs]
    chance = 0.0 if prior.later is None else 1.0
    judges = [Judge(_independent(each, chance), floor) for each, floor in zip(left, floors, strict=True)]
    rows = zip(points, shared, judges, starts, ages, strict=True)
    return [_Point(Judged(point, columns, judge), start, age_d) for point, columns, judge, start, age_d in rows]


def _at_first(nodes: Nodes, start: Onset, age_d: Floats) -> Floats:
    """How fast the creep of each node (k,) was when it began."""
    return nodes.speed(float(age_d[start.index]))


def _independent(residual: Floats, chance: float) -> float:
    """Weather makes neighbouring residuals alike, so that there are fewer independent readings than bins. What chance
    brings (`chance` standard errors) is no likeness; many readings show it themselves."""
    alike = float(residual[1:] @ residual[:-1]) / max(float(residual @ residual), 1e-300)
    alike = max(0.0, alike - chance / sqrt(len(residual)))
    return len(residual) * (1 - alike) / (1 + alike)


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """Looks at nodes, ever closer to the mass of one onset."""

    group: Sequence[_Point]
    within: Bounds
    search: Search
    prior: Prior

    def evidence(self, nodes: Nodes) -> list[Floats]:
        """Log of the probability density at nodes, for each onset."""
        grown = [nodes.grown(point.age_d) for point in self.group]
        return [self._of(i, nodes, grown) for i in range(len(self.group[0].onsets))]

    def mass(self, i: int, nodes: Nodes, evidence: Floats) -> _Mass:
        """The mass of onset `i`."""
        for _ in range(self.search.rounds):
            finer = closer(nodes, _probability(evidence), self.within, self.search)
            if finer is None:
                break
            nodes = finer
            evidence = self._of(i, nodes, [nodes.grown(point.age_d) for point in self.group])
        return _Mass(nodes, evidence + log(nodes.area))

    def _of(self, i: int, nodes: Nodes, grown: Sequence[Floats]) -> Floats:
        before = self.prior.density(nodes, self.within) + self.prior.of_onsets(len(self.group[0].onsets))[i]
        for point, shape in zip(self.group, grown, strict=True):
            start = point.onsets[i]
            speed = _at_first(nodes, start, point.age_d)
            before = before + point.judged.judge.of(start.rss(shape, speed), start.without.columns + 1)
        return np.asarray(before)


def _creeping(point: _Point, i: int, columns: Floats) -> Creeping:
    """The readings from the onset on, freed of what they share with every movement, and the scatter around the fit."""
    moving, shared, start = point.judged.moving, point.judged.shared, point.onsets[i]
    series = moving.series
    root = np.sqrt(series.weight)
    factors, *_ = np.linalg.lstsq(columns * root[:, None], series.x_mm * root, rcond=None)
    left = (series.x_mm - columns @ factors) * root
    wave_and_steps = shared[:, 1:] @ factors[1 : shared.shape[1]]
    sigma_mm = float(np.sqrt(left @ left / max(len(left) - columns.shape[1] - 2, 1)))
    part = series.moved(-wave_and_steps).part(slice(start.index, None))
    return Creeping(part, sigma_mm, moving.sigma_mm, len(series))


def _probability(evidence: Floats) -> Floats:
    share: Floats = np.exp(evidence - evidence.max())
    share /= share.sum()
    return share


def _interval(masses: Sequence[_Mass], level: float) -> tuple[float, float, float]:
    """Days to failure at both ends of the central interval, and the log of the whole mass. Each node's mass lies evenly
    over its cell: nodes of one row of a mesh have nearly the same time, and between rows nothing would lie."""
    log_tau = np.concatenate([np.log(mass.nodes.tau_d()) for mass in masses])
    half = np.concatenate([np.full(len(mass.log_mass), 0.5 * mass.nodes.width()) for mass in masses])
    log_mass = np.concatenate([mass.log_mass for mass in masses])
    dense = _probability(log_mass) / (2 * half)
    edge = np.concatenate((log_tau - half, log_tau + half))
    order = np.argsort(edge)
    edge, rises = edge[order], np.concatenate((dense, -dense))[order]
    below = np.concatenate(([0.0], np.cumsum(np.cumsum(rises)[:-1] * np.diff(edge))))
    low, high = np.exp(np.interp((0.5 - level / 2, 0.5 + level / 2), below, edge))
    return float(low), float(high), float(np.logaddexp.reduce(log_mass))


def _total(mass: _Mass) -> float:
    return float(np.logaddexp.reduce(mass.log_mass))


def _at_edge(evidence: Floats, search: Search) -> float:
    share = _probability(evidence).reshape(search.coarse)
    return float(share[:, 0].sum() + share[:, -1].sum())
