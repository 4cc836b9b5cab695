"""What a device table says of frames: marks, length, escapes, checksum, fields, messages, acknowledgements. Schemas.

    start | content ................................ | end        on the wire; `escape` hides marks in the content
          | length | body ............... | checksum |            what the content holds

In: YAML that `gateway.settings` has read. Out: frozen, checked models. Knows no socket, no file and no device.

**Nothing here can command a device.** A reply has one of two kinds, answers one received frame, and is put together
from constants and from parts of the very frame it answers: no reading, no setting and no person's input can get into
one. It has to echo something, and it must not say any of the protocol's commands, which the table lists (`commands`).
"""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from drivers.frames.checksums import ChecksumKind
from drivers.schema import Certainty, Schema

MAX_FRAME_BYTES = 65_536
MAX_FIELD_BYTES = 64
MAX_REPLY_BYTES = 512

_HEX = re.compile(r"0x((?:[0-9A-Fa-f]{2} ?)+)")
_CLOCK = re.compile(r"(?:[^%]|%[YymdHMSf])*")


def mark_bytes(text: str) -> bytes:
    """The bytes that a mark stands for: `0x7E 7E` in hexadecimal, anything else as it is written (Latin-1)."""
    found = _HEX.fullmatch(text)
    return bytes.fromhex(found[1]) if found else text.encode("latin-1")


def checked_mark(text: str) -> str:
    """A mark of 1 to 64 bytes. Raises ValueError with what is wrong."""
    try:
        size = len(mark_bytes(text))
    except UnicodeEncodeError:
        raise ValueError(f"{text!r} has characters of more than one byte; write them as 0x..") from None
    if not 1 <= size <= MAX_FIELD_BYTES:
        raise ValueError(f"{text!r} has {size} bytes, expected 1 to {MAX_FIELD_BYTES}")
    return text


def checked_clock(text: str) -> str:
    """`s`, `ms`, or a pattern of %Y %y %m %d %H %M %S %f. Raises ValueError with what is wrong."""
    if text not in ("s", "ms") and not ("%d" in text and _CLOCK.fullmatch(text)):
        raise ValueError(f"{text!r}: expected s, ms, or a pattern such as %Y-%m-%d %H:%M:%S")
    return text


Mark = Annotated[str, AfterValidator(checked_mark)]
FieldName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")]
Offset = Annotated[int, Field(ge=0, lt=MAX_FRAME_BYTES)]


class LengthField(Schema):
    """Where the content says how long it is: content bytes = the number there + `plus`.

    `digits` is a decimal number of so many characters; the other types are big-endian, `_le` little-endian.
    """

    at: Offset
    type: Literal["uint8", "uint16", "uint16_le", "uint32", "uint32_le", "digits"]
    digits: Annotated[int, Field(ge=1, le=8)] | None = None
    plus: Annotated[int, Field(ge=-64, le=64)] = 0

    @property
    def width(self) -> int:
        """How many bytes the length field takes."""
        return self.digits or {"uint8": 1, "uint16": 2, "uint32": 4}[self.type.removesuffix("_le")]

    @model_validator(mode="after")
    def _digits_are_counted(self) -> Self:
        if (self.type == "digits") != (self.digits is not None):
            raise ValueError("digits belongs to type digits, which needs it")
        return self


class Escape(Schema):
    """How bytes that mean something to the framing are hidden: `mark` and a code stand for a byte of the content."""

    mark: Mark
    codes: Annotated[dict[Mark, Mark], Field(min_length=1, max_length=16)]

    @model_validator(mode="after")
    def _one_byte_each(self) -> Self:
        for text in (self.mark, *self.codes, *self.codes.values()):
            if len(mark_bytes(text)) != 1:
                raise ValueError(f"{text!r} is not one byte")
        if len({mark_bytes(byte) for byte in self.codes.values()}) < len(self.codes):
            raise ValueError("two codes stand for one byte")
        if mark_bytes(self.mark) not in {mark_bytes(byte) for byte in self.codes.values()}:
            raise ValueError(f"no code stands for the mark {self.mark!r} itself")
        return self


class ChecksumField(Schema):
    """The last bytes of the content. It covers the content from `first` on, with `with_start` the start mark too."""

    kind: ChecksumKind
    form: Literal["big", "little", "hex"] = "big"
    first: Offset = 0
    with_start: bool = False

    @property
    def width(self) -> int:
        """Bytes in the content: the number, or two characters for each of its bytes."""
        return self.kind.width * (2 if self.form == "hex" else 1)

    @model_validator(mode="after")
    def _covers_one_run(self) -> Self:
        if self.with_start and self.first:
            raise ValueError("with_start and first exclude each other")
        return self


