"""One message of one device becomes `Readings`. No I/O: bytes in, arrays out. It remembers the last time stamps.

    {"DataTimeStamp": 1700000000000, "WindSpeed": 3.2}   json: a path a point, and a path to the device's time
    b"3.2" on site/mast-1/wind                           plain: a bare number; topic_suffix tells which point

What is wrong with one field makes that point BAD. A point whose `fault` bit is set in the same message is SUSPECT, and
so is a value that contradicts an earlier one of the same device time. What is wrong with the message as a whole raises
DecodeError with the reason, and the caller puts the payload aside. A key that stands twice makes a message ambiguous:
refused, because readers differ in which one they believe. Knows nothing of brokers, sessions and queues.
"""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from drivers.fault_bits import fault_bits
from drivers.mqtt.device_time import believable, time_ns
from drivers.mqtt.json_path import MISSING, Steps, compile_path, value_at
from drivers.mqtt.private import Blotter
from drivers.mqtt.settings import FieldPoint, MqttTable
from drivers.stamps import StampMemory
from gateway.model.errors import DecodeError
from gateway.model.reading import Quality, RawBlock, Readings
from gateway.ports import BoundDevice

_PLAIN_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class FieldMessage:
    """What arrived, before anyone looked into it. `retained`: the broker had kept it, so its age is unknown."""

    topic: str
    payload: bytes
    retained: bool
    received_at_ns: int


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
        self._steps = [compile_path(point.path) if point.path else () for point in table.points]
        self._time_steps: Steps = compile_path(table.time.path) if table.time else ()
        self._fault_bits = fault_bits(table.points)
        self._stamps = StampMemory()
        self._quoted_keys = _quoted_keys([*self._steps, self._time_steps])
        self.keepable = Blotter(table.private).blot

    def decode(self, message: FieldMessage) -> Readings:
        """The readings of one message. Raises DecodeError when the message as a whole means nothing."""
        size = len(message.payload)
        if size > self._max_payload_bytes:
            raise DecodeError(f"{size} bytes; at most {self._max_payload_bytes} are taken (max_payload_bytes)")
        if not message.payload.strip():
            raise DecodeError("empty payload")
        if self._table.payload == "plain":
            return self._plain(message)
        return self._json(message)

    def _json(self, message: FieldMessage) -> Readings:
        document = self._document(message.payload)
        observed_at_ns, suspect = self._observed(document, message)
        points = self._table.points
        values = [
            _believed(point, _json_number(point, value_at(document, steps)))
            for point, steps in zip(points, self._steps, strict=True)
        ]
        readings = self._readings(message, self._point_index, values, observed_at_ns, suspect)
        if self._fault_bits is not None:
            self._fault_bits.doubt(readings.value, readings.quality)
        return readings if self._table.time is None or suspect else self._stamps.checked(readings)

    def _plain(self, message: FieldMessage) -> Readings:
        position = self._plain_position(message.topic)
        try:
            text = message.payload.decode("utf-8").strip()
        except UnicodeDecodeError as error:
            raise DecodeError(f"not UTF-8: {error.reason} at byte {error.start}") from None
        number = float(text) if _PLAIN_NUMBER.fullmatch(text) else math.nan
        value = _believed(self._table.points[position], number)
        index = self._one_index[position]
        return self._readings(message, index, [value], message.received_at_ns, message.retained)

    def _plain_position(self, topic: str) -> int:
        for position, point in enumerate(self._table.points):
            suffix = point.topic_suffix
            if suffix is None or topic == suffix or topic.endswith("/" + suffix):
                return position
        raise DecodeError(f"topic {topic!r} ends with no topic_suffix of table {self._table.model}")

    def _document(self, payload: bytes) -> Any:
        if b"\\" in payload or self._maybe_repeated(payload):
            return _strict_document(payload)
        try:
            return orjson.loads(payload)
        except orjson.JSONDecodeError:
            return _strict_document(payload)

    def _maybe_repeated(self, payload: bytes) -> bool:
        return any(payload.count(key) > 1 for key in self._quoted_keys)

    def _observed(self, document: Any, message: FieldMessage) -> tuple[int, bool]:
        """When it was measured, and whether that is in doubt."""
        settings = self._table.time
        if settings is None:
            return message.received_at_ns, message.retained
        value = value_at(document, self._time_steps)
        if value is MISSING or value is None:
            if settings.required:
                raise DecodeError(f"no time at {settings.path}")
            return message.received_at_ns, message.retained
        observed_at_ns = time_ns(value, settings)
        if believable(observed_at_ns, message.received_at_ns, settings):
            return observed_at_ns, False
        return message.received_at_ns, True

    def _readings(
        self,
        message: FieldMessage,
        point_index: NDArray[np.int32],
        values: Sequence[float],
        observed_at_ns: int,
        suspect: bool,
    ) -> Readings:
        value = np.array(values, dtype=np.float64)
        believed = Quality.SUSPECT if suspect else Quality.GOOD
        quality = np.where(np.isnan(value), np.uint8(Quality.BAD), np.uint8(believed))
        raw = RawBlock(payload=self.keepable(message.payload))
        return Readings(self._device_id, point_index, value, quality, observed_at_ns, message.received_at_ns, raw)


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


def _believed(point: FieldPoint, number: float) -> float:
    """The engineering value, or NaN for a sentinel or what the instrument cannot say."""
    if number in point.sentinels:
        return math.nan
    value = number * point.scale + point.offset
    return value if point.min <= value <= point.max else math.nan


def _quoted_keys(paths: Sequence[Steps]) -> tuple[bytes, ...]:
    keys = {step for steps in paths for step in steps if isinstance(step, str)}
    return tuple(f'"{key}"'.encode() for key in sorted(keys))


def _strict_document(payload: bytes) -> Any:
    """The slower reader: refuses repeated keys, lets NaN, Infinity and 1e400 through (those points become BAD)."""
    try:
        return json.loads(payload.decode("utf-8"), object_pairs_hook=_object)
    except RecursionError:
        raise DecodeError("not JSON: nested too deep") from None
    except ValueError as error:
        raise DecodeError(f"not JSON: {error}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {repeated!r} stands twice in one object")
    return found
