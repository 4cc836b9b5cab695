"""Distances between segments against a segment sampled at 1 cm and exact point-to-segment distances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.parts.crane.group.segments import Floats, nearest_places, point_distance_m, segment_distance_m

TOLERANCE_M = 0.01


def sampled_distance_m(start_a: Floats, end_a: Floats, start_b: Floats, end_b: Floats) -> float:
    """Segment a as points 1 cm apart (its ends among them), each with its exact distance to b by another formula."""
    length_m = float(np.linalg.norm(end_a - start_a))
    share = np.linspace(0.0, 1.0, max(2, int(np.ceil(length_m / 0.01)) + 1))
    points = start_a + share[:, None] * (end_a - start_a)
    along = end_b - start_b
    length_b_m = float(np.linalg.norm(along))
    if length_b_m == 0.0:
        return float(np.linalg.norm(points - start_b, axis=1).min())
    unit = along / length_b_m
    at_m = (points - start_b) @ unit
    beside_m = np.linalg.norm(points - start_b - at_m[:, None] * unit, axis=1)
    beyond_m = np.maximum(np.maximum(-at_m, at_m - length_b_m), 0.0)
    return float(np.hypot(beside_m, beyond_m).min())


def distance_m(*corners: Floats) -> float:
    start_a, end_a, start_b, end_b = (corner[:, None] for corner in corners)
    return float(segment_distance_m(start_a, end_a - start_a, start_b, end_b - start_b)[0])


def test_a_thousand_random_pairs_agree_within_a_centimetre() -> None:
    rng = np.random.default_rng(20240601)
    corners = rng.uniform(-60.0, 60.0, size=(4, 3, 1000))
    near = rng.random(1000) < 0.5  # half of them short and close together, where clamping matters
    corners[:, :, near] *= 0.1
    start_a, end_a, start_b, end_b = corners
    found = segment_distance_m(start_a, end_a - start_a, start_b, end_b - start_b)
    expected = [sampled_distance_m(*corners[:, :, i]) for i in range(1000)]
    assert np.abs(found - expected).max() < TOLERANCE_M


ORIGIN, X, Y, Z = np.zeros(3), np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), np.array([0, 0, 1.0])
DEGENERATE = {
    "parallel, side by side": (ORIGIN, 10 * X, 2 * Y, 10 * X + 2 * Y),
    "parallel, overlapping in part": (ORIGIN, 10 * X, 5 * X + 3 * Z, 15 * X + 3 * Z),
    "parallel, one beyond the other": (ORIGIN, 10 * X, 13 * X + 4 * Y, 20 * X + 4 * Y),
    "antiparallel, side by side": (ORIGIN, 10 * X, 8 * X + 2 * Y, -3 * X + 2 * Y),
    "antiparallel, beyond": (ORIGIN, 10 * X, -3 * X, -9 * X + 0 * Y),
    "one within the other": (ORIGIN, 10 * X, 3 * X, 4 * X),
    "the same": (ORIGIN, 10 * X, ORIGIN, 10 * X),
    "the same, reversed": (ORIGIN, 10 * X, 10 * X, ORIGIN),
    "end to end": (ORIGIN, 10 * X, 10 * X, 20 * X),
    "touching at an end": (ORIGIN, 10 * X, 10 * X, 10 * X + 5 * Y),
    "an end touches the middle": (ORIGIN, 10 * X, 4 * X, 4 * X + 5 * Z),
    "crossing": (ORIGIN, 10 * X, 4 * X - 3 * Y, 4 * X + 3 * Y),
    "crossing above": (ORIGIN, 10 * X, 4 * X - 3 * Y + Z, 4 * X + 3 * Y + Z),
    "no length, beside the other": (5 * X + 2 * Y, 5 * X + 2 * Y, ORIGIN, 10 * X),
    "no length, beyond the other": (ORIGIN, 10 * X, 12 * X + Y, 12 * X + Y),
    "no length, on the other": (3 * X, 3 * X, ORIGIN, 10 * X),
    "two points": (ORIGIN, ORIGIN, 3 * X + 4 * Y, 3 * X + 4 * Y),
    "the same point twice": (X, X, X, X),
    "almost parallel": (ORIGIN, 60 * X, Y, 60 * X + Y + 1e-7 * Z),
    "almost parallel, crossing": (ORIGIN, 60 * X, -1e-5 * Y, 60 * X + 1e-5 * Y),
    "almost no length": (ORIGIN, 1e-10 * X, 3 * Y, 3 * Y + 10 * X),
    "long and tiny": (ORIGIN, 200 * X, 100 * X + 0.001 * Y, 100 * X + 0.002 * Y),
}


@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_pairs_agree_whichever_is_named_first(name: str) -> None:
    start_a, end_a, start_b, end_b = DEGENERATE[name]
    expected = sampled_distance_m(start_a, end_a, start_b, end_b)
    assert distance_m(start_a, end_a, start_b, end_b) == pytest.approx(expected, abs=TOLERANCE_M)
    assert distance_m(start_b, end_b, start_a, end_a) == pytest.approx(expected, abs=TOLERANCE_M)
    assert distance_m(end_a, start_a, start_b, end_b) == pytest.approx(expected, abs=TOLERANCE_M)


coordinate = st.sampled_from([-7.0, -1.0, 0.0, 0.0, 1e-9, 1.0, 2.0, 3.0, 50.0]) | st.floats(-60, 60)
corner = st.lists(coordinate, min_size=3, max_size=3).map(np.array)


@settings(max_examples=300, deadline=None)
@given(corner, corner, corner, corner)
def test_any_pair_agrees_and_the_places_are_on_the_segments(a: Floats, b: Floats, c: Floats, d: Floats) -> None:
    assert distance_m(a, b, c, d) == pytest.approx(sampled_distance_m(a, b, c, d), abs=TOLERANCE_M)
    places = nearest_places(a[:, None], (b - a)[:, None], c[:, None], (d - c)[:, None])
    assert all(0.0 <= float(place[0]) <= 1.0 for place in places)


@settings(max_examples=100, deadline=None)
@given(corner, corner, corner)
def test_a_point_is_a_segment_without_length(point: Floats, start: Floats, end: Floats) -> None:
    expected = distance_m(point, point, start, end)
    found = float(point_distance_m(point[:, None], start[:, None], (end - start)[:, None])[0])
    assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("hole", range(4))
def test_a_missing_coordinate_is_no_distance(hole: int) -> None:
    corners = [corner.copy() for corner in DEGENERATE["crossing"]]
    corners[hole][1] = np.nan
    assert np.isnan(distance_m(*corners))
