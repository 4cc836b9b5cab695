"""Two pictures of an edge: as surveyed, and with the protection painted out."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.model.verdict import Truth
from tests.fakes.edge_site import (
    FOOT_Y,
    HEIGHT,
    LENGTH_M,
    SECOND,
    WIDTH,
    Look,
    Site,
    bare,
    hole,
    painted,
    rail,
    survey,
    x_of,
)
from vision.edges.live import look_of
from vision.edges.painted import PaintedOut
from vision.edges.structure import Measured
from vision.edges.view import View, view_of
from vision.edges.watch import EdgeWatch

Image = NDArray[np.uint8]
TOP_Y = FOOT_Y - 36
GAP = (4.0, 7.0)


def view() -> View:
    return view_of(rail(), WIDTH, HEIGHT)


def share(reference: Image, live: Image) -> NDArray[np.float32]:
    """By column, with the reference as the known look."""
    known, now = (look_of(image, view()) for image in (reference, live))
    found = PaintedOut(known, view()).share(Measured(now), Measured(known))
    assert found is not None
    return found


def within(from_m: float, to_m: float) -> NDArray[np.bool_]:
    metre = view().metre
    return np.asarray((metre > from_m) & (metre < to_m), bool)


def yard(seed: int = 3) -> Image:
    """A busy yard without any protection: what lies behind a net."""
    dice = np.random.default_rng(seed)
    image = np.full((HEIGHT, WIDTH, 3), 140, np.uint8)
    for _ in range(160):
        x, y, shade = int(dice.integers(0, WIDTH)), int(dice.integers(0, HEIGHT)), float(dice.uniform(90, 190))
        wide, high = int(dice.integers(6, 30)), int(dice.integers(6, 30))
        cv2.rectangle(image, (x, y), (x + wide, y + high), (shade,) * 3, -1)
    return image


def netted(*gone: tuple[float, float], light: float = 1.0, seed: int = 0) -> Image:
    """The yard behind a green net that lets half of it through."""
    image = yard().astype(np.float32)
    for step in range(int(LENGTH_M / 0.1)):
        metre = step * 0.1
        if not any(a <= metre + 0.05 < b for a, b in gone):
            part = image[TOP_Y : FOOT_Y - 1, x_of(metre) : x_of(metre + 0.1)]
            part[:] = 0.45 * part + 0.55 * np.array([70.0, 125.0, 45.0])
    noise = np.random.default_rng(seed).normal(0, 2, image.shape)
    return np.clip(image * light + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("light", [1.0, 0.5])
def test_bars_that_are_gone_leave_nothing_and_the_others_all(light: float) -> None:
    found = share(painted(), painted(bare(Look(light=light), GAP), seed=3))
    assert np.nanmax(found[within(4.4, 6.6)]) < 0.25
    assert np.nanmin(found[within(0.3, 3.6)]) > 0.8
    assert np.nanmin(found[within(7.4, 11.7)]) > 0.8


def test_a_pipe_behind_the_rail_is_in_both_pictures() -> None:
    """A line in the row of the middle bar stays when the rail goes; the top line decides."""

    def before_a_pipe(image: Image) -> Image:
        image[FOOT_Y - 20 : FOOT_Y - 15] = 235
        return image

    found = share(before_a_pipe(painted()), before_a_pipe(painted(bare(Look(), GAP), seed=3)))
    assert np.nanmax(found[within(4.4, 6.6)]) < 0.3


def test_without_a_line_at_the_marked_height_nothing_is_judged() -> None:
    cut = painted()
    cut[TOP_Y - 4 : TOP_Y + 6] = cut[TOP_Y - 5]
    assert np.isnan(share(cut, painted())).all()


def test_a_net_is_known_by_its_colour() -> None:
    known = look_of(netted(), view())
    assert PaintedOut(known, view()).veiled
    found = share(netted(), netted(GAP, light=0.7, seed=1))
    assert np.nanmax(found[within(4.4, 6.6)]) < 0.3
    assert np.nanmin(found[within(0.3, 3.6)]) > 0.8


def test_a_picture_without_colour_is_held_against_brightness_alone() -> None:
    grey = cv2.cvtColor(cv2.cvtColor(painted(seed=2), cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    found = share(painted(), np.asarray(grey, np.uint8))
    assert np.nanmin(found[within(0.3, 11.7)]) > 0.8


def test_a_section_of_a_green_net_that_is_gone_is_told() -> None:
    watch = EdgeWatch(survey(), netted(seed=99))
    site = Site()
    site.watch = watch
    for second in range(105):
        site.second += 1
        site.show(netted(*([GAP] if second >= 45 else []), seed=second))
    told = site.finding()
    assert told.truth is Truth.TRUE
    assert float(told.about["from_m"]) == pytest.approx(4.0, abs=0.5)
    assert float(told.about["to_m"]) == pytest.approx(7.0, abs=0.5)


def ok_m(site: Site, from_m: float, to_m: float) -> float:
    return sum(
        max(0.0, min(part.to_m, to_m) - max(part.from_m, from_m))
        for part in site.watch.sections(int(site.second * SECOND))
        if part.verdict == "ok"
    )


def test_what_is_seen_and_no_rail_any_more_is_not_called_ok_while_it_is_confirmed() -> None:
    site = Site()
    site.run(45)
    assert ok_m(site, 4.4, 5.6) == pytest.approx(1.2)
    site.run(9, bare(Look(), (4.0, 6.0)))
    assert (ok_m(site, 4.4, 5.6), site.fired) == (0.0, [])


def test_what_stands_close_beside_a_bare_stretch_is_not_called_ok() -> None:
    site = Site()
    site.run(45)
    assert ok_m(site, 3.75, 4.0) == pytest.approx(0.25)
    site.run(12, bare(Look(), (4.0, 6.0)))
    assert ok_m(site, 3.85, 4.0) == 0.0
    assert ok_m(site, 2.0, 3.2) == pytest.approx(1.2)


def test_a_cover_that_became_darker_than_a_shadow_explains_is_unknown_not_ok() -> None:
    site = Site(hole())
    site.run(45)
    whole = ok_m(site, 0.0, 6.0)
    for _ in range(8):
        site.second += 1
        image = painted(seed=int(site.second))
        image[215:250, 300:360] = image[215:250, 300:360] * np.float32(0.66)
        site.show(image)
    assert whole == pytest.approx(6.0)
    assert ok_m(site, 0.0, 6.0) < 0.5
    assert site.fired == []


def test_what_somebody_hides_stays_ok_for_ten_seconds() -> None:
    site, person = Site(), np.array([[x_of(4.8), 120, x_of(5.9), 230]], np.float32)
    site.run(45)
    site.run(8, Look(), person)
    assert ok_m(site, 5.1, 5.5) == pytest.approx(0.4)
    site.run(7, Look(), person)
    assert ok_m(site, 5.1, 5.5) == 0.0
