"""The fit of failing creep: where it began, how even its interval is, and steps that several points made together."""

from dataclasses import replace

import numpy as np

from gateway.parts.pit.forecast.creep import fit
from gateway.parts.pit.forecast.creep_design import Before, Moving, common, onset
from gateway.parts.pit.forecast.creep_grid import Search, bounds, coarse
from gateway.parts.pit.forecast.trend_track import Series
from tests.fakes.creep import Creep, Floats

SEARCH = Search()
NOISE_MM = 0.3


def moving(t_d: Floats, x_mm: Floats) -> Moving:
    nothing = np.zeros(len(t_d))
    return Moving(Series(t_d, x_mm, np.ones(len(t_d)), nothing, nothing), NOISE_MM)


def group(t_d: Floats, true_mm: Floats, seed: int, size: int = 4) -> list[Moving]:
    """Points that move alike, each with a noise of its own."""
    rng = np.random.default_rng(seed)
    return [moving(t_d, share * true_mm + rng.normal(0.0, NOISE_MM, len(t_d))) for share in (1.0, 0.8, 0.6, 1.1)[:size]]


def test_before_creep_begins_a_point_moves_along_the_line_that_touches_it() -> None:
    t_d = np.arange(20.0)
    point = moving(t_d, t_d)
    begun = onset(point, common(point.series, ()), 8.0, Before.TANGENT)
    nodes = coarse(bounds(19.0, SEARCH), SEARCH)
    node = nodes.one(100)
    age_d = 19.0 - t_d
    shape = begun.columns(t_d, common(point.series, ()), node.grown(age_d), node.speed(11.0))[:, -1]
    before, after = np.diff(shape[:9]), np.diff(shape[8:])
    assert np.allclose(before, before[0])
    assert before[0] < after[0] < 1.2 * before[0]


def test_creep_after_steady_movement_is_seen_to_begin_there() -> None:
    """Steady for 25 days, then 20 days to failure; a free line before it would begin anywhere."""
    t_d = np.arange(43.0)
    true_mm = Creep(2.0, 0.8, 25.0, 20.0).displacement_mm(t_d)
    found = [fit(group(t_d, true_mm, seed), 0.9) for seed in range(8)]
    began_d = [each.creeping[0].series.t_d[0] for each in found]
    assert abs(float(np.median(began_d)) - 25.0) <= 4.0
    assert sum(each.low_d <= 3.0 <= each.high_d for each in found) >= 7


def test_an_interval_of_a_little_more_probability_is_a_little_wider() -> None:
    """The nodes of a mesh lie in rows; between two rows no interval may jump."""
    t_d = np.arange(18.0)
    point = group(t_d, Creep(2.0, 0.7, 0.0, 20.0).displacement_mm(t_d), 1, size=1)
    low_d = np.log([fit(point, level).low_d for level in np.arange(0.60, 0.87, 0.02)])
    wider = -np.diff(low_d)
    assert (wider > 0).all()
    assert wider.max() < 4 * wider.min()


def test_a_step_that_all_points_made_together_is_an_event_of_the_site() -> None:
    t_d = np.arange(18.0)
    creep_mm = Creep(2.0, 0.7, 0.0, 20.0).displacement_mm(t_d)
    dug_mm = creep_mm - 3.0 * np.expm1(-np.maximum(t_d - 9.5, 0.0) / 1.5)
    assert max(fit(group(t_d, creep_mm, seed), 0.9).event for seed in range(6)) < 0
    assert min(fit(group(t_d, dug_mm, seed), 0.9).event for seed in range(6)) > 0


def test_noise_of_one_point_is_no_event() -> None:
    t_d = np.arange(18.0)
    points = group(t_d, Creep(2.0, 0.7, 0.0, 20.0).displacement_mm(t_d), 3)
    points[1] = replace(points[1], series=points[1].series.moved(np.where(t_d == 9.0, 1.0, 0.0)))
    assert fit(points, 0.9).event < 0
