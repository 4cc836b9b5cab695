"""One edge's strip out of live frames, averaged over some seconds with people cut out.

Averaging signed gradients takes out noise, rain and dust; pixels under a person box keep what was seen before, and are
marked as not seen now. In: a grey frame, where it stands against the reference, person boxes. Out: a `Look`.
"""

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.edges.registration import Shift
from vision.edges.structure import Look, gradients
from vision.edges.view import View

Floats = NDArray[np.float32]

GROWN: Final = 0.12
"""A person box is widened by this part: arms, tools and the detector's error."""
FRESH: Final = 0.9
"""A pixel counts once it has been seen about once lately."""


def strip_of(grey: NDArray[np.uint8], view: View, shift: Shift) -> Floats:
    """The rectified strip of a frame that stands at `shift`."""
    map_x, map_y = view.map_x + np.float32(shift.dx_px), view.map_y + np.float32(shift.dy_px)
    return cv2.remap(grey, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)


def look_of(grey: NDArray[np.uint8], view: View) -> Look:
    """A single picture as a look: the reference."""
    strip = strip_of(grey, view, Shift(0.0, 0.0, 1.0))
    return Look(gradients(strip), strip, np.zeros_like(strip), np.ones_like(strip))


def free_of(persons_xyxy_px: Floats, view: View, shift: Shift) -> Floats:
    """1 where no person stands, 0 under a grown box; (rows, columns) of the strip."""
    free = np.ones_like(view.map_x)
    for x1, y1, x2, y2 in persons_xyxy_px:
        grow = GROWN * (x2 - x1) + 2
        left, right = x1 - grow - shift.dx_px, x2 + grow - shift.dx_px
        top, under = y1 - grow - shift.dy_px, y2 + grow - shift.dy_px
        free[(view.map_x > left) & (view.map_x < right) & (view.map_y > top) & (view.map_y < under)] = 0
    return free


class Average:
    """Running mean of one edge's strip."""

    def __init__(self, view: View, average_s: float) -> None:
        rows, columns = view.map_x.shape
        self.average_s = average_s
        self.weight = np.zeros((rows, columns), np.float32)
        self.gradient = np.zeros((2, rows, columns), np.float32)
        self.power = np.zeros((rows, columns), np.float32)
        self.level = np.zeros((rows, columns), np.float32)

    def add(self, strip: Floats, free: Floats, elapsed_s: float) -> Look:
        """Take a strip in; `elapsed_s` since the one before."""
        keep = np.float32(math.exp(-elapsed_s / max(self.average_s, 1.2 * min(elapsed_s, 30.0))))
        old = self.weight * keep
        self.weight = old + free
        part = free / np.maximum(self.weight, 1e-6)
        fresh = gradients(strip)
        self.gradient += part * (fresh - self.gradient)
        self.power += part * ((fresh**2).sum(0) - self.power)
        self.level += part * (strip - self.level)
        spread = np.maximum(self.power - (self.gradient**2).sum(0), 0) / np.maximum(self.weight, 1.0)
        seen = (free > 0) & (self.weight > FRESH)
        return Look(self.gradient.copy(), self.level.copy(), spread, seen.astype(np.float32))
