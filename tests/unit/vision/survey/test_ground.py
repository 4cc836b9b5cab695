"""Surveyed ground: what the picture says of the site, how surely, and which corners are none."""

import numpy as np
import pytest

from gateway.model.survey import Zone, ZoneUse
from vision.survey.ground import ground_of

OUTLINE = ((0.1, 0.9), (0.9, 0.9), (0.65, 0.4), (0.35, 0.4))
CORNERS = ((500_000.0, 0.0), (500_020.0, 0.0), (500_020.0, 60.0), (500_000.0, 60.0))


def zone(outline: object = OUTLINE, site_m: object = CORNERS) -> Zone:
    return Zone("yard", "场地", ZoneUse.GROUND, outline, site_m)  # type: ignore[arg-type]


def test_a_spot_and_its_place_are_one_another_in_the_countrys_grid() -> None:
    ground = ground_of(zone())
    places = np.array([[500_010.0, 0.0], [500_003.0, 41.0], [500_019.0, 59.0]])
    assert ground.site_m(ground.picture(places)) == pytest.approx(places, abs=1e-4)
    assert ground.error_m < 1e-6
    assert ground.holds(ground.picture(places)).all()


def test_what_lies_behind_the_camera_is_nowhere_in_the_picture() -> None:
    assert np.isnan(ground_of(zone()).picture(np.array([[500_010.0, -3000.0]]))).all()


def test_a_pixel_is_more_metres_far_away() -> None:
    ground, off = ground_of(zone()), np.array([0.002, 0.002])
    near, far = (ground.spread_m(np.array([0.5, y]), off) for y in (0.88, 0.42))
    assert far > 3 * near > 0


@pytest.mark.parametrize(
    ("corners", "why"),
    [
        (((0, 0), (20, 0), (0, 60), (20, 60)), "exchanged"),
        (((0, 0), (20, 0), (40, 0), (60, 0)), "one line"),
        (((0, 0), (20, 0), (20, 60)), "4 points and 3 places"),
    ],
)
def test_corners_that_no_camera_sees_so_are_refused(corners: object, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        ground_of(zone(site_m=corners))


def test_a_fifth_corner_that_does_not_fit_is_refused_with_how_far_it_is_off() -> None:
    outline = (*OUTLINE[:2], (0.77, 0.66), *OUTLINE[2:])
    true = ground_of(zone()).site_m(np.array([[0.77, 0.66]]))[0]
    corners = (*CORNERS[:2], (float(true[0]), float(true[1])), *CORNERS[2:])
    assert ground_of(zone(outline, corners)).error_m < 1e-6
    off = (*CORNERS[:2], (float(true[0]), float(true[1]) + 12.0), *CORNERS[2:])
    with pytest.raises(ValueError, match="off one plane"):
        ground_of(zone(outline, off))
