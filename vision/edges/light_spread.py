"""How the light is spread over a whole picture, exposure taken out: which of two references a live picture is lit like.

Rendered sites (18 by 32, medians taken out; ADR 14): two pictures of one night differ by 0.01 to 0.03, in bad weather
by up to 0.20; night and day by 0.22 to 0.62; two hours of one day by 0.05 to 0.35. A camera that smooths its noise away
does not change it. Pure.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

SPREAD_PX: Final = (32, 18)
NEARER: Final = 0.6
"""Part of the distance from the one reference under which the other one is in force."""
STILL_NEARER: Final = 0.9
"""And up to which it stays so."""

Grey = NDArray[np.uint8]
Spread = NDArray[np.float32]


def light_spread(picture: Grey) -> Spread:
    """(18, 32) logarithms of grey levels, their median taken out."""
    spread = np.log(cv2.resize(picture, SPREAD_PX, interpolation=cv2.INTER_AREA).astype(np.float32) + 6)
    return np.asarray(spread - np.median(spread), np.float32)


def light_apart(one: Spread, other: Spread) -> float:
    """How far two pictures are lit apart, 0 for the same light."""
    return float(np.abs(one - other).mean())


def lit_as(other: float, first: float, before: bool) -> bool:
    """Whether a picture that is `first` from the first reference and `other` from the other is lit like the other;
    `before`: whether it was until now."""
    return other < (STILL_NEARER if before else NEARER) * first
