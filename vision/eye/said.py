"""What the eye says to the gateway, as JSON and plain bytes: bounded, and checked on arrival before it is believed.

    4 bytes length of the head | 4 bytes length of the body | head: JSON object with "kind" | body: bytes

Byte values (pictures, the text for the evidence, edge state) lie in the body one after the other; the head holds their
lengths, in that order. The eye looks at what cameras send and may be taken over by it: keys, types, lengths and ranges
are checked, digests are made anew here, nothing is unpickled. NaN ("cannot be judged") travels as null.
"""

import asyncio
import hashlib
import math
import struct
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import from_json

from gateway.model.picture import FiredScene, Picture
from gateway.model.sight import Why
from vision.eye.judged import MAX_SAID_BYTES, PLACES
from vision.eye.watched import Alive, ReferenceFrame
from vision.helmets.people import MOST_PEOPLE, People, SeenPerson
from vision.process.garbage import GarbageError, garbage_of, printable
from vision.sight.edge_states import MOST_BYTES as MOST_EDGE_BYTES
from vision.sight.observation import Observation
from vision.survey.parsing import MOST_TEXT

MAX_HEAD_BYTES: Final = 2**20
MAX_BODY_BYTES: Final = 64 * 2**20
MAX_PICTURE_BYTES: Final = 32 * 2**20
MAX_STRIP_BYTES: Final = 2**20
MAX_BOXES: Final = 1000
_WORDS_CHARS: Final = 500
_LENGTHS: Final = struct.Struct("!II")
_JPEG: Final = b"\xff\xd8"
FIRED_KEYS: Final = frozenset(f"{kind}_{place}" for kind, places in PLACES.items() for place in range(1, places + 1))
Said = Observation | Alive | ReferenceFrame

Name = Annotated[str, Field(min_length=1, max_length=64)]
Words = Annotated[str, Field(max_length=_WORDS_CHARS)]
Time = Annotated[int, Field(ge=0, le=2**62)]
Count = Annotated[int, Field(ge=0, le=2**62)]
Side = Annotated[int, Field(ge=1, le=16_384)]
Pixels = Annotated[float, Field(ge=-1e6, le=1e6)]
Box = tuple[Pixels, Pixels, Pixels, Pixels, Annotated[int, Field(ge=0, le=255)], float, int]
Part = Annotated[float, Field(ge=0, le=1)]
Person = tuple[Annotated[str, Field(max_length=16)], Part, Part]
Values = Annotated[dict[Name, float | None], Field(max_length=256)]


