from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.fakes.block_model import paint, write_block_model
from vision.detector import open_detector, read_model
from vision.detector.letterbox import Letterbox, halved, nearest_input
from vision.detector.registry import ModelEntry

INPUTS = [(512, 384), (608, 352), (384, 512)]


def _entry(tmp_path: Path, **changes: object) -> ModelEntry:
    return read_model(write_block_model(tmp_path, **changes)).entry


@pytest.mark.parametrize(
    ("picture", "size"),
    [((640, 480), (512, 384)), ((1920, 1080), (608, 352)), ((1080, 1920), (384, 512)), ((500, 500), (512, 384))],
)
def test_the_input_nearest_to_the_pictures_aspect_is_taken(picture: tuple[int, int], size: tuple[int, int]) -> None:
    assert nearest_input(INPUTS, *picture) == size


def test_the_first_of_equally_near_inputs_is_taken() -> None:
    assert nearest_input([(384, 512), (512, 384)], 500, 500) == (384, 512)


@pytest.mark.parametrize("letterbox", ["centre", "corner"])
@pytest.mark.parametrize("picture", [(1920, 1080), (1081, 1923), (640, 352), (100, 300), (17, 16)])
def test_boxes_come_back_to_where_they_were(tmp_path: Path, picture: tuple[int, int], letterbox: str) -> None:
    """A box drawn into the input where the placement says is that of the picture, to the rounding of a pixel."""
    filled, (placed,) = Letterbox(_entry(tmp_path, letterbox=letterbox), (256, 160), 1).fill(
        [np.zeros((picture[1], picture[0], 3), np.uint8)]
    )
    placement = placed.placement
    assert filled.shape == (1, 3, 160, 256)
    x0, y0 = placement.offset_px
    inner = np.array([[x0, y0, x0 + picture[0] * placement.scale[0], y0 + picture[1] * placement.scale[1]]])
    assert placement.back(inner.astype(np.float32))[0] == pytest.approx([0, 0, *picture], abs=0.01)
    dark = filled[0, 0] == 0
    assert dark.sum() == pytest.approx((inner[0, 2] - x0) * (inner[0, 3] - y0), rel=0.01)
    assert (filled[0, 0][~dark] == 114).all()


def test_what_reaches_beyond_the_picture_is_cut_at_its_border(tmp_path: Path) -> None:
    _, (placed,) = Letterbox(_entry(tmp_path), (256, 160), 1).fill([np.zeros((80, 80, 3), np.uint8)])
    back = placed.placement.back(np.array([[0, -10, 256, 300]], np.float32))
    assert back.tolist() == [[0, 0, 80, 80]]


def test_nothing_of_the_picture_before_is_left(tmp_path: Path) -> None:
    box = Letterbox(_entry(tmp_path), (256, 160), 1)
    box.fill([np.full((160, 256, 3), 255, np.uint8)])
    filled, _ = box.fill([np.full((40, 256, 3), 255, np.uint8)])
    assert (filled[0, :, 0] == 114).all()


def test_values_are_scaled_shifted_and_ordered_as_the_entry_says(tmp_path: Path) -> None:
    entry = _entry(tmp_path, scale=1 / 255, mean=[0.5, 0.25, 0.0], std=[0.5, 0.5, 2.0], colour="rgb")
    picture = np.zeros((160, 256, 3), np.uint8)
    picture[:] = (255, 51, 204)
    filled, _ = Letterbox(entry, (256, 160), 1).fill([picture])
    assert filled[0, :, 80, 80] == pytest.approx([(0.8 - 0.5) / 0.5, (0.2 - 0.25) / 0.5, 1.0 / 2.0], abs=1e-6)


def test_fine_structure_does_not_alias_where_the_entry_says_area() -> None:
    """Lines one pixel wide, four apart: their mean is a quarter of white wherever the picture begins."""
    picture = np.zeros((1080, 1920, 3), np.uint8)
    picture[:, ::4] = 255
    shrunk = halved(picture, 512 / 1920)
    assert shrunk.shape == (540, 960, 3)
    averaged = cv2.resize(shrunk, (512, 288), interpolation=cv2.INTER_LINEAR).astype(float)
    plain = cv2.resize(picture, (512, 288), interpolation=cv2.INTER_LINEAR).astype(float)
    assert averaged.std() < plain.std() / 1.5
    assert averaged.mean() == pytest.approx(255 / 4, rel=0.05)


@pytest.mark.parametrize(("ratio", "size"), [(0.51, (61, 41)), (0.5, (30, 20)), (0.25, (15, 10)), (0.01, (1, 1))])
def test_a_picture_is_halved_as_often_as_fits(ratio: float, size: tuple[int, int]) -> None:
    assert halved(np.zeros((41, 61, 3), np.uint8), ratio).shape == (size[1], size[0], 3)


def test_area_and_linear_see_the_same_blocks(tmp_path: Path) -> None:
    large = paint([("helmet", 2, 3), ("head", 9, 1)], 1024, 640, cell=64)
    seen = [
        open_detector(write_block_model(tmp_path / how, resample=how)).see([large])[0].xyxy
        for how in ("area", "linear")
    ]
    assert seen[0] == pytest.approx(seen[1], abs=1.0)
