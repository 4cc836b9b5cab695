"""People as a detector would see them: boxes of heads, helmets and persons, frame by frame, without a picture."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from gateway.model.detections import Detections, SeenClass

HELMET, HEAD, PERSON = SeenClass.HELMET, SeenClass.HEAD, SeenClass.PERSON
WIDTH, HEIGHT = 1280, 720
START_NS = 1_800_000_000_000_000_000
SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Seen:
    """One box: class, middle, width and height in pixels, score, and the track it was given."""

    seen: SeenClass
    x: float
    y: float
    w: float = 40.0
    h: float = 40.0
    score: float = 0.9
    track: int = -1


def frame(boxes: Iterable[Seen], seq: int = 0, at_s: float = 0.0, camera: str = "cam-1") -> Detections:
    """The detections of one frame of 1280 x 720."""
    rows = list(boxes)
    sides = np.array([[b.x - b.w / 2, b.y - b.h / 2, b.x + b.w / 2, b.y + b.h / 2] for b in rows], np.float32)
    return Detections(
        camera,
        seq,
        START_NS + round(at_s * SECOND_NS),
        WIDTH,
        HEIGHT,
        sides.reshape(-1, 4),
        np.array([b.score for b in rows], np.float32),
        np.array([b.seen for b in rows], np.uint8),
        np.array([b.track for b in rows], np.int32),
    )


def standing(x: float, y: float, seen: SeenClass, track: int = -1, head_px: float = 40.0) -> list[Seen]:
    """A head and the person below it, 6.5 heads tall; `y` is the middle of the head."""
    person = Seen(PERSON, x, y + 2.75 * head_px, 2.2 * head_px, 6.5 * head_px, 0.9, track + 1000 if track >= 0 else -1)
    return [Seen(seen, x, y, head_px, head_px, 0.9, track), person]


def lone(x: float, y: float, seen: SeenClass, track: int = -1, head_px: float = 40.0) -> list[Seen]:
    """A head box with nobody below it."""
    return [Seen(seen, x, y, head_px, head_px, 0.9, track)]


def shifted(boxes: Iterable[Seen], dx: float = 0.0, dy: float = 0.0) -> list[Seen]:
    """The same, moved."""
    return [replace(box, x=box.x + dx, y=box.y + dy) for box in boxes]
