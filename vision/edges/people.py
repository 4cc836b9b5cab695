"""People at or beyond an unprotected stretch of edge, from their boxes: place k tells of people at the gap of place k.

    o          A person's foot is the middle of the lower side of the box. It is at the edge when it is not farther than
   /|\\  foot   `reach_m` from the open part of the line, measured by the upright scale there. The ground is seen
   / \\  x     foreshortened, so a metre of it is fewer pixels than an upright one: the reach errs to the long side.
  ====----===  A person whose feet the edge itself hides (seen from below) has the box end at the line, and counts.

Presence is confirmed over `person_s` and cleared by absence of the same length, whatever the frame rate.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.edges.settings import EdgeSettings
from vision.edges.view import View

SECOND: Final = 1_000_000_000
LOST_S: Final = 1.0
"""A person may be missed by the detector for so long without the presence being begun anew."""

Boxes = NDArray[np.float32]
Bools = NDArray[np.bool_]


def people_at(view: View, columns: Bools, persons_xyxy_px: Boxes, shift_px: tuple[float, float], reach_m: float) -> int:
    """The nearest person's row in `persons_xyxy_px`, or -1 when nobody is within reach of these columns."""
    if not len(persons_xyxy_px) or not columns.any():
        return -1
    feet = np.stack([(persons_xyxy_px[:, 0] + persons_xyxy_px[:, 2]) / 2, persons_xyxy_px[:, 3]], axis=1) - shift_px
    if view.opening:
        away = _from_outline(view, feet)
    else:
        apart = feet[:, None, :] - view.foot_px[columns][None, :, :]
        away = (np.hypot(apart[..., 0], apart[..., 1]) / view.scale_px_m[columns]).min(1)
    nearest = int(np.argmin(away))
    return nearest if away[nearest] <= reach_m else -1


def _from_outline(view: View, feet: NDArray[np.float64]) -> NDArray[np.float64]:
    inside = view.witness < 1
    spots = np.stack([view.map_x[inside], view.map_y[inside]], axis=1)
    apart = feet[:, None, :] - spots[None, :, :]
    return np.asarray(np.hypot(apart[..., 0], apart[..., 1]).min(1) / view.scale_px_m[0])


@dataclass(slots=True)
class Presence:
    """Whether somebody is at one gap. `is_there` is confirmed; `fired` in the step that confirmed it."""

    is_there: bool = False
    fired: bool = False
    since_ns: int = 0
    seen_ns: int = -(2**62)
    first_ns: int = -1
    box_px: tuple[float, float, float, float] | None = None

    def step(self, box_px: tuple[float, float, float, float] | None, settings: EdgeSettings, now_ns: int) -> None:
        """Take in whether somebody is within reach now (`box_px`) or not (None)."""
        self.fired = False
        if box_px is not None:
            if self.first_ns < 0 or now_ns - self.seen_ns > (LOST_S + settings.person_s) * SECOND:
                self.first_ns = now_ns
            self.seen_ns, self.box_px = now_ns, box_px
            if not self.is_there and now_ns - self.first_ns >= settings.person_s * SECOND:
                self.is_there, self.fired, self.since_ns = True, True, self.first_ns
        elif now_ns - self.seen_ns > LOST_S * SECOND:
            self.first_ns = -1
            if now_ns - self.seen_ns >= settings.person_s * SECOND:
                self.is_there, self.box_px = False, None

    def clear(self) -> None:
        """Nobody can be at a gap that is not there."""
        self.is_there, self.fired, self.first_ns, self.box_px = False, False, -1, None


def box_of(persons: Boxes, row: int) -> tuple[float, float, float, float] | None:
    """The sides of one of the boxes; None for row -1."""
    if row < 0:
        return None
    x1, y1, x2, y2 = (float(part) for part in persons[row])
    return (x1, y1, x2, y2)
