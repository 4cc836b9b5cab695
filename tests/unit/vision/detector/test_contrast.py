"""A box in which nothing can be told apart holds nothing; one with a face in it does."""

from pathlib import Path

import numpy as np
import pytest

from tests.fakes.block_model import write_block_model
from vision.detector import Backend, Detector, read_model
from vision.detector.contrast import differs_within

BOX = np.array([[10, 10, 50, 40]], np.float32)


def _plane(spread: int) -> np.ndarray:
    """Right of column 30 the plane is `spread` levels lighter."""
    plane = np.full((160, 256), 40, np.uint8)
    plane[:, 30:] += np.uint8(spread)
    return plane


@pytest.mark.parametrize(("spread", "holds"), [(0, False), (7, False), (8, True), (200, True)])
def test_a_box_holds_something_from_the_contrast_on(spread: int, holds: bool) -> None:
    assert differs_within(_plane(spread), BOX, 8).tolist() == [holds]


def test_each_box_is_asked_for_itself() -> None:
    plane = _plane(0)
    plane[100:120, 100:130] = np.random.default_rng(1).integers(0, 255, (20, 30))
    boxes = np.array([[10, 10, 50, 40], [100, 100, 130, 120], [20, 20, 20, 20]], np.float32)
    assert differs_within(plane, boxes, 8).tolist() == [False, True, False]
    assert differs_within(plane, boxes[:0], 8).shape == (0,)


def test_a_tenth_that_differs_is_a_clock_and_no_head() -> None:
    plane = _plane(0)
    plane[10:12, 10:50] = 255  # two of thirty rows
    assert differs_within(plane, BOX, 8).tolist() == [False]
    plane[10:16, 10:50] = 255
    assert differs_within(plane, BOX, 8).tolist() == [True]


@pytest.mark.parametrize("box", [[-40, -40, -4, -4], [300, 10, 340, 60], [10, 200, 40, 260]])
def test_a_box_outside_the_plane_holds_nothing(box: list[float]) -> None:
    assert differs_within(_plane(200), np.array([box], np.float32), 8).tolist() == [False]


class _AlwaysOne:
    """An engine that sees one helmet in every picture."""

    backend = Backend.ONNXRUNTIME

    def run(self, batch: np.ndarray) -> np.ndarray:
        row = np.array([[50.0, 50, 40, 40, 0.9, 0, 0]], np.float32).T[None]
        return np.repeat(row, len(batch), axis=0)


@pytest.mark.parametrize(("least", "seen"), [(8, [0, 1]), (0, [1, 1])])
def test_the_entry_says_how_flat_a_box_may_be(tmp_path: Path, least: int, seen: list[int]) -> None:
    detector = Detector(read_model(write_block_model(tmp_path, least_contrast=least)), _AlwaysOne())
    flat = np.full((160, 256, 3), 3, np.uint8)
    street = np.random.default_rng(2).integers(0, 255, (160, 256, 3), np.uint8)
    assert [len(boxes) for boxes in detector.see([flat, street])] == seen
