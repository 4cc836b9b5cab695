"""Lines of a drawing after the floor has moved up: an edge raised by some metres, and a proposal how many.

        top'  o                Whatever stands upright at a spot of the edge goes up along it: the two rail marks say
        foot' o....... line'   how many pixels a metre is there, and which way. So one number, the rise in metres,
        top   o                shifts *and* scales the line as the camera sees it; `aside` moves the whole line
        foot  o======= line    sideways, for a camera that was nudged.

In: an edge as it was drawn. Out: the same edge higher. Pure. A person confirms every line.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from gateway.model.survey import Edge, RailMark, Spot

NO_MARKS_WAY: Final = (0.0, -0.06)
"""Of the picture, for a metre: where nothing is drawn that says it."""


@dataclass(frozen=True, slots=True)
class Rise:
    """How far an edge is proposed to have moved up, and how much `larger` it is seen there. `agreement` (0..1) of what
    stood there with what is seen there now; not `found`: nothing agrees clearly, and the metres are a guess."""

    edge_id: str
    rise_m: float
    larger: float
    agreement: float
    found: bool


@dataclass(frozen=True, slots=True)
class Move:
    """Where an edge goes: metres up, parts of the picture to the right, and how much larger its marks are there."""

    rise_m: float
    aside: float = 0.0
    larger: float = 1.0


def raised(edge: Edge, move: Move, others: Sequence[Edge] = ()) -> Edge:
    """The edge where it is now. `others` say which way is up for an opening."""

    def up(spot: Spot) -> Spot:
        x, y = way_up(edge, spot, others)
        return (spot[0] + move.rise_m * x + move.aside, spot[1] + move.rise_m * y)

    marks = tuple(_raised_mark(mark, up(mark.foot), move.larger) for mark in edge.marks)
    return replace(edge, line=tuple(map(up, edge.line)), marks=marks)


def way_up(edge: Edge, spot: Spot, others: Sequence[Edge] = ()) -> Spot:
    """What a metre upright is at a spot of the edge, as fractions of the picture: linear between and beyond the marks,
    never less than a fifth of the shorter mark's."""
    if len(edge.marks) != 2:
        marks = [mark for other in others for mark in other.marks]
        nearest = min(marks, key=lambda mark: math.dist(mark.foot, spot), default=None)
        return NO_MARKS_WAY if nearest is None else _way(nearest)
    first, second = edge.marks
    (ax, ay), (bx, by) = first.foot, second.foot
    run = max((bx - ax) ** 2 + (by - ay) ** 2, 1e-12)
    part = ((spot[0] - ax) * (bx - ax) + (spot[1] - ay) * (by - ay)) / run
    one, other = _way(first), _way(second)
    x, y = (one[n] + part * (other[n] - one[n]) for n in (0, 1))
    least = 0.2 * max(one[1], other[1])
    return (x, min(y, least))


def _way(mark: RailMark) -> Spot:
    return ((mark.top[0] - mark.foot[0]) / mark.height_m, (mark.top[1] - mark.foot[1]) / mark.height_m)


def _raised_mark(mark: RailMark, foot: Spot, larger: float) -> RailMark:
    top = tuple(to + larger * (high - low) for to, high, low in zip(foot, mark.top, mark.foot, strict=True))
    return replace(mark, foot=foot, top=(top[0], top[1]))
