"""What is kept of an alarm: one picture, still of a strip, clip or reference, with its digest and what it shows.

    BEGUN --bodies on the shelf--> STORED --sealed--> KEPT --by class, after the receipt--> EXPIRED
      '----- no frame, no room, a restart -----> MISSING (with the reason)

Pure; knows no file and no database.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from gateway.model.picture import Picture


class MediaClass(StrEnum):
    """What a body is. Its class decides how long it is kept."""

    FRAME = "frame"
    STRIP = "strip"
    CLIP = "clip"
    REFERENCE = "reference"


class MediaState(StrEnum):
    """How it is kept. Only KEPT has a body to show; MISSING and EXPIRED say why not in `reason`."""

    BEGUN = "begun"
    STORED = "stored"
    KEPT = "kept"
    MISSING = "missing"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class MediaItem:
    """One body of an alarm. `place` counts the stills of a strip from 0, oldest first; it is 0 for anything else.

    `boxes` are rows of (x1, y1, x2, y2, class code, score, track id) in pixels of the picture, beside the pixels.
    `duration_ms` is 0 for a still; a clip's `captured_at_ns` is where it begins. `versions` are those of model, rule
    and survey, `about` what the finding says of itself. `record_seq` is the sealed record that holds it, 0 until then.
    """

    alarm_id: str
    camera: str
    key: str
    media_class: MediaClass
    place: int
    state: MediaState
    reason: str = ""
    sha256: str = ""
    size_bytes: int = 0
    media_type: str = ""
    captured_at_ns: int = 0
    duration_ms: int = 0
    width_px: int = 0
    height_px: int = 0
    boxes: tuple[tuple[float, float, float, float, int, float, int], ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    about: Mapping[str, str | int | float] = field(default_factory=dict)
    record_seq: int = 0

    @property
    def identity(self) -> tuple[str, MediaClass, int]:
        """An alarm has at most one of each."""
        return self.alarm_id, self.media_class, self.place

    def of_picture(self, picture: Picture, duration_ms: int = 0) -> "MediaItem":
        """The same item, filled from what was captured; its body is on the shelf."""
        return replace(
            self,
            state=MediaState.STORED,
            sha256=picture.sha256,
            size_bytes=len(picture.body),
            media_type=picture.media_type,
            captured_at_ns=picture.captured_at_ns,
            duration_ms=duration_ms,
            width_px=picture.width_px,
            height_px=picture.height_px,
            boxes=picture.boxes,
        )

    def of_scene(self, versions: Mapping[str, str], about: Mapping[str, str | int | float]) -> "MediaItem":
        """The same item, with what judged it and what was found."""
        return replace(self, versions=dict(versions), about=dict(about))

    def missing(self, reason: str) -> "MediaItem":
        """The same item, and why there is none."""
        return replace(self, state=MediaState.MISSING, reason=reason)


@dataclass(frozen=True, slots=True)
class MediaCase:
    """Somebody with the right looks into an alarm: its pictures are shown as they were captured. `closed_at_ns` is 0
    while it is open."""

    alarm_id: str
    opened_at_ns: int
    opened_by: str
    reason: str
    record_seq: int
    closed_at_ns: int = 0
    closed_by: str = ""

    @property
    def open(self) -> bool:
        """Whether faces may be seen now."""
        return not self.closed_at_ns


@dataclass(frozen=True, slots=True)
class MediaBody:
    """Bytes to show. `blurred` says that faces were blurred in them, so that their digest is not the evidence's."""

    item: MediaItem
    body: bytes
    blurred: bool


class MediaRefusal(StrEnum):
    """Why no body is given. NOT_KEPT: there is none, or no more. DAMAGED: what lies there is not what was sealed; it is
    never shown as evidence. NO_CASE: faces are asked for and no case is open. NOT_BLURRED: faces could not be blurred.
    NO_RECORD: the chain could not take what must be sealed first. ALREADY: the case is open (or closed) already."""

    NOT_KEPT = "not_kept"
    DAMAGED = "damaged"
    NO_CASE = "no_case"
    NOT_BLURRED = "not_blurred"
    NO_RECORD = "no_record"
    ALREADY = "already"


class MediaError(Exception):
    """No body, or no case, and why."""

    def __init__(self, refusal: MediaRefusal, words: str) -> None:
        super().__init__(words)
        self.refusal = refusal
