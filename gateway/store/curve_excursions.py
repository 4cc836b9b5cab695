"""How often and for how long a point was at or beyond a limit in a span of time.

Counted on everything that is kept, not on the samples that a curve shows. Only GOOD readings count: what is unknown was
neither beyond the limit nor below it. Pure numpy.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.model.reading import Quality
from gateway.model.rule import Direction
from gateway.store.blocks import MINUTE_NS, Minutes, Polls
from gateway.store.curve_series import Span


@dataclass(frozen=True, slots=True)
class Excursions:
    """`times`: how often the limit was reached anew; `lasted_ns`: for how long, of minutes a bound from above."""

    times: int
    lasted_ns: int

    def __add__(self, other: "Excursions") -> "Excursions":
        return Excursions(self.times + other.times, self.lasted_ns + other.lasted_ns)


def raw_excursions(polls: Polls, span: Span, direction: Direction, limit: float) -> Excursions:
    """Of raw readings in time order: a reading speaks until the next one, unless that comes too late."""
    inside = polls.t_ns >= span.from_ns
    t_ns, value = polls.t_ns[inside], polls.value[inside, 0]
    good = (polls.quality[inside, 0] == Quality.GOOD) & np.isfinite(value)
    beyond = good & _reached(value, value, direction, limit)
    holds_ns = np.diff(t_ns, append=max(span.to_ns, *t_ns[-1:])) if len(t_ns) else t_ns
    lasted = beyond & (holds_ns <= span.stale_after_ns)
    return Excursions(_rises(beyond[good]), int(holds_ns[lasted].sum()))


def minute_excursions(minutes: Minutes, direction: Direction, limit: float) -> Excursions:
    """Of one-minute roll-ups: the minutes in which the limit was reached at least once."""
    known = (minutes.count[:, 0] > 0) & (minutes.quality[:, 0] != Quality.SUSPECT)
    beyond = _reached(minutes.low[known, 0], minutes.high[known, 0], direction, limit)
    return Excursions(_rises(beyond), int(np.count_nonzero(beyond)) * MINUTE_NS)


def _reached(
    low: NDArray[np.float64], high: NDArray[np.float64], direction: Direction, limit: float
) -> NDArray[np.bool_]:
    if direction is Direction.HIGH:
        return np.greater_equal(high, limit)
    if direction is Direction.LOW:
        return np.less_equal(low, limit)
    return np.greater_equal(high, limit) | np.less_equal(low, -limit)


def _rises(beyond: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(beyond & ~np.concatenate([[False], beyond[:-1]])))
