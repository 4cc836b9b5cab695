import math
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.papers_ties import (
    ErectionLimits,
    Tie,
    TieRegistry,
    free_height_margin_m,
    overhang_margin_m,
    tie_spacing_margin_m,
)
from tests.unit.gateway.model.test_papers import at

LIMITS = ErectionLimits(max_free_height_m=40.0, max_overhang_m=28.0, max_tie_spacing_m=18.0)


@pytest.mark.parametrize(("height_m", "margin_m"), [(39.0, 1.0), (40.0, 0.0), (42.5, -2.5)])
def test_an_untied_crane_is_judged_by_its_free_height(height_m: float, margin_m: float) -> None:
    assert free_height_margin_m(height_m, (), LIMITS) == margin_m
    assert overhang_margin_m(height_m, (), LIMITS) == margin_m


@pytest.mark.parametrize(("height_m", "margin_m"), [(60.0, 2.0), (62.0, 0.0), (65.0, -3.0)])
def test_a_tied_crane_is_judged_by_what_stands_above_its_top_tie(height_m: float, margin_m: float) -> None:
    assert overhang_margin_m(height_m, (34.0, 20.0), LIMITS) == margin_m


def test_the_lowest_tie_tells_how_far_the_mast_stood_free() -> None:
    assert free_height_margin_m(60.0, (34.0,), LIMITS) == 6.0
    assert free_height_margin_m(60.0, (52.0, 41.0), LIMITS) == -1.0


@pytest.mark.parametrize("ties", [(), (20.0,)])
def test_a_missing_height_or_limit_is_not_known(ties: tuple[float, ...]) -> None:
    for margin in (free_height_margin_m, overhang_margin_m):
        assert math.isnan(margin(math.nan, ties, LIMITS))
        assert math.isnan(margin(30.0, ties, ErectionLimits()))


def test_spacing_is_judged_between_neighbours() -> None:
    assert tie_spacing_margin_m((52.0, 20.0, 36.0), LIMITS) == 2.0
    assert tie_spacing_margin_m((20.0, 40.0), LIMITS) == -2.0


def test_one_tie_has_no_spacing_and_a_missing_limit_is_not_known() -> None:
    assert tie_spacing_margin_m((), LIMITS) is None
    assert tie_spacing_margin_m((20.0,), LIMITS) is None
    unknown = tie_spacing_margin_m((20.0, 36.0), ErectionLimits())
    assert unknown is not None
    assert math.isnan(unknown)


def test_a_tie_holds_from_its_fitting_until_its_removal() -> None:
    registry = TieRegistry(LIMITS, (Tie(36.0, date(2026, 5, 2)), Tie(20.0, date(2026, 5, 1), date(2026, 9, 1))))
    assert registry.heights_m(at("2026-04-30T23:59:59")) == ()
    assert registry.heights_m(at("2026-05-01T00:00:00")) == (20.0,)
    assert registry.heights_m(at("2026-05-02T00:00:00")) == (20.0, 36.0)
    assert registry.heights_m(at("2026-08-31T23:59:59")) == (20.0, 36.0)
    assert registry.heights_m(at("2026-09-01T00:00:00")) == (36.0,)


heights = st.floats(0.5, 300.0)


@given(heights, st.lists(heights, max_size=6), st.floats(0.1, 50.0))
def test_a_crane_that_grows_never_gains_room(height_m: float, ties: list[float], step_m: float) -> None:
    assert overhang_margin_m(height_m + step_m, ties, LIMITS) <= overhang_margin_m(height_m, ties, LIMITS)
    assert free_height_margin_m(height_m + step_m, ties, LIMITS) <= free_height_margin_m(height_m, ties, LIMITS)
