"""Kept stills as they are shown outside an opened case: faces blurred, at full size or as a thumbnail.

In: a JPEG and the boxes that were kept beside it. Out: another JPEG; the kept one is never changed. Made when it is
asked for: what is evidence has one form only. Raises ValueError for what is no picture. Knows no case and no role.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.privacy.privacy import blur_faces

JPEG_QUALITY = 85
THUMBNAIL_QUALITY = 75
BoxRows = Sequence[tuple[float, float, float, float, int, float, int]]


def blurred_still(body: bytes, boxes: BoxRows) -> bytes:
    """The picture with every face region of its boxes averaged away, as JPEG."""
    return _encoded(_blurred(body, boxes), JPEG_QUALITY)


def blurred_thumbnail(body: bytes, boxes: BoxRows, width_px: int = 480) -> tuple[bytes, int, int]:
    """The same, at most `width_px` wide: JPEG, width and height."""
    image = _blurred(body, boxes)
    height, width = image.shape[:2]
    if width > width_px:
        size = (width_px, max(1, round(height * width_px / width)))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return _encoded(image, THUMBNAIL_QUALITY), int(image.shape[1]), int(image.shape[0])


def _blurred(body: bytes, boxes: BoxRows) -> NDArray[np.uint8]:
    image = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR) if body else None
    if image is None:
        raise ValueError(f"a still: expected a JPEG, got {len(body)} bytes of something else")
    corners = np.array([box[:4] for box in boxes], dtype=np.float64).reshape(-1, 4)
    return blur_faces(np.asarray(image, np.uint8), corners, [int(box[4]) for box in boxes])


def _encoded(image: NDArray[np.uint8], quality: int) -> bytes:
    done, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"a picture of {image.shape[1]} x {image.shape[0]} px could not be encoded")
    return encoded.tobytes()
