"""Whether the picture is of another scene than the one before: a cut in a clip, a camera that turned, a door slammed
before the lens.

In: one picture after another. Out: True where nothing of the one before is left. What was tracked then is not here.
Pure; a look costs some tens of microseconds at 1080p.

Each picture is made coarse and split at its own median into dark and light, so that neither exposure nor one very dark
visitor counts for much. On a fixed camera nine tenths of the cells stay what they were, whoever walks through; on a
carried one at five frames a second two thirds. A cut leaves half of them, as chance does. A fast swing of the camera
looks like a cut too, and is treated as one: where somebody was then says nothing.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

COARSE = (18, 32)
LEAST_ALIKE = 0.64
LEAST_CHANGE = 15.0  # grey levels, mean: in pictures without any contrast dark and light are noise


class SceneCut:
    """One camera's."""

    def __init__(self) -> None:
        self._before: NDArray[np.float32] | None = None

    def step(self, image: NDArray[np.uint8]) -> bool:
        """Whether this picture (h, w, 3) begins another scene. The first one begins none."""
        plane = _coarse(image)
        before, self._before = self._before, plane
        if before is None:
            return False
        change = float(np.abs(plane - before).mean())
        alike = float(((plane > np.median(plane)) == (before > np.median(before))).mean())
        return alike < LEAST_ALIKE and change >= LEAST_CHANGE


def _coarse(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Sampled to four times the coarse size, averaged down, without its mean."""
    rows, columns = (
        np.linspace(0, side - 1, 4 * n).astype(np.intp) for side, n in zip(image.shape, COARSE, strict=False)
    )
    sampled = image[rows][:, columns].astype(np.float32)
    plane = cv2.resize(sampled, COARSE[::-1], interpolation=cv2.INTER_AREA).mean(axis=2)
    return np.asarray(plane - plane.mean(), dtype=np.float32)
