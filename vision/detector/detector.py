"""The detector: pictures of any size to boxes of helmets, bare heads and persons.

In: frames of any number of cameras. Out: `Detections` of each, in the order given. Keeps buffers, not history: what
was seen before is the tracker's matter. Not thread-safe.

    pictures --nearest input, letterbox--> batches --engine--> rows --decode, suppress--> boxes in picture pixels
       '------ around each person's head: head views --the same once more--> heads instead of those of the first look

Inside, scores are the network's own; what leaves `boxes` is calibrated, where the registry's entry says how. Thresholds
come in calibrated scores.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
from vision.detector.head_views import HeadLook, head_views, merge_looks, weigh_heads
from vision.detector.letterbox import Letterbox, Picture8, Placed, Size, nearest_input
from vision.detector.registry import Model, read_model, thresholds_by_code
from vision.detector.tiles import View, merge_views
from vision.picture.frame import Frame

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


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What the network said of one picture: `views` are the full view and parts beside it, `heads` the head views."""

    views: tuple[View, ...]
    raws: tuple[Raw, ...]
    heads: tuple[View, ...] = ()
    head_raws: tuple[Raw, ...] = ()


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

    def detect(
        self,
        frames: Sequence[Frame],
        beside: Sequence[Sequence[View]] | None = None,
        thresholds: NDArray[np.float32] | None = None,
    ) -> list[Detections]:
        """What is in each frame. `beside`: for each frame the parts that are looked at beside the full view, for
        what is too small in it; each takes the time of a picture. Raises PictureError that names the camera when an
        image is none (nothing has been looked at then), ModelError when the model's outputs cannot be used."""
        for frame in frames:
            check_picture(frame.image, frame.camera)
        looks = self.look([frame.image for frame in frames], beside)
        return [self.detections(frame, look, thresholds) for frame, look in zip(frames, looks, strict=True)]

    def detections(
        self,
        frame: Frame,
        look: Look,
        thresholds: NDArray[np.float32] | None = None,
        operating: NDArray[np.float32] | None = None,
    ) -> Detections:
        """A frame's boxes out of its look; thresholds as in `boxes`."""
        scales = [min(raw.placed.placement.scale) for raw in look.raws]
        tiled = len(scales) > 2  # one tile is the round's, and most of the frame was seen in the full view alone
        scale = 1.0 if self.model.entry.heads else max(scales) if tiled else scales[0]
        return as_detections(frame, self.boxes(look, thresholds, operating), min(scale, 1.0))

    def see(self, pictures: Sequence[Picture8]) -> list[Boxes]:
        """Boxes of each BGR picture at the operating thresholds."""
        return [self.boxes(look) for look in self.look(pictures)]

    def look(self, pictures: Sequence[Picture8], beside: Sequence[Sequence[View]] | None = None) -> list[Look]:
        """Run the network on each picture, on the views `beside` it (as many lists as pictures), and on the head of
        whoever was found, where the model takes a second look."""
        views = [
            (View(0, 0, picture.shape[1], picture.shape[0]), *more)
            for picture, more in zip(pictures, beside or [()] * len(pictures), strict=True)
        ]
        parts = [part for picture, each in zip(pictures, views, strict=True) for part in cut(picture, each)]
        raws = iter(self.infer(parts))
        looks = [Look(each, tuple(next(raws) for _ in each)) for each in views]
        asked = self.model.entry.heads
        return looks if asked is None else self._look_at_heads(pictures, looks, asked)

    def boxes(
        self,
        look: Look,
        thresholds: NDArray[np.float32] | None = None,
        operating: NDArray[np.float32] | None = None,
    ) -> Boxes:
        """One picture's boxes. `operating` (3,) by class are the thresholds of the picture's camera, the detector's
        when None; `thresholds` say how low candidates are kept, the operating ones when None."""
        calibration = self.model.entry.calibration
        at = raw_thresholds(self.thresholds if operating is None else operating, calibration)
        wanted = at if thresholds is None else raw_thresholds(thresholds, calibration)
        return calibrated(self._boxes_of(look, wanted, at), calibration)

    def _boxes_of(self, look: Look, wanted: NDArray[np.float32], at: NDArray[np.float32]) -> Boxes:
        asked = self.model.entry.heads
        if asked is None:
            return self.read_tiled(look.views, look.raws, wanted, at)
        low = np.minimum(wanted, asked.scores)
        boxes, near = self.read_tiled(look.views, look.raws, low, at), self.read(look.head_raws, low, at)
        crowded, large_px = len(look.heads) >= asked.most, asked.large_px / min(look.raws[0].placed.placement.scale)
        boxes = merge_looks(boxes, look.heads, near, look.views[0], crowded=crowded, large_px=large_px)
        boxes = weigh_heads(self._one_box_a_head(boxes, at), asked.head)
        return boxes.take(boxes.score >= wanted[boxes.class_id])

    def _look_at_heads(self, pictures: Sequence[Picture8], looks: Sequence[Look], asked: HeadLook) -> list[Look]:
        low = np.minimum(self._own_thresholds, asked.scores)
        views = [
            head_views(self.read_tiled(look.views, look.raws, low), picture.shape[1], picture.shape[0], asked)
            for picture, look in zip(pictures, looks, strict=True)
        ]
        parts = [part for picture, each in zip(pictures, views, strict=True) for part in cut(picture, each)]
        raws = iter(self._infer_at(parts, asked.input))
        return [
            replace(look, heads=each, head_raws=tuple(next(raws) for _ in each))
            for look, each in zip(looks, views, strict=True)
        ]

    def infer(self, pictures: Sequence[Picture8]) -> list[Raw]:
        """Run the network alone. Pictures of one input size go together, at most `MOST_AT_ONCE`."""
        by_size: dict[Size, list[int]] = {}
        for index, picture in enumerate(pictures):
            size = nearest_input(self.model.entry.inputs, picture.shape[1], picture.shape[0])
            by_size.setdefault(size, []).append(index)
        raws: dict[int, Raw] = {}
        for size, indices in by_size.items():
            raws.update(zip(indices, self._infer_at([pictures[index] for index in indices], size), strict=True))
        return [raws[index] for index in range(len(pictures))]

    @property
    def _own_thresholds(self) -> NDArray[np.float32]:
        """The operating ones in the network's own scores."""
        return raw_thresholds(self.thresholds, self.model.entry.calibration)

    def read(
        self,
        raws: Sequence[Raw],
        thresholds: NDArray[np.float32] | None = None,
        operating: NDArray[np.float32] | None = None,
    ) -> list[Boxes]:
        """Boxes of what `infer` gave, in pixels of each picture. Both thresholds as in `boxes`, but here they, and the
        scores, are the network's own."""
        began = time.perf_counter_ns()
        at = self._own_thresholds if operating is None else operating
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
        """One picture's boxes out of what `infer` gave for its views, as `read`. The full view alone is what `read`
        says."""
        at = self._own_thresholds if operating is None else operating
        boxes = self.read(raws, thresholds, at)
        return boxes[0] if len(views) == 1 else self._one_box_a_head(merge_views(views, boxes), at)

    def _infer_at(self, pictures: Sequence[Picture8], size: Size) -> list[Raw]:
        batches = (pictures[start : start + MOST_AT_ONCE] for start in range(0, len(pictures), MOST_AT_ONCE))
        return [raw for batch in batches for raw in self._infer(batch, size)]

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
        boxes = suppress(decode(raw.row, entry, raw.size, thresholds, operating), entry.nms_iou)
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


def as_detections(frame: Frame, boxes: Boxes, head_scale: float = 1.0) -> Detections:
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
        head_scale=head_scale,
    )
