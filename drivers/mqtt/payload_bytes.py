"""The bytes in a message, and the numbers among them (`drivers.numbers.decode`).

    "0801A4..."   hex       two digits a byte, blanks between bytes are allowed
    "CAGk..."     base64    with its padding, as JSON of LoRaWAN servers has it
    08 01 A4 ..   binary    as it is

In: a text or bytes. Out: values of the table's byte points. What is no such text, or not long enough, is no bytes: a
frame cut short could be read as believable numbers. Errors say what was found and what was expected, never the content.
Pure. Knows nothing of JSON paths and messages.
"""

import base64
import binascii
import string
from typing import Any

import numpy as np

from drivers.belief import Flags, Floats
from drivers.mqtt.settings import BytePoint, MessageBytes, MqttTable
from drivers.numbers.decode import compile_numbers

_HEX = frozenset(string.hexdigits)


class NotBytesError(ValueError):
    """Something is no bytes of the kind that was expected; the text says what, and what was expected."""


def bytes_written(text: Any, encoding: str) -> bytes:
    """The bytes that a text writes as `hex` or `base64`. Raises NotBytesError."""
    if not isinstance(text, str):
        raise NotBytesError(f"found no text, expected {encoding}")
    return _from_hex(text) if encoding == "hex" else _from_base64(text)


class ByteNumbers:
    """The byte points of one table, compiled. `needs` is the number of bytes that they take."""

    def __init__(self, table: MqttTable) -> None:
        points = table.byte_points
        about = table.bytes or MessageBytes()
        self._order = about.order
        self._length = about.length
        self._numbers = compile_numbers(points, [self._places(point) for point in points])

    def values(self, data: bytes) -> tuple[Floats, Flags]:
        """Values and which are good, in the order of the table's byte points. Raises NotBytesError when there are too
        few bytes, or not as many as the table says."""
        found, needs = len(data), self._numbers.needs
        if self._length is not None and found != self._length:
            raise NotBytesError(f"found {found} bytes, expected {self._length}")
        if found < needs:
            raise NotBytesError(f"found {found} bytes, expected {needs} or more")
        return self._numbers.decode(np.frombuffer(data, dtype=np.uint8))

    def _places(self, point: BytePoint) -> list[int]:
        order = point.order or self._order
        return order.least_first(range(point.byte, point.byte + point.size))


def _from_hex(text: str) -> bytes:
    for place, character in enumerate(text, 1):
        if character not in _HEX and character != " ":
            raise NotBytesError(f"found no hex digit at character {place}, expected hex")
    try:
        return bytes.fromhex(text)
    except ValueError:
        digits = sum(character != " " for character in text)
        found = f"an odd number of digits ({digits})" if digits % 2 else "a blank inside a byte"
        raise NotBytesError(f"found {found}, expected hex of two digits a byte") from None


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except UnicodeEncodeError as error:
        raise NotBytesError(f"found another character at {error.start + 1}, expected base64") from None
    except binascii.Error as error:
        raise NotBytesError(f"found {len(text)} characters that are no base64 ({error}), expected base64") from None
