"""How much of a span a point was known: minute by minute good, doubtful, bad, or missing.

    readings     x   x   x           .   x        x usable, . bad
    minutes      g   g   g   m   m   b   g        missing once the last reading is older than the point allows

In: the minutes of a point that were rolled up, and how long a reading holds. Out: counts of minutes. A minute counts as
good only when nothing in it was doubtful or bad. Pure.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.figures.spans import Span

MINUTE_NS = 60_000_000_000
GOOD, DOUBTFUL, BAD, MISSING = range(4)


@dataclass(frozen=True, slots=True)
class MinuteShares:
    """Minutes of each kind; together they are the span's."""

    good: int
    doubtful: int
    bad: int
    missing: int

    @property
    def minutes(self) -> int:
        """All minutes that were looked at, known or not."""
        return self.good + self.doubtful + self.bad + self.missing

    @property
    def good_share(self) -> float | None:
        """0 to 1; None for a span without a whole minute."""
        return self.good / self.minutes if self.minutes else None


def whole_minutes(window: Span) -> Span:
    """The whole minutes of a window."""
    first = -(-window.from_ns // MINUTE_NS) * MINUTE_NS
    return Span(first, max(first, window.to_ns // MINUTE_NS * MINUTE_NS))


def minute_states(count: NDArray[np.uint32], worst: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What rolled-up minutes are worth: `count` usable values, `worst` quality. Arrays of one shape."""
    return np.where(count == 0, BAD, np.where(worst == 0, GOOD, DOUBTFUL)).astype(np.uint8)


def minute_shares(minute_ns: NDArray[np.int64], state: NDArray[np.uint8], window: Span, holds_ns: int) -> MinuteShares:
    """Count the whole minutes of a window. `minute_ns` (m,) in order, `state` (m,); a minute without a reading is worth
    what the last one was for as long as that holds."""
    span = whole_minutes(window)
    minutes = np.arange(span.from_ns, span.to_ns, MINUTE_NS, dtype=np.int64)
    if not len(minute_ns):
        return MinuteShares(0, 0, 0, len(minutes))
    last = np.searchsorted(minute_ns, minutes, side="right") - 1
    age_ns = minutes - minute_ns[np.maximum(last, 0)]
    held = (last >= 0) & (age_ns <= max(0, holds_ns - 1) // MINUTE_NS * MINUTE_NS)
    found = np.where(held, state[np.maximum(last, 0)], MISSING)
    counts = np.bincount(found, minlength=4)
    return MinuteShares(*(int(each) for each in counts))
