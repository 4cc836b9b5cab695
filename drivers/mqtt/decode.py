"""One message of one device becomes `Readings`. No I/O: bytes in, arrays out. It remembers the last time stamps.

    {"DataTimeStamp": 1700000000000, "WindSpeed": 3.2}   json: a path a point, and a path to the device's time
    {"fPort": 2, "data": "CAGk..."}                      json with bytes: a position a point, among the bytes of a field
    b"3.2" on site/mast-1/wind                           plain: a bare number; topic_suffix tells which point
    b"0801a4.."                                          hex, base64, binary: the message is nothing but bytes

What is wrong with one field makes that point BAD, and is told in words. A point whose `fault` bit is set in the same
message is SUSPECT, and so is a value that contradicts an earlier one of the same device time. What is wrong with the
message as a whole raises DecodeError with the reason, and the caller puts the payload aside. A message that the table
does not read (`only`, `unless`) is passed over. Knows nothing of brokers, sessions and queues.
"""

import math
import re
from dataclasses import dataclass
from hashlib import blake2b
from json import dumps
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from drivers.belief import believe_numbers
from drivers.fault_bits import fault_bits
from drivers.mqtt.device_time import believable, time_ns
from drivers.mqtt.document import DocumentReader
from drivers.mqtt.json_path import NoValue, Steps, compile_path, value_at
from drivers.mqtt.payload_bytes import ByteNumbers, NotBytesError, bytes_written
from drivers.mqtt.private import Blotter
from drivers.mqtt.settings import BytePoint, FieldPoint, MqttTable
from drivers.stamps import StampMemory
from gateway.model.errors import DecodeError
from gateway.model.reading import Quality, RawBlock, Readings
from gateway.ports import BoundDevice

_PLAIN_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
TOPIC_TOLD = 200
"""Characters of a topic that a reason or a log line says."""
_EXPECTED = {
    "number": "a number",
    "boolean": "true or false",
    "number_text": "a number in quotes",
    "number_or_text": "a number, also in quotes",
}


@dataclass(frozen=True, slots=True)
class FieldMessage:
    """What arrived, before anyone looked into it. `retained`: the broker had kept it, so its age is unknown.

    `cut_from_bytes`: the payload is only the head of a packet of this size, which was too large to be kept; else 0.
    """

    topic: str
    payload: bytes
    retained: bool
    received_at_ns: int
    cut_from_bytes: int = 0

    @property
    def size_bytes(self) -> int:
        """How many bytes the message's payload had."""
        return self.cut_from_bytes or len(self.payload)


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a message said. `doubts` tell why points are BAD, where it is not their value: what was found and what was
    expected. `sameness` is equal for messages that the table calls the same (`repeats`); empty where none is."""

    readings: Readings
    doubts: tuple[str, ...] = ()
    sameness: bytes = b""


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A message that the table does not read, and why."""

    reason: str


