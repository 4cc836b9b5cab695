"""What a strip is made of, and how well a live strip agrees with an appearance that showed protection.

A rail keeps its place, its direction and its extent; brightness, contrast and even which side is the brighter one
change with sun, lamp and weather. Four measures are taken at the pixels where the appearance has a rail, a post, a
net's border or a cover, and their mean, by eighths 1, 1, 2 and 4, is the agreement of a column:

- *lie*: whether gradients lie the same way (cosine of the double angle, which forgets the sign), each counted by
  how far it stands out of the noise now. A gap against a plain sky has no gradients: it scores nothing.
- *pattern*: correlation of signed gradients in small patches, absolute, so that a patch may be inverted as a whole.
  A bar has two flanks; the step of a wall behind a gap has one, and falls to about a half.
- *bars*: the same of gradients averaged along the edge; grain, texture and borders of shadows that cross go.
- *rows*: at which heights lines run along the edge at all, whichever side is brighter: a bar that shadows cut into
  bright and dark pieces keeps its row.

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
ALONG_COLUMNS: Final = 13
LINE_COLUMNS: Final = 7
WINDOW: Final = (1, 9)
CLEAR_OF: Final = 0.05
"""Weight under which a pixel shows nothing of the protection."""
FADED: Final = 0.4
SEEN: Final = 0.2
NOISE_FLOOR: Final = 0.05
"""Squared gradient that eight-bit rounding leaves after averaging."""
STANDS_OUT: Final = 9.0
"""A gradient is looked for where it should be three times the noise."""
EXCESS: Final = 8.0
"""A gradient so much stronger than what lay around here is something else across the strip, as a rule the border of a
shadow: those pixels say nothing. In the light of lamps only what lies *across* the lines that should be here counts:
lines that lie as they should may be as strong as they like there."""
MOST_LINES: Final = 0.8
"""Part of the pixels of an edge that no border of a shadow reaches: it crosses a few columns, a lamp lights all."""
LEAST_STRUCTURE: Final = 0.8
"""Pixels of clear structure a column needs to be judged."""
OFTEN: Final = 0.4
"""Share of an edge that must have a level line in a row for it to be the row of a bar."""
DARK, BRIGHT = 6.0, 247.0
WIDE: Final = (25, 53)


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A strip as seen over some seconds. `gradient` (2, rows, columns): mean signed x and y gradient; `level`
    (rows, columns): mean grey; `noise` (rows, columns): variance of that mean gradient; `seen` (rows, columns): 1 where
    it was looked at, now and lately. `tint` (2, rows, columns): blue and red over grey; zero for a picture without
    colour."""

    gradient: Floats
    level: Floats
    noise: Floats
    seen: Floats
    tint: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """By column: `score` about 0..1; `lie`: how far gradients lie the same way; `judged`: whether enough of the
    protection could be seen to say it; `witness`: the pattern of what surrounds it, NaN where that shows nothing;
    `darker`: how much darker the protected pixels are against their surroundings than they were (natural logarithm,
    negative is darker)."""

    score: Floats
    lie: Floats
    judged: Bools
    witness: Floats
    darker: Floats

    def typical(self, left_out: Bools) -> float:
        """What the better part of the columns reaches; NaN when too few are judged."""
        columns = self.judged & ~left_out
        if columns.sum() < 4:
            columns = self.judged
        return float(np.percentile(self.score[columns], 60)) if columns.sum() >= 4 else float("nan")


def gradients(strip: Floats) -> Floats:
    """Signed x and y gradients (2, rows, columns), grey levels a pixel."""
    soft = cv2.GaussianBlur(strip, (0, 0), 0.8)
    return np.stack(
        [cv2.Scharr(soft, cv2.CV_32F, 1, 0, scale=1 / 16), cv2.Scharr(soft, cv2.CV_32F, 0, 1, scale=1 / 16)]
    )


def tints(strip: NDArray[np.uint8] | Floats) -> Floats:
    """Blue and red over grey (2, rows, columns); zero for a strip without colour."""
    if strip.ndim == 2:
        return np.zeros((2, *strip.shape), np.float32)
    grey = grey_of(strip)
    return np.stack([strip[..., n].astype(np.float32) - grey for n in (0, 2)])


