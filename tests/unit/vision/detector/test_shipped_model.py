"""The model that is shipped, whichever it is: its entry, its size, its card, and both backends alike."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.model.detections import SeenClass
from vision.detector import SHIPPED_MODEL, Backend, Detector, open_detector, read_model

LARGEST_BYTES = 10_000_000


def _street(seed: int, width: int, height: int) -> NDArray[np.uint8]:
    """A picture with structure of every size, rendered: nothing in it is anything."""
    chance = np.random.default_rng(seed)
    layers = [
        chance.normal(0, 60 / level, (max(1, height // size), max(1, width // size), 3))
        for level, size in ((1, 64), (2, 16), (4, 4))
    ]
    return np.clip(sum(cv2.resize(layer, (width, height)) for layer in layers) + 120, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def by_backend() -> dict[Backend, Detector]:
    return {backend: open_detector(SHIPPED_MODEL, backend) for backend in Backend}


def test_the_entry_holds_and_the_model_is_small_and_has_a_card() -> None:
    model = read_model(SHIPPED_MODEL)
    assert len(model.body) <= LARGEST_BYTES
    assert {code for code in model.entry.classes if code is not None} >= {SeenClass.HELMET, SeenClass.HEAD}
    assert model.entry.card is not None
    assert (SHIPPED_MODEL.parent / model.entry.card).stat().st_size > 0


@pytest.mark.parametrize("size", [(640, 480), (1920, 1080), (480, 640)])
def test_both_backends_give_the_same_numbers(by_backend: dict[Backend, Detector], size: tuple[int, int]) -> None:
    rows = [detector.infer([_street(1, *size)])[0].row for detector in by_backend.values()]
    assert rows[0].shape == rows[1].shape
    assert rows[0] == pytest.approx(rows[1], rel=1e-3, abs=2e-3)


def test_both_backends_give_the_same_boxes(by_backend: dict[Backend, Detector]) -> None:
    """Read so far down that there are boxes, since nothing is in the picture."""
    low = np.full(3, 0.005, np.float32)
    seen = [detector.read(detector.infer([_street(2, 1280, 720)]), low)[0] for detector in by_backend.values()]
    assert len(seen[0]) == pytest.approx(len(seen[1]), abs=2)
    best = min(5, len(seen[0]), len(seen[1]))
    assert best > 0
    assert seen[0].score[:best] == pytest.approx(seen[1].score[:best], abs=0.01)


def test_a_batch_gives_what_each_picture_gives_alone(by_backend: dict[Backend, Detector]) -> None:
    detector = by_backend[Backend.ONNXRUNTIME]
    pictures = [_street(seed, 640, 480) for seed in range(5)]
    together = detector.infer(pictures)
    for picture, raw in zip(pictures, together, strict=True):
        assert detector.infer([picture])[0].row == pytest.approx(raw.row, rel=1e-3, abs=2e-3)
    assert all(not np.array_equal(one.row, other.row) for one, other in pairwise(together))


def test_where_nothing_is_nothing_is_seen(by_backend: dict[Backend, Detector]) -> None:
    detector = by_backend[Backend.ONNXRUNTIME]
    flat = [np.full((720, 1280, 3), level, np.uint8) for level in (0, 2, 5, 128, 255)]
    assert [len(boxes) for boxes in detector.see(flat)] == [0] * len(flat)


@pytest.mark.parametrize("noise", [0.0, 1.0, 2.0])
def test_a_black_picture_holds_nothing_whatever_its_noise_and_its_clock(
    by_backend: dict[Backend, Detector], noise: float
) -> None:
    """A covered lens by night: sensor noise, and the date that the camera writes over it."""
    detector = by_backend[Backend.ONNXRUNTIME]
    chance = np.random.default_rng(5)
    for width, height in ((1280, 720), (640, 480), (1920, 1080)):
        picture = np.clip(chance.normal(3, noise, (height, width, 3)), 0, 255).astype(np.uint8)
        cv2.putText(picture, "2026-03-01 02:14:07", (20, 50), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (255, 255, 255), 2)
        assert len(detector.see([picture])[0]) == 0, (width, height)
