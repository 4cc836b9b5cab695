"""Two figures that are easily got wrong, with their formulas: Wilson's interval and Cohen's kappa. Pure."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

Z_95 = 1.959963984540054
"""The 97.5 % quantile of the standard normal distribution: a two-sided interval of 95 %."""


@dataclass(frozen=True, slots=True)
class Share:
    """A share of `n` with its 95 % interval, all 0 to 1. Without `n` the three are NaN."""

    hits: int
    n: int
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of `n` things judged twice: the share judged alike, and kappa (NaN where chance alone explains everything)."""

    n: int
    alike: int
    observed: float
    kappa: float


def wilson(hits: int, n: int, z: float = Z_95) -> Share:
    """Wilson's score interval (E. B. Wilson 1927): holds for small n and for shares near 0 and 1.

    centre = (p + z²/2n) / (1 + z²/n),   half = z / (1 + z²/n) · sqrt(p(1 - p)/n + z²/4n²)
    """
    if not 0 <= hits <= n:
        raise ValueError(f"hits: expected 0 to {n}, found {hits}")
    if n == 0:
        return Share(0, 0, math.nan, math.nan, math.nan)
    p, squared = hits / n, z * z
    centre = (p + squared / (2 * n)) / (1 + squared / n)
    half = z / (1 + squared / n) * math.sqrt(p * (1 - p) / n + squared / (4 * n * n))
    return Share(hits, n, p, max(0.0, centre - half), min(1.0, centre + half))


def cohens_kappa(pairs: Sequence[tuple[Hashable, Hashable]]) -> Agreement:
    """Agreement of two judgements beyond chance (J. Cohen 1960): (observed - expected) / (1 - expected)."""
    n = len(pairs)
    if n == 0:
        return Agreement(0, 0, math.nan, math.nan)
    alike = sum(first == second for first, second in pairs)
    kinds = {kind for pair in pairs for kind in pair}
    expected = sum(_share(pairs, 0, kind) * _share(pairs, 1, kind) for kind in kinds)
    observed = alike / n
    kappa = math.nan if math.isclose(expected, 1.0) else (observed - expected) / (1 - expected)
    return Agreement(n, alike, observed, kappa)


def _share(pairs: Sequence[tuple[Hashable, Hashable]], place: int, kind: Hashable) -> float:
    return sum(pair[place] == kind for pair in pairs) / len(pairs)
