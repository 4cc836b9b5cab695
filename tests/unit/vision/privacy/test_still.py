"""Kept stills as they are shown: the face of every box is gone, the rest is there; what is no picture is refused."""

import cv2
import numpy as np
import pytest

from tests.fakes.camera_scene import site
from vision.privacy.still import blurred_still, blurred_thumbnail

HEAD = (200.0, 100.0, 260.0, 170.0, 1, 0.9, 3)


def jpeg(image):
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()


def decoded(body):
    return cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR)


def face(image):
    return image[120:165, 210:250]


def checked():
    image = site()
    image[100:170, 200:260] = np.indices((70, 60)).sum(axis=0)[..., None] // 4 % 2 * 255
    return image


def test_the_face_of_a_head_box_is_averaged_away_and_the_rest_stays():
    before = decoded(jpeg(checked()))
    after = decoded(blurred_still(jpeg(checked()), [HEAD]))

    assert face(before).std() > 80
    assert face(after).std() < 25
    assert np.abs(after[:, 300:].astype(int) - before[:, 300:]).mean() < 4


def test_without_boxes_nothing_is_blurred():
    assert face(decoded(blurred_still(jpeg(checked()), []))).std() > 80


def test_a_thumbnail_is_small_and_blurred_too():
    body, width, height = blurred_thumbnail(jpeg(checked()), [HEAD], 320)

    assert (width, height) == (320, 180)
    assert decoded(body).shape == (180, 320, 3)
    assert decoded(body)[62:80, 106:124].std() < 25


@pytest.mark.parametrize("body", [b"", b"no picture", jpeg(site())[:200]])
def test_what_is_no_picture_is_refused(body):
    with pytest.raises(ValueError, match="expected a JPEG"):
        blurred_still(body, [])
