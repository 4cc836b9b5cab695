"""An output tensor into boxes, by layout. Pure; numpy only.

In: one picture's row of the output, the entry. Out: candidate boxes in pixels of the network's input, before
suppression. `check_output` says whether a tensor is what the layout promises.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gateway.model.detections import SeenClass
from vision.detector.boxes import Boxes
from vision.detector.faults import ModelError
from vision.detector.registry import Layout, ModelEntry

Floats = NDArray[np.float32]
LARGEST_LOG_SIZE = 8.0
LEAST_SCORE = 1e-5
HELD = 0.99
"""Part of its threshold that a doubtful helmet may reach."""


def check_output(output: NDArray[np.generic], entry: ModelEntry, size: tuple[int, int], pictures: int) -> Floats:
    """The tensor, if its type, shape and values are what `entry` promises for `pictures` of `size` (width, height).
    Raises ModelError that tells both shapes, or that values are not finite."""
    wanted = _wanted_shape(entry, size, pictures)
    shape = output.shape
    fits = len(shape) == len(wanted) and all(w in (None, s) for w, s in zip(wanted, shape, strict=True))
    if not fits:
        text = "(" + ", ".join("any" if side is None else str(side) for side in wanted) + ")"
        raise ModelError(
            f"{entry.file}: output is {tuple(shape)}; layout {entry.layout} with {len(entry.classes)} classes "
            f"and input {size[0]}x{size[1]} means {text}"
        )
    if output.dtype.kind != "f":
        raise ModelError(f"{entry.file}: output holds {output.dtype}, floating point expected")
    values = np.asarray(output, dtype=np.float32)
    if not np.isfinite(values).all():
        bad = int((~np.isfinite(values)).sum())
        raise ModelError(f"{entry.file}: {bad} of {values.size} output values are not finite")
    return values


def decode(
    row: Floats, entry: ModelEntry, size: tuple[int, int], thresholds: Floats, operating: Floats | None = None
) -> Boxes:
    """Candidates of one picture: every class of every anchor whose score reaches its threshold. `row` has no batch
    axis; `thresholds` (3,) by `SeenClass`. A doubtful helmet (`ModelEntry.helmet_margin`) stays under the `operating`
    threshold, `thresholds` when None."""
    if entry.layout is Layout.END_TO_END:
        return _decode_end_to_end(row, entry, thresholds)
    table = row.T if entry.layout is Layout.YOLOV8 else row
    first = 4 if entry.layout is Layout.YOLOV8 else 5
    columns, codes = _used_classes(entry)
    scores = table[:, first + columns]
    if first == 5:
        scores = scores * table[:, 4:5]
    scores = _doubtful_held(scores, codes, entry.helmet_margin, thresholds if operating is None else operating)
    anchor, column = np.nonzero(scores >= thresholds[codes])
    centre, extent = table[anchor, 0:2], table[anchor, 2:4]
    if entry.layout is Layout.YOLOX:
        cells, strides = _grid(size, entry.strides)
        centre = (centre + cells[anchor]) * strides[anchor]
        extent = np.exp(np.minimum(extent, LARGEST_LOG_SIZE)) * strides[anchor]
    xyxy = np.concatenate([centre - extent / 2, centre + extent / 2], axis=1)
    return Boxes(xyxy.astype(np.float32), scores[anchor, column].astype(np.float32), codes[column])


def _doubtful_held(scores: Floats, codes: NDArray[np.uint8], margin: float, operating: Floats) -> Floats:
    """The same scores (a, c), but a helmet that the network nearly calls a bare head is held under its threshold: a
    cap, a straw hat, a bald head. Neither is told then."""
    helmet, head = np.flatnonzero(codes == SeenClass.HELMET), np.flatnonzero(codes == SeenClass.HEAD)
    if margin <= 0 or not len(helmet) or not len(head):
        return scores
    either = np.clip(scores[:, [helmet[0], head[0]]], LEAST_SCORE, 1 - LEAST_SCORE)
    odds = np.log(either / (1 - either))
    doubtful = odds[:, 0] - odds[:, 1] < margin
    held = scores.copy()
    held[doubtful, helmet[0]] = np.minimum(held[doubtful, helmet[0]], HELD * operating[SeenClass.HELMET])
    return held


def _decode_end_to_end(row: Floats, entry: ModelEntry, thresholds: Floats) -> Boxes:
    columns, codes = _used_classes(entry)
    code_of = np.full(len(entry.classes), 255, dtype=np.uint8)
    code_of[columns] = codes
    index = np.clip(np.rint(row[:, 5]), 0, len(entry.classes) - 1).astype(np.intp)
    code = code_of[index]
    known = np.flatnonzero(code != 255)
    kept = known[row[known, 4] >= thresholds[code[known]]]
    return Boxes(row[kept, :4].astype(np.float32), row[kept, 4].astype(np.float32), code[kept])


def _wanted_shape(entry: ModelEntry, size: tuple[int, int], pictures: int) -> tuple[int | None, ...]:
    classes = len(entry.classes)
    if entry.layout is Layout.YOLOV8:
        return pictures, 4 + classes, None
    if entry.layout is Layout.END_TO_END:
        return pictures, None, 6
    anchors = sum((size[0] // s) * (size[1] // s) for s in entry.strides) if entry.layout is Layout.YOLOX else None
    return pictures, anchors, 5 + classes


def _used_classes(entry: ModelEntry) -> tuple[NDArray[np.intp], NDArray[np.uint8]]:
    """Columns of the classes that mean something here, and what they mean."""
    used = [(index, code) for index, code in enumerate(entry.classes) if code is not None]
    return np.array([index for index, _ in used], np.intp), np.array([code for _, code in used], np.uint8)


@lru_cache(maxsize=16)
def _grid(size: tuple[int, int], strides: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Column and row of each anchor's cell (a, 2), and its stride (a, 1), strides in order, row by row."""
    cells, steps = [], []
    for stride in strides:
        y, x = np.mgrid[0 : size[1] // stride, 0 : size[0] // stride]
        cells.append(np.stack([x.ravel(), y.ravel()], axis=1))
        steps.append(np.full((x.size, 1), stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(steps).astype(np.float32)
