"""How near two straight lines of finite length come to each other, in space, for many pairs at once.

In: segments as start points and spans (end minus start), coordinates first: arrays of shape (3, ...). Out: distances
(...,), and where on each segment the nearest points lie. NaN in any coordinate gives NaN. Knows nothing of cranes.

    p(s) = start_a + s * span_a,  0 <= s <= 1          the squared distance is convex in (s, t), so: solve for s without
    q(t) = start_b + t * span_b,  0 <= t <= 1          bounds, clamp it, take the best t for it, clamp it, take the best
                                                       s for that (Ericson, Real-Time Collision Detection, 5.1.9)

Degenerate cases need no branch: of parallel segments any s will do to begin with, and a segment without length has
one point only.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_PARALLEL = 1e-12
"""sin^2 of the angle below which segments count as parallel: at 100 m an error below 0.2 mm."""
_POINT_M2 = 1e-18
"""Squared length below which a segment is a point."""


def dot(a: Floats, b: Floats) -> Floats:
    """Scalar products (...,) of vectors (3, ...)."""
    product: Floats = a[0] * b[0]
    product += a[1] * b[1]
    product += a[2] * b[2]
    return product


def nearest_places(start_a: Floats, span_a: Floats, start_b: Floats, span_b: Floats) -> tuple[Floats, Floats]:
    """Where the nearest points lie: s on a and t on b, each (...,), 0 at its start, 1 at its end."""
    apart = start_a - start_b
    a2, b2, ab = dot(span_a, span_a), dot(span_b, span_b), dot(span_a, span_b)
    along_a, along_b = dot(span_a, apart), dot(span_b, apart)
    cross = a2 * b2 - ab * ab
    skew = cross > _PARALLEL * a2 * b2
    first = np.where(skew, ab * along_b - along_a * b2, 0.0) / np.where(skew, cross, 1.0)
    s = _clamp(first)
    t = _clamp((ab * s + along_b) / np.maximum(b2, _POINT_M2))
    s = np.where(a2 > _POINT_M2, _clamp((ab * t - along_a) / np.maximum(a2, _POINT_M2)), 0.0)
    return s, t


def segment_distance_m(start_a: Floats, span_a: Floats, start_b: Floats, span_b: Floats) -> Floats:
    """Smallest distance (...,) between segments a and b, in the unit of the coordinates (m). All arrays (3, ...)."""
    s, t = nearest_places(start_a, span_a, start_b, span_b)
    between = start_a - start_b
    between += s * span_a
    between -= t * span_b
    distance: Floats = np.sqrt(dot(between, between))
    return distance


def point_distance_m(point: Floats, start: Floats, span: Floats) -> Floats:
    """Smallest distance (...,) from points to segments; arrays (2, ...) in plan or (3, ...) in space."""
    squared = np.maximum((span * span).sum(axis=0), _POINT_M2)
    place = _clamp(((point - start) * span).sum(axis=0) / squared)
    apart = point - start - place * span
    distance: Floats = np.sqrt((apart * apart).sum(axis=0))
    return distance


def _clamp(x: Floats) -> Floats:
    clamped: Floats = np.minimum(np.maximum(x, 0.0), 1.0)
    return clamped