class MessageDecoder:
    """Decodes the messages of one device. Paths are compiled and index arrays made once.

    `keepable` makes of a payload what may be kept of it: without what the table calls private.
    """

    def __init__(self, device: BoundDevice, max_payload_bytes: int = 262_144) -> None:
        table: MqttTable = device.table
        self._device_id: str = device.settings.id
        self._table = table
        self._max_payload_bytes = max_payload_bytes
        self._point_index = device.point_index
        self._one_index = [device.point_index[i : i + 1] for i in range(len(table.points))]
        self._fields = [_Field(i, p) for i, p in enumerate(table.points) if isinstance(p, FieldPoint)]
        self._of_fields = [field.position for field in self._fields]
        self._belief = believe_numbers(table.field_points)
        self._beliefs = [believe_numbers([point]) for point in table.field_points]
        self._among_bytes = [i for i, point in enumerate(table.points) if isinstance(point, BytePoint)]
        self._numbers = ByteNumbers(table)
        self._fault_bits = fault_bits(table.points)
        self._stamps = StampMemory()
        self._time_steps = _steps(table.time.path if table.time else None)
        self._bytes_steps = _steps(table.bytes.path if table.bytes else None)
        self._only = [(compile_path(where.path), where) for where in table.only]
        self._unless = [(compile_path(where.path), where) for where in table.unless]
        self._same_steps = [compile_path(path) for path in table.repeats.paths] if table.repeats else []
        wheres = [steps for steps, _ in (*self._only, *self._unless)]
        others = [self._time_steps, self._bytes_steps, *wheres, *self._same_steps]
        self._reader = DocumentReader([*(field.steps for field in self._fields), *others])
        self.keepable = Blotter(table.private).blot

    def decode(self, message: FieldMessage) -> Decoded | PassedOver:
        """What one message says. Raises DecodeError when the message as a whole means nothing."""
        if message.cut_from_bytes or message.size_bytes > self._max_payload_bytes:
            limit = f"at most {self._max_payload_bytes} are taken (max_payload_bytes)"
            raise DecodeError(f"{message.size_bytes} bytes on topic {message.topic[:TOPIC_TOLD]!r}; {limit}")
        if self._table.payload == "binary":
            return self._bare_bytes(message)
        if not message.payload.strip():
            raise DecodeError("empty payload")
        if self._table.payload == "plain":
            return self._plain(message)
        return self._json(message) if self._table.payload == "json" else self._bare_bytes(message)

    def written(self, position: int, payload: bytes) -> str:
        """How the point at this position of the table is written in a payload that was decoded, for a person to see."""
        point = self._table.points[position]
        if self._table.payload == "plain":
            return payload.decode("utf-8", "replace").strip()
        document = self._reader.read(payload) if self._table.payload == "json" else payload
        if isinstance(point, BytePoint):
            return self._data(document)[point.byte : point.byte + point.size].hex(" ").upper()
        found = value_at(document, compile_path(point.path or "$"))
        return "" if isinstance(found, NoValue) else dumps(found, ensure_ascii=False)

    # --- one document ---

    def _json(self, message: FieldMessage) -> Decoded | PassedOver:
        document = self._reader.read(message.payload)
        if (reason := self._not_meant(document)) is not None:
            return PassedOver(reason)
        observed_at_ns, suspect = self._observed(document, message)
        doubts: list[str] = []
        values = np.full(len(self._point_index), math.nan)
        if self._fields:
            raw = np.array([field.number(document, doubts) for field in self._fields])
            values[self._of_fields], _ = self._belief.from_raw(raw)
        if self._among_bytes:
            self._fill_from_bytes(values, document, doubts)
        readings = self._readings(message, self._point_index, values, observed_at_ns, suspect)
        if self._table.time is not None and not suspect:
            readings = self._stamps.checked(readings)
        return Decoded(readings, tuple(doubts), self._sameness(document))

    def _not_meant(self, document: Any) -> str | None:
        """Why the table does not read this document; None when it does."""
        for steps, where in self._only:
            if not where.fits(value := value_at(document, steps)):
                wanted = " or ".join(dumps(each, ensure_ascii=False) for each in where.equals)
                return f"{_shown(value)} at {where.path}, expected {wanted}"
        for steps, where in self._unless:
            if where.fits(value := value_at(document, steps)):
                return f"{_shown(value)} at {where.path}"
        return None

    def _fill_from_bytes(self, values: NDArray[np.float64], document: Any, doubts: list[str]) -> None:
        try:
            values[self._among_bytes], _ = self._numbers.values(self._data(document))
        except NotBytesError as error:
            place = self._table.bytes.path if self._table.bytes else "$"
            doubts.append(f"bytes at {place}: {error}")

    def _data(self, document: Any) -> bytes:
        """The bytes of a document, or of a payload that is nothing else. Raises NotBytesError."""
        about, payload = self._table.bytes, self._table.payload
        if payload == "json":
            assert about is not None
            found = value_at(document, self._bytes_steps)
            if isinstance(found, NoValue):
                raise NotBytesError(f"found {found.found}, expected {about.encoding}")
            return bytes_written(found, str(about.encoding))
        if payload == "binary":
            return cast("bytes", document)
        return bytes_written(document.decode("utf-8", "replace").strip(), payload)

    def _observed(self, document: Any, message: FieldMessage) -> tuple[int, bool]:
        """When it was measured, and whether that is in doubt."""
        settings = self._table.time
        if settings is None:
            return message.received_at_ns, message.retained
        value = value_at(document, self._time_steps)
        if isinstance(value, NoValue) or value is None:
            if settings.required:
                found = value.found if isinstance(value, NoValue) else "null"
                raise DecodeError(f"no time at {settings.path}: found {found}")
            return message.received_at_ns, message.retained
        observed_at_ns = time_ns(value, settings)
        if believable(observed_at_ns, message.received_at_ns, settings):
            return observed_at_ns, False
        return message.received_at_ns, True

    def _sameness(self, document: Any) -> bytes:
        values = [value_at(document, steps) for steps in self._same_steps]
        told = [[value] if isinstance(value, str | int | float) else [] for value in values]
        return blake2b(dumps(told).encode(), digest_size=16).digest() if any(told) else b""

    # --- the other payloads ---

    def _bare_bytes(self, message: FieldMessage) -> Decoded:
        try:
            values, _ = self._numbers.values(self._data(message.payload))
        except NotBytesError as error:
            raise DecodeError(str(error)) from None
        return Decoded(self._readings(message, self._point_index, values, message.received_at_ns, message.retained))

    def _plain(self, message: FieldMessage) -> Decoded:
        position = self._plain_position(message.topic)
        point = cast("FieldPoint", self._table.points[position])
        try:
            text = message.payload.decode("utf-8").strip()
        except UnicodeDecodeError as error:
            raise DecodeError(f"not UTF-8: {error.reason} at byte {error.start}") from None
        is_number = _PLAIN_NUMBER.fullmatch(text) is not None
        value, _ = self._beliefs[position].from_raw(np.array([float(text) if is_number else math.nan]))
        index = self._one_index[position]
        readings = self._readings(message, index, value, message.received_at_ns, message.retained)
        return Decoded(readings, () if is_number else (f"point {point.key}: found another text, expected a number",))

    def _plain_position(self, topic: str) -> int:
        for position, point in enumerate(self._table.field_points):
            suffix = point.topic_suffix
            if suffix is None or topic == suffix or topic.endswith("/" + suffix):
                return position
        raise DecodeError(f"topic {topic!r} ends with no topic_suffix of table {self._table.model}")

    def _readings(
        self,
        message: FieldMessage,
        point_index: NDArray[np.int32],
        value: NDArray[np.float64],
        observed_at_ns: int,
        suspect: bool,
    ) -> Readings:
        believed = Quality.SUSPECT if suspect else Quality.GOOD
        quality = np.where(np.isnan(value), np.uint8(Quality.BAD), np.uint8(believed))
        if self._fault_bits is not None:
            self._fault_bits.doubt(value, quality)
        raw = RawBlock(payload=self.keepable(message.payload))
        return Readings(self._device_id, point_index, value, quality, observed_at_ns, message.received_at_ns, raw)


