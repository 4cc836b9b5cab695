"""One crane's moving parts in pieces that are level or upright enough to be held against upright walls.

    piece = a straight line in plan + the heights it covers + half of how thick it is

In: the parts of a crane at some moments. Out: pieces (n,). A leaning jib (luffing) is cut into short pieces, so that
what is said of their heights is near the truth and never too far away. The mast stands still and is no piece.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.parts.crane.group.bodies import Body, Part, Parts

Floats = NDArray[np.float64]

CUTS = 16
"""Pieces of a luffing jib: at 60 m and 80 deg each covers less than 4 m of height."""


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """Pieces of one crane: `start_m` and `span_m` (2, n) in plan, `low_m`, `high_m`, `half_m` (n,), `part` (n,).

    NaN where not known. Heights in the site's frame.
    """

    start_m: Floats
    span_m: Floats
    low_m: Floats
    high_m: Floats
    half_m: Floats
    part: NDArray[np.intp]

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which pieces are known, (n,)."""
        known: NDArray[np.bool_] = np.isfinite(self.start_m.sum(axis=0) + self.span_m.sum(axis=0) + self.low_m)
        return known

    def only(self, chosen: NDArray[np.bool_]) -> "Outline":
        """Some of the pieces."""
        start, span = self.start_m[:, chosen], self.span_m[:, chosen]
        return Outline(start, span, self.low_m[chosen], self.high_m[chosen], self.half_m[chosen], self.part[chosen])


def outline(body: Body, parts: Parts) -> Outline:
    """The pieces of the one crane in `body`, at all moments of `parts`."""
    chosen = [part for part in Part if part is not Part.MAST]
    pieces = [_pieces(parts, part, CUTS if part is Part.JIB and body.luffing[0] else 1) for part in chosen]
    start = np.concatenate([piece[0] for piece in pieces], axis=1)
    span = np.concatenate([piece[1] for piece in pieces], axis=1)
    part = np.concatenate([np.full(piece[0].shape[1], kind) for piece, kind in zip(pieces, chosen, strict=True)])
    ends = np.stack([start[2], start[2] + span[2]])
    return Outline(start[:2], span[:2], ends.min(axis=0), ends.max(axis=0), body.half_m[part, 0], part)


def _pieces(parts: Parts, part: Part, cuts: int) -> tuple[Floats, Floats]:
    """Starts and spans (3, cuts * t) of one part."""
    start, span = parts.start[:, part], parts.span[:, part] / cuts
    share = np.arange(cuts)[:, None]
    starts = start[:, None] + share * span[:, None]
    spans = np.broadcast_to(span[:, None], starts.shape)
    return starts.reshape(3, -1), spans.reshape(3, -1)
