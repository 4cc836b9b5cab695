"""The detector: pictures of any size to boxes of helmets, bare heads and persons.

In: frames of any number of cameras. Out: `Detections` of each, in the order given. Keeps buffers, not history: what
was seen before is the tracker's matter. Not thread-safe.

    pictures --nearest input, letterbox--> batches --engine--> rows --decode, calibrate, suppress--> boxes
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gateway.model.detections import Detections, SeenClass
from vision.detector.boxes import Boxes, one_box_a_head, suppress
from vision.detector.calibrated import calibrated, raw_thresholds
from vision.detector.contrast import differs_within
from vision.detector.decode import check_output, decode
from vision.detector.engine import Backend, Engine, open_engine
from vision.detector.faults import PictureError
from vision.detector.letterbox import Letterbox, Picture8, Placed, Size, nearest_input
from vision.detector.registry import Model, read_model, thresholds_by_code
from vision.detector.tiles import Tiling, View, merge_views
from vision.frame import Frame

MOST_AT_ONCE = 4
SMALLEST_SIDE_PX = 16


@dataclass(slots=True)
class Spent:
    """Nanoseconds since the detector was opened, by stage, and pictures (or tiles) that went through."""

    prepare_ns: int = 0
    infer_ns: int = 0
    read_ns: int = 0
    pictures: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Raw:
    """One picture's row of the output, before it is read: `size` is the input it went through, `placed` how it lay
    there."""

    row: NDArray[np.float32]
    size: Size
    placed: Placed


class Detector:
    """A model ready to look. `model` is the registry's, `backend` what runs it, `spent` what it took so far.
    `thresholds` (3,) by class replace the registry's operating ones."""

    def __init__(self, model: Model, engine: Engine, thresholds: NDArray[np.float32] | None = None) -> None:
        self.model = model
        self.backend = engine.backend
        self.spent = Spent()
        self._engine = engine
        self.thresholds = model.thresholds if thresholds is None else thresholds
        self._boxes: dict[Size, Letterbox] = {}

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """What is in each frame. Raises PictureError that names the camera when an image is none (nothing has been
        looked at then), ModelError when the model's outputs cannot be used."""
        for frame in frames:
            check_picture(frame.image, frame.camera)
        seen = self.see([frame.image for frame in frames])
        return [as_detections(frame, boxes) for frame, boxes in zip(frames, seen, strict=True)]

    def detect_tiled(self, frame: Frame, tiling: Tiling) -> Detections:
        """The same of one frame, with tiles beside the full view: for heads that are too small in the full view. Takes
        the time of columns x rows + 1 pictures."""
        check_picture(frame.image, frame.camera)
        views = tiling.views(frame.width_px, frame.height_px)
        return as_detections(frame, self.read_tiled(views, self.infer(cut(frame.image, views))))

    def see(self, pictures: Sequence[Picture8]) -> list[Boxes]:
        """Boxes of each BGR picture at the operating thresholds."""
        return self.read(self.infer(pictures))

    def infer(self, pictures: Sequence[Picture8]) -> list[Raw]:
        """Run the network alone. Pictures of one input size go together, at most `MOST_AT_ONCE`."""
        by_size: dict[Size, list[int]] = {}
        for index, picture in enumerate(pictures):
            size = nearest_input(self.model.entry.inputs, picture.shape[1], picture.shape[0])
            by_size.setdefault(size, []).append(index)
        raws: dict[int, Raw] = {}
        for size, indices in by_size.items():
            for start in range(0, len(indices), MOST_AT_ONCE):
                chosen = indices[start : start + MOST_AT_ONCE]
                raws.update(zip(chosen, self._infer([pictures[index] for index in chosen], size), strict=True))
        return [raws[index] for index in range(len(pictures))]

    def read(
        self,
        raws: Sequence[Raw],
        thresholds: NDArray[np.float32] | None = None,
        operating: NDArray[np.float32] | None = None,
    ) -> list[Boxes]:
        """Boxes of what `infer` gave, in pixels of each picture. `operating` (3,) by class are the thresholds of these
        pictures' camera, the detector's when None; `thresholds` say how low candidates are kept, the operating ones
        when None."""
        began = time.perf_counter_ns()
        at = self.thresholds if operating is None else operating
        boxes = [self._read(raw, at if thresholds is None else thresholds, at) for raw in raws]
        self.spent.read_ns += time.perf_counter_ns() - began
        return boxes

    def read_tiled(
        self,
        views: Sequence[View],
        raws: Sequence[Raw],
        thresholds: NDArray[np.float32] | None = None,
        operating: NDArray[np.float32] | None = None,
    ) -> Boxes:
        """One picture's boxes out of what `infer` gave for its views. The full view alone is what `read` says."""
        boxes = self.read(raws, thresholds, operating)
        at = self.thresholds if operating is None else operating
        return boxes[0] if len(views) == 1 else self._one_box_a_head(merge_views(views, boxes), at)

    def _infer(self, pictures: Sequence[Picture8], size: Size) -> list[Raw]:
        began = time.perf_counter_ns()
        if size not in self._boxes:
            self._boxes[size] = Letterbox(self.model.entry, size, MOST_AT_ONCE)
        batch, placed = self._boxes[size].fill(pictures)
        prepared = time.perf_counter_ns()
        output = check_output(self._engine.run(batch), self.model.entry, size, len(pictures))
        self.spent.prepare_ns += prepared - began
        self.spent.infer_ns += time.perf_counter_ns() - prepared
        self.spent.pictures += len(pictures)
        return [Raw(row, size, lies) for row, lies in zip(output, placed, strict=True)]

    def _read(self, raw: Raw, thresholds: NDArray[np.float32], operating: NDArray[np.float32]) -> Boxes:
        entry = self.model.entry
        candidates = decode(raw.row, entry, raw.size, raw_thresholds(thresholds, entry.calibration))
        boxes = suppress(calibrated(candidates, entry.calibration), entry.nms_iou)
        if entry.least_contrast:
            boxes = boxes.take(differs_within(raw.placed.green, boxes.xyxy, entry.least_contrast))
        boxes = self._one_box_a_head(boxes, operating)
        return Boxes(raw.placed.placement.back(boxes.xyxy), boxes.score, boxes.class_id)

    def _one_box_a_head(self, boxes: Boxes, operating: NDArray[np.float32]) -> Boxes:
        iou = self.model.entry.one_head_iou
        return boxes if iou is None else one_box_a_head(boxes, iou, operating)