def grey_of(strip: NDArray[np.uint8] | Floats) -> Floats:
    """A strip without its colour, float32."""
    return np.asarray(strip if strip.ndim == 2 else cv2.cvtColor(strip, cv2.COLOR_BGR2GRAY), np.float32)


def rail_weight(gradient: Floats, protected: Floats, opening: bool) -> Floats:
    """How much each pixel of a reference shows protection, 0..1. For a rail only what runs along the edge or upright
    counts, and level lines the more, the more of the edge has one in that row: bars run through, what lies behind does
    not. Columns where most of those bars are broken off count for nothing: a pillar or a heap stands in front."""
    power = (gradient**2).sum(0)
    strength = np.sqrt(power)
    limited = np.minimum(strength / (np.sqrt(cv2.blur(power, (25, 25))) + 1e-3), 2.0)
    clear = np.minimum(strength / 8.0, 1.0)
    if opening:
        return np.asarray(np.minimum(limited, 1.0) * clear * protected, np.float32)
    lies = (gradient[0] ** 2 - gradient[1] ** 2) / np.maximum(power, 1e-9)
    along = lies * limited
    level, upright = np.maximum(-cv2.blur(along, (13, 1)), 0), np.maximum(cv2.blur(along, (1, 19)), 0)
    often = (level > 0.3).mean(1, dtype=np.float32)
    free = _bars_seen(-cv2.blur(lies * np.minimum(strength / 4, 1), (3, 1)), often, protected)
    often = cv2.dilate(often[:, None], np.ones((3, 1), np.uint8))
    level = level * np.clip((often - 0.2) / 0.25, 0.05, 1.0)
    upright = upright * _ends_at_top(upright, protected)
    return np.asarray(np.minimum(np.maximum(level, upright), 1.0) * clear * protected * free, np.float32)


def _ends_at_top(upright: Floats, protected: Floats) -> Bools:
    """By column: no upright line goes on above the rail, as posts do not and what lies behind does."""
    top = int(np.argmax(protected.any(1)))
    if top < 4:
        return np.ones(upright.shape[1], bool)
    over = upright[max(0, top - 8) : top - 1].mean(0, keepdims=True, dtype=np.float32)
    return np.asarray(cv2.dilate(over, np.ones((1, 3), np.uint8))[0] < 0.3, bool)


def _bars_seen(level: Floats, often: Floats, protected: Floats) -> Bools:
    """By column: whether of the rows that have a level line along much of the edge enough have one here too, within
    about a metre (bars may be striped). All columns where no such row is."""
    rows = (often >= OFTEN) & protected.any(1)
    if not rows.any():
        return np.ones(level.shape[1], bool)
    here = cv2.dilate((level > 0.3).astype(np.uint8), np.ones((5, 1), np.uint8))[rows]
    return np.asarray(cv2.blur(here.mean(0, keepdims=True, dtype=np.float32), (ALONG_COLUMNS, 1))[0] >= SEEN, bool)


class Measured:
    """A look with what is worked out of it once, however many others there are: `power` the squared gradient, `wide`
    the grey level around, `noise` the noise around, `usable` where it is seen and neither black nor burnt out.
    `by_lamps`: lamps light it, and no sun. `still`: they stand as in the look that it is compared with, so that what is
    black or burnt out now, and was neither then, has changed itself."""

    __slots__ = ("_lines", "by_lamps", "look", "noise", "power", "still", "usable", "wide")

    def __init__(self, look: Look, by_lamps: bool = False, still: bool = False) -> None:
        self.look = look
        self.by_lamps = by_lamps
        self.still = still
        self._lines: Floats | None = None
        self.power: Floats = (look.gradient**2).sum(0)
        self.wide: Floats = np.asarray(cv2.blur(look.level, WIDE), np.float32)
        self.noise: Floats = np.asarray(cv2.blur(look.noise, WIDE) + NOISE_FLOOR, np.float32)
        self.usable: Floats = look.seen * ((look.level > DARK) & (look.level < BRIGHT)).astype(np.float32)

    @property
    def lines(self) -> Floats:
        """Gradients across the edge of brightness and both tints, averaged along it (3, rows, columns)."""
        if self._lines is None:
            parts = (self.look.gradient[1], *(_across(tint) for tint in self.look.tint))
            self._lines = np.stack([cv2.blur(part, (LINE_COLUMNS, 1)) for part in parts])
        return self._lines


