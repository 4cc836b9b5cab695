"""Which part of a person is the torso, and when it is none; what is fluorescent."""

import numpy as np
import pytest

from vision.people.torso import HEIGHT_PX, WIDTH_PX, crop, fluorescent_share, torso_of


def test_the_torso_is_below_the_head_and_above_the_hips() -> None:
    torso = torso_of((100.0, 100.0, 180.0, 300.0), 640, 480)
    assert torso == pytest.approx((104.0, 130.0, 176.0, 220.0))


@pytest.mark.parametrize(
    "person",
    [(0.0, 100.0, 80.0, 300.0), (100.0, 0.0, 180.0, 200.0), (100.0, 300.0, 180.0, 480.0), (100.0, 100.0, 300.0, 300.0)],
    ids=["left", "above", "below", "stooped"],
)
def test_who_is_cut_off_or_stoops_shows_none(person: tuple[float, float, float, float]) -> None:
    assert torso_of(person, 640, 480) is None


def test_a_crop_has_the_fixed_size_however_small_the_torso() -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    assert crop(image, (639.7, 479.7, 640.2, 480.1)).shape == (HEIGHT_PX, WIDTH_PX, 3)
    assert crop(image, (10.0, 10.0, 300.0, 400.0)).shape == (HEIGHT_PX, WIDTH_PX, 3)


@pytest.mark.parametrize(
    ("colour_bgr", "share"),
    [((40, 240, 230), 1.0), ((30, 120, 250), 1.0), ((150, 90, 60), 0.0), ((128, 128, 128), 0.0), ((20, 60, 60), 0.0)],
    ids=["yellow vest", "orange vest", "blue", "grey", "yellow in the dark"],
)
def test_what_is_fluorescent(colour_bgr: tuple[int, int, int], share: float) -> None:
    assert fluorescent_share(np.full((96, 64, 3), colour_bgr, np.uint8)) == share
