"""How alarms are answered: time to acknowledge, what stayed unanswered, how long conditions held.

In: episodes and the end of the window. Out: quantiles with the number of cases they rest on; None where there is none.
A quantile is an observed value (nearest rank), never one in between that nobody saw.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.figures.episodes import Episodes

P1_WITHIN_NS = 120_000_000_000
"""Two minutes (a proposal of the product, PD)."""


@dataclass(frozen=True, slots=True)
class Durations:
    """The median and the 95th percentile of `n` durations, seconds; None without any. `missing`: cases without one."""

    n: int
    missing: int
    p50_s: float | None
    p95_s: float | None


@dataclass(frozen=True, slots=True)
class Share:
    """A share: `hits` of `n`, with what is not known apart."""

    hits: int
    n: int

    @property
    def value(self) -> float | None:
        """0 to 1; None without a case."""
        return self.hits / self.n if self.n else None


def time_to_acknowledge(episodes: Episodes) -> Durations:
    """From the raise to the acknowledgement. `missing` are those that nobody has acknowledged: the quantiles say
    nothing of them, so they are always printed beside."""
    answered = episodes.acknowledged_at_ns > 0
    return _durations(episodes.raised_at_ns, episodes.acknowledged_at_ns, answered)


def time_active(episodes: Episodes) -> Durations:
    """From the raise to the return. `missing` are those that have not returned, or whose end nobody saw."""
    return _durations(episodes.raised_at_ns, episodes.returned_at_ns, episodes.returned_at_ns > 0)


def late(episodes: Episodes, now_ns: int, within_ns: int = P1_WITHIN_NS) -> Share:
    """Those that nobody had acknowledged within the time, of all that are at least that old."""
    old = episodes.raised_at_ns + within_ns <= now_ns
    taken_ns = episodes.acknowledged_at_ns - episodes.raised_at_ns
    in_time = (episodes.acknowledged_at_ns > 0) & (taken_ns <= within_ns)
    return Share(int((old & ~in_time).sum()), int(old.sum()))


def _durations(begin_ns: NDArray[np.int64], end_ns: NDArray[np.int64], known: NDArray[np.bool_]) -> Durations:
    """A duration below zero (a clock was set back) is not known either."""
    known = known & (end_ns >= begin_ns)
    taken_s = (end_ns[known] - begin_ns[known]) / 1e9
    missing = len(begin_ns) - len(taken_s)
    if not len(taken_s):
        return Durations(0, missing, None, None)
    p50, p95 = np.quantile(taken_s, (0.5, 0.95), method="inverted_cdf")
    return Durations(len(taken_s), missing, float(p50), float(p95))
