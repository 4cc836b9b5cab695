"""One poll of one device, as parallel arrays.

Arrays, not an object per value: at 100,000 values a second the poll is the unit of work.

    point_index  [ 4  5  6  7 ]      which points (positions in the PointTable)
    value        [1.2 NaN 3 9 ]      SI or the point's own unit; NaN where quality is BAD
    quality      [ 0   2  0 1 ]      GOOD, BAD, GOOD, SUSPECT
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Quality(IntEnum):
    """How far a value may be trusted. BAD values are NaN and never judged; SUSPECT is shown and judged UNKNOWN."""

    GOOD = 0
    SUSPECT = 1
    BAD = 2


GOOD, SUSPECT, BAD = (np.uint8(quality) for quality in Quality)
"""The same, for arrays: numpy takes several microseconds to compare with an enum's member, and one with a number."""


@dataclass(frozen=True, slots=True)
class RawBlock:
    """What the wire said, for evidence: (first address, words uint16) runs, or a payload as bytes."""

    blocks: tuple[tuple[int, NDArray[np.uint16]], ...] = ()
    payload: bytes = b""


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """One poll or one message. All arrays have shape (n,). Times are UTC nanoseconds.

    `observed_at_ns` is stamped at the read (or is the device's own time where it carries one),
    `received_at_ns` when the box had it. A driver hands the *same* `point_index` object at every poll.
    """

    device: str
    point_index: NDArray[np.int32]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]
    observed_at_ns: int
    received_at_ns: int
    raw: RawBlock = RawBlock()

    @classmethod
    def unreadable(cls, device: str, point_index: NDArray[np.int32], now_ns: int) -> "Readings":
        """A poll that failed: every value NaN, every quality BAD, so that the verdicts become UNKNOWN at once."""
        n = len(point_index)
        return cls(device, point_index, np.full(n, np.nan), np.full(n, Quality.BAD, dtype=np.uint8), now_ns, now_ns)
