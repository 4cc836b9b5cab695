"""The edge check on a small painted site: every verdict, and everything that must not lead to one."""

import math
from dataclasses import replace

import numpy as np
import pytest

from gateway.model.verdict import Truth
from tests.fakes.edge_site import (
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
from vision.edges.settings import EdgeSettings
from vision.edges.watch import EdgeWatch
from vision.picture.finding import FindingKind
from vision.picture.frame import Frame

WHOLE = Look()
GAP = bare(WHOLE, (4.0, 6.0))


def test_a_guarded_edge_is_ok_once_it_has_been_confirmed() -> None:
    site = Site()
    site.run(20)
    assert {site.truth(place=place) for place in (1, 2, 3, 4)} == {Truth.UNKNOWN}
    site.run(25)
    assert {site.truth(place=place) for place in (1, 2, 3, 4)} == {Truth.FALSE}
    assert {part.verdict for part in site.watch.sections(int(site.second * SECOND))} == {"ok"}


def test_a_missing_panel_is_found_with_its_metres() -> None:
    site = Site()
    site.run(45)
    site.run(60, GAP)
    found = site.finding()
    assert found.truth is Truth.TRUE
    assert found.about["edge"] == "north"
    assert found.about["what"] == "gap"
    assert float(found.about["from_m"]) == pytest.approx(4.0, abs=0.4)
    assert float(found.about["to_m"]) == pytest.approx(6.0, abs=0.4)
    assert found.measured == pytest.approx(2.0, abs=0.6)
    assert found.box_px is not None
    assert x_of(3.3) < found.box_px[0] < x_of(4.7)
    assert int(found.about["frames"]) >= 10


def test_it_takes_thirty_seconds_and_ten_frames() -> None:
    site = Site()
    site.run(45)
    site.run(29, GAP)
    assert site.fired == []
    site.run(20, GAP)
    assert [finding.kind for finding in site.fired] == [FindingKind.EDGE_OPEN]


def test_seldom_frames_still_need_ten_of_them() -> None:
    site = Site()
    site.run(150, every=10)
    begun = site.second
    site.run(80, GAP, every=10)
    assert site.fired == []
    site.run(80, GAP, every=10)
    (fired,) = site.fired
    assert (int(fired.about["since_ns"]) - begun * SECOND) / SECOND >= 90


def test_frames_more_often_than_once_a_second_do_not_hurry_it() -> None:
    site = Site()
    site.run(45)
    site.run(24, GAP, every=0.5)
    assert site.fired == []


def test_one_event_for_one_place_until_clear_and_clearing_takes_as_long() -> None:
    site = Site()
    site.run(45)
    site.run(150, GAP)
    assert len(site.fired) == 1
    site.run(25, WHOLE)
    assert site.truth() is Truth.TRUE
    site.run(30, WHOLE)
    assert site.truth() is Truth.FALSE
    site.run(60, GAP)
    assert len(site.fired) == 2
    assert site.fired[1].place == site.fired[0].place


def test_two_gaps_have_two_places() -> None:
    site = Site()
    site.run(45)
    site.run(60, bare(WHOLE, (2.0, 4.0), (6.0, 8.0)))
    assert sorted(round(float(one.about["from_m"])) for one in site.fired) == [2, 6]
    assert sorted(one.place for one in site.fired) == [1, 2]


def test_all_rails_gone_is_missing_not_a_gap() -> None:
    site = Site()
    site.run(45)
    site.run(75, bare(WHOLE, (0.0, LENGTH_M)))
    assert site.finding().about["what"] == "missing"
    told = [one for one in site.findings if one.kind is FindingKind.EDGE_OPEN and one.truth is Truth.TRUE]
    assert sum(one.measured for one in told) > 0.8 * LENGTH_M


def test_a_small_gap_is_not_told() -> None:
    site = Site()
    site.run(45)
    site.run(90, bare(WHOLE, (4.5, 4.9)))
    assert site.fired == []


def test_an_opened_cover_is_found_and_a_closed_one_is_ok() -> None:
    site = Site(hole())
    site.run(45)
    assert site.truth() is Truth.FALSE
    site.run(60, replace(WHOLE, covered=False))
    assert site.finding().truth is Truth.TRUE
    assert site.finding().about["what"] == "open_cover"
    site.run(60)
    assert site.truth() is Truth.FALSE


@pytest.mark.parametrize(
    "look",
    [
        replace(WHOLE, light=0.4),
        replace(WHOLE, light=1.15),
        replace(WHOLE, shadow_x=x_of(5.2)),
        replace(WHOLE, rain=True),
        replace(WHOLE, light=0.25, noise=3.0),
        replace(WHOLE, noise=8.0),
    ],
    ids=["dusk", "bright", "shadow", "rain", "night", "noise"],
)
def test_weather_and_light_take_no_rail_away_and_hide_no_gap(look: Look) -> None:
    site = Site()
    site.run(45)
    site.run(90, look)
    assert site.fired == []
    site.run(90, bare(look, (1.0, 4.0)))
    assert [round(float(one.about["from_m"])) for one in site.fired] == [1]


def test_a_moving_shadow_is_no_gap() -> None:
    site = Site()
    site.run(45)
    for x in range(60, 420, 6):
        site.run(3, replace(WHOLE, shadow_x=x))
    assert site.fired == []


def test_a_shaking_camera_is_followed() -> None:
    site = Site()
    site.run(60, shake=1.5)
    assert site.fired == []
    site.run(70, GAP, shake=1.5)
    assert len(site.fired) == 1


def test_a_camera_turned_away_is_unknown_and_keeps_what_is_open() -> None:
    site = Site()
    site.run(45)
    site.run(60, GAP)
    away = np.ascontiguousarray(painted(GAP)[::-1, ::-1])
    for _ in range(80):
        site.second += 1
        site.show(away)
    assert site.truth() is Truth.UNKNOWN
    assert math.isnan(site.finding().measured)
    assert site.finding().about["why"] == "view does not match the reference"
    site.run(10, GAP)
    assert site.truth() is Truth.TRUE
    assert len(site.fired) == 1


def test_an_unusable_camera_is_unknown_at_once() -> None:
    site = Site()
    site.run(45)
    site.run(1, usable=False)
    assert {finding.truth for finding in site.findings} == {Truth.UNKNOWN}
    assert all(math.isnan(finding.measured) for finding in site.findings)


@pytest.mark.parametrize("level", [0, 3, 255])
def test_black_or_white_pictures_become_unknown_never_ok_and_never_open(level: int) -> None:
    site = Site()
    site.run(45)
    blank = np.full((HEIGHT, WIDTH, 3), level, np.uint8)
    for _ in range(90):
        site.second += 1
        site.show(blank)
    assert site.truth() is Truth.UNKNOWN
    assert site.fired == []


def test_somebody_standing_in_front_is_not_judged() -> None:
    site = Site()
    site.run(45)
    person = np.array([[x_of(4.8), 120, x_of(5.9), 230]], np.float32)
    site.run(50, WHOLE, person)
    assert site.fired == []
    site.run(50, WHOLE, person)
    sections = site.watch.sections(int(site.second * SECOND))
    hidden = [part for part in sections if part.verdict == "unknown"]
    assert hidden
    assert hidden[0].from_m < 5.4 < hidden[-1].to_m


def test_a_truck_in_front_is_unknown_not_a_gap() -> None:
    site = Site()
    site.run(45)
    site.run(120, replace(WHOLE, truck=(3.0, 7.0)))
    assert site.fired == []
    assert any(part.verdict == "unknown" for part in site.watch.sections(int(site.second * SECOND)))


def test_a_gap_in_the_dark_is_not_learnt_as_normal() -> None:
    """The rail goes while nothing can be seen; it must be found afterwards, not taken for the way things are."""
    site = Site()
    site.run(60)
    site.run(300, replace(GAP, light=0.01))
    site.run(120, GAP)
    assert site.truth() is Truth.TRUE


def test_a_rail_away_for_an_hour_is_still_missing() -> None:
    site = Site()
    site.run(60)
    for light in np.linspace(1.0, 0.5, 20):
        site.run(180, replace(GAP, light=float(light)), every=10)
    assert site.truth() is Truth.TRUE
    assert len(site.fired) == 1


def test_an_edge_that_the_reference_does_not_show_is_unknown() -> None:
    flat = np.full((HEIGHT, WIDTH, 3), 140, np.uint8)
    watch = EdgeWatch(survey(), flat)
    for second in range(60):
        now = second * SECOND
        findings = watch.step(Frame("cam-1", second, now, now, True, 1, flat), np.empty((0, 4), np.float32), True, now)
    assert {finding.truth for finding in findings} == {Truth.UNKNOWN}


def test_a_sub_stream_of_another_size_fits() -> None:
    site = Site()
    site.run(45)
    for _ in range(70):
        site.second += 1
        site.show(np.repeat(np.repeat(painted(GAP, int(site.second)), 2, axis=0), 2, axis=1))
    assert len(site.fired) == 1
    assert float(site.fired[0].about["from_m"]) == pytest.approx(4.0, abs=0.5)


def test_frames_after_a_long_pause_begin_a_new_case() -> None:
    site = Site()
    site.run(45)
    site.run(20, GAP)
    site.second += 3600
    site.run(20, GAP)
    assert site.fired == []
    site.run(25, GAP)
    assert len(site.fired) == 1


def test_a_person_at_a_gap_that_can_no_longer_be_judged_is_unknown_not_ok() -> None:
    person = np.array([[x_of(4.8), 120, x_of(5.2), 182]], np.float32)
    site = Site()
    site.run(45)
    site.run(60, GAP)
    site.run(5, GAP, person)
    assert site.truth(FindingKind.PERSON_AT_EDGE) is Truth.TRUE
    dark = replace(GAP, light=0.01)
    site.run(70, dark)
    assert site.truth(FindingKind.EDGE_OPEN) is Truth.UNKNOWN
    assert site.truth(FindingKind.PERSON_AT_EDGE) is Truth.UNKNOWN
    site.run(3, dark, person)
    assert site.truth(FindingKind.PERSON_AT_EDGE) is Truth.UNKNOWN


def test_a_person_at_an_edge_that_was_never_judged_is_unknown() -> None:
    site = Site()
    site.run(5, WHOLE, np.array([[x_of(4.8), 120, x_of(5.2), 182]], np.float32))
    people = {one.truth for one in site.findings if one.kind is FindingKind.PERSON_AT_EDGE}
    assert people == {Truth.UNKNOWN}


def test_without_edges_nothing_is_said() -> None:
    watch = EdgeWatch(replace(survey(), edges=()), painted())
    frame = Frame("cam-1", 0, 0, 0, True, 1, painted())
    assert watch.step(frame, np.empty((0, 4), np.float32), True, 0) == ()


def test_a_reference_that_is_no_colour_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="expected"):
        EdgeWatch(survey(), np.zeros((HEIGHT, WIDTH), np.uint8))


def test_more_gaps_than_places_wait() -> None:
    site = Site(settings=EdgeSettings())
    site.run(45)
    gaps = ((0.2, 1.8), (2.6, 4.2), (5.0, 6.6), (7.0, 8.4), (9.0, 11.8))
    site.run(70, bare(WHOLE, *gaps))
    assert len(site.fired) == 4
    assert [site.truth(place=place) for place in (1, 2, 3, 4)] == [Truth.TRUE] * 4
    assert rail().length_m == LENGTH_M
