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
posterior probability with the noise integrated out. The same readings are also fitted by movements that do not fail
(a line, a bend, a step at the end); without clear evidence for Voight nothing is said.

In: arrays. Out: `Failure` or None. Knows nothing of memory, points and rules.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, nan

import numpy as np
from numpy.typing import NDArray

from gateway.assets.creep_design import Onset, Projection, Rivals, common, not_failing, onsets
from gateway.assets.creep_grid import Bounds, Nodes, Search, bounds, closer, coarse
from gateway.assets.trend_track import Series

Floats = NDArray[np.float64]

# Onsets less likely than the best by this many nats, or beyond the best few, are left out of the finer search.
NATS = 6.0
REFINED_ONSETS = 3
# Readings are never believed to better than this, so that a perfect fit has a finite evidence.
FINEST_MM = 1e-3


@dataclass(frozen=True, slots=True)
class Fit:
    """The posterior of the time to failure, from the last reading on.

    `evidence` is in nats over the best movement without failure; `at_edge` is the probability of the shortest and
    longest times that were searched. `creeping` are the readings since the likeliest onset without the daily wave and
    the steps, None without a fit; `sigma_mm` is their scatter, for one reading.
    """

    low_d: float = nan
    high_d: float = nan
    evidence: float = -np.inf
    at_edge: float = 1.0
    creeping: Series | None = None
    sigma_mm: float = nan


@dataclass(frozen=True, slots=True)
class _Judge:
    """Log evidence of a fit, its noise integrated out, for so many independent readings."""

    readings: float
    floor: float

    def of(self, rss: Floats, columns: int) -> Floats:
        freedom = max(self.readings - columns, 1.0)
        evidence: Floats = -0.5 * freedom * np.log(rss + self.floor) - 0.5 * columns * log(max(self.readings, 2.0))
        return evidence


@dataclass(frozen=True, slots=True, eq=False)
class _Mass:
    """Log of the probability at nodes (k,), each with its share of the plane, the days to failure there, and the creep
    (n,) of the best node."""

    tau_d: Floats
    log_mass: Floats
    best: Floats


def fit(series: Series, level: float, steps: Sequence[int] = (), search: Search | None = None) -> Fit:
    """The central interval of probability `level`. `series` moves in the positive direction; `steps` are bins before
    which the instrument may have jumped. An empty fit under 6 readings."""
    if len(series) < 6:
        return Fit()
    search = search or Search()
    within = bounds(float(series.t_d[-1] - series.t_d[0]), search)
    first = coarse(within, search)
    shared = common(series, steps)
    starts = onsets(series, shared)
    age_d = series.t_d[-1] - series.t_d
    grown = first.grown(age_d)
    rss = [start.rss(grown) for start in starts]
    rivals = not_failing(series, shared)
    judge = _judge(series, _residual(starts, rss, grown, rivals.best))
    evidence = [judge.of(r, start.without.columns + 1) for r, start in zip(rss, starts, strict=True)]
    without = _evidence_without(judge, rivals)
    best = sorted(range(len(starts)), key=lambda i: -float(evidence[i].max()))[:REFINED_ONSETS]
    top = float(evidence[best[0]].max())
    refine = _Refine(age_d, within, search, judge)
    masses = [refine.mass(starts[i], first, evidence[i]) for i in best if evidence[i].max() > top - NATS]
    low_d, high_d, total = _interval(masses, level)
    with_failure = total - log(within.area) - log(len(starts))
    creeping, sigma_mm = _creeping(series, shared, starts[best[0]], masses[0].best)
    return Fit(low_d, high_d, with_failure - without, _at_edge(evidence[best[0]], search), creeping, sigma_mm)


def _creeping(series: Series, shared: Floats, onset: Onset, grown: Floats) -> tuple[Series, float]:
    """The readings from the onset on, freed of what they share with every movement, and the scatter around the fit."""
    columns = onset.columns(series.t_d, shared, grown)
    root = np.sqrt(series.weight)
    factors, *_ = np.linalg.lstsq(columns * root[:, None], series.x_mm * root, rcond=None)
    left = (series.x_mm - columns @ factors) * root
    wave_and_steps = shared[:, 1:] @ factors[1 : shared.shape[1]]
    sigma_mm = float(np.sqrt(left @ left / max(len(left) - columns.shape[1] - 2, 1)))
    return series.moved(-wave_and_steps).part(slice(onset.index, None)), sigma_mm


@dataclass(frozen=True, slots=True, eq=False)
class _Refine:
    """Goes closer to the mass of one onset."""

    age_d: Floats
    within: Bounds
    search: Search
    judge: _Judge

    def mass(self, onset: Onset, nodes: Nodes, evidence: Floats) -> _Mass:
        for _ in range(self.search.rounds):
            finer = closer(nodes, _probability(evidence), self.within, self.search)
            if finer is None:
                break
            nodes = finer
            evidence = self.judge.of(onset.rss(nodes.grown(self.age_d)), onset.without.columns + 1)
        best = nodes.one(int(np.argmax(evidence))).grown(self.age_d)[0]
        return _Mass(nodes.tau_d(), evidence + log(nodes.area), best)


def _probability(evidence: Floats) -> Floats:
    share: Floats = np.exp(evidence - evidence.max())
    share /= share.sum()
    return share


def _residual(starts: Sequence[Onset], rss: Sequence[Floats], grown: Floats, other: Projection) -> Floats:
    """Residuals of the best fit."""
    best = min(range(len(starts)), key=lambda i: float(rss[i].min()))
    if rss[best].min() >= other.rss:
        return other.left
    return starts[best].left(grown[int(np.argmin(rss[best]))])


def _judge(series: Series, residual: Floats) -> _Judge:
    """Weather makes neighbouring residuals alike, so that there are fewer independent readings than bins."""
    alike = max(0.0, float(residual[1:] @ residual[:-1]) / max(float(residual @ residual), 1e-300))
    floor = FINEST_MM * FINEST_MM * float(series.weight.sum())
    return _Judge(len(series) * (1 - alike) / (1 + alike), floor)


def _evidence_without(judge: _Judge, rivals: Rivals) -> float:
    """The best movement that does not fail. Where it bends is not known: the places share the evidence."""
    columns, places = rivals.line.columns, len(rivals.single)
    line = float(judge.of(np.array(rivals.line.rss), columns))
    single = float(np.logaddexp.reduce(judge.of(rivals.single, columns + 1))) - log(places)
    double = float(np.logaddexp.reduce(judge.of(rivals.double, columns + 2))) - log(places * (places - 1) / 2)
    return max(line, single, double)


def _interval(masses: Sequence[_Mass], level: float) -> tuple[float, float, float]:
    """Days to failure at both ends of the central interval, and the log of the whole mass."""
    log_tau = np.log(np.concatenate([mass.tau_d for mass in masses]))
    log_mass = np.concatenate([mass.log_mass for mass in masses])
    order = np.argsort(log_tau)
    share = _probability(log_mass)[order]
    below = np.cumsum(share) - 0.5 * share
    low, high = np.exp(np.interp((0.5 - level / 2, 0.5 + level / 2), below, log_tau[order]))
    return float(low), float(high), float(np.logaddexp.reduce(log_mass))


def _at_edge(evidence: Floats, search: Search) -> float:
    share = _probability(evidence).reshape(search.coarse)
    return float(share[:, 0].sum() + share[:, -1].sum())
