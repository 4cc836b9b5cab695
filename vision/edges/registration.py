"""Shift of a live frame against the reference view, from fixed parts of the picture, or unknown.

Both pictures are reduced to where their outlines are (strength of the gradient against its surroundings, which light
and shadow change least), and compared by phase correlation. People are cut out first. In: grey pictures. Out: a shift
in pixels of the frame and how sure it is.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH_PX: Final = 384
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Shift:
    """The live picture shows at (x + dx, y + dy) what the reference shows at (x, y). `sure` is 0..1."""

    dx_px: float
    dy_px: float
    sure: float


HERE: Final = Shift(0.0, 0.0, 1.0)
"""It has not moved."""


class Register:
    """Keeps the outlines of the reference view."""

    def __init__(self, reference_grey: NDArray[np.uint8]) -> None:
        height, width = reference_grey.shape
        self.zoom = WIDTH_PX / width
        self.size = (WIDTH_PX, max(16, round(height * self.zoom)))
        self.window = cv2.createHanningWindow(self.size, cv2.CV_32F)
        self.outlines = self._outlines(reference_grey)

    def shift(self, grey: NDArray[np.uint8], persons_xyxy_px: Floats) -> Shift:
        """How far the live picture stands off the reference."""
        live = self._outlines(grey)
        for x1, y1, x2, y2 in persons_xyxy_px * self.zoom:
            live[max(0, int(y1)) : max(0, int(y2) + 1), max(0, int(x1)) : max(0, int(x2) + 1)] = 0
        # OpenCV 5.0 multiplies the window into what it is given: without the copy the reference fades frame by frame.
        (dx, dy), sure = cv2.phaseCorrelate(self.outlines.copy(), live, self.window)
        return Shift(dx / self.zoom, dy / self.zoom, float(sure))

    def _outlines(self, grey: NDArray[np.uint8]) -> Floats:
        small = cv2.resize(grey, self.size, interpolation=cv2.INTER_AREA).astype(np.float32)
        gx, gy = cv2.Sobel(small, cv2.CV_32F, 1, 0), cv2.Sobel(small, cv2.CV_32F, 0, 1)
        strength = cv2.magnitude(gx, gy)
        around = cv2.blur(strength, (31, 31)) + 6.0
        return np.minimum(strength / around, 3.0)
