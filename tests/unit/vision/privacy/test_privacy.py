import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.model.detections import SeenClass
from vision.privacy.privacy import CELLS, blur_faces, face_regions

HELMET, HEAD, PERSON = SeenClass


def _noise(height: int = 240, width: int = 320) -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_outside_the_face_regions_every_byte_is_the_same() -> None:
    image = _noise()
    boxes, classes = [[50, 40, 90, 90], [200, 100, 230, 140], [10, 150, 60, 239]], [HELMET, HEAD, PERSON]
    blurred = blur_faces(image, boxes, classes)
    outside = np.ones(image.shape[:2], bool)
    for x0, y0, x1, y1 in face_regions(boxes, classes, 320, 240):
        outside[y0:y1, x0:x1] = False
        assert (blurred[y0:y1, x0:x1] != image[y0:y1, x0:x1]).any()
    assert (blurred[outside] == image[outside]).all()
    assert outside.mean() > 0.9, "most of the picture is outside"


def test_the_picture_given_is_not_changed() -> None:
    image = _noise()
    before = image.copy()
    blur_faces(image, [[50, 40, 90, 90]], [HEAD])
    assert (image == before).all()


def test_the_helmet_stays_and_the_face_does_not() -> None:
    image = _noise()
    blurred = blur_faces(image, [[100, 100, 140, 150]], [HELMET])
    assert (blurred[100:122, 100:140] == image[100:122, 100:140]).all(), "the upper 45 % of the box"
    assert (blurred[124:150, 100:140] != image[124:150, 100:140]).mean() > 0.9


def test_a_bare_head_loses_its_forehead_too() -> None:
    image = _noise()
    blurred = blur_faces(image, [[100, 100, 140, 150]], [HEAD])
    assert (blurred[111:150, 100:140] != image[111:150, 100:140]).mean() > 0.9


def test_no_detail_is_left_in_a_face() -> None:
    """Noise has its energy between neighbours: what is left of it there is under a thousandth."""
    image = _noise()
    ((x0, y0, x1, y1),) = face_regions([[100, 60, 180, 160]], [HEAD], 320, 240)
    blurred = blur_faces(image, [[100, 60, 180, 160]], [HEAD])[y0:y1, x0:x1].astype(float)
    detail_before = np.diff(image[y0:y1, x0:x1].astype(float), axis=1).var()
    assert np.diff(blurred, axis=1).var() < detail_before / 1000


def test_all_that_is_left_of_a_face_are_the_means_of_its_cells() -> None:
    """Two faces whose cells have the same means become the same picture: nothing tells them apart any more."""
    box = [100, 60, 148, 111]
    ((x0, y0, x1, y1),) = face_regions([box], [HEAD], 320, 240)
    assert ((x1 - x0) % CELLS, (y1 - y0) % CELLS) == (0, 0)
    one, other = _noise(), _noise()
    for rows in np.split(np.arange(y0, y1), CELLS):
        for columns in np.split(np.arange(x0, x1), CELLS):
            cell = np.ix_(rows, columns)
            other[cell] = one[cell].reshape(-1, 3)[::-1].reshape(len(rows), len(columns), 3)
    assert np.abs(one[y0:y1, x0:x1].astype(int) - other[y0:y1, x0:x1]).mean() > 50, "they are different faces"
    assert (blur_faces(one, [box], [HEAD]) == blur_faces(other, [box], [HEAD])).all()


def test_a_small_head_is_blurred_whole() -> None:
    ((_, y0, _, y1),) = face_regions([[100, 100, 110, 111]], [HELMET], 320, 240)
    assert (y0, y1) == (100, 113)
    ((_, y0, _, _),) = face_regions([[100, 100, 110, 112]], [HELMET], 320, 240)
    assert y0 == 105, "a head of exactly the limit keeps its helmet"


def test_a_person_without_a_head_box_loses_the_top_and_one_with_a_head_box_does_not() -> None:
    person, head = [100, 50, 160, 230], [120, 52, 145, 80]
    assert face_regions([person], [PERSON], 320, 240) == ((100, 50, 160, 86),)
    with_head = face_regions([person, head], [PERSON, HELMET], 320, 240)
    assert with_head == face_regions([head], [HELMET], 320, 240)


def test_a_head_low_in_the_box_is_that_of_somebody_else() -> None:
    regions = face_regions([[100, 50, 160, 230], [120, 180, 145, 205]], [PERSON, HEAD], 320, 240)
    assert (100, 50, 160, 86) in regions


@pytest.mark.parametrize("box", [[-20, -20, 10, 10], [310, 230, 340, 260], [400, 10, 420, 30], [50, 50, 50, 50]])
def test_boxes_at_and_beyond_the_border_are_cut(box: list[float]) -> None:
    image = _noise()
    blurred = blur_faces(image, [box], [HEAD])
    assert blurred.shape == image.shape
    for x0, y0, x1, y1 in face_regions([box], [HEAD], 320, 240):
        assert 0 <= x0 < x1 <= 320
        assert 0 <= y0 < y1 <= 240


def test_no_boxes_leave_the_picture_as_it_is() -> None:
    image = _noise()
    assert (blur_faces(image, np.zeros((0, 4)), []) == image).all()


@pytest.mark.parametrize(("boxes", "classes"), [([[0, 0, 9, 9]], []), ([[0, 0, np.nan, 9]], [HEAD])])
def test_boxes_that_cannot_be_are_refused(boxes: list[list[float]], classes: list[int]) -> None:
    with pytest.raises(ValueError, match="finite boxes and a class for each"):
        blur_faces(_noise(), boxes, classes)
