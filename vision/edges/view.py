"""What of the picture one surveyed edge is judged on: where its strip lies, which pixels would show protection, which
ones bear witness that the view is free.

    floor or pit edge                            opening
    1.7 m  . . . . . . . .  witness               . . . . . .   witness: a ring around the outline
    1.3 m  ===============  protection            . ####### .
    0.25 m ===============                        . ####### .   protection: the cover, and its outline
   -0.5 m  . . . . . . . .  witness               . . . . . .

What lies lower than 0.25 m says nothing of a rail: the edge of the slab stays where it was when the rail is gone, and a
toe board alone is no protection. Both are strips: columns along the edge (for an opening: across it), each judged by
itself.
"""

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.model.survey import Edge, EdgeKind
from vision.edges.geometry import BELOW_M, rectified

OPENING_PX: Final = 48
MARGIN: Final = 0.35
LOWEST_M: Final = 0.25

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """`map_x`, `map_y` (rows, columns) float32, pixels of the frame. `protected`, `witness` (rows, columns) 0 or 1.
    `metre` (columns,): place of each column along the edge; for an opening its share of the outline's length.
    `foot_px` (columns, 2): the edge itself. `scale_px_m` (columns,): pixels a metre there. `judged` (columns,): false
    where a column does not cross the outline."""

    edge: Edge
    map_x: Floats
    map_y: Floats
    protected: Floats
    witness: Floats
    metre: NDArray[np.float64]
    foot_px: NDArray[np.float64]
    scale_px_m: NDArray[np.float64]
    judged: NDArray[np.bool_]

    @property
    def opening(self) -> bool:
        """Whether a cover is looked for instead of a rail."""
        return self.edge.kind is EdgeKind.OPENING

    @property
    def column_m(self) -> float:
        """Metres a column stands for."""
        return self.edge.length_m / int(self.judged.sum())

    def box_px(self, columns: NDArray[np.bool_]) -> tuple[float, float, float, float]:
        """x1, y1, x2, y2 around the protected pixels of some columns."""
        part = (self.protected > 0) & columns[None, :]
        x, y = self.map_x[part], self.map_y[part]
        return (float(x.min()), float(y.min()), float(x.max()), float(y.max()))


def view_of(edge: Edge, width_px: int, height_px: int) -> View:
    """The view of one edge in a picture of this size. The number of rows and columns does not depend on the size. What
    lies outside the picture shows neither protection nor what surrounds it: at the border the strip repeats what is
    inside, and an open hole would bear witness against the light."""
    view = _opening(edge, width_px, height_px) if edge.kind is EdgeKind.OPENING else _rail(edge, width_px, height_px)
    pictured = (view.map_x >= 0) & (view.map_x <= width_px - 1) & (view.map_y >= 0) & (view.map_y <= height_px - 1)
    return replace(view, protected=view.protected * pictured, witness=view.witness * pictured)


def _rail(edge: Edge, width_px: int, height_px: int) -> View:
    strip = rectified(edge, width_px, height_px)
    protected, witness = np.zeros_like(strip.map_x), np.zeros_like(strip.map_x)
    top = round(strip.row_of(min(strip.height_m * 1.1, 1.5)))
    protected[max(0, top) : round(strip.row_of(LOWEST_M))] = 1
    witness[: max(0, round(strip.row_of(strip.height_m * 1.16)))] = 1
    witness[round(strip.row_of(-0.06)) : round(strip.row_of(-BELOW_M))] = 1
    judged = np.ones(len(strip.metre), bool)
    return View(
        edge, strip.map_x, strip.map_y, protected, witness, strip.metre, strip.foot_px, strip.scale_px_m, judged
    )


def _opening(edge: Edge, width_px: int, height_px: int) -> View:
    outline = np.array(edge.line) * [width_px, height_px]
    low, high = outline.min(0), outline.max(0)
    margin = (high - low) * MARGIN
    step = (high - low + 2 * margin) / OPENING_PX
    x = (low[0] - margin[0] + (np.arange(OPENING_PX) + 0.5) * step[0]).astype(np.float32)
    y = (low[1] - margin[1] + (np.arange(OPENING_PX) + 0.5) * step[1]).astype(np.float32)
    map_x, map_y = (np.ascontiguousarray(part) for part in np.meshgrid(x, y))
    inside = np.zeros((OPENING_PX, OPENING_PX), np.uint8)
    cv2.fillPoly(inside, [np.round((outline - low + margin) / step - 0.5).astype(np.int32)], 1)
    near = cv2.dilate(inside, np.ones((3, 3), np.uint8))
    witness = (cv2.dilate(inside, np.ones((7, 7), np.uint8)) == 0).astype(np.float32)
    judged = inside.sum(0) >= 3
    share = np.clip(np.cumsum(judged) / max(1, judged.sum()), 0, 1)
    run = float(np.hypot(*np.diff(np.vstack([outline, outline[:1]]), axis=0).T).sum())
    scale = np.full(OPENING_PX, run / edge.length_m)
    middle = np.stack([x, np.full(OPENING_PX, outline[:, 1].mean())], axis=1).astype(float)
    return View(edge, map_x, map_y, near.astype(np.float32), witness, share * edge.length_m, middle, scale, judged)
