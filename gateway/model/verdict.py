"""What the rules say: TRUE, FALSE or UNKNOWN, as parallel arrays.

`row` points into the rule table (one row = one rule on one subject). Missing is UNKNOWN, never FALSE.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Truth(IntEnum):
    """A verdict. Values are the codes used in arrays."""

    FALSE = 0
    TRUE = 1
    UNKNOWN = 2


FALSE, TRUE, UNKNOWN = (np.uint8(truth) for truth in Truth)
"""The same, for arrays: numpy takes several microseconds to compare with an enum's member, and one with a number."""


@dataclass(frozen=True, slots=True, eq=False)
class Verdicts:
    """What one sample made the rules say. All arrays have shape (m,); `measured` is NaN where nothing was measured."""

    row: NDArray[np.int32]
    truth: NDArray[np.uint8]
    measured: NDArray[np.float64]
    observed_at_ns: int
