"""Two pictures of one edge, as surveyed and with the protection painted out, and which of them a live strip fits.

    as surveyed    ~~~~=====~~~~     The lines of the protection run along the edge at rows of their own; the topmost
    painted out    ~~~~~~~~~~~~~     lies where the rail top was marked. Painted out, the picture runs straight from
    their          ....=====....     above a line to below it. What the two differ by is what the protection adds.
    difference

A net or a sheet is found by its colour as well: painted out, the picture between foot and top has the tint of what lies
above and below it.

A column's *share* is how much of that difference the live strip still has (a projection, all three colours together):
1 as surveyed, 0 painted out. What lies behind the protection is in both pictures and says nothing: a wall of pipes that
agreed with itself passed for a rail before. Where the survey shows no line at the marked height, or none that stands
out from what lies behind, there are no two pictures, and the column is not judged. In: looks. Knows no time.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.edges.geometry import ABOVE_M, ROWS_PER_M
from vision.edges.structure import Look, Measured
from vision.edges.view import View

Floats = NDArray[np.float32]

SUM_COLUMNS: Final = 5
LONG_COLUMNS: Final = 13
BESIDE: Final = 3
"""Rows between a line and what it is held against."""
MARK_ROWS: Final = 3
"""How far from the marked height the top line may lie: about 0.12 m, for the hand that drew the mark."""
CLEAR: Final = 3.0
"""Grey levels by which a line differs from what is above and below it."""
OFTEN_TOP, OFTEN = 0.6, 0.5
"""Share of the edge along which the top line, and any other one, must be seen in its row."""
MOST_LINES: Final = 4
LEAST_COLUMNS: Final = 12
LEAST_POWER: Final = 12.0
"""Squared gradient that a line must add to a column."""
LEAST_PART: Final = 0.12
"""And the part of what it adds to the middle one of the columns."""
OVER_NOISE: Final = 4.0
TYPICAL: Final = (0.5, 1.3)
"""Within these the contrast of now is taken from what the better part of the edge reaches."""
VEIL: Final = 12.0
"""Tint, in grey levels, by which a net or a sheet differs from what lies above and below it."""
ALIKE: Final = 0.8
"""Cosine from which a tint, or what lies in the rows of a line, is the same."""
COLOURLESS: Final = 0.3
"""Part of the colour that the known look has, under which the live picture has none: infrared, or deep dusk."""


class PaintedOut:
    """The lines of one edge's protection. `rows`: first and last row (exclusive) of each, the top line first; empty
    where the survey shows no top line. `veiled`: a net or a sheet of one colour hangs along most of it."""

    def __init__(self, reference: Look, view: View) -> None:
        height_m = float(np.mean([mark.height_m for mark in view.edge.marks]))
        top = round((ABOVE_M - height_m) * ROWS_PER_M)
        self.rows = _rows(reference, view, top)
        self._inside = view.protected.copy()
        self._inside[: top + BESIDE] = 0
        self._around = view.witness
        veil = self._tint(reference, np.ones_like(reference.level))
        strong = np.hypot(*veil)
        along = np.median(veil, axis=1)
        alike = (veil * along[:, None]).sum(0) > ALIKE * strong * np.hypot(*along)
        self.veiled = bool((alike & (strong > VEIL)).mean() > OFTEN)

    def share(self, live: Measured, known: Measured) -> Floats | None:
        """By column: the part of what the protection adds to the known look that the live one has; NaN where that
        cannot be told. The sign is forgotten: a bar may become the brighter one. None by lamps that do not show the
        lines along the better part of the edge, and against a reference by night: other lines shine there."""
        if live.still:
            return None
        share = self._of_lines(live, known)
        if self.veiled:
            veil = self._of_veil(live, known)
            share = np.where(np.isfinite(share), (np.nan_to_num(share) + 2 * veil) / 3, veil)
        judged = np.isfinite(share)
        typical = float(np.percentile(share[judged], 60)) if judged.sum() > LEAST_COLUMNS else 1.0
        if live.by_lamps and typical < TYPICAL[0]:
            return None
        return np.asarray(np.minimum(share / np.clip(typical, *TYPICAL), 1), np.float32)

    def _of_veil(self, live: Measured, known: Measured) -> Floats:
        seen = live.usable * known.look.seen
        ours, theirs = self._tint(live.look, seen), self._tint(known.look, seen)
        strong = np.hypot(*theirs)
        share = np.abs((ours * theirs).sum(0)) / np.maximum(strong**2, 1)
        judged = (strong > VEIL) & (_sums(seen * self._inside)[0] > 0.5 * self._inside.sum(0))
        return np.where(judged, np.minimum(share, TYPICAL[1]), np.nan).astype(np.float32)

    def _tint(self, look: Look, seen: Floats) -> Floats:
        """Tint between foot and top over that around it, by column (2, columns)."""
        inside, around = self._inside * seen, self._around * seen
        within, beyond = np.maximum(_sums(inside, around), 1e-3)
        return np.stack([a / within - b / beyond for a, b in (_sums(inside * t, around * t) for t in look.tint)])

    def _of_lines(self, live: Measured, known: Measured) -> Floats:
        columns = live.look.level.shape[1]
        if not self.rows:
            return np.full(columns, np.nan, np.float32)
        ours, theirs = live.lines, known.lines
        if np.abs(ours[1:]).sum() < COLOURLESS * np.abs(theirs[1:]).sum():
            ours, theirs = ours[:1], theirs[:1]
        gain = np.clip((live.wide + 4) / (known.wide + 4), 0.1, 2.0)
        found = [self._of_line(slice(*row), live, known, ours, theirs, gain) for row in self.rows]
        shares, weights = np.array([one[0] for one in found]), np.array([one[1] for one in found])
        share = np.minimum(shares[0], np.average(shares, axis=0, weights=weights + 1e-6))
        return np.where(weights[0] > 0, share, np.nan).astype(np.float32)

    @staticmethod
    def _of_line(
        rows: slice, live: Measured, known: Measured, ours: Floats, theirs: Floats, gain: Floats
    ) -> tuple[Floats, Floats]:
        """Share of one line by column, and its weight: 0 where the known look has no line or the live one cannot show
        it. A strange pattern that has something of the line is counted by how far it is the line's."""
        adds, has = (part[:, rows] - part[:, rows].mean(1, keepdims=True) for part in (theirs, ours))
        seen, power = live.usable[rows] * known.look.seen[rows], (adds**2).sum(0)
        both, mine, should, could, most = _sums(
            seen * (has * adds).sum(0), seen * (has**2).sum(0), seen * gain[rows] * power, seen * power, power
        )
        alike = np.abs(both) / np.sqrt(mine * could + 1e-3)
        enough = max(LEAST_POWER, LEAST_PART * float(np.median(most)))
        quiet = should > OVER_NOISE * live.noise[rows].mean(0)
        judged = (most > enough) & (could > 0.5 * most) & quiet
        share = np.minimum(np.abs(both) / np.maximum(should, 1e-3), TYPICAL[1]) * np.minimum(alike / ALIKE, 1)
        return share, np.sqrt(np.maximum(should, 0)) * judged


