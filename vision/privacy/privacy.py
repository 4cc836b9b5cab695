"""Faces made unknowable in pictures that are shown outside an opened case. The helmet stays visible.

In: a picture and the boxes of its heads and persons. Out: another picture; the one given is not changed, because the
frame that fired is kept as it was. Pure but for cv2.

    +----------+
    |  helmet  |   stays as it is
    +----------+   45 % of a helmeted head's height, 20 % of a bare one's
    |   face   |   averaged to 3 x 3 cells, and these drawn soft: 27 numbers are all that is left of it
    +----------+   and a margin beside and below, because boxes are not exact

A head below `SMALL_HEAD_PX` is blurred whole. Of a person whose head has no box the top of the person box is blurred:
better too much than a face. What no box covers is not blurred: docs/vision.md says how many heads are missed.
"""

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from gateway.model.detections import SeenClass

SMALL_HEAD_PX = 12.0
FACE_FROM = {SeenClass.HELMET: 0.45, SeenClass.HEAD: 0.2}
MARGIN = 0.12
CELLS = 3
HEAD_OF_PERSON = 0.2
"""The part of a standing person's height in which the head is, with room for stooping."""
Region = tuple[int, int, int, int]


def blur_faces(image: NDArray[np.uint8], boxes_xyxy_px: ArrayLike, class_ids: ArrayLike) -> NDArray[np.uint8]:
    """A copy of the BGR `image` (h, w, 3) with every face region averaged away. `boxes_xyxy_px` (n, 4) and `class_ids`
    (n,) as in `Detections`. Outside `face_regions` it is bit for bit the same. Raises ValueError when they do not
    agree."""
    blurred = image.copy()
    for x0, y0, x1, y1 in face_regions(boxes_xyxy_px, class_ids, image.shape[1], image.shape[0]):
        cells = cv2.resize(image[y0:y1, x0:x1], (CELLS, CELLS), interpolation=cv2.INTER_AREA)
        blurred[y0:y1, x0:x1] = cv2.resize(cells, (x1 - x0, y1 - y0), interpolation=cv2.INTER_LINEAR)
    return blurred


def face_regions(boxes_xyxy_px: ArrayLike, class_ids: ArrayLike, width_px: int, height_px: int) -> tuple[Region, ...]:
    """Where faces may be: whole pixels x0, y0, x1, y1 inside a picture of that size, the last two outside."""
    boxes = np.asarray(boxes_xyxy_px, dtype=np.float64).reshape(-1, 4)
    classes = np.asarray(class_ids).reshape(-1)
    if len(boxes) != len(classes) or not np.isfinite(boxes).all():
        raise ValueError(f"finite boxes and a class for each expected, found {boxes.shape} and {classes.shape}")
    heads = [_face(box, SeenClass(code)) for box, code in zip(boxes, classes, strict=True) if code in FACE_FROM]
    headless = [_top(box) for box in boxes[classes == SeenClass.PERSON] if not _has_head(box, boxes, classes)]
    cut = (_whole_pixels(box, width_px, height_px) for box in (*heads, *headless))
    return tuple(region for region in cut if region[2] > region[0] and region[3] > region[1])


def _face(box: NDArray[np.float64], code: SeenClass) -> NDArray[np.float64]:
    """The face part of a head box with its margin."""
    x0, y0, x1, y1 = box
    width, height = x1 - x0, y1 - y0
    top = y0 if height < SMALL_HEAD_PX else y0 + FACE_FROM[code] * height
    return np.array([x0 - MARGIN * width, top, x1 + MARGIN * width, y1 + MARGIN * height])


def _top(person: NDArray[np.float64]) -> NDArray[np.float64]:
    x0, y0, x1, y1 = person
    return np.array([x0, y0, x1, y0 + HEAD_OF_PERSON * (y1 - y0)])


def _has_head(person: NDArray[np.float64], boxes: NDArray[np.float64], classes: NDArray[np.generic]) -> bool:
    """Whether the middle of some head lies in the upper half of a person's box, or just above it."""
    heads = boxes[np.isin(classes, list(FACE_FROM))]
    middle = (heads[:, :2] + heads[:, 2:]) / 2
    inside = (middle[:, 0] >= person[0]) & (middle[:, 0] <= person[2])
    high = (middle[:, 1] >= person[1] - (heads[:, 3] - heads[:, 1])) & (middle[:, 1] <= (person[1] + person[3]) / 2)
    return bool((inside & high).any())


def _whole_pixels(box: NDArray[np.float64], width_px: int, height_px: int) -> Region:
    low = np.floor(np.clip(box[:2], 0, [width_px, height_px])).astype(int)
    high = np.ceil(np.clip(box[2:], 0, [width_px, height_px])).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])
