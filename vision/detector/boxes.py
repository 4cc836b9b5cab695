"""Boxes of one picture between the network and `Detections`, and which of overlapping ones stay. Pure but for cv2's
suppression."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.model.detections import SeenClass
from vision.picture.detection_scores import iou_matrix

MOST_BEFORE_SUPPRESSION = 2000
MOST_BOXES = 300


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """`xyxy` (n, 4) float32, `score` (n,) float32 0..1, `class_id` (n,) uint8 of `SeenClass`."""

    xyxy: NDArray[np.float32]
    score: NDArray[np.float32]
    class_id: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.score)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> "Boxes":
        """Some of them, by position or by mask."""
        return Boxes(self.xyxy[rows], self.score[rows], self.class_id[rows])


def no_boxes() -> Boxes:
    """A set of boxes with none in it."""
    return Boxes(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.uint8))


def suppress(boxes: Boxes, nms_iou: float) -> Boxes:
    """Class by class: of boxes that overlap more than `nms_iou` the best scored stays. Falling by score, at most
    `MOST_BOXES`."""
    if not len(boxes):
        return boxes
    if len(boxes) > MOST_BEFORE_SUPPRESSION:
        boxes = boxes.take(np.argsort(-boxes.score, kind="stable")[:MOST_BEFORE_SUPPRESSION])
    corner_and_size = np.concatenate([boxes.xyxy[:, :2], boxes.xyxy[:, 2:] - boxes.xyxy[:, :2]], axis=1)
    kept = cv2.dnn.NMSBoxesBatched(
        corner_and_size.astype(np.float64).tolist(), boxes.score.tolist(), boxes.class_id.tolist(), 0.0, nms_iou
    )
    rows = np.asarray(kept, dtype=np.intp).reshape(-1)
    return boxes.take(rows[np.argsort(-boxes.score[rows], kind="stable")][:MOST_BOXES])


def one_box_a_head(boxes: Boxes, iou: float, thresholds: NDArray[np.float32]) -> Boxes:
    """A head is helmeted or bare: of a helmet box and a bare head box on the same head the one that is further above
    its threshold stays. A box below its threshold thus never takes away one above: what is seen at the operating
    thresholds does not depend on how low the candidates were cut."""
    helmet, head = (np.flatnonzero(boxes.class_id == code) for code in (SeenClass.HELMET, SeenClass.HEAD))
    if not len(helmet) or not len(head):
        return boxes
    margin = boxes.score - thresholds[boxes.class_id]
    same = iou_matrix(boxes.xyxy[helmet], boxes.xyxy[head]) > iou
    helmet_wins = margin[helmet][:, None] >= margin[head][None, :]
    stays = np.ones(len(boxes), dtype=bool)
    stays[helmet[(same & ~helmet_wins).any(axis=1)]] = False
    stays[head[(same & helmet_wins).any(axis=0)]] = False
    return boxes.take(stays)
