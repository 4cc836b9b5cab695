"""Decoded pictures into the frame slot: as many a second as are wanted, as BGR, scaled down where they do not fit.

In: libav's decoded pictures. Out: the slot. Runs in the capture process. Only wanted pictures are converted: that costs
as much as half of the decoding.
"""

import math
from typing import Any

from vision.camera.slot_file import SlotWriter, Stamp

_ALIGNMENT = 64


class PictureOutlet:
    """Writes at most `fps_cap` pictures a second."""

    def __init__(self, slot: SlotWriter | None, fps_cap: float) -> None:
        self._slot = slot
        self._period_s = 1.0 / fps_cap
        self._due_s = 0.0
        self.converted = 0

    def due(self, now_s: float) -> bool:
        """Whether a picture that comes now (monotonic) is wanted. Half a period early will do: the next may be late."""
        if self._slot is None or now_s < self._due_s - self._period_s * 0.25:
            return False
        self._due_s = max(self._due_s + self._period_s, now_s + self._period_s * 0.5)
        return True

    def write(self, picture: Any, stamp: Stamp) -> None:
        """Convert the picture and publish it with its stamp."""
        if self._slot is None:
            return
        width, height = fitting(picture.width, picture.height, self._slot.capacity)
        converted = picture.reformat(width=width, height=height, format="bgr24", threads=1)
        plane = converted.planes[0]
        with memoryview(plane) as rows:
            self._slot.write(rows, (width, height), plane.line_size, stamp)
        self.converted += 1


def fitting(width: int, height: int, capacity: int) -> tuple[int, int]:
    """The size itself when its rows fit into so many bytes, else the largest of the same shape that does (even)."""
    if _row_bytes(width) * height <= capacity:
        return width, height
    scale = math.sqrt(capacity / (_row_bytes(width) * height))
    while True:
        smaller = max(2, int(width * scale) // 2 * 2), max(2, int(height * scale) // 2 * 2)
        if _row_bytes(smaller[0]) * smaller[1] <= capacity:
            return smaller
        scale *= 0.99


def _row_bytes(width: int) -> int:
    return -(-width * 3 // _ALIGNMENT) * _ALIGNMENT
