"""The nodes on which Voight's law is tried: log beta and log kappa, a coarse mesh first, then ever closer to the mass.

    beta = 1 / (alpha - 1)              the exponent of v = C (tf - t)^-beta
    kappa = v' / v now = beta / tau     the relative acceleration; tau = tf - now

tau and beta trade against each other along a narrow curved ridge; kappa is what the readings fix, so beta and kappa
hardly do, and a rotated mesh around their mean catches the mass. In: how probable each node is. Out: nodes.
"""

from dataclasses import dataclass
from functools import cache
from math import log

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
A_MINUTE_D = 1 / 1440


@dataclass(frozen=True, slots=True)
class Search:
    """Where to look; all PD. alpha from 1.45 to 3.2 (literature has 1.5 to 2.5, M-H); beta / kappa, the remaining time,
    between these parts of the data's span."""

    beta_low: float = 0.45
    beta_high: float = 2.2
    shortest: float = 0.004
    longest: float = 6.0
    coarse: tuple[int, int] = (8, 28)
    fine: int = 15
    rounds: int = 3
    # Stop when the probability is spread over this many nodes.
    enough: float = 30.0
    # The finer mesh reaches this many standard deviations, after adding this part of a cell's own size.
    reach: float = 4.0
    cell_share: float = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Nodes:
    """Nodes (k,), each standing for `area` of the plane; `cell` (2, 2) is the square of a cell's axes."""

    log_beta: Floats
    log_kappa: Floats
    area: float
    cell: Floats

    def tau_d(self) -> Floats:
        """Days to failure (k,)."""
        tau: Floats = np.exp(self.log_beta - self.log_kappa)
        return tau

    def width(self) -> float:
        """How wide a cell is in the log of the days to failure."""
        return float(np.sqrt(self.cell[0, 0] - 2 * self.cell[0, 1] + self.cell[1, 1]))

    def one(self, index: int) -> "Nodes":
        """One of the nodes."""
        return Nodes(self.log_beta[index : index + 1], self.log_kappa[index : index + 1], self.area, self.cell)

    def grown(self, age_d: Floats) -> Floats:
        """Displacement (k, n) that each node's creep had reached `age_d` days before now, but for a constant and a
        positive factor. alpha = 2, where the power turns into a logarithm, is approached to 1e-6. A neighbour may be
        read later than now (a negative age); of a failure that such a reading has outlived a minute is left."""
        left = np.log(np.maximum(self.tau_d()[:, None] + age_d, A_MINUTE_D))
        power = 1 - np.exp(self.log_beta)[:, None]
        power = np.where(np.abs(power) < 1e-6, 1e-6, power)
        grown: Floats = np.expm1(power * left) / -power
        return grown

    def speed(self, age_d: float) -> Floats:
        """How fast (k,) each node's creep was `age_d` days before now, in the same unit a day."""
        left_d = np.maximum(self.tau_d() + age_d, A_MINUTE_D)
        speed: Floats = np.exp(-np.exp(self.log_beta) * np.log(left_d))
        return speed


@dataclass(frozen=True, slots=True)
class Bounds:
    """The searched rectangle of log beta and log kappa."""

    beta: tuple[float, float]
    kappa: tuple[float, float]

    @property
    def area(self) -> float:
        """Of the whole plane, over which the prior is even."""
        return (self.beta[1] - self.beta[0]) * (self.kappa[1] - self.kappa[0])

    def hold(self, log_beta: Floats, log_kappa: Floats) -> NDArray[np.bool_]:
        """Which nodes (k,) are inside."""
        inside: NDArray[np.bool_] = (log_beta >= self.beta[0]) & (log_beta <= self.beta[1])
        return inside & (log_kappa >= self.kappa[0]) & (log_kappa <= self.kappa[1])


def bounds(span_d: float, search: Search) -> Bounds:
    """Search grid for data that span this many days."""
    return Bounds(
        (log(search.beta_low), log(search.beta_high)),
        (-log(search.longest * span_d), -log(search.shortest * span_d)),
    )


def coarse(within: Bounds, search: Search) -> Nodes:
    """The first mesh, (beta, kappa) in C order of `search.coarse`."""
    beta, kappa = np.linspace(*within.beta, search.coarse[0]), np.linspace(*within.kappa, search.coarse[1])
    step = np.array([beta[1] - beta[0], kappa[1] - kappa[0]])
    log_beta, log_kappa = np.meshgrid(beta, kappa, indexing="ij")
    return Nodes(log_beta.ravel(), log_kappa.ravel(), float(step.prod()), np.diag(step * step))


def closer(nodes: Nodes, probability: Floats, within: Bounds, search: Search) -> Nodes | None:
    """A finer mesh around the mean of `probability` (k,), which sums to 1, along its principal axes. None: fine enough,
    or nothing of it would lie within the bounds."""
    if 1 / float(probability @ probability) > search.enough:
        return None
    at = np.stack((nodes.log_beta, nodes.log_kappa))
    mean = at @ probability
    off = at - mean[:, None]
    variance, direction = np.linalg.eigh((off * probability) @ off.T + search.cell_share * nodes.cell)
    axes = direction * np.sqrt(variance)
    ticks, step = _ticks(search.reach, search.fine)
    log_beta, log_kappa = mean[:, None] + axes @ ticks
    inside = within.hold(log_beta, log_kappa)
    if not inside.any():
        return None
    area = float(step * step * np.sqrt(variance.prod()))
    return Nodes(log_beta[inside], log_kappa[inside], area, step * step * axes @ axes.T)


@cache
def _ticks(reach: float, count: int) -> tuple[Floats, float]:
    """A square mesh (2, count * count) from -reach to reach, and its step."""
    ticks = np.linspace(-reach, reach, count)
    u, v = np.meshgrid(ticks, ticks)
    return np.stack((u.ravel(), v.ravel())), float(ticks[1] - ticks[0])