def open_detector(
    model_yaml: Path,
    backend: str = Backend.ONNXRUNTIME,
    threads: int = 1,
    thresholds: Mapping[SeenClass, float] | None = None,
    provider: str = "cpu",
) -> Detector:
    """Read a registry entry, load its model and try it once on an empty picture, so that a model with other outputs
    than the entry says is refused here. `thresholds` replace those of the entry, class by class. Raises ModelError."""
    model = read_model(model_yaml)
    operating = thresholds_by_code({**model.entry.thresholds, **(thresholds or {})})
    detector = Detector(model, open_engine(model, Backend(backend), threads, provider), operating)
    for width, height in model.entry.inputs:
        detector.see([np.full((height, width, 3), model.entry.fill, dtype=np.uint8)])
    detector.spent = Spent()
    return detector


def cut(picture: Picture8, views: Sequence[View]) -> list[Picture8]:
    """The views' parts of a picture, not copied."""
    return [picture[view.y0 : view.y1, view.x0 : view.x1] for view in views]


def check_picture(picture: object, source: str) -> None:
    """Raises PictureError unless `picture` is (h, w, 3) uint8 with sides of at least `SMALLEST_SIDE_PX`."""
    if not isinstance(picture, np.ndarray):
        raise PictureError(source, f"no picture but {type(picture).__name__}")
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise PictureError(source, f"(h, w, 3) uint8 expected, found {picture.shape} {picture.dtype}")
    if min(picture.shape[:2]) < SMALLEST_SIDE_PX:
        raise PictureError(
            source, f"{picture.shape[1]}x{picture.shape[0]} px, at least {SMALLEST_SIDE_PX} a side expected"
        )


def as_detections(frame: Frame, boxes: Boxes) -> Detections:
    """Boxes of a frame with the frame's own times; no track yet."""
    return Detections(
        camera=frame.camera,
        frame_seq=frame.seq,
        captured_at_ns=frame.captured_at_ns,
        frame_width_px=frame.width_px,
        frame_height_px=frame.height_px,
        boxes_xyxy_px=boxes.xyxy,
        score=boxes.score,
        class_id=boxes.class_id,
        track_id=np.full(len(boxes), -1, dtype=np.int32),
    )
