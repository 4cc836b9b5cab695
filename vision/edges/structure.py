"""What a strip is made of, and how well a live strip agrees with an appearance that showed protection.

A rail keeps its place, its direction and its extent; brightness, contrast and even which side is the brighter one
change with sun, lamp and weather. Two measures are taken at the pixels where the appearance has a rail, a post, a net's
border or a cover, and their mean is the agreement of a column:

- *lie*: whether gradients lie the same way (cosine of the double angle, which forgets the sign), each counted by
  how far it stands out of the noise now. A gap against a plain sky has no gradients: it scores nothing.
- *pattern*: correlation of signed gradients in small patches, absolute, so that a patch may be inverted as a whole.
  A bar has two flanks; the step of a wall behind a gap has one, and falls to about a half.

Only pixels count whose contrast could be seen in the light of now: the others are why a column is UNKNOWN, not gone.
In: float32 strips, row 0 on top. Knows nothing of time.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

POOL_COLUMNS: Final = 9
PATCH: Final = (5, 7)
NOISE_FLOOR: Final = 0.05
"""Squared gradient that eight-bit rounding leaves after averaging."""
STANDS_OUT: Final = 9.0
"""A gradient is looked for where it should be three times the noise."""
EXCESS: Final = 8.0
"""A gradient so much stronger than what lay around here is something else across the strip, as a rule the border of a
shadow: those pixels say nothing."""
LEAST_STRUCTURE: Final = 1.5
"""Pixels of clear structure a column needs to be judged."""
DARK, BRIGHT = 6.0, 247.0
WIDE: Final = (25, 53)


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A strip as seen over some seconds. `gradient` (2, rows, columns): mean signed x and y gradient; `level`
    (rows, columns): mean grey; `noise` (rows, columns): variance of that mean gradient; `seen` (rows, columns): 1 where
    it was looked at, now and lately."""

    gradient: Floats
    level: Floats
    noise: Floats
    seen: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """By column: `score` about 0..1; `judged`: whether enough of the protection could be seen to say it; `witness`:
    the pattern of what surrounds it, NaN where that shows nothing; `darker`: how much darker the protected pixels are
    against their surroundings than they were (natural logarithm, negative is darker)."""

    score: Floats
    judged: Bools
    witness: Floats
    darker: Floats

    def typical(self, left_out: Bools) -> float:
        """What the better part of the columns reaches; NaN when too few are judged."""
        columns = self.judged & ~left_out
        if columns.sum() < 4:
            columns = self.judged
        return float(np.percentile(self.score[columns], 60)) if columns.sum() >= 4 else float("nan")

    def around(self) -> float:
        """How well what surrounds the edge agrees on the whole: high when the light is that of the known look, even
        if every rail is gone. NaN where little of it is recognisable."""
        seen = self.witness[np.isfinite(self.witness)]
        return float(np.median(seen)) if len(seen) >= len(self.witness) / 4 else float("nan")


def gradients(strip: Floats) -> Floats:
    """Signed x and y gradients (2, rows, columns), grey levels a pixel."""
    soft = cv2.GaussianBlur(strip, (0, 0), 0.8)
    return np.stack(
        [cv2.Scharr(soft, cv2.CV_32F, 1, 0, scale=1 / 16), cv2.Scharr(soft, cv2.CV_32F, 0, 1, scale=1 / 16)]
    )


def rail_weight(gradient: Floats, protected: Floats, opening: bool) -> Floats:
    """How much each pixel of a reference shows protection, 0..1. For a rail only what runs along the edge or upright
    counts, and level lines the more, the more of the edge has one in that row: bars run through, what lies behind does
    not."""
    power = (gradient**2).sum(0)
    strength = np.sqrt(power)
    limited = np.minimum(strength / (np.sqrt(cv2.blur(power, (25, 25))) + 1e-3), 2.0)
    clear = np.minimum(strength / 8.0, 1.0)
    if opening:
        return np.asarray(np.minimum(limited, 1.0) * clear * protected, np.float32)
    along = (gradient[0] ** 2 - gradient[1] ** 2) / np.maximum(power, 1e-9) * limited
    level, upright = np.maximum(-cv2.blur(along, (13, 1)), 0), np.maximum(cv2.blur(along, (1, 19)), 0)
    often = (level > 0.3).mean(1, dtype=np.float32)
    often = cv2.dilate(often[:, None], np.ones((3, 1), np.uint8))
    level = level * np.clip(often / 0.5, 0.1, 1.0)
    return np.asarray(np.minimum(np.maximum(level, upright), 1.0) * clear * protected, np.float32)


