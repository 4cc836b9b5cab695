"""Which numbered place of a camera tells of which gap: one finding for a gap, from its confirmation until it is clear.

A gap that grows, shrinks or is hidden for a while keeps its place; two gaps that grow together keep the lower one.
A cleared gap stays bound to its place, which then says FALSE of that very stretch, until another gap needs the place.
Gaps beyond the last place wait, and are counted. One place that is not open is always left, or freed after ten minutes,
to say what is not known of the edges.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

PLACES: Final = 4
RELEASED_NS: Final = 600_000_000_000
"""So long after clearing a place may be freed to speak for the edges as a whole."""

Bools = NDArray[np.bool_]


class What(StrEnum):
    """What is wrong with a stretch of edge. MISSING: most of the whole edge is bare."""

    GAP = "gap"
    MISSING = "missing"
    OPEN_COVER = "open_cover"


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Columns `first` to `last` (inclusive) of the edge with number `edge`."""

    edge: int
    first: int
    last: int

    def meets(self, other: "Stretch") -> bool:
        """Whether two stretches of one edge overlap or touch."""
        return self.edge == other.edge and self.first <= other.last + 1 and other.first <= self.last + 1


@dataclass(slots=True)
class Place:
    """One numbered place. `stretch` stays after clearing; `fired` in the one step that bound it."""

    number: int
    stretch: Stretch | None = None
    is_open: bool = False
    since_ns: int = 0
    cleared_ns: int = 0
    fired: bool = False


@dataclass(slots=True)
class Places:
    """All places of a camera for one kind of finding. `waiting` counts gaps that found no place."""

    places: list[Place] = field(default_factory=lambda: [Place(n + 1) for n in range(PLACES)])
    waiting: int = 0

    def step(self, gaps: Sequence[Stretch], cleared: Sequence[Bools], now_ns: int) -> None:
        """Bind gaps to places. `cleared`, for each edge, the columns that are not open now."""
        left = list(gaps)
        for place in self.places:
            place.fired = False
            if place.is_open and place.stretch is not None:
                self._follow(place, left, cleared, now_ns)
        for gap in left:
            self._bind(gap, now_ns)
        self._release(now_ns)
        self.waiting = max(0, len(gaps) - sum(place.is_open for place in self.places))

    def _follow(self, place: Place, left: list[Stretch], cleared: Sequence[Bools], now_ns: int) -> None:
        old = place.stretch
        assert old is not None
        mine = [gap for gap in left if gap.meets(old)]
        if mine:
            place.stretch = Stretch(old.edge, min(g.first for g in mine), max(g.last for g in mine))
            left[:] = [gap for gap in left if gap not in mine]
        elif any(
            other.is_open and other.stretch and other.stretch.meets(old) for other in self.places[: place.number - 1]
        ):
            place.is_open, place.stretch, place.cleared_ns = False, None, now_ns
        elif cleared[old.edge][old.first : old.last + 1].mean() > 0.5:
            place.is_open, place.cleared_ns = False, now_ns

    def _release(self, now_ns: int) -> None:
        """Where every place is bound to a stretch, none is left to say that something else is unknown: the one that
        was cleared the longest ago lets go of its stretch."""
        cleared = [place for place in self.places if not place.is_open]
        if all(place.stretch is not None for place in self.places) and cleared:
            oldest = min(cleared, key=lambda one: one.cleared_ns)
            if now_ns - oldest.cleared_ns >= RELEASED_NS:
                oldest.stretch = None

    def _bind(self, gap: Stretch, now_ns: int) -> None:
        free = [place for place in self.places if not place.is_open]
        if not free:
            return
        again = [place for place in free if place.stretch is not None and place.stretch.meets(gap)]
        place = (again or sorted(free, key=lambda one: (one.stretch is not None, one.cleared_ns)))[0]
        place.stretch, place.is_open, place.since_ns, place.fired = gap, True, now_ns, True


def stretches(edge: int, is_open: Bools, nearly: Bools, least_columns: int) -> list[Stretch]:
    """Runs of columns of one edge that are open or `nearly` so (their case has begun), with at least `least_columns`
    open ones; a break of up to two columns joins them. The nearly open ones belong to the gap from the start, so that
    one gap is told once, although its columns are confirmed one after another."""
    ends = np.flatnonzero(np.diff(np.concatenate([[False], is_open | nearly, [False]]).astype(np.int8)))
    runs: list[list[int]] = []
    for first, after in zip(ends[::2], ends[1::2], strict=True):
        if runs and first - runs[-1][1] <= 3:
            runs[-1][1] = int(after) - 1
        else:
            runs.append([int(first), int(after) - 1])
    return [Stretch(edge, first, last) for first, last in runs if is_open[first : last + 1].sum() >= least_columns]
