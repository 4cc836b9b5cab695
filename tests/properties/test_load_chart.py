"""Load charts of any shape: between two radii never above or below their loads, outside never known."""

from math import isnan

from hypothesis import given
from hypothesis import strategies as st

from gateway.parts.crane.model.load_chart import LoadCurve

metres = st.floats(0.5, 90.0).map(lambda value: round(value, 2))
tonnes = st.floats(0.1, 30.0).map(lambda value: round(value, 2))


@st.composite
def curves(draw: st.DrawFn, falling: bool = False) -> LoadCurve:
    radii = sorted(draw(st.sets(metres, min_size=2, max_size=12)))
    loads = draw(st.lists(tonnes, min_size=len(radii), max_size=len(radii)))
    return LoadCurve(2, tuple(radii), tuple(sorted(loads, reverse=True) if falling else loads))


@given(curves(falling=True), st.floats(0, 1), st.floats(0, 1))
def test_it_never_rises_with_the_radius_when_the_makers_table_does_not(curve: LoadCurve, a: float, b: float) -> None:
    span = curve.radius_m[-1] - curve.radius_m[0]
    near, far = sorted(min(curve.radius_m[0] + share * span, curve.radius_m[-1]) for share in (a, b))
    assert curve.rated_at(far) <= curve.rated_at(near) + 1e-9


@given(curves(), st.floats(-10, 120))
def test_it_stays_between_its_neighbours_and_is_not_known_outside(curve: LoadCurve, radius_m: float) -> None:
    rated = curve.rated_at(radius_m)
    if not curve.radius_m[0] <= radius_m <= curve.radius_m[-1]:
        assert isnan(rated)
        return
    below = max(i for i, each in enumerate(curve.radius_m) if each <= radius_m)
    above = min(i for i, each in enumerate(curve.radius_m) if each >= radius_m)
    low, high = sorted((curve.rated_t[below], curve.rated_t[above]))
    assert low - 1e-9 <= rated <= high + 1e-9


@given(curves())
def test_it_says_exactly_what_the_table_says(curve: LoadCurve) -> None:
    assert [curve.rated_at(radius) for radius in curve.radius_m] == list(curve.rated_t)
