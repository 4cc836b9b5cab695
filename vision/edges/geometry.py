"""Where an edge is in the picture: its foot line, the way up to the rail top, metres along it, and the rectified strip.

           up(s)      Heights of upright things along a straight edge change linearly with the place s in the picture
        |    |    |   (1/depth does), so two reference marks give them everywhere. A metre along the edge shrinks with
      --o----o----o-  the square of that height; the surveyed length fixes the rest. On a bent line the turn towards
        s -> metres   the camera is not known, so metres there are an estimate: survey one edge for each straight side.

The strip has fixed pixels for each metre: x along the edge, y from `ABOVE_M` over it (row 0) to `BELOW_M` under it.
Knows nothing of what is in the picture.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway.model.survey import Edge

ABOVE_M: Final = 1.7
BELOW_M: Final = 0.5
ROWS_PER_M: Final = 24
COLUMNS_PER_M: Final = 16
MOST_COLUMNS: Final = 1600
LEAST_SCALE: Final = 0.15
"""Beyond the marks the height is extrapolated, but not under this part of the smaller mark's."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """Rectified view of one edge. `map_x`, `map_y` (rows, columns) float32: where each strip pixel lies in the picture
    (pixels). `metre` (columns,): the middle of each column along the edge. `foot_px` (columns, 2). `scale_px_m`
    (columns,): pixels of the picture for a metre upright. `height_m`: of the rail top that was marked."""

    edge: Edge
    map_x: Floats
    map_y: Floats
    metre: NDArray[np.float64]
    foot_px: NDArray[np.float64]
    scale_px_m: NDArray[np.float64]
    height_m: float

    def row_of(self, height_m: float) -> float:
        """The row at a height over the edge."""
        return (ABOVE_M - height_m) * ROWS_PER_M

    def box_px(self, from_m: float, to_m: float) -> tuple[float, float, float, float]:
        """x1, y1, x2, y2 around the part between two metres, up to the rail top."""
        inside = (self.metre >= from_m - 0.1) & (self.metre <= to_m + 0.1)
        rows = slice(int(self.row_of(self.height_m)), int(self.row_of(0)) + 1)
        x, y = self.map_x[rows, inside], self.map_y[rows, inside]
        return (float(x.min()), float(y.min()), float(x.max()), float(y.max()))


def rectified(edge: Edge, width_px: int, height_px: int) -> Strip:
    """The strip of a floor or pit edge in a picture of this size."""
    size = np.array([width_px, height_px], float)
    line = np.array(edge.line) * size
    place, foot = _dense(line)
    up = _up(edge, size, place, line)
    scale = np.hypot(up[:, 0], up[:, 1])
    metre = _metres(place, scale, edge.length_m)
    columns = int(np.clip(round(edge.length_m * COLUMNS_PER_M), 16, MOST_COLUMNS))
    middle = (np.arange(columns) + 0.5) * edge.length_m / columns
    at = np.stack([np.interp(middle, metre, foot[:, n]) for n in (0, 1)], axis=1)
    way = np.stack([np.interp(middle, metre, up[:, n]) for n in (0, 1)], axis=1)
    height = ABOVE_M - np.arange(round((ABOVE_M + BELOW_M) * ROWS_PER_M)) / ROWS_PER_M
    maps = [(at[None, :, n] + height[:, None] * way[None, :, n]).astype(np.float32) for n in (0, 1)]
    marked = float(np.mean([mark.height_m for mark in edge.marks]))
    return Strip(edge, maps[0], maps[1], middle, at, np.hypot(way[:, 0], way[:, 1]), marked)


def _dense(line: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places along a polyline, about one a pixel, and the spots there."""
    run = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    place = np.linspace(0.0, run[-1], max(64, int(run[-1]) + 1))
    return place, np.stack([np.interp(place, run, line[:, n]) for n in (0, 1)], axis=1)


def _up(
    edge: Edge, size: NDArray[np.float64], place: NDArray[np.float64], line: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The way up for one metre (pixels) at each place, linear between and beyond the two marks."""
    dense_place, dense = _dense(line)
    stands, ways = [], []
    for mark in edge.marks:
        foot, top = np.array(mark.foot) * size, np.array(mark.top) * size
        stands.append(dense_place[np.argmin(np.hypot(*(dense - foot).T))])
        ways.append((top - foot) / mark.height_m)
    part = (place - stands[0]) / (stands[1] - stands[0] or 1.0)
    way: NDArray[np.float64] = ways[0] + part[:, None] * (ways[1] - ways[0])
    least = LEAST_SCALE * min(np.hypot(*ways[0]), np.hypot(*ways[1]))
    long = np.hypot(way[:, 0], way[:, 1])
    floor = ways[int(np.hypot(*ways[1]) < np.hypot(*ways[0]))]
    small = (long < least) | (way[:, 1] > -least / 2)
    way[small] = floor / np.hypot(*floor) * least
    return way


def _metres(place: NDArray[np.float64], scale: NDArray[np.float64], length_m: float) -> NDArray[np.float64]:
    """Metres along the edge at each place: the integral of 1 / scale squared, stretched to the surveyed length."""
    pace = 1.0 / scale**2
    run = np.concatenate([[0.0], np.cumsum((pace[1:] + pace[:-1]) / 2 * np.diff(place))])
    return np.asarray(run / run[-1] * length_m, np.float64)
