"""Where the camera stands: against the reference by day, and by night against the one by night where there is one.

All coordinates are those of the reference by day, on which the edges are drawn. In: pictures of one size. Out: a
`Shift` of a live picture, which of the references it is lit like, and the strips of both as looks.
"""

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.edges.light_spread import light_apart, light_spread, lit_as
from vision.edges.live import look_of
from vision.edges.registration import HERE, Register, Shift
from vision.edges.structure import Look
from vision.edges.view import View

NOBODY: Final = np.zeros((0, 4), np.float32)

Grey = NDArray[np.uint8]
Picture = NDArray[np.uint8]
"""(h, w) or (h, w, 3), BGR."""


class Standpoint:
    """`apart`: how far the reference by night lies from that by day, as it was registered; `HERE` without one."""

    def __init__(self, by_day: Picture, by_night: Picture | None) -> None:
        self._pictures = (by_day, by_night)
        self._spreads = (light_spread(grey_of(by_day)), None if by_night is None else light_spread(grey_of(by_night)))
        self.resize(by_day.shape[1], by_day.shape[0])

    def resize(self, width_px: int, height_px: int) -> None:
        """Live pictures have another size from now on."""
        by_day, by_night = (None if one is None else _resized(one, width_px, height_px) for one in self._pictures)
        assert by_day is not None
        self._by_day, self._shown = Register(grey_of(by_day)), (by_day, by_night)
        self._by_night = None if by_night is None else Register(grey_of(by_night))
        self.apart = HERE if by_night is None else self._by_day.shift(grey_of(by_night), NOBODY)

    def looks(self, view: View) -> tuple[Look, Look | None]:
        """The strips of the references, by day and by night."""
        by_day, by_night = self._shown
        return look_of(by_day, view), None if by_night is None else look_of(by_night, view, self.apart)

    def lit_as_by_night(self, grey: Grey, before: bool) -> bool:
        """Whether a live picture is lit like the reference by night; `before`: whether it was until now."""
        by_day, by_night = self._spreads
        if by_night is None:
            return False
        spread = light_spread(grey)
        return lit_as(light_apart(spread, by_night), light_apart(spread, by_day), before)

    def shift(self, grey: Grey, persons_xyxy_px: NDArray[np.float32], as_by_night: bool) -> Shift:
        """Where a live picture stands. Lit as by night the reference by night says it, unless the one by day is
        surer."""
        by_day = self._by_day.shift(grey, persons_xyxy_px)
        if not as_by_night or self._by_night is None:
            return by_day
        found = self._by_night.shift(grey, persons_xyxy_px)
        if found.sure < by_day.sure:
            return by_day
        return Shift(found.dx_px + self.apart.dx_px, found.dy_px + self.apart.dy_px, found.sure)


def grey_of(picture: Picture) -> Grey:
    """A picture without its colour."""
    return picture if picture.ndim == 2 else np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)


def stands(shift: Shift, width_px: int, most_px: float, least_sure: float) -> bool:
    """Whether a picture shows the view of the reference: moved by no more than `most_px` of a picture 640 px wide."""
    far = math.hypot(shift.dx_px, shift.dy_px)
    return shift.sure >= least_sure and far <= most_px * width_px / 640


def _resized(picture: Picture, width_px: int, height_px: int) -> Picture:
    return np.asarray(cv2.resize(picture, (width_px, height_px), interpolation=cv2.INTER_AREA), np.uint8)
