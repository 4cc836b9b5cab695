"""One edge's strip out of live frames, averaged over some seconds with people cut out.

Averaging signed gradients takes out noise, rain and dust; pixels under a person box keep what was seen before, and are
marked as not seen now. In: a frame, where it stands against the reference, person boxes. Out: a `Look`.
"""

import math
from collections.abc import Iterable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.edges.registration import HERE, Shift
from vision.edges.structure import Look, gradients, grey_of, tints
from vision.edges.view import View

Floats = NDArray[np.float32]

GROWN: Final = 0.12
"""A person box is widened by this part: arms, tools and the detector's error."""
NOISY, CALM_AGAIN = 6.0, 4.0
"""Variance of a single gradient from which a picture is one of the night, and under which it is one no more."""
FRESH: Final = 0.9
"""A pixel counts once it has been seen about once lately."""


def strip_of(image: NDArray[np.uint8], view: View, shift: Shift) -> NDArray[np.uint8]:
    """The rectified strip of a frame that stands at `shift`, in colour where the frame is."""
    map_x, map_y = view.map_x + np.float32(shift.dx_px), view.map_y + np.float32(shift.dy_px)
    return np.asarray(cv2.remap(image, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def look_of(image: NDArray[np.uint8], view: View, shift: Shift = HERE) -> Look:
    """A single picture that stands at `shift` as a look: a reference."""
    strip = strip_of(image, view, shift)
    grey = grey_of(strip)
    return Look(gradients(grey), grey, np.zeros_like(grey), np.ones_like(grey), tints(strip))


def free_of(persons_xyxy_px: Floats, view: View, shift: Shift) -> Floats:
    """1 where no person stands, 0 under a grown box; (rows, columns) of the strip."""
    free = np.ones_like(view.map_x)
    for x1, y1, x2, y2 in persons_xyxy_px:
        grow = GROWN * (x2 - x1) + 2
        left, right = x1 - grow - shift.dx_px, x2 + grow - shift.dx_px
        top, under = y1 - grow - shift.dy_px, y2 + grow - shift.dy_px
        free[(view.map_x > left) & (view.map_x < right) & (view.map_y > top) & (view.map_y < under)] = 0
    return free


def lit_by_lamps(averages: Iterable["Average"], before: bool) -> bool:
    """Whether the picture has the noise that a camera has by night and by no day: lamps light the site then, and the
    sun that the reference was taken in does not. `before`: whether it was so until now."""
    return max((one.noise for one in averages), default=0.0) >= (CALM_AGAIN if before else NOISY)


class Average:
    """Running mean of one edge's strip. `noise`: variance of a single frame's gradient about it, the median."""

    def __init__(self, view: View, average_s: float) -> None:
        rows, columns = view.map_x.shape
        self.average_s = average_s
        self.noise = 0.0
        self.weight = np.zeros((rows, columns), np.float32)
        self.gradient = np.zeros((2, rows, columns), np.float32)
        self.tint = np.zeros((2, rows, columns), np.float32)
        self.power = np.zeros((rows, columns), np.float32)
        self.level = np.zeros((rows, columns), np.float32)

    def add(self, strip: NDArray[np.uint8], free: Floats, elapsed_s: float) -> Look:
        """Take a strip in; `elapsed_s` since the one before."""
        keep = np.float32(math.exp(-elapsed_s / max(self.average_s, 1.2 * min(elapsed_s, 30.0))))
        old = self.weight * keep
        self.weight = old + free
        part = free / np.maximum(self.weight, 1e-6)
        grey = grey_of(strip)
        fresh = gradients(grey)
        self.tint += part * (tints(strip) - self.tint)
        self.gradient += part * (fresh - self.gradient)
        self.power += part * ((fresh**2).sum(0) - self.power)
        self.level += part * (grey - self.level)
        single = np.maximum(self.power - (self.gradient**2).sum(0), 0)
        spread = single / np.maximum(self.weight, 1.0)
        self.noise = float(np.median(single[::3, ::3]))
        seen = (free > 0) & (self.weight > FRESH)
        return Look(self.gradient.copy(), self.level.copy(), spread, seen.astype(np.float32), self.tint.copy())
