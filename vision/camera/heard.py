"""What the gateway hears of a capture process, checked before anything is done with it.

In: messages as they came (`vision.camera.wire`). Out: `CaptureReport`, `Part`, `Done`, `Refused`, or `GarbageError`.
The process decodes what a camera sends and may be taken over by it: every key, type, length and range is checked, and
what is not expected is refused. Runs in the gateway; the capture process does not import it.
"""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from gateway.model.picture import CameraLink
from vision.camera.capture_state import CaptureReport, ClipHead
from vision.camera.wire import Message
from vision.process.garbage import GarbageError, garbage_of, printable

_WORDS_CHARS = 500
Count = Annotated[int, Field(ge=0, le=2**62)]
Side = Annotated[int, Field(ge=0, le=65_536)]
Number = Annotated[int, Field(ge=1, le=2**62)]
Words = Annotated[str, AfterValidator(lambda text: printable(text, _WORDS_CHARS))]


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes of the answer to request `id`."""

    id: Number
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Done:
    """The answer is whole. `clip` says what a clip holds; None at the end of live video."""

    id: Number
    clip: ClipHead | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """There is no answer, and why."""

    id: Number
    reason: str = "refused"


Answer = Part | Done | Refused
Heard = CaptureReport | Answer


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class _Report(_Said):
    link: Literal["live", "connecting", "offline"]
    phase: Literal["starting", "opening", "reading", "waiting"]
    codec: Annotated[str, Field(pattern=r"^[a-z0-9_]{0,32}$")]
    width_px: Side
    height_px: Side
    session: Count
    frames: Count
    converted: Count
    packets: Count
    bad: Count
    frames_per_s: Annotated[float, Field(ge=0, le=1e6)]
    key_frames_only: bool
    stream_time: bool
    no_video_reason: Words
    browser_codec: Annotated[str, Field(pattern=r"^[A-Za-z0-9.]{0,32}$")]
    last_error: Words
    ended: bool
    lacks: Annotated[str, Field(pattern=r"^[a-z,]{0,64}$")]


class _Part(_Said):
    id: Number


class _Refused(_Said):
    id: Number
    reason: Words


class _Clip(_Said):
    from_ns: Count
    to_ns: Count
    width_px: Side
    height_px: Side
    frames: Count


class _DoneClip(_Clip):
    id: Number


_REPORT = TypeAdapter(_Report)
_DONE: TypeAdapter[_DoneClip | _Part] = TypeAdapter(_DoneClip | _Part)


def heard(message: Message) -> Heard:
    """The message, typed. Raises GarbageError for what a capture process never says."""
    try:
        return _heard(message)
    except ValidationError as error:
        raise garbage_of(message.kind, error) from None


def _heard(message: Message) -> Heard:
    if message.body and message.kind != "part":
        raise GarbageError(f"{printable(message.kind, 20)}: {len(message.body)} bytes that belong to nothing")
    match message.kind:
        case "report":
            said = _REPORT.validate_python(message.about)
            return CaptureReport(**{**said.model_dump(), "link": CameraLink(said.link)})
        case "part":
            return Part(_Part.model_validate(message.about).id, message.body)
        case "done":
            done = _DONE.validate_python(message.about)
            clip = ClipHead(**done.model_dump(exclude={"id"})) if isinstance(done, _DoneClip) else None
            return Done(done.id, clip)
        case "refused":
            refused = _Refused.model_validate(message.about)
            return Refused(refused.id, refused.reason)
    raise GarbageError(f"a message of kind {printable(message.kind, 20)!r}")
