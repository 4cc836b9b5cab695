"""Two whole pictures of a camera: the same view, or another."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.model.verdict import Truth
from vision.health.view_comparison import has_moved

WIDTH, HEIGHT = 640, 360


def site(seed: int = 3) -> NDArray[np.uint8]:
    """A picture full of corners."""
    dice = np.random.default_rng(seed)
    image = np.full((HEIGHT, WIDTH), 120, np.uint8)
    for _ in range(140):
        x, y = int(dice.integers(0, WIDTH)), int(dice.integers(0, HEIGHT))
        far = (x + int(dice.integers(12, 90)), y + int(dice.integers(12, 60)))
        cv2.rectangle(image, (x, y), far, int(dice.integers(30, 220)), -1)
    return image


def jpeg(image: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".jpg", image)[1].tobytes()


def turned(image: NDArray[np.uint8], dx: float, dy: float) -> NDArray[np.uint8]:
    move = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    return np.asarray(cv2.warpAffine(image, move, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT), np.uint8)


def test_the_same_view_in_another_light_has_not_moved() -> None:
    dusk = np.clip(site() * 0.5 + np.random.default_rng(1).normal(0, 3, (HEIGHT, WIDTH)), 0, 255).astype(np.uint8)
    assert has_moved(jpeg(site()), jpeg(dusk)) is Truth.FALSE


def test_a_little_sway_is_no_move_and_a_turn_is_one() -> None:
    assert has_moved(jpeg(site()), jpeg(turned(site(), 4, -3))) is Truth.FALSE
    assert has_moved(jpeg(site()), jpeg(turned(site(), 40, 15))) is Truth.TRUE


def test_people_who_walk_before_a_plain_wall_turn_no_camera() -> None:
    def wall(*feet: int) -> bytes:
        image = np.full((HEIGHT, WIDTH), 190, np.uint8)
        image[200:] = 120
        image[178:182] = 60
        for x in feet:
            image[150:260, x : x + 28] = 80
        return jpeg(image)

    for feet in ((60, 380), (200, 500), (400, 90)):
        assert has_moved(wall(120, 340), wall(*feet)) is not Truth.TRUE


def test_another_place_is_a_move() -> None:
    assert has_moved(jpeg(site()), jpeg(site(seed=8))) is Truth.TRUE


@pytest.mark.parametrize("now", [b"", b"no picture", jpeg(site())[:200]])
def test_what_is_no_picture_says_nothing(now: bytes) -> None:
    assert has_moved(jpeg(site()), now) is Truth.UNKNOWN
    assert has_moved(now, jpeg(site())) is Truth.UNKNOWN


def test_a_picture_of_another_shape_or_without_texture_says_nothing() -> None:
    square = np.asarray(cv2.resize(site(), (360, 360)), np.uint8)
    assert has_moved(jpeg(site()), jpeg(square)) is Truth.UNKNOWN
    flat = np.full((HEIGHT, WIDTH), 90, np.uint8)
    assert has_moved(jpeg(flat), jpeg(flat)) is Truth.UNKNOWN
