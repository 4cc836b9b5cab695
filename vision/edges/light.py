"""The light that lay beside each column of an edge when the column was last seen protected, how well it agreed then,
and how far the light of now is from it.

    strip -> logarithm of the grey level, of what shows nothing of the protection -> means of four rows by a metre
          -> how well the pattern of what surrounds the protection agrees

A rail that is taken away leaves the light beside it as it was; a shadow, a lamp, the sun behind a cloud change it. So
lines that are gone in the light in which they were seen last are a gap, and lines that are gone in another light may
be there all the same. Each column remembers for itself. In: float32 strips. Out: by column, 0 for the same light, 0.1
for one that differs by a tenth. Knows nothing of rails, looks or time of day.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

ROWS: Final = 4
COLUMNS: Final = 17
LIT_FROM: Final = 6.0
"""Added to grey levels whose logarithms are compared, so that the noise of the dark is no light."""
FOLLOW_S: Final = 30.0
FORGET_S: Final = 300.0
"""How slowly a column forgets that it usually agreed better. As quickly as it follows the light, a rail that sank was
learnt as usual while the average of its pictures faded, and called protected."""
SANK: Final = 0.85
"""Under this part of what is usual, in the very same light (a change under `VERY_SAME`), nothing is forgotten."""
VERY_SAME: Final = 0.03
FRESH_S: Final = 120.0
PATTERN: Final = 0.25
"""What a pattern that agrees less counts as a change of the light: a fall by a fifth as a twentieth of the light."""
SMEARED: Final = 17
"""Columns over which agreement is smeared: a change reaches so far."""
LEAST_FRESH: Final = 8
"""Columns that must have been seen lately to say what the exposure did."""


@dataclass(frozen=True, slots=True, eq=False)
class LightState:
    """What a memory holds, for a restart. `bands` (4, bands, columns): then, known, around, around known; `columns`
    (4, columns): pattern, agreement, usual agreement, seconds since it was seen protected (below 0: never)."""

    bands: Floats
    columns: Floats


class LightMemory:
    """Light beside one edge. `aside` (rows, columns) is 1 for pixels that show no protection, `level` the strip of the
    reference: what is remembered at first. `blank` columns are never seen protected, and say nothing to others.
    `agreed` (columns,): the agreement that each column had in the light that it remembers; `usual` (columns,): the
    same, as it was over minutes."""

    def __init__(self, level: Floats, aside: Floats, blank: Bools) -> None:
        self._aside = aside
        self._blank = blank
        self._witness = np.zeros(level.shape[1], np.float32)
        self.agreed = np.ones(level.shape[1], np.float32)
        self.usual = np.ones(level.shape[1], np.float32)
        self._then, self._known = self.bands(level, np.ones_like(level))
        self._around, self._around_known = self._then, self._known
        self._age_s = np.full(level.shape[1], np.inf, np.float32)

    def state(self) -> LightState:
        """What is remembered of the light at this moment."""
        age_s = np.where(np.isinf(self._age_s), np.float32(-1), self._age_s)
        return LightState(
            np.stack([self._then, self._known, self._around, self._around_known]).astype(np.float32),
            np.stack([self._witness, self.agreed, self.usual, age_s]).astype(np.float32),
        )

    def take_up(self, state: LightState) -> None:
        """Go on with what `state` gave; of the same strip."""
        self._then, self._known, self._around, self._around_known = state.bands.copy()
        self._witness, self.agreed, self.usual, age_s = state.columns.copy()
        self._age_s = np.where(age_s < 0, np.float32(np.inf), age_s)

    def bands(self, level: Floats, seen: Floats) -> tuple[Floats, Floats]:
        """Mean logarithm of a strip by band and column, and how many pixels of it were seen there."""
        weight = self._aside * seen
        lit = np.log(level + np.float32(LIT_FROM)) * weight
        starts = np.arange(0, len(level), ROWS)
        sums = [np.add.reduceat(field, starts, axis=0) for field in (lit, weight)]
        total, count = (
            np.asarray(cv2.blur(one, (COLUMNS, 1), borderType=cv2.BORDER_REPLICATE), np.float32) for one in sums
        )
        return np.asarray(total / np.maximum(count, 1e-3), np.float32), count

    def change(self, now: tuple[Floats, Floats], witness: Floats, by_lamps: bool = False) -> Floats:
        """How far the light is from what each column remembers, its neighbours included; infinite where nothing can be
        compared. `witness` (columns,) is how well the pattern beside the protection agrees, NaN for no pattern. In the
        light of lamps a neighbour is held against the light in which any column near it remembered last: one that was
        never seen protected would bring in the light of the reference, which is that of a day."""
        fell = PATTERN * np.maximum(np.nan_to_num(self._witness - witness, nan=0.0), 0)
        exposure = self._exposure(now)
        own = np.asarray(self._levels(now, self._then, self._known, exposure) + fell, np.float32)
        own[self._blank] = 0.0
        if not by_lamps:
            return _smeared(own)
        beside = np.asarray(self._levels(now, self._around, self._around_known, exposure) + fell, np.float32)
        beside[self._blank] = 0.0
        return np.maximum(own, _smeared(beside))

    @staticmethod
    def _levels(now: tuple[Floats, Floats], then: Floats, known: Floats, exposure: np.float32) -> Floats:
        """By grey level, above or under the middle, whichever is more."""
        lit, count = now
        weight = np.minimum(count, known)
        seen = weight > 0.5
        if not seen.any():
            return np.full(lit.shape[1], np.inf, np.float32)
        differs = np.abs(lit - then - exposure) * seen
        middle = len(lit) // 2
        parts = (slice(None, middle), slice(middle, None))
        halves = [_mean(differs[part], (weight * seen)[part]) for part in parts]
        return np.where(seen.any(0), np.max(halves, axis=0), np.inf).astype(np.float32)

    def _exposure(self, now: tuple[Floats, Floats]) -> np.float32:
        """What the columns that were seen lately have in common against what is remembered of them."""
        lit, count = now
        seen = np.minimum(count, self._known) > 0.5
        lately = seen & (self._age_s < FRESH_S)
        common = lately if lately.any(0).sum() >= LEAST_FRESH else seen
        return np.float32(np.median((lit - self._then)[common])) if common.any() else np.float32(0)

    def remember(
        self, now: tuple[Floats, Floats], witness: Floats, score: Floats, columns: Bools, elapsed_s: float
    ) -> None:
        """These columns were seen protected in the light of now. The exposure is not remembered: what was not seen for
        long would differ by it."""
        lit, count = now
        same = self.change(now, witness) < VERY_SAME
        lit = lit - self._exposure(now)
        seen = columns & (count > 0.5).any(0)
        pace = np.where(np.isinf(self._age_s), 1.0, min(0.5, elapsed_s / FOLLOW_S)) * seen
        rate = pace * (count > 0.5)
        self.agreed += (pace * (score - self.agreed)).astype(np.float32)
        forgets = np.where(np.isinf(self._age_s), 1.0, min(0.5, elapsed_s / FORGET_S)) * seen
        forgets[same & (score < SANK * self.usual) & ~np.isinf(self._age_s)] = 0
        self.usual += (np.where(score < self.usual, forgets, pace) * (score - self.usual)).astype(np.float32)
        pattern = np.isfinite(witness)
        self._witness[pattern] += (pace * (witness - self._witness))[pattern].astype(np.float32)
        self._then = (self._then + rate * (lit - self._then)).astype(np.float32)
        self._known = np.where(rate > 0, np.maximum(count, self._known), self._known).astype(np.float32)
        near = cv2.dilate(pace.astype(np.float32)[None], np.ones((1, SMEARED), np.uint8))[0] * (count > 0.5)
        self._around = (self._around + near * (lit - self._around)).astype(np.float32)
        self._around_known = np.where(near > 0, np.maximum(count, self._around_known), self._around_known)
        self._age_s = np.where(seen, 0.0, self._age_s + elapsed_s).astype(np.float32)


def _smeared(change: Floats) -> Floats:
    return np.asarray(cv2.dilate(change[None], np.ones((1, SMEARED), np.uint8))[0], np.float32)


def _mean(values: Floats, weight: Floats) -> Floats:
    """By column; 0 where nothing is weighed."""
    return np.asarray((values * weight).sum(0) / np.maximum(weight.sum(0), 1e-3), np.float32)
