"""A camera that starts by night, with a reference by day: lamps make the lines stronger than the sun did, and the
picture is noisy."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.model.verdict import Truth
from tests.fakes.edge_site import LENGTH_M, Look, Site, bare, painted, survey
from vision.edges.appearance import Fit
from vision.edges.live import Average, lit_by_lamps, look_of, strip_of
from vision.edges.registration import Shift
from vision.edges.structure import Agreement, Measured, agreement, rail_weight
from vision.edges.structure import Look as Strip
from vision.edges.view import View, view_of
from vision.edges.watch import EdgeWatch, _cover

STILL = Shift(0.0, 0.0, 1.0)
WHOLE = Look(noise=0.0)


def view() -> View:
    return view_of(survey().edges[0], 480, 270)


def grey(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)


def under_a_lamp(look: Look, seed: int = 0) -> NDArray[np.uint8]:
    """Bars and posts bright before a yard that is nearly dark, with the noise of a camera by night."""
    yard, seen = painted(bare(WHOLE, (0.0, LENGTH_M))), painted(bare(WHOLE, *look.gone))
    bars = np.abs(seen.astype(int) - yard).max(2) > 20
    lit = np.where(bars[..., None], 235.0, yard * 0.35)
    return np.clip(lit + np.random.default_rng(seed).normal(0, 14, lit.shape), 0, 255).astype(np.uint8)


def agreed(live: NDArray[np.uint8], by_lamps: bool = True) -> Agreement:
    strip: Strip = look_of(grey(painted(WHOLE)), view())
    weight = rail_weight(strip.gradient, view().protected, False)
    return agreement(Measured(look_of(grey(live), view()), by_lamps), Measured(strip), weight, view().witness, False)


def test_lines_that_a_lamp_makes_stronger_along_the_whole_edge_are_no_border_of_a_shadow() -> None:
    found = agreed(under_a_lamp(Look()))
    assert found.judged.mean() > 0.95
    assert found.score[found.judged].min() > 0.6


def test_a_strong_border_that_crosses_the_bars_says_nothing_there() -> None:
    image = painted(WHOLE).astype(np.float32)
    image[:, 230:233] = 255
    found = agreed(image.astype(np.uint8))
    assert found.score[found.judged].min() > 0.6


def test_a_panel_that_goes_by_night_is_found_by_a_camera_that_never_saw_the_night() -> None:
    site = Site()
    for second in range(300):
        site.second += 1
        gone = bare(Look(), (4.0, 6.0)) if second >= 180 else Look()
        site.show(under_a_lamp(gone, second % 20))
    assert [round(float(one.about["from_m"])) for one in site.fired] == [4]


def test_a_whole_edge_by_night_is_told_as_whole() -> None:
    site = Site()
    for second in range(240):
        site.second += 1
        site.show(under_a_lamp(Look(), second % 20))
    assert (site.fired, site.truth()) == ([], Truth.FALSE)


@pytest.mark.parametrize(("darker", "told"), [(-0.02, False), (-0.2, True)], ids=["as bright", "dimmer"])
def test_a_cover_that_only_looks_different_is_no_hole(darker: float, told: bool) -> None:
    """The pattern of a cover changes where the sun stands otherwise; a hole is darker than the cover was."""
    one = np.ones(6, np.float32)
    found = Agreement(0.2 * one, 0.2 * one, one > 0, one, darker * one)
    gap, _ = _cover(found, one > 0, one < 0, one > 0, one > 0, by_lamps=True)
    assert gap.all() == told
    assert gap.any() == told


def averaged(sigma: float, seconds: int = 12) -> Average:
    place = view()
    average, free = Average(place, 6.0), np.ones_like(place.map_x)
    dice, still = np.random.default_rng(5), grey(painted(WHOLE)).astype(np.float32)
    for _ in range(seconds):
        picture = np.clip(still + dice.normal(0, sigma, still.shape), 0, 255).astype(np.uint8)
        average.add(strip_of(picture, place, STILL), free, 1.0)
    return average


def test_a_noisy_picture_is_one_of_the_night_until_it_is_calm_again() -> None:
    calm, between, noisy = averaged(2.0), averaged(6.2), averaged(14.0)
    assert calm.noise < 4.0 < between.noise < 6.0 < noisy.noise
    assert [lit_by_lamps([one], before=False) for one in (calm, between, noisy)] == [False, False, True]
    assert [lit_by_lamps([one], before=True) for one in (calm, between, noisy)] == [False, True, True]
    assert not lit_by_lamps([], before=True)


def test_by_day_a_border_that_crosses_and_lines_as_strong_as_a_lamps_say_nothing_as_ever() -> None:
    """What is told of the night holds for the night: by day lines eight times too strong are a shadow's border."""
    found = agreed(under_a_lamp(Look()), by_lamps=False)
    assert found.judged.mean() < 0.5


@pytest.mark.parametrize(
    ("score", "by_day", "by_night"), [(0.40, False, False), (0.55, True, False), (0.75, True, True)]
)
def test_by_night_only_what_agrees_strongly_is_called_protected(score: float, by_day: bool, by_night: bool) -> None:
    watch = EdgeWatch(survey(), painted(WHOLE))
    watched = watch._edges[0]
    one = np.ones(len(watched.view.judged), np.float32)
    watched.by_day.light.agreed = watched.by_day.light.usual = 0.6 * one
    fit = Fit(0, Agreement(score * one, 0.9 * one, one > 0, one, 0 * one), 0.9)
    for lamps, told in ((False, by_day), (True, by_night)):
        gap, rail = watch._verdicts(watched, watched.by_day, fit, 0 * one, lamps)
        assert not gap.any()
        assert bool(rail[watched.view.judged].all()) == told
        assert bool(rail.any()) == told