def _across(tint: Floats) -> Floats:
    return np.asarray(cv2.Scharr(cv2.GaussianBlur(tint, (0, 0), 0.8), cv2.CV_32F, 0, 1, scale=1 / 16), np.float32)


def agreement(
    live: Measured, known: Measured, weight: Floats, witness: Floats, opening: bool, share: Floats | None = None
) -> Agreement:
    """How well a live look agrees with a known one where protection is (`weight`) and around it (`witness`). `share`:
    by column, how much is left of what the protection adds to the picture; no column agrees better than that."""
    seen, noise = live.look.seen * known.usable if live.still else live.usable * known.look.seen, live.noise
    gain = np.clip(live.wide / np.maximum(known.wide, 4), 0, 1.5)
    expected = known.power * gain**2
    cross = (live.look.gradient * known.look.gradient).sum(0)
    clear = _uncrossed(live, known, np.asarray(expected, np.float32), cross, weight * seen > 0.1)
    could = (expected > STANDS_OUT * noise) * clear * seen
    counted, around = weight * could, witness * could
    wanted, hoped, enough, spare = pooled(weight, weight * seen, counted, around)
    lie = pooled(counted * _lie(live, known, cross))[0] / np.maximum(enough, 1e-6)
    pattern = _pattern(live, known, cross, (weight > 0.15) * seen * clear, weight > 0)
    score = (lie + pattern) / 2
    if not opening:
        bars = weight * seen * clear > 0.1
        score = score / 4 + _bars(live, known, bars) / 4 + _rows(live, known, bars) / 2
    judged = (enough > LEAST_STRUCTURE) & (enough > 0.3 * hoped) & (hoped > 0.7 * wanted)
    if share is not None:
        clear = np.isfinite(share)
        score, judged = np.where(judged & clear, np.fmin(score, share), np.where(clear, share, 0)), clear
    beside = _pattern(live, known, cross, around, witness > 0)
    return Agreement(
        np.maximum(score, 0).astype(np.float32),
        lie.astype(np.float32),
        judged,
        np.where(spare > LEAST_STRUCTURE, beside, np.nan).astype(np.float32),
        _darker(live.look, known.look, weight, witness * seen) if opening else np.zeros_like(lie),
    )


