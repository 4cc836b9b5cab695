"""Whether anything moved since the picture was judged: what stands still need not be detected again every time."""

import numpy as np
from numpy.typing import NDArray

LEVEL = 9
FEWEST_PIXELS = 3
AT_LEAST_EVERY_NS = 1_000_000_000
Grey = NDArray[np.generic]


class MotionGate:
    """One camera, fed with the small grey pictures of its health check. Remembers the one that was detected last, so
    that slow movement adds up; after a second the detector looks anyway."""

    def __init__(self) -> None:
        self._detected: NDArray[np.int16] | None = None
        self._at_mono_ns = 0

    def wants(self, thumbnail: Grey | None, now_mono_ns: int) -> bool:
        """Whether the detector should look at this frame."""
        if thumbnail is None or self._detected is None or self._detected.shape != thumbnail.shape:
            return True
        if now_mono_ns - self._at_mono_ns >= AT_LEAST_EVERY_NS:
            return True
        change = np.abs(thumbnail.astype(np.int16) - self._detected)
        return int(np.count_nonzero(change > LEVEL)) >= FEWEST_PIXELS

    def detected(self, thumbnail: Grey | None, now_mono_ns: int) -> None:
        """The detector has looked."""
        self._detected = None if thumbnail is None else thumbnail.astype(np.int16)
        self._at_mono_ns = now_mono_ns
