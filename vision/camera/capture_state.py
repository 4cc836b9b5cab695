"""What is known of a camera's capture, and what a clip is: plain values, on both sides of the control socket."""

from dataclasses import asdict, dataclass, field
from typing import Any

from gateway.model.picture import CameraLink


@dataclass(frozen=True, slots=True)
class CaptureReport:
    """What the capture process says several times a second; counts since that process began.

    `codec` is `h264`, `hevc`, another libav name, `files`, or empty while unknown; the size is the stream's own, before
    scaling. `frames` decoded, `converted` offered to the eye, `bad` packets or pictures that could not be decoded.
    `key_frames_only`: decoding lags behind and leaves out all but key frames. `stream_time`: the camera tells when a
    picture was taken. `no_video_reason`: why there are no clips, or empty. `browser_codec`: what a browser is told of
    clips and live video (`avc1.640028`). `ended`: a file that does not begin again is over. `lacks`:
    how the process is not shut in (`vision.process.confinement.Lack`, with commas).
    """

    link: CameraLink = CameraLink.CONNECTING
    phase: str = "starting"
    codec: str = ""
    width_px: int = 0
    height_px: int = 0
    session: int = 0
    frames: int = 0
    converted: int = 0
    packets: int = 0
    bad: int = 0
    frames_per_s: float = 0.0
    key_frames_only: bool = False
    stream_time: bool = False
    no_video_reason: str = "no picture has come yet"
    browser_codec: str = ""
    last_error: str = ""
    ended: bool = False
    lacks: str = ""

    def to_plain(self) -> dict[str, Any]:
        """For the socket; `vision.camera.heard` reads it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class CaptureState:
    """A camera's capture as the gateway sees it. `since_ns` is when `link` last changed. `address` and `last_error` are
    fit to be shown. `pid` is None while no process runs; `starts` counts processes, `kills` those that had to be
    killed because they said nothing any more, `garbage` those that were killed because what they said is no message."""

    camera: str
    link: CameraLink
    since_ns: int
    address: str
    report: CaptureReport
    last_error: str = ""
    pid: int | None = None
    starts: int = 0
    kills: int = 0
    garbage: int = 0

    @property
    def browser_video(self) -> bool:
        """Whether there are clips and live video that a browser plays."""
        return self.link is CameraLink.LIVE and not self.report.no_video_reason


@dataclass(frozen=True, slots=True)
class ClipHead:
    """What a clip holds: UTC ns on the box's clock from its first to its last picture, their size and number."""

    from_ns: int
    to_ns: int
    width_px: int
    height_px: int
    frames: int


@dataclass(frozen=True, slots=True)
class Clip(ClipHead):
    """An MP4 of whole packets, not re-encoded. It begins with the key frame at or before the time that was asked
    for, or with the first one kept."""

    body: bytes = field(repr=False)
