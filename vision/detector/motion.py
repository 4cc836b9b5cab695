"""Motion gating: a frame in which nothing moved since the last look need not be looked at again. Pure but for cv2.

In: frames and the time. Out: for each camera whether to look, and why. The comparison is with the thumbnail of the
**last look**, not of the last frame, so that slow movement adds up until it is seen.

    thumbnail 160 x 90 grey --difference > level in >= cells--> MOVED      a worker walks
                            --in more than half of it---------> CHANGED    light switched, camera turned
                            --nothing, but long ago-----------> DUE
                            --nothing-------------------------> STILL      the last boxes hold
"""

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.picture.frame import Frame

THUMBNAIL = (160, 90)
SECOND_NS = 1_000_000_000


class Motion(StrEnum):
    """Why a frame is looked at, or STILL: that it is not. FIRST: nothing to compare with (new stream, other size)."""

    FIRST = "first"
    MOVED = "moved"
    CHANGED = "changed"
    DUE = "due"
    STILL = "still"


@dataclass(frozen=True, slots=True)
class MotionSettings:
    """`level` of 255 by which a cell of the thumbnail must differ; `cells` that must; `changed` is the part of the
    whole from which the scene is another. A still frame is looked at again after `look_again_s`, so that a wrong box
    does not live for ever; 0 looks at every frame."""

    level: float = 10.0
    cells: int = 2
    changed: float = 0.5
    look_again_s: float = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class LastLook:
    """What a camera's last look was at."""

    thumbnail: NDArray[np.uint8]
    session: int
    frame_px: tuple[int, int]
    at_ns: int


class MotionGate:
    """Remembers the last look of each camera."""

    def __init__(self, settings: MotionSettings | None = None) -> None:
        self.settings = settings or MotionSettings()
        self._looks: dict[str, LastLook] = {}
        self._moved: dict[str, NDArray[np.bool_]] = {}

    def judge(self, frame: Frame, now_mono_ns: int) -> Motion:
        """Whether and why to look at a frame. Unless STILL the frame is remembered as looked at."""
        small = thumbnail(frame.image)
        motion = self._compare(frame, small, now_mono_ns)
        if motion is not Motion.STILL:
            size = (frame.width_px, frame.height_px)
            self._looks[frame.camera] = LastLook(small, frame.session, size, now_mono_ns)
        return motion

    def moved(self, camera: str) -> NDArray[np.bool_] | None:
        """Which cells of the thumbnail (90, 160) differed in the newest frame; None: nothing to compare with."""
        return self._moved.get(camera)

    def forget(self, camera: str) -> None:
        """The next frame of the camera is looked at whatever it shows."""
        self._looks.pop(camera, None)
        self._moved.pop(camera, None)

    def _compare(self, frame: Frame, small: NDArray[np.uint8], now_mono_ns: int) -> Motion:
        last = self._looks.get(frame.camera)
        if last is None or last.session != frame.session or last.frame_px != (frame.width_px, frame.height_px):
            self._moved.pop(frame.camera, None)
            return Motion.FIRST
        moved = np.asarray(cv2.absdiff(small, last.thumbnail) > self.settings.level)
        self._moved[frame.camera] = moved
        differing = int(np.count_nonzero(moved))
        if differing > self.settings.changed * small.size:
            return Motion.CHANGED
        if differing >= self.settings.cells:
            return Motion.MOVED
        due = now_mono_ns - last.at_ns >= self.settings.look_again_s * SECOND_NS
        return Motion.DUE if due else Motion.STILL


def thumbnail(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(90, 160) uint8 of the green plane, averaged: noise of single pixels cancels, a head some pixels high does not.
    Large pictures are thinned before."""
    step = max(1, min(image.shape[1] // (3 * THUMBNAIL[0]), image.shape[0] // (3 * THUMBNAIL[1])))
    thinned = np.ascontiguousarray(image[::step, ::step, 1])
    return np.asarray(cv2.resize(thinned, THUMBNAIL, interpolation=cv2.INTER_AREA), dtype=np.uint8)
