"""A picture that is to be the reference by night: laid over the one by day, or refused with what was found."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.model.night_picture import NightLook, NightProblem
from tests.fakes.edge_site import HEIGHT, LENGTH_M, WIDTH, Look, bare, hole, painted, rail, survey
from vision.edges.survey_night import night_look

Image = NDArray[np.uint8]


def jpeg(image: Image) -> bytes:
    return bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 90])[1])


DAY = jpeg(painted())


def under_a_lamp(*gone: tuple[float, float], covered: bool = True, grain: float = 8.0) -> Image:
    """The site by night: what is painted, lit from the left, with the grain of a camera that sees little."""
    seen = painted(Look(gone=gone, covered=covered, noise=0.0)).astype(np.float32)
    reach = np.linspace(1.0, 0.15, WIDTH)[None, :, None]
    noise = np.random.default_rng(3).normal(0, grain, seen.shape)
    return np.clip(seen * reach + noise, 0, 255).astype(np.uint8)


def looked(image: Image) -> NightLook:
    return night_look(survey(rail(), hole()), DAY, jpeg(image))


def test_a_picture_by_night_lies_over_the_one_by_day_and_shows_the_lines() -> None:
    look = looked(under_a_lamp())
    assert look.faults == ()
    assert (abs(look.dx) * WIDTH, abs(look.dy) * HEIGHT) < (2.0, 2.0)
    assert [line.edge_id for line in look.lines] == ["north", "shaft"]
    assert min(line.share for line in look.lines) > 0.4


def test_a_camera_that_sways_is_followed() -> None:
    look = looked(np.roll(under_a_lamp(), (2, 4), axis=(0, 1)))
    assert look.faults == ()
    assert look.dx * WIDTH == pytest.approx(4, abs=1.5)
    assert look.dy * HEIGHT == pytest.approx(2, abs=1.5)


def grain_alone(sigma: float) -> Image:
    """A picture of nothing."""
    grain = np.random.default_rng(0).normal(60, sigma, (HEIGHT, WIDTH, 3))
    return np.clip(grain * np.linspace(1, 0.2, WIDTH)[None, :, None], 0, 255).astype(np.uint8)


REFUSED: dict[NightProblem, Image] = {
    NightProblem.OTHER_SIZE: cv2.resize(under_a_lamp(), (240, 135)).astype(np.uint8),
    NightProblem.TOO_DARK: (under_a_lamp(grain=0) // 30).astype(np.uint8),
    NightProblem.SAME_LIGHT: painted(seed=4),
    NightProblem.MOVED: np.roll(under_a_lamp(), 30, axis=1),
    NightProblem.NOT_MATCHED: grain_alone(14.0),
    NightProblem.NO_LINES: under_a_lamp((0.0, LENGTH_M), covered=False),
}


@pytest.mark.parametrize("problem", REFUSED)
def test_a_bad_picture_is_refused_with_what_was_found_and_expected(problem: NightProblem) -> None:
    drawn = survey(rail())
    (fault,) = night_look(drawn, DAY, jpeg(REFUSED[problem])).faults
    assert fault.problem is problem
    assert fault.found
    assert fault.expected
    assert str(fault).startswith("picture by night: ")


def test_what_is_no_picture_is_refused() -> None:
    (fault,) = night_look(survey(), DAY, b"\xff\xd8 no picture").faults
    assert (fault.problem, fault.found) == (NightProblem.NO_PICTURE, "13 bytes that are no picture")
    with pytest.raises(ValueError, match="reference picture is missing"):
        night_look(survey(), b"", DAY)


def test_one_edge_that_shows_its_lines_is_enough_and_the_others_are_said() -> None:
    look = looked(under_a_lamp((0.0, LENGTH_M)))
    assert look.faults == ()
    assert look.lines[0].share < 0.4 < look.lines[1].share


def test_a_gap_is_the_persons_to_see() -> None:
    """Lines are seen along less of the edge; the picture is not refused for that."""
    whole, open_ = (looked(under_a_lamp(*gone)).lines[0].share for gone in ((), bare(Look(), (4.0, 6.0)).gone))
    assert open_ < whole
