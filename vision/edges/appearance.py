"""How the protected edge has looked: the reference picture, the edge lately, and a few other lights.

The reference shows the edge in one light. Against it a rail under a lamp at night agrees no better than a gap by day,
so the check also keeps how the edge looked while it was judged protected: one look that follows the light slowly, and
snapshots of lights that differ. The live strip is judged against the look that fits the whole edge best.

What must never happen is that a missing rail is learnt as normal. So a column is followed only while it agrees
*strongly* with the look it is judged against, neighbours included, and is not open: taking a rail away breaks the
agreement within seconds and the column stands still, however long the rail is away and whatever the light does
meanwhile. Columns are never learnt anew from nothing.
"""

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.edges.structure import Agreement, Look, agreement, rail_weight

STRONG: Final = 0.72
"""Agreement from which a column may follow the light."""
FOLLOW_S: Final = 120.0
OTHER_LIGHT: Final = 0.85
"""A look that no kept one agrees with better than this is kept as well."""
MOST_KEPT: Final = 6
SEARCH_BELOW: Final = 0.80
SEARCH_EVERY: Final = 5
AROUND_COLUMNS: Final = 15

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """The look that fits best now: which one (0 is the reference, 1 the recent one), the agreement, what is typical."""

    number: int
    agreement: Agreement
    typical: float


class Appearances:
    """Looks of one edge. `looks[0]` is the reference and never changes; `looks[1]` follows the light."""

    def __init__(self, reference: Look, protected: Floats, witness: Floats, opening: bool) -> None:
        self.weight = rail_weight(reference.gradient, protected, opening)
        self.witness = witness
        self.looks: list[Look] = [reference, reference]
        self._used: list[int] = [0, 0]
        self._asked = 0
        self._number = 1

    def fit(self, live: Look, is_open: Bools) -> Fit:
        """The best fitting look; all are tried now and then, and whenever the one in use fits badly."""
        self._asked += 1
        fit = self._against(self._number, live, is_open)
        if not fit.typical >= SEARCH_BELOW or self._asked % SEARCH_EVERY == 0:
            others = [self._against(n, live, is_open) for n in range(len(self.looks)) if n != self._number]
            fit = max([fit, *others], key=lambda one: one.typical if one.typical == one.typical else -1.0)
        self._number = fit.number
        self._used[fit.number] = self._asked
        return fit

    def against_reference(self, live: Look, is_open: Bools) -> Fit:
        """Agreement with the picture that a person drew on."""
        return self._against(0, live, is_open)

    def follow(self, live: Look, fit: Fit, is_open: Bools, elapsed_s: float) -> None:
        """Let strongly agreeing columns of the recent look follow the live one."""
        strong = fit.agreement.judged & ~is_open & (fit.agreement.score >= STRONG)
        sure = cv2.erode(strong.astype(np.uint8)[None], np.ones((1, AROUND_COLUMNS), np.uint8))[0] > 0
        if fit.number != 1:
            if not sure.any():
                return
            self.looks[1] = self.looks[fit.number]
            self._number = 1
        rate = min(0.5, elapsed_s / FOLLOW_S) * sure[None, :] * live.seen
        recent = self.looks[1]
        self.looks[1] = replace(
            recent,
            gradient=(recent.gradient + rate * (live.gradient - recent.gradient)).astype(np.float32),
            level=(recent.level + rate * (live.level - recent.level)).astype(np.float32),
        )
        if self._asked % 60 == 0:
            self._keep(is_open)

    def take_up(self, learnt: list[Look]) -> None:
        """Go on with the looks that were learnt before a restart."""
        self.looks = [self.looks[0], *learnt]
        self._used = [0] * len(self.looks)

    def _keep(self, is_open: Bools) -> None:
        recent = self.looks[1]
        others = [n for n in range(len(self.looks)) if n != 1]
        best = max(self._against(n, recent, is_open).typical for n in others)
        if not best < OTHER_LIGHT:
            return
        if len(self.looks) >= MOST_KEPT + 2:
            oldest = min(range(2, len(self.looks)), key=lambda n: self._used[n])
            del self.looks[oldest], self._used[oldest]
        self.looks.append(recent)
        self._used.append(self._asked)

    def _against(self, number: int, live: Look, is_open: Bools) -> Fit:
        agreed = agreement(live, self.looks[number], self.weight, self.witness)
        return Fit(number, agreed, agreed.typical(is_open))