def _uncrossed(live: Measured, known: Measured, expected: Floats, cross: Floats, where: Bools) -> Bools:
    """Pixels that no border of a shadow reaches. `where`: those that show the protection."""
    usual = np.asarray(cv2.blur(expected, (15, 15)), np.float32)
    if live.by_lamps:
        strange = np.asarray(live.power - cross**2 / np.maximum(known.power, 1e-3), np.float32)
        usual = np.asarray(usual * _stronger(strange, usual, where), np.float32)
    else:
        strange = live.power
    crossed = strange > EXCESS * usual + 25 * live.noise + 16
    return np.asarray(cv2.dilate(crossed.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0, bool)


def _stronger(across: Floats, usual: Floats, where: Bools) -> float:
    """How much stronger than expected the lines along the whole edge are, at least 1: a lamp by night makes more of
    them than the sun did."""
    found = across[where][::5] / (usual[where][::5] + 1)
    if not found.size:
        return 1.0
    place = int(MOST_LINES * (found.size - 1))
    return max(1.0, float(np.partition(found, place)[place]))


def pooled(*fields: Floats) -> Floats:
    """Sum of each column, averaged over half a metre of neighbours; one row for each field."""
    total = np.stack([field.sum(0, dtype=np.float32) for field in fields])
    return np.asarray(cv2.blur(total, (POOL_COLUMNS, 1)), np.float32)


def _lie(live: Measured, known: Measured, cross: Floats) -> Floats:
    """Cosine of the double angle between two gradients, 2 cos^2 - 1, weighed by how far the live one stands out. Under
    lamps that stand still a trace of a line is none: without grain a pool of light on the floor lies as a bar did."""
    both = np.maximum(live.power * known.power, 1e-9)
    lies = (2 * cross**2 / both - 1) * live.power / (live.power + 6 * live.noise)
    if live.still:
        lies = lies * np.minimum(1, live.power / np.maximum(FADED**2 * known.power, 1e-9))
    return np.asarray(lies, np.float32)


def _pattern(live: Measured, known: Measured, cross: Floats, counted: Floats, where: Bools) -> Floats:
    inner = cv2.blur(counted * cross, PATCH)
    power_known = cv2.blur(counted * known.power, PATCH)
    power_live = cv2.blur(counted * (live.power + 2 * live.noise), PATCH)
    same = np.abs(inner) / np.sqrt(np.maximum(power_known * power_live, 0) + 1e-3)
    clear = np.minimum(np.sqrt(np.maximum(power_known, 0)), 8.0) * where
    sums = pooled(clear * same, clear)
    return np.asarray(sums[0] / np.maximum(sums[1], 1e-6), np.float32)


def _rows(live: Measured, known: Measured, where: Bools) -> Floats:
    """At which heights lines run along the edge, whichever side of each is brighter: correlation of the strength of
    gradients across the edge, averaged along it. A bar that a shadow cuts into bright and dark pieces keeps its row."""
    ours = np.sqrt(np.maximum(live.look.gradient[1] ** 2 - live.noise, 0))
    ours, theirs = (cv2.blur(part, (ALONG_COLUMNS, 1)) for part in (ours, np.abs(known.look.gradient[1])))
    mean_ours, mean_theirs = cv2.blur(ours, WINDOW), cv2.blur(theirs, WINDOW)
    power_ours = np.maximum(cv2.blur(ours**2, WINDOW) - mean_ours**2, 0)
    power_theirs = np.maximum(cv2.blur(theirs**2, WINDOW) - mean_theirs**2, 0)
    same = (cv2.blur(ours * theirs, WINDOW) - mean_ours * mean_theirs) / np.sqrt(power_ours * power_theirs + 1e-2)
    clear = np.minimum(np.sqrt(power_theirs), 3.0) * where
    sums = pooled(clear * np.maximum(same, 0) * _strong(power_ours, power_theirs), clear)
    return np.asarray(sums[0] / np.maximum(sums[1], 1e-6), np.float32)


def _bars(live: Measured, known: Measured, bars: Bools) -> Floats:
    """Pattern of what runs along the edge alone: gradients across it, averaged along it, so that bars stay and grain,
    texture and the borders of shadows go. Absolute, so that a bar may become the brighter one."""
    ours, theirs = (cv2.blur(look.gradient[1], (ALONG_COLUMNS, 1)) for look in (live.look, known.look))
    where = bars.astype(np.float32)
    inner = cv2.blur(where * ours * theirs, PATCH)
    power_known = np.maximum(cv2.blur(where * theirs**2, PATCH), 0)
    power_live = np.maximum(cv2.blur(where * (ours**2 + 2 * live.noise / ALONG_COLUMNS), PATCH), 0)
    same = np.abs(inner) / np.sqrt(power_known * power_live + 1e-3)
    clear = np.minimum(np.sqrt(power_known), 4.0) * where
    sums = pooled(clear * same * _strong(power_live, power_known), clear)
    return np.asarray(sums[0] / np.maximum(sums[1], 1e-6), np.float32)


def _strong(live: Floats, known: Floats) -> Floats:
    """1 for what is at least `FADED` as strong as it was, less for a mere trace of it."""
    return np.asarray(np.minimum(np.sqrt(live / (known + 1e-3)) / FADED, 1.0), np.float32)


def _darker(live: Look, known: Look, weight: Floats, witness: Floats) -> Floats:
    inside = ((weight > 0) * live.seen).astype(np.float32)
    within, ring = np.maximum(pooled(inside, witness), 1e-6)

    def ratio(look: Look) -> Floats:
        inner, outer = pooled(inside * look.level, witness * look.level)
        return np.asarray(np.log((inner / within + 4) / (outer / ring + 4)), np.float32)

    return ratio(live) - ratio(known)
