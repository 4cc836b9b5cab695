import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.survey import Spot, Zone, ZoneUse
from vision.survey.zones import ZoneMap, inside

SQUARE = ((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8))
HORSESHOE = ((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.7, 0.9), (0.7, 0.3), (0.3, 0.3), (0.3, 0.9), (0.1, 0.9))
fractions = st.floats(0.0, 1.0)


def zone(name: str, use: ZoneUse, outline: tuple[Spot, ...] = SQUARE) -> Zone:
    return Zone(name, name.title(), use, outline)


def stands(zones: list[Zone], x: float, y: float) -> tuple[str, bool]:
    (standing,) = ZoneMap(zones).standing(np.array([[x, y]]))
    return standing.zone_id, standing.watched


def test_nothing_drawn_watches_everything() -> None:
    assert stands([], 0.5, 0.5) == ("", True)


def test_outside_the_watched_zones_no_helmet_is_asked_for() -> None:
    assert stands([zone("yard", ZoneUse.WATCHED)], 0.5, 0.5) == ("yard", True)
    assert stands([zone("yard", ZoneUse.WATCHED)], 0.1, 0.5) == ("", False)


def test_outside_an_exempt_zone_alone_everything_is_watched() -> None:
    assert stands([zone("office", ZoneUse.EXEMPT)], 0.5, 0.5) == ("office", False)
    assert stands([zone("office", ZoneUse.EXEMPT)], 0.1, 0.5) == ("", True)


def test_where_zones_overlap_exempt_wins_whatever_was_drawn_first() -> None:
    yard, office = zone("yard", ZoneUse.WATCHED), zone("office", ZoneUse.EXEMPT)
    assert stands([yard, office], 0.5, 0.5) == stands([office, yard], 0.5, 0.5) == ("office", False)


def test_where_watched_zones_overlap_the_first_drawn_wins() -> None:
    assert stands([zone("a", ZoneUse.WATCHED), zone("b", ZoneUse.WATCHED)], 0.5, 0.5) == ("a", True)


def test_a_hollow_outline() -> None:
    spots = np.array([[0.5, 0.2], [0.5, 0.6], [0.2, 0.6], [0.8, 0.6], [0.5, 0.95]])
    assert inside(spots, np.array(HORSESHOE)).tolist() == [True, False, True, True, False]


@given(fractions, fractions)
def test_a_square_is_what_its_sides_say_its_line_included(x: float, y: float) -> None:
    expected = 0.2 <= x <= 0.8 and 0.2 <= y <= 0.8
    near_line = any(abs(value - side) < 1e-8 for value in (x, y) for side in (0.2, 0.8))
    assert near_line or bool(inside(np.array([[x, y]]), np.array(SQUARE))[0]) == expected


@given(st.integers(0, 7), fractions)
def test_every_spot_of_the_line_is_inside(side: int, along: float) -> None:
    (ax, ay), (bx, by) = HORSESHOE[side], HORSESHOE[(side + 1) % 8]
    spot = np.array([[ax + along * (bx - ax), ay + along * (by - ay)]])
    assert inside(spot, np.array(HORSESHOE))[0]


@given(fractions, fractions, st.integers(0, 7), st.booleans())
def test_where_the_drawing_began_and_its_direction_do_not_matter(x: float, y: float, turn: int, back: bool) -> None:
    outline = HORSESHOE[turn:] + HORSESHOE[:turn]
    other = outline[::-1] if back else outline
    spot = np.array([[x, y]])
    assert inside(spot, np.array(other))[0] == inside(spot, np.array(HORSESHOE))[0]
