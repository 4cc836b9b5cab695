"""The slow round: one tile a second, movement first, nothing left out."""

import numpy as np

from vision.detector.rounds import ANY_EVERY, EVERY_NS, TileRound
from vision.detector.tiles import View

STILL = np.zeros((90, 160), bool)


def looks(count: int, moved: np.ndarray | None = STILL, size: tuple[int, int] = (1920, 1080)) -> list[View]:
    round_ = TileRound()
    return [view for turn in range(count) for view in round_.next(*size, moved, turn * EVERY_NS)]


def test_every_tile_has_its_turn() -> None:
    seen = looks(9)
    assert len(set(seen)) == 9
    assert max(view.x1 for view in seen) == 1920
    assert max(view.y1 for view in seen) == 1080


def test_one_tile_a_second() -> None:
    round_ = TileRound()
    assert len(round_.next(1920, 1080, STILL, 0)) == 1
    assert round_.next(1920, 1080, STILL, EVERY_NS - 1) == ()
    assert len(round_.next(1920, 1080, STILL, EVERY_NS)) == 1


def test_where_something_moves_comes_first_and_the_rest_is_not_left_out() -> None:
    moved = STILL.copy()
    moved[80:, 150:] = True  # the lower right corner
    seen = looks(9 * ANY_EVERY, moved)
    corner = [view.x1 == 1920 and view.y1 == 1080 for view in seen]
    assert sum(corner) >= 9 * (ANY_EVERY - 1)
    assert len(set(seen)) == 9


def test_one_pixel_of_noise_is_no_movement() -> None:
    moved = STILL.copy()
    moved[89, 159] = True
    assert looks(9, moved) == looks(9)


def test_a_small_picture_has_no_tiles() -> None:
    assert looks(5, size=(640, 360)) == []


def test_another_size_begins_anew() -> None:
    round_ = TileRound()
    round_.next(1920, 1080, STILL, 0)
    (view,) = round_.next(1280, 704, STILL, 1)
    assert view.x1 <= 1280
    assert view.y1 <= 704
