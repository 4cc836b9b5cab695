"""Whether a picture can be the reference by night of a survey, and what a person should see before confirming it.

    picture by night --size, light--> laid over the picture that was drawn on --> lines along each drawn edge

That the protection *stands* in it a person says: nothing here can tell a rail by night from a row of other lines. In:
the survey and both JPEGs. Out: a `NightLook` with every fault. Pure; about 50 ms.
"""

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.model.night_picture import LineSeen, NightFault, NightLook, NightProblem
from gateway.model.survey import Edge, Survey
from vision.edges.light_spread import light_apart, light_spread
from vision.edges.registration import Register, Shift
from vision.edges.settings import EdgeSettings
from vision.edges.structure import LEAST_STRUCTURE, gradients, pooled, rail_weight
from vision.edges.view import view_of

Grey = NDArray[np.uint8]
NOBODY: Final = np.empty((0, 4), np.float32)
DARK: Final = 20.0
"""Grey level that the brightest hundredth must reach once grain is averaged away."""
GRAIN_PX: Final = 3.0
"""Blur of a strip that takes the grain of a single picture by night away, before lines are looked for."""
BORDER: Final = 1.5
"""Grey levels a pixel from which something is a border of a cover, after that blur; grain alone stays under 1."""
LEAST_BORDER: Final = 3
"""Pixels of border in a column of a cover, for something to be seen there."""
LEAST_LINES: Final = 0.4
"""Part of a drawn edge along which something of its protection must be seen, of one edge at least."""
SURELY: Final = 0.05
"""A match from which a picture that lies far off is called moved; less says nothing of where it lies."""
SMALL_PX: Final = (80, 45)
OTHER_LIGHT: Final = 0.12
"""How far the light of the two pictures must be apart (vision/edges/light_spread.py)."""


def night_look(survey: Survey, by_day: bytes, by_night: bytes) -> NightLook:
    """How `by_night` lies over `by_day`, on which the survey was drawn. Never raises for a bad picture by night; raises
    ValueError when that by day is none."""
    day, night = _grey(by_day), _grey(by_night)
    if day is None:
        raise ValueError(f"{survey.camera}: the reference picture is missing, expected a JPEG")
    if night is None:
        return _refused(NightProblem.NO_PICTURE, f"{len(by_night)} bytes that are no picture", "a JPEG")
    if night.shape != day.shape:
        return _refused(NightProblem.OTHER_SIZE, _size(night), f"{_size(day)} as the reference by day")
    brightest = float(np.percentile(cv2.resize(night, SMALL_PX, interpolation=cv2.INTER_AREA), 99))
    if brightest < DARK:
        return _refused(NightProblem.TOO_DARK, f"grey level {brightest:.0f} at its brightest", f"{DARK:.0f} or more")
    apart = light_apart(light_spread(night), light_spread(day))
    if apart < OTHER_LIGHT:
        found = f"light spread as in the reference by day (they differ by {apart:.2f})"
        return _refused(NightProblem.SAME_LIGHT, found, f"a picture by lamps ({OTHER_LIGHT:g} or more)")
    shift = Register(day).shift(night, NOBODY)
    look = _laid_over(survey, day, night, shift)
    return NightLook(shift.dx_px / day.shape[1], shift.dy_px / day.shape[0], look.lines, look.faults)


def _laid_over(survey: Survey, day: Grey, night: Grey, shift: Shift) -> NightLook:
    """Faults of place, or else the lines along each edge."""
    settings = EdgeSettings()
    most_px, far_px = settings.register_px * day.shape[1] / 640, math.hypot(shift.dx_px, shift.dy_px)
    if shift.sure < (settings.register_sure if far_px <= most_px else SURELY):
        found = f"a match of {shift.sure:.3f} with the reference by day"
        return _refused(NightProblem.NOT_MATCHED, found, f"{settings.register_sure:g} or more")
    if far_px > most_px:
        return _refused(NightProblem.MOVED, f"moved by {far_px:.1f} pixels", f"at most {most_px:.1f}")
    lines = tuple(LineSeen(edge.edge_id, edge.title, _seen(edge, night, shift)) for edge in survey.edges)
    most = max((line.share for line in lines), default=0.0)
    if most < LEAST_LINES:
        found = f"lines along {most:.0%} of the edge that shows most"
        fault = NightFault(NightProblem.NO_LINES, found, f"{LEAST_LINES:.0%} or more of one edge")
        return NightLook(lines=lines, faults=(fault,))
    return NightLook(lines=lines)


def _seen(edge: Edge, night: Grey, shift: Shift) -> float:
    """Part of the columns of an edge in which lines of its protection can be made out."""
    view = view_of(edge, night.shape[1], night.shape[0])
    map_x, map_y = view.map_x + np.float32(shift.dx_px), view.map_y + np.float32(shift.dy_px)
    strip = cv2.remap(night, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    calm = np.asarray(cv2.GaussianBlur(strip, (0, 0), GRAIN_PX), np.float32)
    gradient = gradients(calm)
    if view.opening:
        borders = np.sqrt((gradient**2).sum(0)) * view.protected >= BORDER
        return float((borders.sum(0) >= LEAST_BORDER)[view.judged].mean())
    weight = rail_weight(gradient, view.protected, False)
    return float((pooled(weight)[0] >= LEAST_STRUCTURE)[view.judged].mean())


def _refused(problem: NightProblem, found: str, expected: str) -> NightLook:
    return NightLook(faults=(NightFault(problem, found, expected),))


def _size(picture: Grey) -> str:
    return f"{picture.shape[1]} x {picture.shape[0]} pixels"


def _grey(jpeg: bytes) -> Grey | None:
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE) if jpeg else None
    return None if image is None else np.asarray(image, np.uint8)
