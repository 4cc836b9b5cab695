"""What leaves the eye shows no face: blurred where heads were seen, coarse where nothing could look for them."""

import numpy as np

from gateway.model.detections import Detections, SeenClass
from vision.eye.pictures import blurred, reference_of
from vision.picture.frame import Frame

NOISE = np.random.default_rng(5).integers(0, 256, (240, 320, 3), dtype=np.uint8)
HEAD = (100.0, 60.0, 160.0, 140.0)


def seen(*boxes: tuple[float, float, float, float]) -> Detections:
    n = len(boxes)
    return Detections(
        "cam",
        1,
        1,
        320,
        240,
        np.array(boxes, np.float32).reshape(n, 4),
        np.full(n, 0.9, np.float32),
        np.full(n, SeenClass.HEAD, np.uint8),
        np.arange(n, dtype=np.int32),
    )


def test_without_a_model_the_whole_picture_is_coarse_and_of_the_same_size():
    shown = blurred(NOISE, None, 1.0)
    assert shown.shape == NOISE.shape
    assert (shown[0:12, 0:12] == shown[0, 0]).all()
    assert shown.astype(float).std() < NOISE.astype(float).std() / 4


def test_where_nobody_was_seen_the_picture_is_shown_as_it_is():
    assert np.array_equal(blurred(NOISE, seen(), 1.0), NOISE)


def test_a_head_is_blurred_and_what_is_elsewhere_is_not():
    shown = blurred(NOISE, seen(HEAD), 1.0)
    assert not np.array_equal(shown[110:135, 105:155], NOISE[110:135, 105:155])
    assert np.array_equal(shown[:50], NOISE[:50])
    assert np.array_equal(shown[:, 200:], NOISE[:, 200:])


def test_the_reference_to_draw_on_is_coarse_too_without_a_model():
    frame = Frame("cam", 1, 1, 1, False, 1, NOISE)
    with_nobody, unlooked = reference_of(frame, seen()), reference_of(frame, None)
    assert unlooked.width_px == 320
    assert len(unlooked.body) < len(with_nobody.body) / 2
