from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.model.detections import SeenClass
from tests.fakes.block_model import CELL, COLOURS, paint, write_block_model
from vision.detector import PictureError, open_detector
from vision.detector.boxes import Boxes
from vision.picture.frame import Frame

LAYOUTS = ["yolov8", "yolov5", "yolox", "end_to_end"]
BACKENDS = ["onnxruntime", "opencv"]
BLOCKS = [("helmet", 2, 3), ("head", 9, 1), ("person", 13, 8)]


def _frame(image: NDArray[np.uint8], camera: str = "cam-1", seq: int = 7) -> Frame:
    return Frame(camera, seq, 1_000, 2_000, True, 1, image)


def _cell(column: int, row: int, scale: float = 1.0) -> list[float]:
    return [scale * CELL * side for side in (column, row, column + 1, row + 1)]


def _by_class(boxes: Boxes) -> dict[int, list[float]]:
    return {int(code): box.tolist() for code, box in zip(boxes.class_id, boxes.xyxy, strict=True)}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_says_the_same_boxes_on_both_backends(tmp_path: Path, layout: str, backend: str) -> None:
    detector = open_detector(write_block_model(tmp_path, layout), backend)
    seen = _by_class(detector.see([paint(BLOCKS)])[0])
    assert detector.backend == backend
    assert set(seen) == {0, 1, 2}
    for name, column, row in BLOCKS:
        assert seen[SeenClass[name.upper()]] == pytest.approx(_cell(column, row), abs=0.01)


def _half_helmet(column: int, row: int) -> NDArray[np.uint8]:
    """A cell that is helmet by eleven sixteenths, and bare head by the rest."""
    image = paint([("head", column, row)])
    image[row * CELL : row * CELL + 11, column * CELL : (column + 1) * CELL] = COLOURS["helmet"]
    return image


@pytest.mark.parametrize("layout", ["yolov8", "yolov5", "yolox"])
def test_a_helmet_that_is_nearly_a_bare_head_is_told_as_neither(tmp_path: Path, layout: str) -> None:
    sure = open_detector(write_block_model(tmp_path / "sure", layout))
    asking = open_detector(write_block_model(tmp_path / "asking", layout, helmet_margin=2.0))
    image = _half_helmet(5, 5)
    assert sure.see([image])[0].class_id.tolist() == [SeenClass.HELMET]
    assert asking.see([image])[0].class_id.tolist() == []
    [weak] = asking.read(asking.infer([image]), np.full(3, 0.4, np.float32))
    assert weak.class_id.tolist() == [SeenClass.HELMET]
    assert 0.4 < weak.score[0] < asking.thresholds[SeenClass.HELMET]
    assert _by_class(asking.see([paint(BLOCKS)])[0]) == _by_class(sure.see([paint(BLOCKS)])[0])


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_frame_of_another_size_has_its_boxes_in_its_own_pixels(tmp_path: Path, backend: str) -> None:
    detector = open_detector(write_block_model(tmp_path), backend)
    detections = detector.detect([_frame(paint(BLOCKS, 1024, 640, cell=64))])[0]
    assert (detections.frame_width_px, detections.frame_height_px) == (1024, 640)
    assert (detections.camera, detections.frame_seq, detections.captured_at_ns) == ("cam-1", 7, 1_000)
    assert detections.track_id.tolist() == [-1, -1, -1]
    helmet = detections.boxes_xyxy_px[detections.of_class(SeenClass.HELMET)][0]
    assert helmet.tolist() == pytest.approx(_cell(2, 3, scale=4.0), abs=0.5)


def test_frames_of_several_cameras_keep_their_order(tmp_path: Path) -> None:
    detector = open_detector(write_block_model(tmp_path))
    frames = [_frame(paint([("helmet", column, 2)]), f"cam-{column}") for column in range(11)]
    together = detector.detect(frames)
    assert [one.camera for one in together] == [f"cam-{column}" for column in range(11)]
    assert [one.boxes_xyxy_px[0, 0] for one in together] == [CELL * column for column in range(11)]


def test_a_batch_axis_fixed_at_one_gives_the_same(tmp_path: Path) -> None:
    fixed = open_detector(write_block_model(tmp_path, free_batch=False))
    seen = fixed.see([paint([("helmet", column, 2)]) for column in range(3)])
    assert [boxes.xyxy[0, 0] for boxes in seen] == [0, CELL, 2 * CELL]


def test_no_frames_are_no_detections(tmp_path: Path) -> None:
    assert open_detector(write_block_model(tmp_path)).detect([]) == []


def test_a_picture_with_nothing_in_it_has_no_boxes(tmp_path: Path) -> None:
    assert len(open_detector(write_block_model(tmp_path)).see([paint([])])[0]) == 0


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (np.zeros((90, 160), np.uint8), "(h, w, 3) uint8 expected, found (90, 160) uint8"),
        (np.zeros((90, 160, 3), np.float32), "found (90, 160, 3) float32"),
        (np.zeros((0, 0, 3), np.uint8), "0x0 px, at least 16 a side"),
        (None, "no picture but NoneType"),
    ],
)
def test_a_picture_that_is_no_picture_names_its_camera(tmp_path: Path, image: NDArray[np.uint8], reason: str) -> None:
    detector = open_detector(write_block_model(tmp_path))
    with pytest.raises(PictureError) as raised:
        detector.detect([_frame(paint(BLOCKS)), _frame(image, "cam-2")])
    assert raised.value.source == "cam-2"
    assert reason in str(raised.value)
    assert detector.spent.pictures == 0, "nothing was looked at"
    assert len(detector.detect([_frame(paint(BLOCKS))])[0]) == 3, "the others go on"


def test_a_picture_that_lies_in_memory_with_gaps_is_seen_the_same(tmp_path: Path) -> None:
    detector = open_detector(write_block_model(tmp_path))
    wide = np.zeros((160, 512, 3), np.uint8)
    wide[:, ::2] = paint(BLOCKS)
    assert _by_class(detector.see([wide[:, ::2]])[0]) == _by_class(detector.see([paint(BLOCKS)])[0])


def test_red_and_blue_are_exchanged_when_the_entry_says_rgb(tmp_path: Path) -> None:
    detector = open_detector(write_block_model(tmp_path, colour="rgb"))
    seen = _by_class(detector.see([cv2.cvtColor(paint(BLOCKS), cv2.COLOR_BGR2RGB)])[0])
    assert seen[SeenClass.HELMET] == pytest.approx(_cell(2, 3), abs=0.01)


def test_what_it_took_is_counted(tmp_path: Path) -> None:
    detector = open_detector(write_block_model(tmp_path))
    detector.see([paint(BLOCKS)] * 3)
    assert detector.spent.pictures == 3
    assert min(detector.spent.prepare_ns, detector.spent.infer_ns, detector.spent.read_ns) > 0