class Framing(Schema):
    """How frames are cut out of the stream. A frame ends where its length says, else at its end mark.

    `max_bytes` bounds a frame on the wire with its marks. What is longer is no frame.
    """

    start: Mark
    end: Mark | None = None
    length: LengthField | None = None
    escape: Escape | None = None
    checksum: ChecksumField | None = None
    max_bytes: Annotated[int, Field(ge=16, le=MAX_FRAME_BYTES)] = 4096
    certainty: Certainty | None = None

    @model_validator(mode="after")
    def _has_an_end(self) -> Self:
        if self.end is None and self.length is None:
            raise ValueError("without a length a frame needs an end mark")
        if self.end is None and self.escape is not None:
            raise ValueError("escaped frames end at their end mark: it is missing")
        if self.end is None and self.checksum is None:
            raise ValueError("counted frames without an end mark need a checksum, or noise would pass for a frame")
        return self

    @model_validator(mode="after")
    def _marks_are_hidden(self) -> Self:
        if self.escape is not None:
            hidden = {mark_bytes(byte) for byte in self.escape.codes.values()}
            for mark in (self.start, self.end or ""):
                if mark_bytes(mark)[:1] not in hidden:
                    raise ValueError(f"no escape code stands for the mark {mark!r}")
        return self


class Body(Schema):
    """How the content is taken apart. `first` is where its body begins (behind a length in front, say).

    `binary`: fields lie at byte offsets of the content. `separated`: fields stand between separators, counted from 0.
    `pairs`: `name=value` between separators.
    """

    kind: Literal["binary", "separated", "pairs"]
    separators: Annotated[tuple[Mark, ...], Field(max_length=8)] = ()
    assign: Mark = "="
    encoding: Literal["ascii", "utf-8", "gb18030"] = "ascii"
    first: Offset = 0

    @model_validator(mode="after")
    def _separates(self) -> Self:
        if (self.kind == "binary") == bool(self.separators):
            raise ValueError("separators belong to kinds separated and pairs, which need them")
        return self


class Place(Schema):
    """Where something stands: a byte offset of the content (`at`), a separated field (`index`), a pair (`name`)."""

    at: Offset | None = None
    index: Annotated[int, Field(ge=0, le=4095)] | None = None
    name: Annotated[str, Field(min_length=1, max_length=64)] | None = None

    @property
    def body_kind(self) -> str:
        """The kind of body in which this is a place; '' when it says none, or more than one."""
        said = {"binary": self.at, "separated": self.index, "pairs": self.name}
        found = [kind for kind, value in said.items() if value is not None]
        return found[0] if len(found) == 1 else ""


class FrameField(Place):
    """A part of a frame that is no reading: who calls, what kind of message this is, its number, its time.

    In a binary body it has `bytes` and is read `as` text, hexadecimal digits (also BCD) or a whole number. `private`:
    about a person, or a password; it is blotted out of a frame of readings before that is kept. Of other frames, and of
    what cannot be taken apart, nothing is kept then.
    """

    bytes: Annotated[int, Field(ge=1, le=MAX_FIELD_BYTES)] | None = None
    as_: Annotated[Literal["text", "hex", "uint", "uint_le"] | None, Field(alias="as")] = None
    private: bool = False

    @model_validator(mode="after")
    def _is_measured(self) -> Self:
        if (self.at is None) != (self.bytes is None) or (self.at is None and self.as_ is not None):
            raise ValueError("bytes and as belong to a field of a binary body; bytes are needed there")
        return self


class MessageKind(Schema):
    """One kind of frame. `is` lists what its kind field says; `values` frames carry readings; `reply` names the answer.

    `reply_if_bit`: only while this bit of the table's `asks` field is set. `names_caller: false` for frames without the
    identity: they count for the caller who named itself before on the same connection.
    """

    name: FieldName
    is_: Annotated[tuple[str, ...], Field(alias="is", max_length=32)] = ()
    values: bool = False
    reply: FieldName | None = None
    reply_if_bit: Annotated[int, Field(ge=0, le=15)] | None = None
    names_caller: bool = True
    certainty: Certainty | None = None


class ReplyPart(Schema):
    """A constant, or a field of the frame that is answered."""

    constant: Mark | None = None
    echo: FieldName | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.constant is None) == (self.echo is None):
            raise ValueError("expected either constant or echo")
        return self


class Reply(Schema):
    """An answer of the protocol itself. There are two kinds, and there is no third."""

    kind: Literal["acknowledge", "heartbeat"]
    parts: Annotated[tuple[ReplyPart, ...], Field(min_length=1, max_length=32)]
    certainty: Certainty | None = None


