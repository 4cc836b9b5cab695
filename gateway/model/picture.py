"""Pictures as they are shown and kept: bytes with what they show, boxes beside the pixels."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG (or MP4) with what it shows. `captured_at_ns` UTC; `sha256` is of exactly `body`. Boxes are beside the
    pixels, never burnt in: rows of (x1, y1, x2, y2, class code, score, track id) in pixels of the picture."""

    camera: str
    captured_at_ns: int
    frame_seq: int
    width_px: int
    height_px: int
    media_type: str
    body: bytes
    sha256: str
    boxes: tuple[tuple[float, float, float, float, int, float, int], ...] = ()


@dataclass(frozen=True, slots=True)
class FiredScene:
    """What is kept when a finding is confirmed: the frame that fired, a strip of up to eight stills that led to it,
    what was found and by which model, rule and survey versions. `key` is the point (`bare_head_1`)."""

    camera: str
    key: str
    captured_at_ns: int
    frame: Picture
    strip: tuple[Picture, ...]
    about: Mapping[str, str | int | float]
    versions: Mapping[str, str]


class CameraLink(StrEnum):
    """How a camera's stream is. LIVE: frames arrive. CONNECTING: the first attempt is not over. OFFLINE: the last
    attempt failed, or the stream broke off; it is tried again after a back-off."""

    LIVE = "live"
    CONNECTING = "connecting"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class CameraState:
    """One camera for the screens. `address` never holds a password. `codec` is `h264`, `hevc`, `mjpeg`, `files` or
    empty while unknown. `browser_video` says whether clips and live video play in a browser (H.264); `why_not` says
    why not. `frames_per_s` arriving, `judged_per_s` judged; `ailing` are the keys of what is wrong with the picture
    now; `dangerous_works` that it watches dangerous works. `presets` of a camera that turns are the names of what is
    drawn for it; it looks at `preset` (None: at none of them, or not known). `not_shut_in`: what the process that
    decodes it is not kept from (`vision.process.confinement.Lack`, with commas).
    `scores` are the operating scores as the eye says them,
    empty while it says none; `own_scores` is the newest version of the camera's own (0: never any), `own_scores_used`
    that they are in force, `own_scores_undone` that it went back to the model's own, `scores_since_ns` when that
    version was made."""

    camera: str
    asset: str
    title_zh: str
    title_en: str
    link: CameraLink
    since_ns: int
    address: str
    codec: str
    width_px: int
    height_px: int
    browser_video: bool
    why_not: str
    frames_per_s: float
    judged_per_s: float
    ailing: tuple[str, ...]
    dangerous_works: bool
    model_version: str
    survey_version: int
    last_error: str = ""
    presets: tuple[str, ...] = ()
    preset: str | None = None
    not_shut_in: str = ""
    scores: str = ""
    own_scores: int = 0
    own_scores_used: bool = False
    own_scores_undone: bool = False
    scores_since_ns: int = 0
