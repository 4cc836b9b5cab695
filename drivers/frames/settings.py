"""What a site file and a device table may say about devices that call: links, devices, points, tables. Pure schemas.

A point's number is told by its place in the frame: `at` in binary bodies with a type of the register decoder, `index`
or `name` in texts. Nothing here opens a file or a socket.
"""

import ipaddress
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from drivers.frames.grammar import Grammar, Place
from drivers.modbus.registers import RegisterType
from drivers.modbus.settings import ModbusTable, RegisterPoint
from drivers.schema import Certainty, DeviceSettings, DeviceTable, LinkSettings, Schema, TablePoint, check_fault_bits

_BYTE = 256.0
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - what `check` warns of


def checked_address(text: str) -> str:
    """An IP address of this machine to listen on. Raises ValueError with what is wrong."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError(f"{text!r}: expected an address of this machine, such as 127.0.0.1 or 10.20.0.1") from None


def checked_network(text: str) -> str:
    """An address, or a network as 10.20.0.0/24. Raises ValueError with what is wrong."""
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        raise ValueError(f"{text!r}: expected an address, or a network such as 10.20.0.0/24 ({error})") from None


Network = Annotated[str, AfterValidator(checked_network)]
Networks = Annotated[tuple[Network, ...], Field(max_length=64)]


class FramesLink(LinkSettings):
    """One port on which devices call. All devices of a link speak one grammar.

    `allow` are the addresses that may call; empty: any that can reach the port. At most `max_callers` are connected, of
    one address `max_callers_per_address`. A caller says who it is within `hello_s`, ends a frame within `frame_s` of
    its first byte, and sends something sound within `idle_s`. It is read at `max_frames_per_s` at most: who sends more
    waits. A port that cannot be opened is tried again every `retry_s`.

    A second caller with an identity that is connected takes over when the first has sent nothing for `takeover_s` (or
    three times the longest gap of late between its frames); otherwise it is refused, and when the first then goes on
    speaking, its values are SUSPECT for `contest_s`: two say that they are one device, and nobody knows which of them
    is.
    """

    driver: Literal["tcp-frames"] = "tcp-frames"
    host: Annotated[str, AfterValidator(checked_address)] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65_535)]
    allow: Networks = ()
    max_callers: Annotated[int, Field(ge=1, le=1024)] = 64
    max_callers_per_address: Annotated[int, Field(ge=1, le=1024)] = 8
    max_frames_per_s: Annotated[float, Field(ge=0.1, le=1000)] = 20.0
    hello_s: Annotated[float, Field(ge=1, le=3600)] = 60.0
    frame_s: Annotated[float, Field(ge=1, le=3600)] = 15.0
    idle_s: Annotated[float, Field(ge=1, le=86_400)] = 180.0
    takeover_s: Annotated[float, Field(ge=1, le=3600)] = 10.0
    contest_s: Annotated[float, Field(ge=1, le=86_400)] = 300.0
    retry_s: Annotated[float, Field(ge=0.01, le=3600)] = 5.0

    @property
    def open_to_all(self) -> bool:
        """Whether it listens on every address of this machine and takes every caller."""
        return self.host in _EVERYWHERE and not self.allow


class FramesDevice(DeviceSettings):
    """One device: what it calls itself, and where it may call from (empty: as the link says)."""

    identity: Annotated[str, Field(min_length=1, max_length=200)]
    allow: Networks = ()


class ValueFlag(Schema):
    """A field beside a value that says how good it is. Another text than one of `good` makes a GOOD value SUSPECT."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    good: Annotated[tuple[str, ...], Field(min_length=1, max_length=16)]


