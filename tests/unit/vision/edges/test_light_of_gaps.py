"""Lines that are gone are a gap in the light in which they were seen last; in another light nobody can say."""

from dataclasses import replace

import numpy as np
import pytest

from gateway.model.verdict import Truth
from tests.fakes.edge_site import FOOT_Y, HEIGHT, LENGTH_M, SECOND, Look, Site, bare, hole, painted, survey, x_of
from vision.edges.evidence import Columns
from vision.edges.settings import EdgeSettings
from vision.edges.watch import EdgeWatch

WHOLE = Look()


def test_a_whole_side_taken_down_in_the_light_of_the_evening_is_missing() -> None:
    site, evening = Site(), replace(WHOLE, light=0.5)
    site.run(45)
    site.run(60, evening)
    site.run(75, bare(evening, (0.0, LENGTH_M)))
    assert site.finding().truth is Truth.TRUE
    assert site.finding().about["what"] == "missing"


def test_rails_that_go_while_a_shadow_comes_are_unknown_and_never_ok() -> None:
    site = Site()
    site.run(45)
    shaded = replace(bare(WHOLE, (9.0, 11.0)), shadow_x=x_of(8.0))
    site.run(90, shaded)
    assert (site.fired, site.truth()) == ([], Truth.UNKNOWN)
    site.run(60, WHOLE)
    assert site.truth() is Truth.FALSE


def test_a_shadow_that_was_met_before_hides_no_gap() -> None:
    site, shaded = Site(), replace(WHOLE, shadow_x=x_of(3.5))
    site.run(45)
    site.run(120, shaded)
    assert site.fired == []
    site.run(60, bare(shaded, (5.0, 8.0)))
    assert [round(float(one.about["from_m"])) for one in site.fired] == [5]


@pytest.mark.parametrize("x", [312, 330, 350])
def test_a_shadow_across_a_cover_is_no_hole(x: int) -> None:
    site = Site(hole())
    site.run(45)
    site.run(120, replace(WHOLE, shadow_x=x))
    assert site.fired == []


def test_an_open_stretch_of_which_as_much_says_that_it_is_protected_is_unknown_and_stays_open() -> None:
    columns, gap = Columns(1, EdgeSettings()), np.array([True])
    for second in range(40):
        columns.step(gap, ~gap, gap, second * SECOND)
    assert (columns.is_open[0], columns.unknown(39 * SECOND)[0]) == (True, False)
    for second in range(40, 55):
        columns.step(~gap, gap, gap, second * SECOND)
    assert (columns.is_open[0], columns.unknown(54 * SECOND)[0]) == (True, True)
    for second in range(55, 75):
        columns.step(~gap, gap, gap, second * SECOND)
    assert (columns.is_open[0], columns.unknown(74 * SECOND)[0]) == (False, False)


def test_a_rail_that_lost_its_upper_bar_is_a_gap_and_is_not_learnt_as_usual_while_it_fades() -> None:
    site = Site()
    site.run(60)
    for second in range(75):
        site.second += 1
        whole, stripped = (painted(look, second) for look in (Look(), bare(Look(), (4.0, 7.0))))
        site.show(np.concatenate([stripped[: FOOT_Y - 25], whole[FOOT_Y - 25 :]]))
    assert site.truth() is Truth.TRUE


def test_an_open_cover_at_the_border_of_the_picture_is_no_other_light() -> None:
    """The strip repeats the last row of the picture, and that is the hole's."""
    cut = 249
    whole, opened = (painted(look, 3)[:cut] for look in (Look(), Look(covered=False)))
    corners = tuple((x, min(1.0, y * HEIGHT / cut)) for x, y in hole().line)
    site = Site()
    site.watch = EdgeWatch(survey(replace(hole(), line=corners)), painted(seed=99)[:cut])
    for second in range(150):
        site.second += 1
        site.show(whole if second < 60 else opened)
    assert site.truth() is Truth.TRUE
