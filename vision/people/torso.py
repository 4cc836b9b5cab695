"""The torso of a person: which part of the box it is, its pixels at a fixed size, and how much of it is fluorescent.

In: a frame's pixels and the box of a person who stands. Out: a crop (96, 64, 3) BGR, or None where nobody could tell.
Used by the rule, by the training of its model and by its figures, so that all look at the same pixels. Pure.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Box = tuple[float, float, float, float]
WIDTH_PX, HEIGHT_PX = 64, 96
PART: Final = (0.15, 0.60)
"""Upper and lower end in heights of the box: where 621 clothes that people had boxed lie on those who wear them."""
ASIDE: Final = 0.05
WIDEST: Final = 0.9
"""Width by height from which somebody is stooped, sits or lies: the part above is not the torso then."""
EDGE_PX: Final = 2.0
GREY_STEP, GREY_LEVELS = 16, 3.0
"""Every so many pixels; the mean spread of their three channels below which a frame is grey."""
VEST_COLOURS: Final = (((28, 50), 70, 110), ((3, 15), 180, 200))
"""Yellow and orange: hues of OpenCV (0..179), least saturation, least value. Skin, brick and gilt are duller."""


def torso_of(person: Box, width_px: int, height_px: int) -> Box | None:
    """The torso within a frame of this size; None where the box is too wide for one, or cut by the frame."""
    x1, y1, x2, y2 = person
    cut = x1 < EDGE_PX or y1 < EDGE_PX or x2 > width_px - EDGE_PX or y2 > height_px - EDGE_PX
    if cut or x2 - x1 > WIDEST * (y2 - y1):
        return None
    aside, height = ASIDE * (x2 - x1), y2 - y1
    return x1 + aside, y1 + PART[0] * height, x2 - aside, y1 + PART[1] * height


def crop(image: Image, torso: Box) -> Image:
    """Its pixels at the fixed size; a torso of less than a pixel gives one pixel."""
    x1, y1, x2, y2 = (round(side) for side in torso)
    x1, y1 = max(0, min(x1, image.shape[1] - 1)), max(0, min(y1, image.shape[0] - 1))
    cut = image[y1 : max(y1 + 1, y2), x1 : max(x1 + 1, x2)]
    shrinks = cut.shape[0] > HEIGHT_PX
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(cut, (WIDTH_PX, HEIGHT_PX), interpolation=how), np.uint8)


def without_colours(image: Image) -> bool:
    """Whether a whole frame is grey, as infrared is: then nobody's clothes can be told."""
    some = image[::GREY_STEP, ::GREY_STEP].astype(np.int16)
    return float((some.max(axis=2) - some.min(axis=2)).mean()) < GREY_LEVELS


def fluorescent_share(torso: Image) -> float:
    """Share of the pixels that are fluorescent yellow or orange, as a reflective vest is."""
    hue, saturation, value = cv2.split(cv2.cvtColor(torso, cv2.COLOR_BGR2HSV))
    vivid = np.zeros(hue.shape, dtype=bool)
    for (low, high), saturated, bright in VEST_COLOURS:
        vivid |= (hue >= low) & (hue <= high) & (saturation >= saturated) & (value >= bright)
    return float(vivid.mean())
