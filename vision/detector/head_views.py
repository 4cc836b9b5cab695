"""The second look: each person's head, cut from the picture as it was captured and shown to the network at one size.

In: what the first look found in the whole frame. Out: a square view around each head, and one answer out of both looks.
Pure.

      +-------+        A person of 300 px is 90 px high in the first look, his head 13: enough to see that somebody is
      |  ( )  |        there, too little to tell a helmet from hair. The second look shows that head at its own 43 px.
      | --+-- |        Inside a head view the second look counts, and the first no more.
      +---|---+
         / \\
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from gateway.model.detections import SeenClass
from vision.detector.boxes import Boxes, suppress
from vision.detector.tiles import MERGE_IOU, View, whole_boxes, without_contained
from vision.picture.detection_scores import iou_matrix

UPPER_PART, ABOVE, ASIDE = 0.6, 0.12, 1.15
"""A view is as high as 0.6 of a standing person, begins 0.12 of that above, and is 1.15 times as wide as the person."""
LYING = 1.1  # wider than high by so much: the head may be at either end
HEADS_ACROSS, LEAST_SIDE_PX = 5.0, 48.0  # of the view around a head of which no body was found
SAME_VIEW_IOU = 0.7
EDGE_SHARE = 0.1  # of a view: the first look still counts for a head whose middle lies so near to its edge
HEAD_SHARE, HEAD_PART = 0.2, 0.4
LARGEST_IN_VIEW = 0.6  # of a view's side: what is higher is no head of this person


class HeadLook(BaseModel):
    """How a model takes the second look: the input (width, height) a head view is shown at, the first look's scores
    from which a person or a head alone gets one, and how many of a picture do, best scores first. A head that the first
    look showed at `large_px` of its own input or more is not taken away by the second: the surer one stays."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: tuple[Annotated[int, Field(ge=32, le=1024)], Annotated[int, Field(ge=32, le=1024)]]
    person: Annotated[float, Field(gt=0, lt=1)]
    head: Annotated[float, Field(gt=0, lt=1)]
    most: Annotated[int, Field(ge=1, le=64)] = 12
    large_px: Annotated[float, Field(gt=0)] = 32.0

    @property
    def scores(self) -> NDArray[np.float32]:
        """The scores of the look, (3,), indexed by `SeenClass`."""
        return np.array([self.head, self.head, self.person], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class _Square:
    x0: float
    y0: float
    side: float


def head_views(found: Boxes, width_px: int, height_px: int, asked: HeadLook) -> tuple[View, ...]:
    """Where to look again in a frame of this size. `found` are the boxes of the first look, in pixels of the frame."""
    wanted = np.where(found.class_id == SeenClass.PERSON, asked.person, asked.head)
    rows = np.flatnonzero(found.score >= wanted)
    persons = rows[found.class_id[rows] == SeenClass.PERSON]
    heads = rows[found.class_id[rows] != SeenClass.PERSON]
    squares: list[_Square] = []
    for box in _falling(found, persons):
        _add(squares, _around_person(box))
    for box in _falling(found, heads):
        if not any(_holds(square, box) for square in squares):
            squares.append(_around_head(box))
    views = (_within(square, width_px, height_px) for square in squares[: asked.most])
    return tuple(view for view in views if min(view.x1 - view.x0, view.y1 - view.y0) >= 16)


def merge_looks(
    first: Boxes, views: Sequence[View], seen: Sequence[Boxes], frame: View, *, crowded: bool, large_px: float
) -> Boxes:
    """One answer: of each view the heads that its border does not cut, and of the first look the persons, and the heads
    outside all views. `seen` are in pixels of their views, the rest in pixels of the frame. A head that got no view
    because there were too many (`crowded`) is left out: its person stays, as one whose head could not be looked at. A
    head of the first look that is `large_px` high stays in any case."""
    small = first.xyxy[:, 3] - first.xyxy[:, 1] < large_px
    out = first.class_id != SeenClass.PERSON if crowded else _covered(first, views)
    kept = [first.take(~(out & small))]
    for view, boxes in zip(views, seen, strict=True):
        kept.append(whole_boxes(view, boxes.take(boxes.class_id != SeenClass.PERSON), frame))
    together = Boxes(
        np.concatenate([boxes.xyxy for boxes in kept]),
        np.concatenate([boxes.score for boxes in kept]),
        np.concatenate([boxes.class_id for boxes in kept]),
    )
    return without_contained(suppress(together, MERGE_IOU))


def weigh_heads(boxes: Boxes, least_score: float) -> Boxes:
    """The same boxes; a fifth of a person's score is that of the best head, `least_score` or better, in his upper part.
    A valve that looks like a person has no head."""
    score = boxes.score.copy()
    persons = np.flatnonzero(boxes.class_id == SeenClass.PERSON)
    heads = np.flatnonzero((boxes.class_id != SeenClass.PERSON) & (boxes.score >= least_score))
    x, y = (middle[heads, None] for middle in _middles(boxes))
    x0, y0, x1, y1 = boxes.xyxy[persons].T
    on = (x > x0) & (x < x1) & (y > y0 - 0.05 * (y1 - y0)) & (y < y0 + HEAD_PART * (y1 - y0))
    best = np.where(on, boxes.score[heads, None], 0.0).max(axis=0, initial=0.0)
    score[persons] = (1 - HEAD_SHARE) * score[persons] + HEAD_SHARE * best
    return Boxes(boxes.xyxy, score, boxes.class_id)


def _falling(found: Boxes, rows: NDArray[np.intp]) -> list[list[float]]:
    boxes: list[list[float]] = found.xyxy[rows[np.argsort(-found.score[rows], kind="stable")]].tolist()
    return boxes


def _add(squares: list[_Square], new: _Square) -> None:
    """Two boxes on one person ask for one view."""
    corners = np.array([[s.x0, s.y0, s.x0 + s.side, s.y0 + s.side] for s in (*squares, new)])
    if not squares or float(iou_matrix(corners[-1:], corners[:-1]).max()) < SAME_VIEW_IOU:
        squares.append(new)


def _around_person(box: list[float]) -> _Square:
    x0, y0, x1, y1 = box
    width, height = x1 - x0, y1 - y0
    if width > LYING * height:
        side = ASIDE * width
        return _Square((x0 + x1 - side) / 2, (y0 + y1 - side) / 2, side)
    side = max(UPPER_PART * height, ASIDE * width)
    return _Square((x0 + x1 - side) / 2, y0 - ABOVE * side, side)


def _around_head(box: list[float]) -> _Square:
    x0, y0, x1, y1 = box
    side = max(HEADS_ACROSS * (y1 - y0), LEAST_SIDE_PX)
    return _Square((x0 + x1 - side) / 2, (y0 + y1) / 2 - 0.35 * side, side)


def _holds(square: _Square, box: list[float]) -> bool:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    inside = square.x0 < x < square.x0 + square.side and square.y0 < y < square.y0 + square.side
    return inside and box[3] - box[1] > 0.08 * square.side


def _within(square: _Square, width_px: int, height_px: int) -> View:
    return View(
        max(0, int(square.x0)),
        max(0, int(square.y0)),
        min(width_px, int(square.x0 + square.side) + 1),
        min(height_px, int(square.y0 + square.side) + 1),
    )


def _covered(first: Boxes, views: Sequence[View]) -> NDArray[np.bool_]:
    """Heads of the first look that a view shows whole."""
    covered = np.zeros(len(first), dtype=bool)
    x, y = _middles(first)
    height = first.xyxy[:, 3] - first.xyxy[:, 1]
    for view in views:
        side = max(view.x1 - view.x0, view.y1 - view.y0)
        rim = EDGE_SHARE * side
        covered |= (
            (x > view.x0 + rim)
            & (x < view.x1 - rim)
            & (y > view.y0)
            & (y < view.y1 - rim)
            & (height < LARGEST_IN_VIEW * side)
        )
    return np.asarray(covered & (first.class_id != SeenClass.PERSON))


def _middles(boxes: Boxes) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    return (boxes.xyxy[:, 0] + boxes.xyxy[:, 2]) / 2, (boxes.xyxy[:, 1] + boxes.xyxy[:, 3]) / 2
