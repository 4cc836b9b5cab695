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
posterior probability with the noise integrated out and alpha near 2. The same readings are also fitted by movements
that do not fail (a line, a bend, a step at the end, a constant acceleration); without evidence for Voight nothing is
said.

In: arrays. Out: `Failure` or None. Knows nothing of memory, points and rules.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, log, nan, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from gateway.assets.creep_design import Onset, Rivals, common, not_failing, onsets, sees_wave
from gateway.assets.creep_grid import Bounds, Nodes, Search, bounds, closer, coarse
from gateway.assets.trend_track import Series

Floats = NDArray[np.float64]

# Prior: ln beta is normal around 0 (alpha = 2) with this deviation: alpha 1.5 to 2.5 in literature (M-H). The creep
# began before the first reading; that it began later, and is seen to, has this probability (PD).
LOG_BETA_DEVIATION = 0.3
LATER_ONSET = 0.05
# Onsets less likely than the best by this many nats, or beyond the best few, are left out of the finer search.
NATS = 6.0
REFINED_ONSETS = 3
# Readings are never believed to better than this, so that a perfect fit has a finite evidence.
FINEST_MM = 1e-3


@dataclass(frozen=True, slots=True)
class Fit:
    """The posterior of the time to failure, from the last reading on.

    In nats: `evidence` is that over the best movement without failure that has one turn, `over_bends` over those with
    two bends, which follow almost anything, `over_rain` over what rain moves (inf: rain is not known or none fell),
    `over_stopping` over S-curves, which begin like a failure and come to rest.
    `rain_share` is how much of what a line leaves rain explains, 0 to 1 (NaN: as before). `at_edge` is the probability
    of the shortest and longest times that were searched. `creeping` are the readings since the likeliest onset without
    the daily wave and the steps, None without a fit; `sigma_mm` is their scatter, for one reading. `readings` is how
    many bins were fitted, `frequent` whether they lie hours apart.
    """

    low_d: float = nan
    high_d: float = nan
    evidence: float = -inf
    over_bends: float = -inf
    over_rain: float = inf
    over_stopping: float = -inf
    rain_share: float = nan
    at_edge: float = 1.0
    creeping: Series | None = None
    sigma_mm: float = nan
    readings: int = 0
    frequent: bool = False


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
    evidence = [
        judge.of(r, start.without.columns + 1) + _log_prior(first, start, len(starts) - 1, within)
        for r, start in zip(rss, starts, strict=True)
    ]
    without = _evidence_without(judge, rivals)
    best = sorted(range(len(starts)), key=lambda i: -float(evidence[i].max()))[:REFINED_ONSETS]
    top = float(evidence[best[0]].max())
    refine = _Refine(age_d, within, search, judge)
    later = len(starts) - 1
    masses = [refine.mass(starts[i], later, first, evidence[i]) for i in best if evidence[i].max() > top - NATS]
    low_d, high_d, total = _interval(masses, level)
    # An S-curve begins late of itself: here it counts for nothing against creep that it did so too.
    later_prior = log(LATER_ONSET) if starts[best[0]].index > 0 else 0.0
    creeping, sigma_mm = _creeping(series, shared, starts[best[0]], masses[0].best)
    return Fit(
        low_d,
        high_d,
        evidence=total - without,
        over_bends=total - _shared(judge.of(rivals.two_bends, rivals.line.columns + 2)),
        over_rain=total - _shared(judge.of(rivals.rain, rivals.line.columns + 1)),
        over_stopping=total - later_prior - _shared(judge.of(rivals.stopping, rivals.line.columns + 1)),
        rain_share=rivals.rain_share(),
        at_edge=_at_edge(evidence[best[0]], search),
        creeping=creeping,
        sigma_mm=sigma_mm,
        readings=len(series),
        frequent=sees_wave(series),
    )


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

    def mass(self, onset: Onset, later: int, nodes: Nodes, evidence: Floats) -> _Mass:
        for _ in range(self.search.rounds):
            finer = closer(nodes, _probability(evidence), self.within, self.search)
            if finer is None:
                break
            nodes = finer
            evidence = self.judge.of(onset.rss(nodes.grown(self.age_d)), onset.without.columns + 1)
            evidence = evidence + _log_prior(nodes, onset, later, self.within)
        best = nodes.one(int(np.argmax(evidence))).grown(self.age_d)[0]
        return _Mass(nodes.tau_d(), evidence + log(nodes.area), best)


def _log_prior(nodes: Nodes, onset: Onset, later: int, within: Bounds) -> Floats:
    """Log of the prior density of nodes (k,), times the prior of this onset beside `later` later ones. Any day ahead is
    as likely as the next (even in 1 / kappa): a creep is looked at on each of its days alike."""
    off = nodes.log_beta / LOG_BETA_DEVIATION
    share = 1 - LATER_ONSET if onset.index == 0 else LATER_ONSET / later
    longest_d, shortest_d = exp(-within.kappa[0]), exp(-within.kappa[1])
    scale = share / LOG_BETA_DEVIATION / sqrt(2 * pi) / (longest_d - shortest_d)
    prior: Floats = -0.5 * off * off - nodes.log_kappa + log(scale)
    return prior


def _probability(evidence: Floats) -> Floats:
    share: Floats = np.exp(evidence - evidence.max())
    share /= share.sum()
    return share


def _residual(starts: Sequence[Onset], rss: Sequence[Floats], grown: Floats, other: Floats) -> Floats:
    """Residuals of the best fit."""
    best = min(range(len(starts)), key=lambda i: float(rss[i].min()))
    if rss[best].min() >= float(other @ other):
        return other
    return starts[best].left(grown[int(np.argmin(rss[best]))])


def _judge(series: Series, residual: Floats) -> _Judge:
    """Weather makes neighbouring residuals alike, so that there are fewer independent readings than bins. What chance
    brings (a standard error) is no likeness."""
    alike = float(residual[1:] @ residual[:-1]) / max(float(residual @ residual), 1e-300)
    alike = max(0.0, alike - 1 / sqrt(len(series)))
    floor = FINEST_MM * FINEST_MM * float(series.weight.sum())
    return _Judge(len(series) * (1 - alike) / (1 + alike), floor)


def _evidence_without(judge: _Judge, rivals: Rivals) -> float:
    """The best movement that does not fail. Where it bends is not known: the places share the evidence."""
    columns = rivals.line.columns
    line = float(judge.of(np.array(rivals.line.rss), columns))
    bends = _shared(judge.of(rivals.bends, columns + 1))
    others = float(judge.of(rivals.others, columns + 1).max())
    return max(line, bends, others)


def _shared(evidence: Floats) -> float:
    """The evidence of one of several (k,) of which any may be true; -inf of none."""
    return float(np.logaddexp.reduce(evidence)) - log(len(evidence)) if len(evidence) else -inf


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
