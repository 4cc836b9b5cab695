"""What a detector saw in one frame of one camera, as parallel arrays."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class SeenClass(IntEnum):
    """What a box is. A head box covers the whole head, helmet included. The codes are those of the label files."""

    HELMET = 0
    HEAD = 1
    PERSON = 2


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Boxes of one frame. `boxes_xyxy_px` (n, 4) float32 in pixels of the frame as captured; `score` (n,) float32 0..1;
    `class_id` (n,) uint8 of `SeenClass`; `track_id` (n,) int32, -1 where no track is kept. `head_scale`: pixels of the
    network that looked at heads for one pixel of the frame; 1 where heads were looked at as they are. Raises ValueError
    when the shapes do not agree."""

    camera: str
    frame_seq: int
    captured_at_ns: int
    frame_width_px: int
    frame_height_px: int
    boxes_xyxy_px: NDArray[np.float32]
    score: NDArray[np.float32]
    class_id: NDArray[np.uint8]
    track_id: NDArray[np.int32]
    head_scale: float = 1.0

    def __post_init__(self) -> None:
        n = len(self.score)
        if self.boxes_xyxy_px.shape != (n, 4) or self.class_id.shape != (n,) or self.track_id.shape != (n,):
            raise ValueError(f"{n} scores, boxes {self.boxes_xyxy_px.shape}, classes {self.class_id.shape}")

    def __len__(self) -> int:
        return len(self.score)

    def of_class(self, seen: SeenClass) -> NDArray[np.intp]:
        """Positions of the boxes of one class."""
        return np.flatnonzero(self.class_id == seen)
