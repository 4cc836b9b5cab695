"""Whether two whole pictures of one camera show the same view: the picture that was drawn on, and one of now.

For a drawing that is taken up again after a while: the running check of the camera's health compares each frame with
the newest drawing's picture only. In: JPEG. Out: TRUE (it looks elsewhere), FALSE, UNKNOWN. Pure.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.model.verdict import Truth
from vision.health.picture_measures import sample_picture
from vision.health.view_match import ACROSS, DOWN, ViewMatch, evened_edges

MOVED_SHARE: Final = 0.02
"""As in the running check: a share of the frame's width; less is sway."""
LIES_WHERE_IT_LAY: Final = 0.42
"""Likeness of all outlines, from which the view is the same whatever single blocks say: people walk, and blocks that
show nothing but the edge of a slab are like their neighbours."""
SWAY_PX: Final = 2


def has_moved(then: bytes, now: bytes) -> Truth:
    """UNKNOWN for what is no picture, for pictures of different shapes, and where too little has texture."""
    before, after = _grey(then), _grey(now)
    if before is None or after is None:
        return Truth.UNKNOWN
    match, found = ViewMatch(MOVED_SHARE), Truth.UNKNOWN
    reference, thumb = sample_picture(before).thumb, sample_picture(after).thumb
    if reference.shape != thumb.shape:
        return Truth.UNKNOWN
    for _ in range(ACROSS * DOWN):
        found = match.step(thumb, reference)
    if found is Truth.TRUE and likeness(evened_edges(reference), evened_edges(thumb)) >= LIES_WHERE_IT_LAY:
        return Truth.FALSE
    return found


def likeness(before: NDArray[np.float32], after: NDArray[np.float32]) -> float:
    """Of whole pictures as `evened_edges` gives them, a little sway allowed; both of one size."""
    inner = before[SWAY_PX:-SWAY_PX, SWAY_PX:-SWAY_PX]
    return float(cv2.matchTemplate(after, inner, cv2.TM_CCOEFF_NORMED).max())


def _grey(jpeg: bytes) -> NDArray[np.uint8] | None:
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE) if jpeg else None
    return np.asarray(image, np.uint8) if image is not None and min(image.shape) >= ACROSS * DOWN * 2 else None