class FramePoint(TablePoint, Place):
    """One signal of a frame. In binary bodies `type`, `order`, `bit`, `bit_count` and `decimals` mean what they mean in
    a register table, counted in the 16-bit words from byte `at` on; `uint8` and `int8` are one byte. In texts it is a
    plain decimal number.

    `message` names the kind of frame that carries it; without it, the only one with values. `flag` is for pairs.
    """

    message: str = ""
    type: RegisterType | Literal["uint8", "int8"] | None = None
    order: Literal["ABCD", "CDAB", "BADC", "DCBA"] = "ABCD"
    bit: Annotated[int, Field(ge=0, le=15)] | None = None
    bit_count: Annotated[int, Field(ge=1, le=16)] | None = None
    decimals: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")] | None = None
    flag: ValueFlag | None = None
    certainty: Certainty | None = None

    @property
    def width(self) -> int:
        """How many bytes the value takes in a binary body."""
        return 1 if self.type in ("uint8", "int8") else 2 * RegisterType(self.type or "float64").words

    @property
    def number(self) -> RegisterPoint:
        """As the register decoder reads it."""
        return self.as_register(0)

    def as_register(self, address: int) -> RegisterPoint:
        """The same number as the register decoder reads it, its words from `address` on. Raises ValueError.

        A text is read as a double. A byte is the low half of a word; a signed one the high half, divided by 256.
        """
        type_, scale, sentinels = str(self.type or "float64"), self.scale, self.sentinels
        if type_ == "uint8":
            type_ = "uint16"
        elif type_ == "int8":
            type_, scale, sentinels = "int16", scale / _BYTE, tuple(_BYTE * each for each in sentinels)
        own: dict[str, Any] = {name: getattr(self, name) for name in TablePoint.model_fields}
        own |= {"bit": self.bit, "bit_count": self.bit_count, "decimals": self.decimals, "order": self.order}
        own |= {"function": 3, "address": address, "type": RegisterType(type_), "scale": scale, "sentinels": sentinels}
        try:
            return RegisterPoint.model_validate(own)
        except ValidationError as error:
            raise ValueError(str(error.errors()[0]["msg"]).removeprefix("Value error, ")) from None

    @model_validator(mode="after")
    def _is_a_register(self) -> Self:
        self.as_register(0)
        return self

    @model_validator(mode="after")
    def _fits_its_body(self) -> Self:
        if (self.at is None) != (self.type is None):
            raise ValueError("type belongs to a point of a binary body, which needs it")
        if self.at is None and (self.bit is not None or self.order != "ABCD"):
            raise ValueError("bit and order are for binary bodies only")
        if self.flag is not None and self.name is None:
            raise ValueError("flag is for pairs only")
        return self


class FramesTable(DeviceTable):
    """A device model that pushes frames: its grammar, and its points."""

    driver: Literal["tcp-frames"] = "tcp-frames"
    grammar: Grammar
    points: Annotated[tuple[FramePoint, ...], Field(min_length=1)]

    def message_of(self, point: FramePoint) -> str:
        """The name of the message that carries the point; '' when none or several could."""
        carrying = [message.name for message in self.grammar.messages if message.values]
        named = [name for name in carrying if name == point.message or not point.message]
        return named[0] if len(named) == 1 else ""

    def points_of(self, message: str) -> tuple[int, ...]:
        """Positions in the table of the points that a message carries."""
        return tuple(i for i, point in enumerate(self.points) if self.message_of(point) == message)

    def registers_of(self, message: str) -> ModbusTable:
        """The points that a message carries, one behind the other, as the register decoder reads them."""
        points: list[RegisterPoint] = []
        for i in self.points_of(message):
            points.append(self.points[i].as_register(sum(point.type.words for point in points)))
        about = {
            name: getattr(self, name) for name in ("version", "model", "title_zh", "title_en", "source", "certainty")
        }
        return ModbusTable.model_validate({**about, "driver": "registers", "points": tuple(points)})

    @property
    def doubts(self) -> tuple[str, ...]:
        """What of the table is less sure than its certainty says, as `name: code`; for screens and sheets."""
        grammar = self.grammar
        named = [("frame", grammar.frame.certainty), *((f"point {p.key}", p.certainty) for p in self.points)]
        named += [(f"message {message.name}", message.certainty) for message in grammar.messages]
        named += [(f"reply {name}", reply.certainty) for name, reply in grammar.replies.items()]
        return tuple(f"{name}: {code}" for name, code in named if code not in (None, self.certainty))

    @model_validator(mode="after")
    def _points_fit_the_grammar(self) -> Self:
        keys = [point.key for point in self.points]
        repeated = sorted({key for key in keys if keys.count(key) > 1})
        if repeated:
            raise ValueError(f"point keys stand twice: {', '.join(repeated)}")
        check_fault_bits(self.points)
        message_of = {point.key: self.message_of(point) for point in self.points}
        for point in self.points:
            if point.body_kind != self.grammar.body.kind:
                raise ValueError(f"point {point.key}: its place is none in a {self.grammar.body.kind} body")
            if not message_of[point.key]:
                raise ValueError(f"point {point.key}: message is {point.message!r}, expected one with values: true")
            for other in (*point.fault, *([point.decimals] if point.decimals else [])):
                if message_of.get(other) != message_of[point.key]:
                    raise ValueError(f"point {point.key}: {other} is no point of the same message")
        return self

    @model_validator(mode="after")
    def _registers_can_be_read(self) -> Self:
        for message in dict.fromkeys(self.message_of(point) for point in self.points):
            try:
                self.registers_of(message)
            except ValidationError as error:
                raise ValueError(str(error.errors()[0]["msg"]).removeprefix("Value error, ")) from None
        return self
