"""How far the edges of a drawing have moved up, as a proposal: the old strip is looked for along the vertical.

    picture that was drawn on --strip along the edge, -0.3 to 1.4 m--> outlines ---.
    picture of now ------------tall strip along the same edge, to 9 m-> outlines --+--> agreement for each rise
                                                                                   '--> the best of all edges together

The old protection may still stand on the old floor: less than a storey's least height is not looked at. A pit does not
move up. In: a survey and two JPEGs. Out: a `Rise` for each edge; a person confirms or mends it. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.model.floor_rise import Rise
from gateway.model.survey import Edge, EdgeKind, Survey
from vision.edges.geometry import ROWS_PER_M, rectified

RISES_M: Final = (1.8, 8.0)
"""From a low storey to two at once."""
STRIP_M: Final = (-0.3, 1.4)
MOST_COLUMNS: Final = 240
ASIDE_COLUMNS: Final = 4
LARGER: Final = (1.0, 1.1, 1.2, 1.35)
"""A floor that comes nearer to the camera is seen larger."""
NEAR_M: Final = 0.4
"""So far an edge may differ from the rise of all together: drawn lines are not exact, slabs are not level."""
FOUND: Final = 0.3
CLEARLY: Final = 0.12
"""An agreement counts from here, and when it is so much over the middle of all rises."""
Floats = NDArray[np.float32]
Grey = NDArray[np.uint8]


def floor_rises(survey: Survey, before: bytes, now: bytes) -> tuple[Rise, ...]:
    """A proposal for each edge, in order. Raises ValueError for what is no picture."""
    was, is_now = _grey(before), _grey(now)
    is_now = np.asarray(cv2.resize(is_now, (was.shape[1], was.shape[0]), interpolation=cv2.INTER_AREA), np.uint8)
    seen = {edge.edge_id: _seen(edge, was, is_now) for edge in survey.edges if edge.kind is EdgeKind.FLOOR_EDGE}
    rises = np.arange(_row(RISES_M[0]), _row(RISES_M[1]) + 1)
    together = _together(list(seen.values()), rises)
    return tuple(_rise(edge, seen.get(edge.edge_id), together, rises) for edge in survey.edges)


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """By rows of rise, from none to the most: how well the strip of then agrees with the picture of now, and how much
    larger it is seen there."""

    agreement: Floats
    larger: Floats


def _together(seen: Sequence[_Seen], rises: NDArray[np.int64]) -> int:
    """The row at which all edges agree best; 0 where none does."""
    if not seen:
        return 0
    joint = np.mean([each.agreement[rises] for each in seen], axis=0)
    best = int(np.argmax(joint))
    return int(rises[best]) if joint[best] >= FOUND / 2 else 0


def _rise(edge: Edge, seen: _Seen | None, together: int, rises: NDArray[np.int64]) -> Rise:
    common_m = 0.0 if edge.kind is EdgeKind.PIT_EDGE else together / ROWS_PER_M
    if seen is None or not together:
        return Rise(edge.edge_id, round(common_m, 2), 1.0, 0.0, False)
    curve = seen.agreement
    near = rises[np.abs(rises - together) <= _row(NEAR_M)]
    best = int(near[np.argmax(curve[near])])
    found = bool(curve[best] >= FOUND and curve[best] - float(np.median(curve[rises])) >= CLEARLY)
    agreement, larger = round(float(np.clip(curve[best], 0, 1)), 3), round(float(seen.larger[best]), 2)
    return Rise(edge.edge_id, round(best / ROWS_PER_M, 2), larger, agreement, found)


def _seen(edge: Edge, was: Grey, is_now: Grey) -> _Seen:
    strip = rectified(edge, was.shape[1], was.shape[0])
    step = max(1, len(strip.metre) // MOST_COLUMNS)
    ends = [np.stack([strip.map_x[row], strip.map_y[row]], axis=1)[::step] for row in (0, -1)]
    way = (ends[0] - ends[1]) * (ROWS_PER_M / (strip.map_x.shape[0] - 1))
    foot, top_m = strip.foot_px[::step], RISES_M[1] + NEAR_M + STRIP_M[1] * LARGER[-1]
    rows = np.arange(_row(RISES_M[1] + NEAR_M) + 1)
    old, new = _strip(was, foot, way, STRIP_M[1]), _outlines(_strip(is_now, foot, way, top_m))
    if old.shape[1] <= 4 * ASIDE_COLUMNS:
        return _Seen(np.zeros(len(rows), np.float32), np.ones(len(rows), np.float32))
    found = []
    for larger in LARGER:
        tall = cv2.resize(old, (old.shape[1], round(old.shape[0] * larger)), interpolation=cv2.INTER_LINEAR)
        inner = np.ascontiguousarray(_outlines(np.asarray(tall, np.float32))[:, ASIDE_COLUMNS:-ASIDE_COLUMNS])
        answer = cv2.matchTemplate(new, inner, cv2.TM_CCOEFF_NORMED).max(axis=1)
        at = np.round((top_m - STRIP_M[1] * larger) * ROWS_PER_M - rows).astype(np.int64)
        found.append(answer[np.clip(at, 0, len(answer) - 1)])
    best = np.argmax(found, axis=0)
    return _Seen(np.max(found, axis=0).astype(np.float32), np.array(LARGER, np.float32)[best])


def _strip(picture: Grey, foot: NDArray[np.float64], way: NDArray[np.float64], to_m: float) -> Floats:
    """Rows from `to_m` above the edge down to where the strip begins."""
    height = to_m - np.arange(_row(to_m) - _row(STRIP_M[0])) / ROWS_PER_M
    maps = [(foot[None, :, n] + height[:, None] * way[None, :, n]).astype(np.float32) for n in (0, 1)]
    found = cv2.remap(picture, maps[0], maps[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float32)


def _outlines(strip: Floats) -> Floats:
    """Strength of outlines against their surroundings: light changes them least."""
    calm = cv2.GaussianBlur(strip, (0, 0), 1.0)
    strength = cv2.magnitude(cv2.Sobel(calm, cv2.CV_32F, 1, 0), cv2.Sobel(calm, cv2.CV_32F, 0, 1))
    return np.asarray(np.minimum(strength / (cv2.blur(strength, (31, 31)) + 6.0), 3.0), np.float32)


def _row(metres: float) -> int:
    return round(metres * ROWS_PER_M)


def _grey(jpeg: bytes) -> Grey:
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE) if jpeg else None
    if image is None:
        raise ValueError(f"{len(jpeg)} bytes that are no picture, expected a JPEG")
    return np.asarray(image, np.uint8)
