"""What is drawn over a canvas: where it lies, where it must not lie, and how far a picture is stretched."""

import numpy
import pytest

from vision.training.augment import SQUASH, STRETCH, Focus, cut, make_single
from vision.training.classes import HEAD, HELMET, PERSON
from vision.training.obstruct import HIDDEN_AT_MOST, draw_bars, draw_mask, draw_round_tops, obstruct
from vision.training.pictures import Picture

GREY = 90
SEEDS = range(25)


def grey_canvas():
    return numpy.full((240, 320, 3), GREY, numpy.uint8)


def rows(*boxes):
    return numpy.array(boxes, numpy.float32).reshape(-1, 5)


def changed(pixels):
    return (pixels != GREY).any(-1)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_mask_hides_the_lower_half_of_a_head_and_not_its_upper(seed):
    pixels = grey_canvas()
    draw_mask(pixels, numpy.array([100, 60, 180, 160], numpy.float32), numpy.random.default_rng(seed))
    seen = changed(pixels)
    assert seen[110:160, 100:180].mean() > 0.2
    assert not seen[:100].any()
    assert not seen[166:].any()


def test_a_bar_that_would_hide_a_head_is_not_drawn():
    head = rows((HEAD, 100, 60, 130, 90))[:, 1:]
    alone = [seed for seed in range(120) if numpy.random.default_rng(seed).integers(1, 4) == 1]
    with_head, without = [], []
    for seed in alone:
        for boxes, shares in ((head, with_head), (head[:0], without)):
            pixels = grey_canvas()
            draw_bars(pixels, boxes, numpy.random.default_rng(seed))
            shares.append(changed(pixels)[60:90, 100:130].mean())
    assert max(without) > HIDDEN_AT_MOST
    assert 0 < max(with_head) <= HIDDEN_AT_MOST


@pytest.mark.parametrize("seed", SEEDS)
def test_round_tops_are_drawn_and_stay_clear_of_everybody(seed):
    boxes = rows((HEAD, 100, 60, 140, 110), (PERSON, 80, 60, 160, 230))
    pixels = grey_canvas()
    draw_round_tops(pixels, boxes[:, 1:], numpy.random.default_rng(seed))
    assert not changed(pixels)[60:230, 80:160].any()
    alone = grey_canvas()
    draw_round_tops(alone, boxes[:0, 1:], numpy.random.default_rng(seed))
    assert changed(alone).any()


def test_obstructing_leaves_the_canvas_handed_in_and_follows_its_seed():
    boxes = rows((HEAD, 100, 60, 180, 160))
    before = grey_canvas()
    first = [obstruct(before, boxes, numpy.random.default_rng(seed)) for seed in SEEDS]
    again = [obstruct(before, boxes, numpy.random.default_rng(seed)) for seed in SEEDS]
    assert not changed(before).any()
    assert all((one == other).all() for one, other in zip(first, again, strict=True))
    drawn = sum(bool(changed(one).any()) for one in first)
    assert 0 < drawn < len(first)


def test_an_empty_canvas_can_be_obstructed():
    drawn = [obstruct(grey_canvas(), rows(), numpy.random.default_rng(seed)) for seed in SEEDS]
    assert any(changed(one).any() for one in drawn)


def square_picture():
    pixels = numpy.zeros((120, 120, 3), numpy.uint8)
    pixels[45:75, 45:75] = 255
    return Picture("a.png", "drawn", pixels, rows((HELMET, 45, 45, 75, 75)), True)


def test_pictures_are_stretched_both_ways_and_never_further_than_said():
    aspects = []
    for seed in range(80):
        canvas = cut(square_picture(), 240, 240, 1.0, Focus(60.0, 60.0, 30.0), numpy.random.default_rng(seed))
        _, x1, y1, x2, y2 = canvas.boxes[0]
        aspects.append((x2 - x1) / (y2 - y1))
    turned = 0.02
    assert SQUASH[0] - turned <= min(aspects) < STRETCH[0]
    assert 1.2 < max(aspects) <= STRETCH[1] + turned
    assert numpy.isclose(aspects, 1.0, atol=turned).sum() > 20


def test_a_tile_is_now_and_then_laid_around_no_head():
    picture = Picture("a.png", "drawn", numpy.zeros((900, 1200, 3), numpy.uint8), rows((HEAD, 5, 5, 35, 35)), True)
    shown = [len(make_single(picture, 96, 96, numpy.random.default_rng(seed)).boxes) for seed in range(60)]
    assert 0 < shown.count(0) < 30