def agreement(live: Look, known: Look, weight: Floats, witness: Floats) -> Agreement:
    """How well a live look agrees with a known one where protection is (`weight`) and around it (`witness`)."""
    seen = live.seen * known.seen * ((live.level > DARK) & (live.level < BRIGHT))
    noise = cv2.blur(live.noise, WIDE) + NOISE_FLOOR
    power_known, power_live = (known.gradient**2).sum(0), (live.gradient**2).sum(0)
    gain = np.clip(cv2.blur(live.level, WIDE) / np.maximum(cv2.blur(known.level, WIDE), 4), 0, 1.5)
    expected = power_known * gain**2
    crossed = power_live > EXCESS * cv2.blur(expected, (15, 15)) + 25 * noise + 16
    clear = cv2.dilate(crossed.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0
    could = (expected > STANDS_OUT * noise) * clear * seen
    hoped = pooled(weight * seen)
    counted = weight * could
    enough = pooled(counted)
    lie = pooled(counted * _lie(live.gradient, known.gradient, power_live, power_known, noise)) / np.maximum(
        enough, 1e-6
    )
    pattern = _pattern(live.gradient, known.gradient, (weight > 0.15) * seen * clear, weight > 0, noise)
    judged = (enough > LEAST_STRUCTURE) & (enough > 0.3 * hoped) & (hoped > 0.7 * pooled(weight))
    around = _pattern(live.gradient, known.gradient, witness * could, witness > 0, noise)
    around = np.where(pooled(witness * could) > LEAST_STRUCTURE, around, np.nan).astype(np.float32)
    return Agreement(
        np.maximum((lie + pattern) / 2, 0).astype(np.float32),
        judged,
        around,
        _darker(live, known, weight, witness * seen),
    )


def pooled(field: Floats) -> Floats:
    """Sum of each column, averaged over half a metre of neighbours."""
    total: Floats = cv2.blur(field.sum(0, keepdims=True, dtype=np.float32), (POOL_COLUMNS, 1))[0]
    return total


def _lie(live: Floats, known: Floats, power_live: Floats, power_known: Floats, noise: Floats) -> Floats:
    double = (known[0] ** 2 - known[1] ** 2) * (live[0] ** 2 - live[1] ** 2) + 4 * known[0] * known[1] * live[0] * live[
        1
    ]
    cosine = double / np.maximum(power_live * power_known, 1e-9)
    return np.asarray(cosine * power_live / (power_live + 6 * noise), np.float32)


def _pattern(live: Floats, known: Floats, counted: Floats, where: Bools, noise: Floats) -> Floats:
    inner = cv2.blur(counted * (live * known).sum(0), PATCH)
    power_known = cv2.blur(counted * (known**2).sum(0), PATCH)
    power_live = cv2.blur(counted * ((live**2).sum(0) + 2 * noise), PATCH)
    same = np.abs(inner) / np.sqrt(np.maximum(power_known * power_live, 0) + 1e-3)
    clear = np.minimum(np.sqrt(np.maximum(power_known, 0)), 8.0) * where
    return np.asarray(pooled(clear * same) / np.maximum(pooled(clear), 1e-6), np.float32)


def _darker(live: Look, known: Look, weight: Floats, witness: Floats) -> Floats:
    inside = ((weight > 0) * live.seen).astype(np.float32)

    def ratio(look: Look) -> Floats:
        within = pooled(inside * look.level) / np.maximum(pooled(inside), 1e-6)
        ring = pooled(witness * look.level) / np.maximum(pooled(witness), 1e-6)
        return np.asarray(np.log((within + 4) / (ring + 4)), np.float32)

    return ratio(live) - ratio(known)
