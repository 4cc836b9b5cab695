"""What a camera does to a picture: nothing moves, nothing is left to chance, and a strength is a strength."""

from itertools import pairwise

import cv2
import numpy
import pytest

from vision.training.degrade import Degradation, degrade, degrade_at_random, still_seen

KINDS = list(Degradation)
HIDING = {Degradation.COVER, Degradation.HALF_GREY, Degradation.BLOWN_OUT, Degradation.DROPS}


def scene(height=320, width=416, seed=5):
    """Plates of all sizes and colours: a picture with something everywhere."""
    random = numpy.random.default_rng(seed)
    pixels = numpy.full((height, width, 3), 110, numpy.uint8)
    for _ in range(250):
        x, y = int(random.integers(0, width)), int(random.integers(0, height))
        w, h = (int(side) for side in random.integers(4, 50, 2))
        cv2.rectangle(pixels, (x, y), (x + w, y + h), [int(level) for level in random.integers(20, 230, 3)], -1)
    return pixels


def made(kind, strength, seed=1, pixels=None):
    return degrade(scene() if pixels is None else pixels, kind, strength, numpy.random.default_rng(seed))


def likeness(one, other):
    return float(numpy.corrcoef(one.mean(-1).ravel(), other.mean(-1).ravel())[0, 1])


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_generator_gives_the_same_picture_and_the_one_handed_in_stays(kind):
    pixels = scene()
    first = made(kind, 0.5, pixels=pixels)
    assert (first == made(kind, 0.5)).all()
    assert (pixels == scene()).all()
    assert first.dtype == numpy.uint8
    assert not (first == pixels).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(16, 16), (33, 47), (200, 75)])
def test_any_shape_comes_back_as_it_was_at_any_strength(kind, shape):
    pixels = scene(*shape)
    for strength in (0.01, 0.5, 1.0):
        assert made(kind, strength, pixels=pixels).shape == pixels.shape


@pytest.mark.parametrize("kind", KINDS)
def test_no_strength_changes_nothing_and_a_strength_outside_is_refused(kind):
    assert (made(kind, 0.0) == scene()).all()
    for strength in (-0.01, 1.01, float("nan")):
        with pytest.raises(ValueError, match="strength"):
            made(kind, strength)


@pytest.mark.parametrize("kind", KINDS)
def test_more_strength_leaves_less_of_the_picture(kind):
    left = [
        numpy.mean([likeness(scene(), made(kind, strength, seed)) for seed in range(4)])
        for strength in (0.1, 0.4, 0.7, 1.0)
    ]
    assert all(weaker > stronger for weaker, stronger in pairwise(left)), left
    assert left[0] > 0.5


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in HIDING])
def test_what_stood_somewhere_stands_there_still(kind):
    pixels = scene()
    for seed in range(4):
        after = made(kind, 0.4, seed)
        moved = [numpy.roll(pixels, (down, across), (0, 1)) for down, across in ((4, 0), (-4, 0), (0, 4), (0, -4))]
        assert likeness(pixels, after) > max(likeness(shifted, after) for shifted in moved)


def test_infrared_is_grey_with_warning_clothes_bright_and_the_rim_dark():
    pixels = numpy.full((320, 416, 3), 90, numpy.uint8)
    pixels[150:170, 200:220] = (0, 160, 255)
    for seed in range(5):
        night = made(Degradation.INFRARED, 0.6, seed, pixels)
        assert (night == night[:, :, :1]).all()
        assert night[150:170, 200:220].mean() > night[150:170, 225:260].mean() + 60
        assert night[:30, :30].mean() < 0.8 * night[180:220, 180:220].mean()


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_a_cover_and_lost_packets_take_the_share_that_was_asked(share):
    pixels = scene()
    for seed in range(5):
        covered = (made(Degradation.COVER, share, seed) != pixels).any(-1).mean()
        assert covered == pytest.approx(share, abs=0.08)
        lost = made(Degradation.HALF_GREY, share, seed)
        first = int(320 * (1 - share) / 16) * 16
        assert (lost[:first] == pixels[:first]).all()
        assert (lost[first + 16 :].astype(int).std(axis=0) == 0).all()


def test_low_light_darkens_and_haze_takes_the_contrast():
    pixels = scene()
    assert made(Degradation.LOW_LIGHT, 0.7).mean() < 0.5 * pixels.mean()
    assert made(Degradation.HAZE, 0.7).std() < 0.5 * pixels.std()
    assert made(Degradation.GLARE, 0.7).mean() > pixels.mean()


def test_a_box_under_a_cover_is_not_seen_and_one_beside_it_is():
    before = scene()
    after = before.copy()
    after[:, 208:] = 60
    boxes = numpy.array([[20, 20, 60, 60], [300, 20, 340, 60], [500, 20, 540, 60], [10, 10, 10, 30]], numpy.float32)
    assert still_seen(before, after, boxes).tolist() == [True, False, False, False]
    assert still_seen(before, before, boxes).tolist() == [True, True, False, False]
    assert still_seen(before, after[::-1, ::-1], boxes[:1]).tolist() == [False]


def test_training_pictures_are_mostly_left_alone_and_never_covered():
    pixels = scene(96, 128)
    drawn = [degrade_at_random(pixels, numpy.random.default_rng(seed), share=0.4) for seed in range(150)]
    changed = sum(not (picture == pixels).all() for picture in drawn)
    assert 40 <= changed <= 80
    again = degrade_at_random(pixels, numpy.random.default_rng(3), share=0.4)
    assert (again == drawn[3]).all()
