"""A picture into a network's input: shrunk or grown to fit, the rest filled, planes of float32.

In: BGR pictures of any size, an entry of the registry. Out: a view of a batch that is kept from call to call, and for
each picture a `Placement` that leads boxes back, and the green plane that was fed. Not thread-safe: the batch is
written in place.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.detector.registry import ModelEntry

Picture8 = NDArray[np.uint8]
Plane8 = NDArray[np.uint8]
Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a picture lies in the input: input pixel = picture pixel x scale + offset, for x and y apart."""

    scale: tuple[float, float]
    offset_px: tuple[float, float]
    picture_px: Size

    def back(self, xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
        """Boxes (n, 4) of the input as boxes of the picture, cut at its border."""
        scale = np.array(self.scale * 2, dtype=np.float32)
        offset = np.array(self.offset_px * 2, dtype=np.float32)
        limit = np.array(self.picture_px * 2, dtype=np.float32)
        return np.asarray(np.clip((xyxy - offset) / scale, 0.0, limit), dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A picture as the network got it: where it lies, and its green plane (h, w) uint8."""

    placement: Placement
    green: Plane8


def nearest_input(inputs: Sequence[Size], width_px: int, height_px: int) -> Size:
    """Of the sizes (width, height) allowed, the one whose aspect is nearest to the picture's; the first of equals."""
    aspect = log(width_px / height_px)
    return min(inputs, key=lambda size: round(abs(log(size[0] / size[1]) - aspect), 6))


class Letterbox:
    """Fills batches of one input size. `most` is the largest batch."""

    def __init__(self, entry: ModelEntry, size: Size, most: int) -> None:
        self._entry = entry
        self._size = size
        width, height = size
        self._canvas = np.full((height, width, 3), entry.fill, dtype=np.uint8)
        self._batch = np.empty((most, 3, height, width), dtype=np.float32)
        self._planes = [np.empty((height, width), dtype=np.uint8) for _ in range(3)]
        std, mean = np.array(entry.std), np.array(entry.mean)
        self._factor = (entry.scale / std).astype(np.float32)
        self._shift = (-mean / std).astype(np.float32)

    def fill(self, pictures: Sequence[Picture8]) -> tuple[NDArray[np.float32], list[Placed]]:
        """The batch (n, 3, h, w), valid until the next call, and how each picture lies in it."""
        placed = [self._write(picture, self._batch[row]) for row, picture in enumerate(pictures)]
        return self._batch[: len(pictures)], placed

    def _write(self, picture: Picture8, into: NDArray[np.float32]) -> Placed:
        height, width = picture.shape[:2]
        ratio = min(self._size[0] / width, self._size[1] / height)
        inner = (max(1, round(width * ratio)), max(1, round(height * ratio)))
        left, top = self._corner(inner)
        self._canvas[:] = self._entry.fill
        inside = self._canvas[top : top + inner[1], left : left + inner[0]]
        if self._entry.resample == "area":
            picture = halved(picture, ratio)
        cv2.resize(picture, inner, dst=inside, interpolation=cv2.INTER_LINEAR)
        cv2.split(self._canvas, self._planes)
        planes = self._planes if self._entry.colour == "bgr" else self._planes[::-1]
        for channel, plane in enumerate(planes):
            np.multiply(plane, self._factor[channel], out=into[channel], casting="unsafe")
            if self._shift[channel]:
                into[channel] += self._shift[channel]
        placement = Placement((inner[0] / width, inner[1] / height), (float(left), float(top)), (width, height))
        return Placed(placement, self._planes[1].copy())

    def _corner(self, inner: Size) -> Size:
        if self._entry.letterbox == "corner":
            return 0, 0
        return (self._size[0] - inner[0]) // 2, (self._size[1] - inner[1]) // 2


def halved(picture: Picture8, ratio: float) -> Picture8:
    """`picture` averaged 2 x 2 as often as it stays at least as large as `ratio` asks for, so that fine structure does
    not alias when the rest is interpolated. At 1080p this takes 1 ms, OpenCV's own area averaging 8 ms; on pictures
    that are shrunk less than twice both score the same."""
    while ratio <= 0.5 and min(picture.shape[:2]) >= 2:
        height, width = picture.shape[0] // 2, picture.shape[1] // 2
        even = picture[: 2 * height, : 2 * width]
        picture = np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)
        ratio *= 2
    return picture
