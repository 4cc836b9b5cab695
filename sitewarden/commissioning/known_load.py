"""Displayed load and moment against a load that somebody weighed. Pure.

In: displayed values of several samples, and what the operator knows of the load. Out: errors in per cent, and whether
the crane's load alarms may be armed. The limit is 5 % of the actual value: GB 5144-2006 6.1.1 (load display) and 6.2.1
(moment display), V1.

What the displayed moment should be, in per cent of the rated moment at this radius:

    100 x known load x known radius / (rated load x displayed radius)      rated load: from the maker's chart if it is
                                                                           given, else as displayed
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

LIMIT_PCT = 5.0
ROUNDING_PCT = 1e-9
CLAUSE = "GB 5144-2006 6.1.1, 6.2.1 (V1)"
NEEDED = ("load_t", "rated_t", "moment_pct", "radius_m")


@dataclass(frozen=True, slots=True)
class KnownLoad:
    """What the operator knows: the load's mass, t; its radius, m (None: as displayed); the chart's rated load, t."""

    load_t: float
    radius_m: float | None = None
    rated_t: float | None = None


@dataclass(frozen=True, slots=True)
class LoadCheck:
    """The outcome. Means of the samples and errors in per cent; NaN where not every sample could be read."""

    known: KnownLoad
    samples: int
    unreadable: tuple[str, ...]
    load_t: float
    radius_m: float
    moment_pct: float
    expected_moment_pct: float
    load_error_pct: float
    moment_error_pct: float

    @property
    def passed(self) -> bool:
        """Both errors are known and within the limit."""
        worst = max(abs(self.load_error_pct), abs(self.moment_error_pct))
        known = np.isfinite([self.load_error_pct, self.moment_error_pct]).all()
        return bool(known and worst <= LIMIT_PCT + ROUNDING_PCT)


def check_known_load(known: KnownLoad, samples: Sequence[Mapping[str, float]]) -> LoadCheck:
    """Compare. A sample maps a key to its value; a key that is missing or NaN in any sample makes the check fail."""
    mean = {key: _mean(key, samples) for key in NEEDED}
    radius_m = mean["radius_m"]
    rated_t = known.rated_t if known.rated_t is not None else mean["rated_t"]
    radius_share = known.radius_m / radius_m if known.radius_m is not None and radius_m > 0 else 1.0
    expected_pct = 100 * known.load_t * radius_share / rated_t if rated_t > 0 else np.nan
    return LoadCheck(
        known=known,
        samples=len(samples),
        unreadable=tuple(key for key in NEEDED if np.isnan(mean[key])),
        load_t=mean["load_t"],
        radius_m=radius_m,
        moment_pct=mean["moment_pct"],
        expected_moment_pct=float(expected_pct),
        load_error_pct=_error_pct(mean["load_t"], known.load_t),
        moment_error_pct=_error_pct(mean["moment_pct"], float(expected_pct)),
    )


def _mean(key: str, samples: Sequence[Mapping[str, float]]) -> float:
    values = [sample.get(key, np.nan) for sample in samples]
    return float(np.mean(values)) if values else np.nan


def _error_pct(shown: float, true: float) -> float:
    return 100 * (shown - true) / true if true > 0 else np.nan
