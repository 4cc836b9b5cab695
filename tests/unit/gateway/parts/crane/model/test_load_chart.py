"""The maker's load chart: what it says, and what it refuses to say."""

from math import inf, isnan, nan

import pytest

from gateway.parts.crane.model.load_chart import ChartError, ChartFault, LoadChart, LoadCurve

CURVE = LoadCurve(2, (2.5, 20.0, 50.0), (6.0, 6.0, 1.5))


@pytest.mark.parametrize(
    ("radius_m", "rated_t"), [(2.5, 6.0), (10.0, 6.0), (20.0, 6.0), (35.0, 3.75), (50.0, 1.5), (49.9, 1.515)]
)
def test_between_two_radii_a_straight_line(radius_m: float, rated_t: float) -> None:
    assert CURVE.rated_at(radius_m) == pytest.approx(rated_t)


@pytest.mark.parametrize("radius_m", [2.49, 50.01, -1.0, nan, inf])
def test_outside_the_table_nothing_is_known(radius_m: float) -> None:
    assert isnan(CURVE.rated_at(radius_m))


@pytest.mark.parametrize(
    ("radius_m", "rated_t", "fault", "position"),
    [
        ((), (), ChartFault.TOO_SHORT, 0),
        ((5.0,), (2.0,), ChartFault.TOO_SHORT, 1),
        ((5.0, 10.0), (2.0,), ChartFault.LENGTHS_DIFFER, 1),
        ((5.0, 4.0), (2.0, 1.0), ChartFault.NOT_RISING, 1),
        ((5.0, 9.0, 9.0), (3.0, 2.0, 1.0), ChartFault.DUPLICATE, 2),
        ((-1.0, 9.0), (3.0, 2.0), ChartFault.NOT_POSITIVE, 0),
        ((1.0, 9.0), (3.0, 0.0), ChartFault.NOT_POSITIVE, 1),
        ((1.0, 9.0), (3.0, -2.0), ChartFault.NOT_POSITIVE, 1),
        ((1.0, nan), (3.0, 2.0), ChartFault.NOT_POSITIVE, 1),
    ],
)
def test_what_is_no_chart_is_refused(
    radius_m: tuple[float, ...], rated_t: tuple[float, ...], fault: ChartFault, position: int
) -> None:
    with pytest.raises(ChartError) as refused:
        LoadCurve(2, radius_m, rated_t)
    assert (refused.value.fault, refused.value.position) == (fault, position)


def test_parts_of_line_choose_the_line() -> None:
    chart = LoadChart((CURVE, LoadCurve(4, (2.5, 50.0), (12.0, 1.2))))
    assert chart.rated_at(2, 2.5) == 6.0
    assert chart.rated_at(4.0, 2.5) == 12.0
    assert isnan(chart.rated_at(3, 2.5))
    assert isnan(chart.rated_at(nan, 2.5))
    assert isnan(chart.rated_at(2.5, 2.5))
    assert (chart.parts_of_line, CURVE.max_rated_t) == ((2, 4), 6.0)


@pytest.mark.parametrize("curves", [(), (CURVE, CURVE), (LoadCurve(0, (1.0, 2.0), (1.0, 1.0)),)])
def test_a_chart_needs_each_parts_of_line_once(curves: tuple[LoadCurve, ...]) -> None:
    with pytest.raises(ChartError):
        LoadChart(curves)