class _Field:
    """A point of a document, with its path compiled."""

    def __init__(self, position: int, point: FieldPoint) -> None:
        self.position = position
        self.point = point
        self.steps = _steps(point.path)

    def number(self, document: Any, doubts: list[str]) -> float:
        """The number in the document, else NaN, and a word more in `doubts`."""
        value = value_at(document, self.steps)
        number = _json_number(self.point, value)
        if math.isnan(number):
            expected = _EXPECTED[self.point.type]
            doubts.append(f"point {self.point.key}: found {_shown(value)} at {self.point.path}, expected {expected}")
        return number


def _steps(path: str | None) -> Steps:
    return compile_path(path) if path else ()


def _json_number(point: FieldPoint, value: Any) -> float:
    """The number in a JSON value of the configured type, else NaN."""
    if point.type == "number_text" or (point.type == "number_or_text" and isinstance(value, str)):
        return float(value) if isinstance(value, str) and _PLAIN_NUMBER.fullmatch(value.strip()) else math.nan
    if isinstance(value, bool) != (point.type == "boolean") or not isinstance(value, int | float):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.nan


def _shown(value: Any) -> str:
    """What stands there, without saying more of it than numbers and truth."""
    if isinstance(value, NoValue):
        return value.found
    if value is None or isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < 1e15):
        return dumps(value)
    kinds = {str: "a text", list: "a list", dict: "an object", int: "a number too large"}
    return kinds[type(value)]
