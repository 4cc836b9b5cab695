"""Metres along an edge and the rail top, from two marks."""

from dataclasses import replace

import numpy as np
import pytest

from gateway.model.survey import Edge, EdgeKind, RailMark
from tests.fakes.edge_site import hole, rail
from vision.edges.geometry import ROWS_PER_M, rectified
from vision.edges.view import view_of

FOCAL, WIDTH, HEIGHT = 800.0, 1000, 600


def seen(x: float, up: float, deep: float) -> tuple[float, float]:
    """A level pinhole camera, 4 m over the ground: fractions of the picture."""
    return ((WIDTH / 2 + FOCAL * x / deep) / WIDTH, (HEIGHT / 3 + FOCAL * (4.0 - up) / deep) / HEIGHT)


def slanting(length_m: float = 20.0) -> tuple[Edge, list[tuple[float, float, float]]]:
    """An edge that runs away from the camera, and its places metre by metre (x, depth)."""
    start, end = np.array([-4.0, 12.0]), np.array([4.0, 30.0])
    spots = [(*(start + (end - start) * t), t * length_m) for t in np.linspace(0, 1, 21)]
    ends = (seen(start[0], 0, start[1]), seen(end[0], 0, end[1]))
    tops = (seen(start[0], 1.2, start[1]), seen(end[0], 1.2, end[1]))
    marks = tuple(RailMark(foot, top, 1.2) for foot, top in zip(ends, tops, strict=True))
    return Edge("e", "e", EdgeKind.FLOOR_EDGE, ends, length_m, marks), spots


def test_metres_along_a_slanting_edge_are_those_of_perspective() -> None:
    edge, spots = slanting()
    strip = rectified(edge, WIDTH, HEIGHT)
    for x, deep, metre in spots[1:-1]:
        column = int(np.argmin(np.abs(strip.metre - metre)))
        u, v = seen(x, 0, deep)
        assert strip.foot_px[column] == pytest.approx((u * WIDTH, v * HEIGHT), abs=2.0)


def test_the_rail_top_lies_on_its_row_everywhere() -> None:
    edge, spots = slanting()
    strip = rectified(edge, WIDTH, HEIGHT)
    row = round(strip.row_of(1.2))
    for x, deep, metre in spots[1:-1]:
        column = int(np.argmin(np.abs(strip.metre - metre)))
        u, v = seen(x, 1.2, deep)
        assert strip.map_x[row, column] == pytest.approx(u * WIDTH, abs=2.5)
        assert strip.map_y[row, column] == pytest.approx(v * HEIGHT, abs=2.5)


def test_marks_within_the_line_give_the_same() -> None:
    edge, spots = slanting()
    inner = [spots[5], spots[14]]
    marks = tuple(RailMark(seen(x, 0, deep), seen(x, 1.2, deep), 1.2) for x, deep, _ in inner)
    whole, part = (rectified(one, WIDTH, HEIGHT) for one in (edge, replace(edge, marks=marks)))
    assert np.abs(whole.map_y - part.map_y).max() < 4.0


def test_a_strip_has_fixed_pixels_for_each_metre_whatever_the_picture() -> None:
    small, large = rectified(rail(), 480, 270), rectified(rail(), 1920, 1080)
    assert small.map_x.shape == large.map_x.shape
    assert small.row_of(0.0) - small.row_of(1.0) == ROWS_PER_M
    assert len(small.metre) / small.edge.length_m == 16


def test_scale_stays_positive_far_beyond_the_marks() -> None:
    edge, spots = slanting()
    marks = tuple(RailMark(seen(x, 0, deep), seen(x, 1.2, deep), 1.2) for x, deep, _ in (spots[0], spots[3]))
    strip = rectified(replace(edge, marks=marks), WIDTH, HEIGHT)
    assert strip.scale_px_m.min() > 0
    assert np.isfinite(strip.map_x).all()
    assert (np.diff(strip.metre) > 0).all()


def test_an_opening_is_judged_inside_and_witnessed_outside() -> None:
    view = view_of(hole(), 480, 270)
    assert view.opening
    assert not ((view.protected > 0) & (view.witness > 0)).any()
    assert view.judged.any()
    assert not view.judged.all()


def test_what_lies_outside_the_picture_shows_neither_protection_nor_what_surrounds_it():
    at_the_border = replace(hole(), line=tuple((x, min(1.0, y + 20 / 270)) for x, y in hole().line))
    view = view_of(at_the_border, 480, 270)
    outside = view.map_y > 269
    assert outside.any()
    assert not view.witness[outside].any()
    assert not view.protected[outside].any()
    assert view.witness[~outside].any()
