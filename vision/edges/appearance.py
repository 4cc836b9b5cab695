"""Appearances of the protected edge: the reference picture, recent pictures, and a few other lights.

The reference shows the edge in one light. Against it a rail under a lamp at night agrees no better than a gap by day,
so the check also keeps how the edge looked while it was judged protected: one look that follows the light slowly, and
snapshots of lights that differ. The live strip is judged against the look that fits the whole edge best.

What must never happen is that a missing rail is learnt as normal. So a column is followed only while it agrees
*strongly* with the look it is judged against, neighbours included, and is not open: taking a rail away breaks the
agreement within seconds and the column stands still, however long the rail is away and whatever the light does
meanwhile. Columns are never learnt anew from nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.edges.painted import PaintedOut
from vision.edges.structure import (
    CLEAR_OF,
    LEAST_STRUCTURE,
    Agreement,
    Look,
    Measured,
    agreement,
    pooled,
    rail_weight,
)
from vision.edges.view import View

STRONG: Final = 0.72
"""Agreement from which a column may follow the light."""
FOLLOW_S: Final = 120.0
LEVEL_S: Final = 30.0
"""The grey level says only where a shadow lies; it follows sooner, and at an open gap as well."""
OTHER_LIGHT: Final = 0.85
"""A look that no kept one agrees with better than this is kept as well."""
MOST_KEPT: Final = 6
SEARCH_BELOW: Final = 0.80
SEARCH_EVERY: Final = 5
AROUND_COLUMNS: Final = 15
AROUND_IN_COVER: Final = 5

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """The look that fits best now: which one (0 is the reference, 1 the recent one), the agreement, what is typical."""

    number: int
    agreement: Agreement
    typical: float


class Appearances:
    """Looks of one edge. `looks[0]` is the reference and never changes; `looks[1]` follows the light. `lines` (rows,
    columns) are those of another reference: only what both of them show counts as protection, since borders of light
    lie elsewhere in each."""

    def __init__(self, reference: Look, view: View, painted: PaintedOut | None, lines: Floats | None = None) -> None:
        protected, opening = view.protected, view.opening
        self.painted = painted
        self.weight = rail_weight(reference.gradient, protected, opening)
        if lines is not None and not opening:
            self.weight = self.weight * _near(lines)
        self.witness = view.witness
        self.blank = pooled(self.weight)[0] < LEAST_STRUCTURE
        self.opening = opening
        self.looks: list[Look] = [reference, reference]
        self._used: list[int] = [0, 0]
        self._asked = 0
        self._number = 1
        self._turn = 0
        self._measured: dict[Look, Measured] = {}
        self._explained: dict[int, Bools] = {}

    def fit(self, live: Measured, is_open: Bools) -> Fit:
        """The look in use, or another one that fits better. One other is tried at a time, now and then, and in every
        frame while the one in use fits badly: light changes in minutes, and trying all of them is what costs."""
        self._asked += 1
        fit = self._against(self._number, live, is_open)
        if not fit.typical >= SEARCH_BELOW or self._asked % SEARCH_EVERY == 0:
            others = [n for n in range(len(self.looks)) if n != self._number]
            self._turn += 1
            fit = max(fit, self._against(others[self._turn % len(others)], live, is_open), key=_fitness)
        self._number = fit.number
        self._used[fit.number] = self._asked
        return fit

    def against_reference(self, live: Measured, is_open: Bools) -> Fit:
        """Agreement with the picture that a person drew on."""
        return self._against(0, live, is_open)

    def explained(self, live: Measured, fit: Fit, is_open: Bools, least_score: float) -> Bools:
        """Columns that agree by `least_score` with any look but the one in `fit`: what is missing there is the light of
        that look. One look is compared at a time; what was found lately is remembered."""
        others = [n for n in range(len(self.looks)) if n != fit.number]
        self._explained = {n: found for n, found in self._explained.items() if n in others}
        number = others[self._asked % len(others)]
        other = self._against(number, live, is_open).agreement
        self._explained[number] = other.judged & (other.score >= least_score)
        return np.asarray(np.any(list(self._explained.values()), axis=0), bool)

    @staticmethod
    def strong(fit: Fit, left_out: Bools) -> Bools:
        """Columns that agree strongly with the look that fits."""
        return np.asarray(fit.agreement.judged & ~left_out & (fit.agreement.score >= STRONG), bool)

    def follow(self, live: Measured, fit: Fit, is_open: Bools, gap: Bools, elapsed_s: float) -> None:
        """Let strongly agreeing columns of the recent look follow the live one, but none that is open or called a `gap`
        now."""
        strong = self.strong(fit, is_open | gap)
        around = np.ones((1, AROUND_IN_COVER if self.opening else AROUND_COLUMNS), np.uint8)
        sure = strong & (cv2.erode((strong | self.blank).astype(np.uint8)[None], around)[0] > 0)
        if fit.number != 1:
            if not sure.any():
                return
            self.looks[1] = self.looks[fit.number]
            self._number = 1
        now, recent = live.look, self.looks[1]
        rate = min(0.5, elapsed_s / FOLLOW_S) * sure[None, :] * now.seen
        lit = min(0.5, elapsed_s / LEVEL_S) * (sure | is_open)[None, :] * now.seen
        self.looks[1] = replace(
            recent,
            gradient=(recent.gradient + rate * (now.gradient - recent.gradient)).astype(np.float32),
            tint=(recent.tint + rate * (now.tint - recent.tint)).astype(np.float32),
            level=(recent.level + lit * (now.level - recent.level)).astype(np.float32),
        )
        if self._asked % 60 == 0:
            self._keep(is_open)

    @property
    def has_learnt(self) -> bool:
        """Whether there is more than the reference."""
        return self.looks[1] is not self.looks[0]

    def take_up(self, learnt: Sequence[Look]) -> None:
        """Go on with looks that were learnt before, the recent one first."""
        self.looks = [self.looks[0], *learnt]
        self._used = [0] * len(self.looks)
        self._number = 1

    def _keep(self, is_open: Bools) -> None:
        recent = Measured(self.looks[1])
        others = [n for n in range(len(self.looks)) if n != 1]
        best = max(self._against(n, recent, is_open).typical for n in others)
        if not best < OTHER_LIGHT:
            return
        if len(self.looks) >= MOST_KEPT + 2:
            oldest = min(range(2, len(self.looks)), key=lambda n: self._used[n])
            del self.looks[oldest], self._used[oldest]
            self._explained.clear()
        self.looks.append(recent.look)
        self._used.append(self._asked)

    def _against(self, number: int, live: Measured, is_open: Bools) -> Fit:
        known = self._known(number)
        share = None if self.painted is None else self.painted.share(live, known)
        agreed = agreement(live, known, self.weight, self.witness, self.opening, share)
        return Fit(number, agreed, agreed.typical(is_open))

    def _known(self, number: int) -> Measured:
        """Of a look that stays what it is, kept; the recent one changes in every frame."""
        look = self.looks[number]
        if number == 1:
            return Measured(look)
        if look not in self._measured:
            self._measured = {one: known for one, known in self._measured.items() if one in self.looks}
            self._measured[look] = Measured(look)
        return self._measured[look]


def _near(lines: Floats) -> Floats:
    """1 within a pixel of a line of the protection."""
    return np.asarray(cv2.dilate((lines > CLEAR_OF).astype(np.float32), np.ones((3, 3), np.uint8)), np.float32)


def _fitness(fit: Fit) -> float:
    return -1.0 if math.isnan(fit.typical) else fit.typical
