"""How near a crane gets to overhead power lines, less what their voltage needs.

In: lines as wires between poles, the clearance that each needs, and a crane's outline. Out: a margin in metres: below
0 the clearance is broken. Knows no clearance of its own: they come with the rule pack (GB 5144-2006 10.4, M-H) or from
the line's owner. Knows nothing of readings and motion.

A clearance has a vertical and a horizontal part, and it is broken only where both are:

            |<- horizontal ->|          margin of a piece at one span of the line =
      - - - +----------------+            the larger of (gap in plan - horizontal) and (gap in height - vertical)
   vertical |       o wire   |
      - - - +----------------+          The smallest over all pieces and spans is said; it is never too large.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.parts.crane.group.outline import Outline
from gateway.parts.crane.group.segments import point_distance_m, segment_distance_m

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LineClearance:
    """What a crane must keep from wires of one voltage class (such as "1-15kV"), metres; who says so, how sure."""

    voltage: str
    vertical_m: float
    horizontal_m: float
    clause: str
    certainty: str


@dataclass(frozen=True, slots=True)
class PowerLine:
    """One overhead line. `wires`: from pole to pole, (x, y, lowest z, highest z) of its wires there, site frame, m.

    Lowest is the bottom of the sag in the spans beside that point. `sway_m`: how far wind carries the wires sideways.
    """

    name: str
    clearance: LineClearance
    wires: tuple[tuple[float, float, float, float], ...]
    sway_m: float = 0.0

    def __post_init__(self) -> None:
        if len(self.wires) < 2 or any(low > high for _, _, low, high in self.wires):
            raise ValueError(f"power line {self.name}: two points, each with its lowest wire below its highest")


class LineTable:
    """The spans of all lines around one crane: plan (2, s), heights and clearances (s,)."""

    def __init__(self, lines: Sequence[PowerLine]) -> None:
        self.lines = tuple(lines)
        spans = [(line, a, b) for line in lines for a, b in zip(line.wires, line.wires[1:], strict=False)]
        start, end = np.array([a for _, a, _ in spans]).T, np.array([b for _, _, b in spans]).T
        self._start = np.concatenate([start[:2], np.zeros((1, len(spans)))])[:, :, None]
        self._span = np.concatenate([end[:2] - start[:2], np.zeros((1, len(spans)))])[:, :, None]
        self._low_m = np.minimum(start[2], end[2])[:, None]
        self._high_m = np.maximum(start[3], end[3])[:, None]
        self._vertical_m = np.array([line.clearance.vertical_m for line, _, _ in spans])[:, None]
        self._horizontal_m = np.array([line.clearance.horizontal_m + line.sway_m for line, _, _ in spans])[:, None]

    def margin_m(self, pieces: Outline) -> float:
        """The smallest margin among the pieces that are known; infinite when none is."""
        known = pieces.only(pieces.known)
        if not len(known.part):
            return np.inf
        zero = np.zeros((1, 1, len(known.part)))
        start = np.concatenate([known.start_m[:, None], zero])
        span = np.concatenate([known.span_m[:, None], zero])
        beside = segment_distance_m(self._start, self._span, start, span) - self._horizontal_m
        above = np.maximum(known.low_m - self._high_m, self._low_m - known.high_m) - self._vertical_m
        return float((np.maximum(beside, above) - known.half_m).min())

    def at_least_m(self, base: tuple[float, float], reach_m: float) -> float:
        """What the margin of a crane with this reach cannot fall below, wherever it points."""
        here = np.array(base)[:, None, None]
        plan = point_distance_m(here, self._start[:2], self._span[:2])
        return float((plan - self._horizontal_m).min()) - reach_m
