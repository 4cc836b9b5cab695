"""Far heads: the frame in overlapping tiles beside the full view, and one answer out of all of them. Pure.

+------+------+     what crosses a tile's inner border is cut, and dropped: the neighbour has it whole, because
|   [A|B]     |     tiles overlap, or the full view has, because it is large
+------+------+
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gateway.model.detections import SeenClass
from vision.detector.boxes import Boxes, suppress
from vision.picture.detection_scores import iou_matrix

BORDER_PX = 2.0
MERGE_IOU = 0.45
INSIDE = 0.75
"""A head box of which this much lies in a better one is the same head seen in another view."""
LARGEST_IN_TILE = np.array([0.25, 0.25, 0.5], dtype=np.float32)
"""By class: a box higher than this part of its tile is the full view's matter. Tiles are for what is far; enlarged
parts of near things look like heads."""


@dataclass(frozen=True, slots=True)
class View:
    """A rectangle of the frame in whole pixels, `x1` and `y1` outside it."""

    x0: int
    y0: int
    x1: int
    y1: int


@dataclass(frozen=True, slots=True)
class Tiling:
    """`columns` x `rows` tiles, each sharing `overlap` of its width and height with its neighbour."""

    columns: int
    rows: int
    overlap: float = 0.2

    def __post_init__(self) -> None:
        if not (1 <= self.columns <= 8 and 1 <= self.rows <= 8 and 0.0 <= self.overlap <= 0.5):
            raise ValueError(
                f"1 to 8 columns and rows, overlap 0 to 0.5 expected; found {self.columns}x{self.rows}, {self.overlap}"
            )

    def views(self, width_px: int, height_px: int) -> tuple[View, ...]:
        """The full view first, then the tiles row by row."""
        full = View(0, 0, width_px, height_px)
        if self.columns == self.rows == 1:
            return (full,)
        across, down = _cuts(width_px, self.columns, self.overlap), _cuts(height_px, self.rows, self.overlap)
        return full, *(View(x0, y0, x1, y1) for y0, y1 in down for x0, x1 in across)


def merge_views(views: Sequence[View], seen: Sequence[Boxes]) -> Boxes:
    """Boxes of each view (in its own pixels; the full view first) as boxes of the frame, each thing once."""
    full = views[0]
    moved = [_far_boxes(view, boxes, full) for view, boxes in zip(views, seen, strict=True)]
    together = Boxes(
        np.concatenate([boxes.xyxy for boxes in moved]),
        np.concatenate([boxes.score for boxes in moved]),
        np.concatenate([boxes.class_id for boxes in moved]),
    )
    return without_contained(suppress(together, MERGE_IOU))


def _cuts(length_px: int, count: int, overlap_share: float) -> list[tuple[int, int]]:
    tile = length_px / (count - (count - 1) * overlap_share)
    starts = [step * tile * (1 - overlap_share) for step in range(count)]
    return [(round(start), min(length_px, round(start + tile))) for start in starts]


def _far_boxes(view: View, boxes: Boxes, full: View) -> Boxes:
    """Whole boxes of one view that are not too near for it, in pixels of the frame."""
    whole = whole_boxes(view, boxes, full)
    near = whole.xyxy[:, 3] - whole.xyxy[:, 1] > LARGEST_IN_TILE[whole.class_id] * (view.y1 - view.y0)
    return whole if view == full else whole.take(~near)


def whole_boxes(view: View, boxes: Boxes, full: View) -> Boxes:
    """Boxes of one view that its inner borders do not cut, in pixels of the frame."""
    offset = np.array([view.x0, view.y0, view.x0, view.y0], dtype=np.float32)
    xyxy = boxes.xyxy + offset
    cut = (
        ((view.x0 > full.x0) & (xyxy[:, 0] < view.x0 + BORDER_PX))
        | ((view.y0 > full.y0) & (xyxy[:, 1] < view.y0 + BORDER_PX))
        | ((view.x1 < full.x1) & (xyxy[:, 2] > view.x1 - BORDER_PX))
        | ((view.y1 < full.y1) & (xyxy[:, 3] > view.y1 - BORDER_PX))
    )
    return Boxes(xyxy, boxes.score, boxes.class_id).take(~cut)


def without_contained(boxes: Boxes) -> Boxes:
    """Drop a head that lies in a better scored one of its class; persons may stand before each other. Boxes fall by
    score."""
    stays = np.ones(len(boxes), dtype=bool)
    for code in (SeenClass.HELMET, SeenClass.HEAD):
        rows = np.flatnonzero(boxes.class_id == code)
        area = np.prod(boxes.xyxy[rows, 2:] - boxes.xyxy[rows, :2], axis=1)
        overlap = iou_matrix(boxes.xyxy[rows], boxes.xyxy[rows])
        shared = overlap * (area[:, None] + area[None, :]) / (1.0 + overlap)
        smaller = np.minimum(area[:, None], area[None, :])
        same = np.divide(shared, smaller, out=np.zeros_like(shared), where=smaller > 0) > INSIDE
        for position in range(len(rows)):
            if stays[rows[position]]:
                stays[rows[position + 1 :][same[position, position + 1 :]]] = False
    return boxes.take(stays)