class FrameTime(Schema):
    """Where a frame carries the device's own time: `fields` joined by a blank, in `format`.

    A clock more than `future_tolerance_s` ahead, or before 2000, is not believed: the time of receipt counts and the
    values are SUSPECT. A frame older than `past_tolerance_s` keeps its time, and its values are SUSPECT.
    """

    fields: Annotated[tuple[FieldName, ...], Field(min_length=1, max_length=8)]
    format: Annotated[str, AfterValidator(checked_clock)]
    utc_offset_minutes: Annotated[int, Field(ge=-840, le=840)] = 480
    required: bool = True
    future_tolerance_s: Annotated[float, Field(ge=0)] = 5.0
    past_tolerance_s: Annotated[float, Field(ge=0)] = 300.0


class Grammar(Schema):
    """Everything that a link has to know of a table before it knows which device calls.

    `kind` names the field that tells messages apart (none: there is one kind), `identity` the fields that say who
    calls; joined by `/` they are what a device's `identity` has to be. `answer` frames the replies (as `frame` unless
    given). `commands` are the codes by which the protocol's platforms command devices: no reply may say one.
    """

    frame: Framing
    body: Body
    fields: Annotated[dict[FieldName, FrameField], Field(min_length=1, max_length=64)]
    kind: FieldName | None = None
    identity: Annotated[tuple[FieldName, ...], Field(min_length=1, max_length=8)]
    asks: FieldName | None = None
    time: FrameTime | None = None
    messages: Annotated[tuple[MessageKind, ...], Field(min_length=1, max_length=64)]
    replies: Annotated[dict[FieldName, Reply], Field(max_length=16, default_factory=dict)]
    answer: Framing | None = None
    commands: Annotated[tuple[str, ...], Field(max_length=256)] = ()

    @property
    def answer_framing(self) -> Framing:
        """How the replies to a device are framed."""
        return self.answer or self.frame

    @model_validator(mode="after")
    def _names_lead_somewhere(self) -> Self:
        asked = [self.kind, self.asks, *self.identity, *(self.time.fields if self.time else ())]
        asked += [part.echo for reply in self.replies.values() for part in reply.parts]
        for name in asked:
            if name is not None and name not in self.fields:
                raise ValueError(f"no field is called {name}; there are {', '.join(sorted(self.fields))}")
        for name, field in self.fields.items():
            if field.body_kind != self.body.kind:
                raise ValueError(f"field {name}: its place is none in a {self.body.kind} body")
        for message in self.messages:
            if message.reply is not None and message.reply not in self.replies:
                raise ValueError(f"message {message.name}: no reply is called {message.reply}")
            if message.reply_if_bit is not None and self.asks is None:
                raise ValueError(f"message {message.name}: reply_if_bit needs asks, the field that holds the bit")
        return self

    @model_validator(mode="after")
    def _messages_can_be_told_apart(self) -> Self:
        codes = [code for message in self.messages for code in message.is_]
        names = [message.name for message in self.messages]
        if len(set(codes)) < len(codes) or len(set(names)) < len(names):
            raise ValueError("two messages share a name or a kind")
        if (self.kind is None) != (len(self.messages) == 1 and not codes):
            raise ValueError("messages are told apart by kind: each needs is, unless there is one message and no kind")
        if self.kind is not None and not all(message.is_ for message in self.messages):
            raise ValueError("a message without is can never be recognised")
        if not any(message.names_caller for message in self.messages):
            raise ValueError("no message says who calls")
        return self

    @model_validator(mode="after")
    def _replies_acknowledge(self) -> Self:
        for name, reply in self.replies.items():
            if not any(part.echo for part in reply.parts):
                raise ValueError(f"reply {name} echoes nothing of the frame that it answers")
            for part in reply.parts:
                if part.constant is not None:
                    self._check_constant(name, part.constant)
        for message in self.messages:
            if message.reply is not None and self._echoes_kind(message.reply):
                said = [code for code in message.is_ if code in self.commands]
                if said:
                    raise ValueError(f"reply {message.reply} to message {message.name} says the command {said[0]}")
        return self

    def _echoes_kind(self, reply: str) -> bool:
        return any(part.echo == self.kind for part in self.replies[reply].parts)

    def _check_constant(self, name: str, constant: str) -> None:
        """Word by word for texts, byte by byte for binary frames, whose commands are written in hexadecimal."""
        if self.body.kind == "binary":
            words = {f"{byte:02X}" for byte in mark_bytes(constant)}
        else:
            cut = "|".join(re.escape(mark) for mark in (*self.body.separators, self.body.assign))
            words = set(re.split(cut, constant))
        said = sorted(words & {command.upper() for command in self.commands} | words & set(self.commands))
        if said:
            raise ValueError(f"reply {name} says the command {said[0]}")
