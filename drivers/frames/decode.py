"""One message of a known device becomes `Readings`. Pure: content in, arrays out, by the register decoder.

    binary      content --gather bytes--> words --+
    texts       parts ---> doubles ------> words --+--> drivers.modbus.decode --> value, quality

What a frame is too short for, or does not say, is BAD; so is a text that is no plain decimal number, and all that the
register decoder calls BAD. A GOOD value whose flag says otherwise, or whose fault bit is set, is SUSPECT; so is every
value of a frame whose clock is off. Raises DecodeError only for a message without the time that its table requires.
Knows no caller, no clock and no socket.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
from numpy.typing import NDArray

from drivers.frames.grammar import FrameTime
from drivers.frames.message import Message, MessageReader, place_of
from drivers.frames.settings import FramePoint, FramesTable
from drivers.modbus.decode import TableDecoder, compile_table
from drivers.modbus.plan import Request
from gateway.model.errors import DecodeError
from gateway.model.reading import GOOD, SUSPECT, RawBlock, Readings
from gateway.ports import BoundDevice

_READ_HOLDING_REGISTERS = 3
_NUMBER = re.compile(rb"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_YEAR_2000_NS = 946_684_800_000_000_000
_UNITS_NS = {"s": 1_000_000_000, "ms": 1_000_000}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, eq=False)
class _Layout:
    """The points of one message: their positions in the point table and, for binary bodies, where their bytes lie.

    `gather` counts in a content with a zero byte in front; `ends` is how long the content must be for each point.
    """

    points: tuple[FramePoint, ...]
    point_index: NDArray[np.int32]
    decoder: TableDecoder
    gather: NDArray[np.intp]
    ends: NDArray[np.intp]


class FrameDecoder:
    """Decodes the messages of one device. Everything that depends on the table alone is worked out once."""

    def __init__(self, device: BoundDevice, reader: MessageReader) -> None:
        table: FramesTable = device.table
        self._device_id: str = device.settings.id
        self._points = table.points
        self._reader = reader
        self._time = table.grammar.time
        self._binary = table.grammar.body.kind == "binary"
        names = dict.fromkeys(table.message_of(point) for point in table.points)
        self._layouts = {name: _layout(table, name, device.point_index) for name in names}

    def decode(self, message: Message, received_at_ns: int) -> Readings | None:
        """The readings of one message; None for one that carries none. Raises DecodeError without a required time."""
        layout = self._layouts.get(message.kind.name)
        if layout is None:
            return None
        observed_at_ns, doubtful = self._observed(message, received_at_ns)
        words, missing = self._words(layout, message)
        value, quality = layout.decoder.decode([words], missing)
        quality[_flagged(layout, message) & (quality == GOOD)] = SUSPECT
        if doubtful:
            quality[quality == GOOD] = SUSPECT
        raw = RawBlock(payload=self._reader.keepable(message))
        return Readings(self._device_id, layout.point_index, value, quality, observed_at_ns, received_at_ns, raw)

    def written(self, i: int, kept: bytes) -> str:
        """What a kept frame of readings says of point i of the table, as it was written."""
        return self._reader.written(self._points[i], self._points[i].width, kept)

    def _words(self, layout: _Layout, message: Message) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
        """The points' words, and which points are not there."""
        if self._binary:
            content = b"\0" + message.content
            padded = content + bytes(max(0, int(layout.ends.max()) + 1 - len(content)))
            data = np.frombuffer(padded, dtype=np.uint8)[layout.gather]
            return data.view(">u2").astype(np.uint16), layout.ends > len(message.content)
        numbers = np.array([_number(message.content[place_of(p, message.parts)]) for p in layout.points], dtype=">f8")
        return numbers.view(">u2").astype(np.uint16), np.isnan(numbers)

    def _observed(self, message: Message, received_at_ns: int) -> tuple[int, bool]:
        """When it was measured, and whether that is in doubt."""
        settings = self._time
        if settings is None:
            return received_at_ns, False
        try:
            text = " ".join(self._reader.text(message, name) for name in settings.fields)
        except DecodeError:
            if settings.required:
                raise
            return received_at_ns, False
        observed_at_ns = time_ns(text, settings)
        if not _YEAR_2000_NS <= observed_at_ns <= received_at_ns + int(settings.future_tolerance_s * 1e9):
            return received_at_ns, True
        return observed_at_ns, received_at_ns - observed_at_ns > settings.past_tolerance_s * 1e9


def time_ns(text: str, settings: FrameTime) -> int:
    """UTC nanoseconds since 1970. Raises DecodeError when the text is no time in the table's format."""
    unit_ns = _UNITS_NS.get(settings.format)
    try:
        if unit_ns is not None:
            return int(text) * unit_ns
        moment = datetime.strptime(text, settings.format)
    except ValueError:
        raise DecodeError(f"time {text!r}: expected {settings.format}") from None
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=settings.utc_offset_minutes)))
    return (aware - _EPOCH) // timedelta(microseconds=1) * 1_000


def byte_places(point: FramePoint) -> tuple[int, ...]:
    """Where in the content the bytes of the point's words lie, in their order; -1 for a zero byte."""
    assert point.at is not None
    if point.type == "uint8":
        return (-1, point.at)
    if point.type == "int8":
        return (point.at, -1)
    return tuple(range(point.at, point.at + point.width))


def _layout(table: FramesTable, message: str, point_index: NDArray[np.int32]) -> _Layout:
    positions = table.points_of(message)
    points = tuple(table.points[i] for i in positions)
    registers = table.registers_of(message)
    words = sum(point.type.words for point in registers.points)
    binary = table.grammar.body.kind == "binary"
    places = [place + 1 for point in points for place in byte_places(point)] if binary else []
    return _Layout(
        points=points,
        point_index=point_index[list(positions)],
        decoder=compile_table(registers, (Request(_READ_HOLDING_REGISTERS, 0, words),)),
        gather=np.array(places, dtype=np.intp),
        ends=np.array([(point.at or 0) + point.width for point in points], dtype=np.intp),
    )


def _number(text: bytes) -> float:
    text = text.strip(b" \0")
    return float(text) if _NUMBER.fullmatch(text) else np.nan


def _flagged(layout: _Layout, message: Message) -> NDArray[np.bool_]:
    """Which points have a flag in the message that is none of the good ones."""

    def doubtful(point: FramePoint) -> bool:
        """Whether a flag of the frame puts this point in doubt."""
        if point.flag is None or point.flag.name not in message.parts:
            return False
        said = message.content[message.parts[point.flag.name]].decode("latin-1").strip()
        return said not in point.flag.good

    return np.array([doubtful(point) for point in layout.points], dtype=np.bool_)
