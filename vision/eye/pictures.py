"""Pictures that leave the eye: the still for the screens, the strip that led to a finding, the frame that fired.

In: a frame with its detections. Out: `Picture`s, boxes beside the pixels. A still and a reference have their faces
blurred; what fired has not: who may see it is decided by the gateway.
"""

import hashlib
from collections import deque
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.model.detections import Detections
from gateway.model.picture import Picture
from vision.picture.frame import Frame
from vision.privacy.privacy import blur_faces

STILL_WIDTH_PX = 960
STRIP_WIDTH_PX = 320
STRIP_LENGTH = 8
STILL_QUALITY, FIRED_QUALITY = 80, 90
STILL_EVERY_NS = 1_000_000_000
COARSE_BLOCK_PX = 12
Image = NDArray[np.uint8]
Boxes = tuple[tuple[float, float, float, float, int, float, int], ...]


def boxes_of(detections: Detections | None, scale: float) -> Boxes:
    """Rows of (x1, y1, x2, y2, class code, score, track id) in pixels of a picture `scale` times the frame; only what
    belongs to a track and is its surest box, because the tracker is also fed with boxes too weak to be shown."""
    if detections is None:
        return ()
    rows = best_of_tracks(detections)
    sides = (detections.boxes_xyxy_px[rows] * scale).round(1).tolist()
    codes, scores = detections.class_id[rows].tolist(), detections.score[rows].round(3).tolist()
    rest = zip(codes, scores, detections.track_id[rows].tolist(), strict=True)
    return tuple((*side, *other) for side, other in zip(sides, rest, strict=True))


def best_of_tracks(detections: Detections) -> NDArray[np.intp]:
    """Positions of the surest box of each track, in order."""
    surest: dict[int, int] = {}
    for row in np.argsort(detections.score, kind="stable").tolist():
        surest[int(detections.track_id[row])] = row
    surest.pop(-1, None)
    return np.array(sorted(surest.values()), dtype=np.intp)


def picture_of(frame: Frame, image: Image, detections: Detections | None, quality: int) -> Picture:
    """`image` (the frame, or the frame made smaller) as JPEG."""
    height, width = image.shape[:2]
    done, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"{frame.camera}: a picture of {width} x {height} px could not be encoded")
    body = encoded.tobytes()
    boxes = boxes_of(detections, width / frame.width_px)
    digest = hashlib.sha256(body).hexdigest()
    return Picture(frame.camera, frame.captured_at_ns, frame.seq, width, height, "image/jpeg", body, digest, boxes)


def smaller(image: Image, width_px: int) -> Image:
    """At most so wide; area-averaged, so that no edge is invented."""
    height, width = image.shape[:2]
    if width <= width_px:
        return image
    size = (width_px, max(1, round(height * width_px / width)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def blurred(image: Image, detections: Detections | None, scale: float) -> Image:
    """Without faces, where heads were seen; where nothing could look for heads, coarse all over. `image` itself stays
    as it is."""
    if detections is None:
        return coarse(image)
    if not len(detections):
        return image
    boxes = detections.boxes_xyxy_px * np.float32(scale)
    return np.asarray(blur_faces(image, boxes, detections.class_id), np.uint8)


def coarse(image: Image) -> Image:
    """In blocks: what stands where can be told, who it is cannot."""
    height, width = image.shape[:2]
    few = max(1, width // COARSE_BLOCK_PX), max(1, height // COARSE_BLOCK_PX)
    blocks = cv2.resize(image, few, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(blocks, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)


class PictureRoll:
    """One camera's stills: a new one about every second, and the last eight small ones as the strip."""

    def __init__(self) -> None:
        self._strip: deque[Picture] = deque(maxlen=STRIP_LENGTH)
        self._taken_mono_ns: int | None = None

    @property
    def strip(self) -> Sequence[Picture]:
        """Oldest first; not blurred."""
        return tuple(self._strip)

    def take(self, frame: Frame, detections: Detections | None, now_mono_ns: int) -> Picture | None:
        """The new still, faces blurred, when one is due; its small copy joins the strip."""
        if self._taken_mono_ns is not None and now_mono_ns - self._taken_mono_ns < STILL_EVERY_NS:
            return None
        self._taken_mono_ns = now_mono_ns
        middle = smaller(frame.image, STILL_WIDTH_PX)
        self._strip.append(picture_of(frame, smaller(middle, STRIP_WIDTH_PX), detections, STILL_QUALITY))
        shown = blurred(middle, detections, middle.shape[1] / frame.width_px)
        return picture_of(frame, shown, detections, STILL_QUALITY)


def reference_of(frame: Frame, detections: Detections | None) -> Picture:
    """The whole frame at full size, faces blurred, to draw on."""
    return picture_of(frame, blurred(frame.image, detections, 1.0), detections, FIRED_QUALITY)


def decoded(jpeg: bytes, where: str) -> Image:
    """The pixels (h, w, 3) BGR. Raises ValueError that says where, when it is no picture."""
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) if jpeg else None
    if image is None:
        raise ValueError(f"{where}: {len(jpeg)} bytes that are no picture, expected a JPEG")
    return np.asarray(image, np.uint8)