class _Head(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class _Picture(_Head):
    """A JPEG of `length` bytes."""

    captured_at_ns: Time
    frame_seq: Count
    width_px: Side
    height_px: Side
    boxes: Annotated[tuple[Box, ...], Field(max_length=MAX_BOXES)]
    length: Annotated[int, Field(ge=len(_JPEG), le=MAX_PICTURE_BYTES)]


class _StripPicture(_Picture):
    length: Annotated[int, Field(ge=len(_JPEG), le=MAX_STRIP_BYTES)]


class _Fired(_Head):
    key: Annotated[str, Field(max_length=64)]
    captured_at_ns: Time
    frame: _Picture
    strip: Annotated[tuple[_StripPicture, ...], Field(max_length=8)]
    about: Annotated[dict[Name, Words | int | float], Field(max_length=64)]
    versions: Annotated[dict[Name, Words], Field(max_length=16)]


class _People(_Head):
    smallest: Annotated[float, Field(gt=0, le=100)]
    seen: Annotated[tuple[Person, ...], Field(max_length=MOST_PEOPLE)]


class _Observation(_Head):
    kind: Literal["observation"]
    camera: Name
    captured_at_ns: Time
    received_at_ns: Time
    values: Values
    counts: Values
    said: Annotated[int, Field(ge=0, le=MAX_SAID_BYTES)]
    still: _Picture | None
    fired: Annotated[tuple[_Fired, ...], Field(max_length=len(FIRED_KEYS))]
    edge_state: Annotated[int, Field(ge=0, le=MOST_EDGE_BYTES)]
    edge_preset: Annotated[str, Field(max_length=MOST_TEXT)] = ""
    people: _People | None


class _Alive(_Head):
    kind: Literal["alive"]
    cameras: Count
    turns: Count
    models: Annotated[dict[Words, Words], Field(max_length=64)]
    faults: Annotated[dict[Name, Count], Field(max_length=1024)]
    last_fault: Words
    lacks: Annotated[str, Field(pattern=r"^[a-z,]{0,64}$")]


class _Reference(_Head):
    kind: Literal["reference"]
    number: Count
    camera: Words
    picture: _Picture | None


_HEADS: Final[TypeAdapter[_Observation | _Alive | _Reference]] = TypeAdapter(
    Annotated[_Observation | _Alive | _Reference, Field(discriminator="kind")]
)


# --- in the eye ---


def said_bytes(message: Said) -> bytes:
    """A message as it goes over the pipe. Raises ValueError for what the gateway would refuse."""
    body: list[bytes] = []
    plain = _plain(message, body)
    head = _HEADS.validate_python(plain, strict=False).model_dump_json().encode()
    size = sum(map(len, body))
    if len(head) > MAX_HEAD_BYTES or size > MAX_BODY_BYTES:
        raise ValueError(f"a message of {len(head)} and {size} bytes, expected at most 1 and 64 MiB")
    return b"".join((_LENGTHS.pack(len(head), size), head, *body))


def _plain(message: Said, body: list[bytes]) -> dict[str, Any]:
    if isinstance(message, Alive):
        models = {key[:_WORDS_CHARS]: reason[:_WORDS_CHARS] for key, reason in message.models.items()}
        alive = {"cameras": message.cameras, "turns": message.turns, "models": models, "faults": message.faults}
        said = {"last_fault": message.last_fault[:_WORDS_CHARS], "lacks": message.lacks}
        return {"kind": "alive", **alive, **said}
    if isinstance(message, ReferenceFrame):
        picture = None if message.picture is None else _picture_plain(message.picture, body)
        camera = "" if message.picture is None else message.picture.camera
        return {"kind": "reference", "number": message.number, "camera": camera, "picture": picture}
    return {
        "kind": "observation",
        "camera": message.camera,
        "captured_at_ns": max(0, message.captured_at_ns),
        "received_at_ns": max(0, message.received_at_ns),
        "values": _values_plain(message.values),
        "counts": _values_plain(message.counts),
        "said": _length(message.said, body),
        "still": None if message.still is None else _picture_plain(message.still, body),
        "fired": [_fired_plain(scene, body) for scene in message.fired],
        "edge_state": _length(message.edge_state, body),
        "edge_preset": message.edge_preset,
        "people": None if message.people is None else _people_plain(message.people),
    }


def _people_plain(people: People) -> dict[str, Any]:
    seen = [(person.why, min(person.foot, 1.0), min(person.head, 1.0)) for person in people.seen]
    return {"smallest": people.smallest, "seen": seen}


def _values_plain(values: Mapping[str, float]) -> dict[str, float | None]:
    return {key: float(value) if math.isfinite(value) else None for key, value in values.items()}


def _fired_plain(scene: FiredScene, body: list[bytes]) -> dict[str, Any]:
    about = {key: value[:_WORDS_CHARS] if isinstance(value, str) else value for key, value in scene.about.items()}
    return {
        "key": scene.key,
        "captured_at_ns": max(0, scene.captured_at_ns),
        "frame": _picture_plain(scene.frame, body),
        "strip": [_picture_plain(picture, body) for picture in scene.strip],
        "about": {key: value for key, value in about.items() if isinstance(value, str) or math.isfinite(value)},
        "versions": {key: value[:_WORDS_CHARS] for key, value in scene.versions.items()},
    }


def _picture_plain(picture: Picture, body: list[bytes]) -> dict[str, Any]:
    return {
        "captured_at_ns": max(0, picture.captured_at_ns),
        "frame_seq": picture.frame_seq,
        "width_px": picture.width_px,
        "height_px": picture.height_px,
        "boxes": picture.boxes[:MAX_BOXES],
        "length": _length(picture.body, body),
    }


def _length(octets: bytes, body: list[bytes]) -> int:
    body.append(octets)
    return len(octets)


# --- in the gateway ---


async def receive(reader: asyncio.StreamReader) -> Said:
    """The next message of the eye. Raises asyncio.IncompleteReadError (an EOFError) at the end, GarbageError for what
    is none."""
    head, body = lengths(await reader.readexactly(_LENGTHS.size))
    return decoded(await reader.readexactly(head), await reader.readexactly(body))


def lengths(octets: bytes) -> tuple[int, int]:
    """How many bytes of head and of body follow. Raises GarbageError when no message begins so."""
    head, body = _LENGTHS.unpack(octets)
    if not 0 < head <= MAX_HEAD_BYTES or body > MAX_BODY_BYTES:
        raise GarbageError(f"no message begins with lengths {head} and {body}")
    return head, body


def decoded(head: bytes, body: bytes) -> Said:
    """The message. Raises GarbageError for what the eye never says."""
    try:
        said = _HEADS.validate_json(head)
    except ValidationError as error:
        raise garbage_of("a message of the eye", error) from None
    cut = _Cut(body)
    match said:
        case _Alive():
            words = {printable(key, _WORDS_CHARS): printable(text, _WORDS_CHARS) for key, text in said.models.items()}
            last_fault = printable(said.last_fault, _WORDS_CHARS)
            message: Said = Alive(said.cameras, said.turns, words, said.faults, last_fault, said.lacks)
        case _Reference():
            picture = None if said.picture is None else _picture(said.camera, said.picture, cut)
            message = ReferenceFrame(said.number, picture)
        case _Observation():
            message = _observation(said, cut)
    cut.end()
    return message


class _Cut:
    """The body of a message, given out piece by piece."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def next(self, length: int) -> bytes:
        """The next bytes of the message, this many of them."""
        piece = self._body[self._at : self._at + length]
        if len(piece) != length:
            raise GarbageError(f"{len(self._body)} bytes are fewer than the lengths that were said")
        self._at += length
        return piece

    def end(self) -> None:
        """Raises where bytes of the message are left over."""
        if self._at != len(self._body):
            raise GarbageError(f"{len(self._body) - self._at} bytes that belong to nothing")


def _observation(said: _Observation, cut: _Cut) -> Observation:
    text = _evidence_text(cut.next(said.said))
    still = None if said.still is None else _picture(said.camera, said.still, cut)
    fired = tuple(_fired(said.camera, scene, cut) for scene in said.fired)
    values, counts = _values(said.values), _values(said.counts)
    state = cut.next(said.edge_state), printable(said.edge_preset, MOST_TEXT)
    people = None if said.people is None else _people(said.people)
    times = said.captured_at_ns, said.received_at_ns
    return Observation(said.camera, *times, values, text, still, fired, counts, *state, people)


def _people(said: _People) -> People:
    try:
        return People(said.smallest, tuple(SeenPerson(Why(why), foot, head) for why, foot, head in said.seen))
    except ValueError as error:
        raise GarbageError(f"what became of a person: {printable(str(error), 64)}") from None


def _values(values: Mapping[str, float | None]) -> dict[str, float]:
    return {key: math.nan if value is None else value for key, value in values.items()}


def _evidence_text(octets: bytes) -> bytes:
    """As it came: it goes into the evidence byte for byte."""
    try:
        document = from_json(octets, allow_inf_nan=False) if octets else {}
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise GarbageError("the text for the evidence is no JSON object")
    return octets


def _fired(camera: str, scene: _Fired, cut: _Cut) -> FiredScene:
    if scene.key not in FIRED_KEYS:
        raise GarbageError(f"a finding {scene.key!r}, which there is none")
    frame = _picture(camera, scene.frame, cut)
    strip = tuple(_picture(camera, picture, cut) for picture in scene.strip)
    return FiredScene(camera, scene.key, scene.captured_at_ns, frame, strip, scene.about, scene.versions)


def _picture(camera: str, said: _Picture, cut: _Cut) -> Picture:
    body = cut.next(said.length)
    if not body.startswith(_JPEG):
        raise GarbageError("a picture that is no JPEG")
    digest = hashlib.sha256(body).hexdigest()
    size = said.width_px, said.height_px
    return Picture(camera, said.captured_at_ns, said.frame_seq, *size, "image/jpeg", body, digest, said.boxes)
