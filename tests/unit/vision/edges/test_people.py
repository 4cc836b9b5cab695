"""People at an unprotected edge: within reach, confirmed, and only where the edge is open."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.model.verdict import Truth
from tests.fakes.edge_site import FOOT_Y, PX_M, Look, Site, bare, x_of
from vision.picture.finding import FindingKind

AT = FindingKind.PERSON_AT_EDGE
GAP = bare(Look(), (4.0, 8.0))


def person(metre: float, off_m: float) -> NDArray[np.float32]:
    """A box whose foot is `off_m` below (nearer than) the line."""
    x, y = x_of(metre), FOOT_Y + off_m * PX_M
    return np.array([[x - 6, y - 52, x + 6, y]], np.float32)


def opened() -> Site:
    site = Site()
    site.run(45)
    site.run(60, GAP)
    assert site.truth() is Truth.TRUE
    return site


def test_a_person_at_the_gap_is_told_after_two_seconds() -> None:
    site = opened()
    site.run(1.6, GAP, person(6.0, 0.4), every=0.2)
    assert site.truth(AT) is Truth.FALSE
    site.run(1, GAP, person(6.0, 0.4), every=0.2)
    found = site.finding(AT)
    assert found.truth is Truth.TRUE
    assert found.measured == 1.0
    assert found.about["edge"] == "north"
    assert found.box_px == pytest.approx(person(6.0, 0.4)[0].tolist())
    assert [one.kind for one in site.fired].count(AT) == 1


def test_a_person_beyond_the_line_counts() -> None:
    site = opened()
    site.run(4, GAP, person(5.0, -0.8), every=0.5)
    assert site.truth(AT) is Truth.TRUE


@pytest.mark.parametrize(("metre", "off_m"), [(6.0, 1.4), (10.0, 0.2), (1.5, 0.2)])
def test_a_person_away_from_the_gap_or_behind_a_rail_does_not(metre: float, off_m: float) -> None:
    site = opened()
    site.run(6, GAP, person(metre, off_m), every=0.5)
    assert site.truth(AT) is Truth.FALSE


def test_it_clears_when_the_person_has_gone_for_two_seconds() -> None:
    site = opened()
    site.run(4, GAP, person(6.0, 0.4), every=0.5)
    site.run(1, GAP, every=0.5)
    assert site.truth(AT) is Truth.TRUE
    site.run(2, GAP, every=0.5)
    assert site.truth(AT) is Truth.FALSE


def test_one_missed_frame_begins_nothing_anew() -> None:
    site = opened()
    site.run(1.5, GAP, person(6.0, 0.4), every=0.5)
    site.run(0.5, GAP, every=0.5)
    site.run(1, GAP, person(6.0, 0.4), every=0.5)
    assert site.truth(AT) is Truth.TRUE


def test_behind_a_whole_rail_nobody_is_at_the_edge() -> None:
    site = Site()
    site.run(45)
    site.run(10, Look(), person(6.0, 0.2))
    assert site.truth(AT) is Truth.FALSE


def test_an_unusable_camera_does_not_say_that_nobody_is_there() -> None:
    site = opened()
    site.run(4, GAP, person(6.0, 0.4), every=0.5)
    site.run(1, GAP, usable=False)
    assert site.truth(AT) is Truth.UNKNOWN
    assert math.isnan(site.finding(AT).measured)
