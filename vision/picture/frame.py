"""One decoded picture of one camera, with the times that belong to it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """`image` (h, w, 3) uint8, BGR. `seq` counts decoded frames of the camera since its capture began (gaps = frames
    that nobody took). `captured_at_ns` is the stream's own time where it carries one (`stream_time`), else the time
    of arrival; UTC ns. `received_at_ns` is when the box had it. `session` counts connections: another one means that
    the stream was opened anew."""

    camera: str
    seq: int
    captured_at_ns: int
    received_at_ns: int
    stream_time: bool
    session: int
    image: NDArray[np.uint8]

    @property
    def height_px(self) -> int:
        """Rows."""
        return int(self.image.shape[0])

    @property
    def width_px(self) -> int:
        """Columns."""
        return int(self.image.shape[1])
