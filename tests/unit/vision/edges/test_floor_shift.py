"""Where the lines are after the floor moved up: a proposal, and the geometry by which a line goes up."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.model.floor_rise import Move, raised, way_up
from gateway.model.survey import Edge, EdgeKind, RailMark
from tests.fakes.edge_site import HEIGHT, PX_M, WIDTH, hole, painted, rail, survey
from vision.edges.floor_shift import floor_rises

RISE_M = 3.0
Image = NDArray[np.uint8]


def jpeg(image: Image) -> bytes:
    return bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 90])[1])


def a_storey_up(old_stays: bool = False) -> Image:
    """The painted site with the rail and the slab three metres higher, in a little less light."""
    image, up = painted(seed=3), round(RISE_M * PX_M)
    band = image[140:194].copy()
    if not old_stays:
        image[140:194] = 150
    image[140 - up : 194 - up] = band
    return np.clip(image * 0.8, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("old_stays", [False, True])
def test_the_new_height_is_proposed_though_the_old_rail_may_still_stand(old_stays: bool) -> None:
    (rise,) = floor_rises(survey(), jpeg(painted(seed=99)), jpeg(a_storey_up(old_stays)))
    assert (rise.edge_id, rise.found) == ("north", True)
    assert rise.rise_m == pytest.approx(RISE_M, abs=0.1)
    assert rise.agreement > 0.5


def test_where_nothing_agrees_nothing_is_proposed() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    assert not any(rise.found for rise in floor_rises(survey(), jpeg(painted()), jpeg(noise)))


def test_an_opening_goes_along_with_the_floor_and_a_pit_stays() -> None:
    pit = replace(rail(), edge_id="pit", kind=EdgeKind.PIT_EDGE)
    rises = floor_rises(survey(rail(), hole(), pit), jpeg(painted(seed=99)), jpeg(a_storey_up()))
    assert [round(rise.rise_m) for rise in rises] == [3, 3, 0]
    assert [rise.found for rise in rises] == [True, False, False]


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="5 bytes that are no picture"):
        floor_rises(survey(), jpeg(painted()), b"nope!")


NEAR, FAR = RailMark((0.1, 0.8), (0.1, 0.5), 1.2), RailMark((0.9, 0.6), (0.9, 0.54), 1.2)
SLANTED = Edge("e", "e", EdgeKind.FLOOR_EDGE, ((0.1, 0.8), (0.5, 0.7), (0.9, 0.6)), 12.0, (NEAR, FAR))


def test_a_line_that_goes_away_from_the_camera_rises_less_at_its_far_end() -> None:
    moved = raised(SLANTED, Move(1.2, 0.01, 1.1))
    near, middle, far = moved.line
    assert near == (pytest.approx(0.11), pytest.approx(0.5))
    assert middle == (pytest.approx(0.51), pytest.approx(0.7 - 0.18))
    assert far == (pytest.approx(0.91), pytest.approx(0.54))
    assert moved.marks[0].foot == near
    assert moved.marks[0].top == (pytest.approx(0.11), pytest.approx(0.5 - 1.1 * 0.3))
    assert raised(SLANTED, Move(0.0)) == SLANTED


def test_beyond_the_marks_up_is_never_down() -> None:
    assert way_up(SLANTED, (5.0, 0.5))[1] == pytest.approx(0.2 * -0.06 / 1.2)


def test_an_opening_rises_as_the_nearest_mark_says() -> None:
    assert way_up(hole(), (0.85, 0.7), (SLANTED,)) == (0.0, pytest.approx(-0.06 / 1.2))
    assert raised(hole(), Move(1.0)).line[0][1] == pytest.approx(hole().line[0][1] - 0.06)
