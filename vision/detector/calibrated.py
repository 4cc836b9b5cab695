"""Scores that say how often such a box is right: straight lines between the knots of an entry's `calibration`. Pure.

A mapping rises, so that no order of boxes of one class changes; a threshold in calibrated scores has its raw score.
`vision.evaluation.calibration` makes the knots. A class without knots keeps the network's scores.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gateway.model.detections import SeenClass
from vision.detector.boxes import Boxes
from vision.detector.registry import Knot

Calibration = Mapping[SeenClass, tuple[Knot, ...]]


def raw_thresholds(thresholds: NDArray[np.float32], calibration: Calibration) -> NDArray[np.float32]:
    """(3,) by `SeenClass`: the network's scores that are mapped to these."""
    raw = thresholds.astype(np.float32).copy()
    for code, knots in calibration.items():
        if np.isfinite(raw[code]):
            score, right = np.array(knots).T
            raw[code] = np.interp(raw[code], right, score)
    return raw


def calibrated_thresholds(raw: NDArray[np.float32], calibration: Calibration) -> NDArray[np.float32]:
    """(3,) by `SeenClass`: what these scores of the network are mapped to."""
    thresholds = raw.astype(np.float32).copy()
    for code, knots in calibration.items():
        if np.isfinite(raw[code]):
            thresholds[code] = mapped(raw[code : code + 1], knots)[0]
    return thresholds


def calibrated(boxes: Boxes, calibration: Calibration) -> Boxes:
    """The same boxes with mapped scores."""
    if not calibration:
        return boxes
    score = boxes.score.copy()
    for code, knots in calibration.items():
        rows = boxes.class_id == code
        score[rows] = mapped(score[rows], knots)
    return Boxes(boxes.xyxy, score, boxes.class_id)


def mapped(score: NDArray[np.floating], knots: tuple[Knot, ...]) -> NDArray[np.float32]:
    """Scores of one class, mapped along the calibration's knots."""
    given, right = np.array(knots).T
    return np.asarray(np.interp(score, given, right), np.float32)