def _sums(*fields: Floats) -> Floats:
    total = np.stack([field.sum(0, dtype=np.float32) for field in fields])
    return np.asarray(cv2.blur(total, (SUM_COLUMNS, 1)), np.float32)


def _rows(reference: Look, view: View, top: int) -> tuple[tuple[int, int], ...]:
    """Rows in which a line that is darker, brighter or of another colour than what is above and below it runs along
    much of the edge."""
    run = [cv2.blur(part, (LONG_COLUMNS, 1)) for part in (reference.level, *reference.tint)]
    strength = np.sqrt(sum(_line(part) ** 2 for part in run))
    highest = cv2.dilate(strength, np.ones((2 * BESIDE + 1, 1), np.uint8))
    usual = np.maximum(CLEAR, 1.5 * np.median(strength, axis=0, keepdims=True))
    peaks = ((strength >= highest) & (strength > usual)).astype(np.uint8)
    often = cv2.dilate(peaks, np.ones((3, 1), np.uint8)).mean(1) * view.protected.any(1)
    near = often[top - MARK_ROWS : top + MARK_ROWS + 1]
    if not near.size or near.max() < OFTEN_TOP:
        return ()
    found = [top - MARK_ROWS + int(near.argmax())]
    left = often.copy()
    while len(found) < MOST_LINES:
        left[max(0, found[-1] - BESIDE - 1) : found[-1] + BESIDE + 2] = 0
        if left.max() < OFTEN:
            break
        found.append(int(left.argmax()))
    return tuple((max(0, row - BESIDE), min(len(often), row + BESIDE + 1)) for row in found)


def _line(run: Floats) -> Floats:
    """How far each row differs from the rows above and below."""
    soft = cv2.GaussianBlur(run, (1, 3), 0.7)
    above, below = np.roll(soft, BESIDE, 0), np.roll(soft, -BESIDE, 0)
    above[:BESIDE], below[-BESIDE:] = soft[:1], soft[-1:]
    return np.asarray(soft - (above + below) / 2, np.float32)
