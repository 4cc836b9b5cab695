"""The persons of one frame as the rules on people look at them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.model.detections import Detections, SeenClass

EDGE_PX = 2.0
"""A box that ends so near the edge of the frame may go on outside."""


@dataclass(frozen=True, slots=True)
class Person:
    """One tracked person in a frame of this size."""

    track: int
    box_px: tuple[float, float, float, float]
    frame_width_px: int
    frame_height_px: int

    @property
    def width_px(self) -> float:
        """Of the box."""
        return self.box_px[2] - self.box_px[0]

    @property
    def height_px(self) -> float:
        """Of the box."""
        return max(self.box_px[3] - self.box_px[1], 1.0)

    @property
    def feet(self) -> NDArray[np.float64]:
        """The middle of the lower edge, fractions of the frame (1, 2)."""
        x = (self.box_px[0] + self.box_px[2]) / 2 / self.frame_width_px
        spot = np.array([[x, self.box_px[3] / self.frame_height_px]])
        return np.asarray(np.clip(spot, 0.0, 1.0))

    @property
    def without_feet(self) -> bool:
        """Whether the lower edge of the frame may hide them."""
        return self.box_px[3] > self.frame_height_px - EDGE_PX

    @property
    def cut(self) -> bool:
        """Whether any edge of the frame may hide a part."""
        x1, y1, x2, _ = self.box_px
        return self.without_feet or x1 < EDGE_PX or y1 < EDGE_PX or x2 > self.frame_width_px - EDGE_PX


def persons_of(detections: Detections) -> Sequence[Person]:
    """Everybody with a track; of two boxes on one, the surer."""
    rows = detections.of_class(SeenClass.PERSON)
    surest = {int(detections.track_id[row]): row for row in rows[np.argsort(detections.score[rows], kind="stable")]}
    surest.pop(-1, None)
    size = detections.frame_width_px, detections.frame_height_px
    found = []
    for track in sorted(surest):
        x1, y1, x2, y2 = (float(side) for side in detections.boxes_xyxy_px[surest[track]])
        found.append(Person(track, (x1, y1, x2, y2), *size))
    return found
