"""What a unit on an RTU bus answers, frame by frame. Pure.

In: the bytes that a master sent, and a unit's registers. Out: where the first request ends, and the reply to it. Only
functions 3 and 4 read; whatever else is asked, every write among it, is refused with exception 1. Knows no line and no
fault. Source: Modbus Application Protocol V1.1b3, 6 and 7; Modbus over Serial Line V1.02, 2.5.1.
"""

from collections.abc import Sequence

from drivers.modbus.registers import READ_HOLDING_REGISTERS, READ_INPUT_REGISTERS
from drivers.modbus.replies import EXCEPTION_FLAG
from drivers.modbus.rtu import with_checksum

MOST_WORDS = 125
_ILLEGAL_FUNCTION, _ILLEGAL_ADDRESS, _ILLEGAL_VALUE = 1, 2, 3
_FIXED = dict.fromkeys(range(1, 7), 8) | {7: 4, 11: 4, 12: 4, 17: 4, 22: 10, 24: 6}
_COUNTED = {15: (9, 6), 16: (9, 6), 20: (5, 2), 21: (5, 2), 23: (13, 10)}  # length without data, place of its count
_LONGEST = 256


class NoRequestError(Exception):
    """Bytes that begin with no request: noise, or a frame that was cut."""


def first_request(heard: bytes) -> tuple[bytes, bytes] | None:
    """The request at the start of the bytes and what follows it; None while it is not whole.

    Raises NoRequestError for an unknown function, a wrong checksum, or more bytes than any frame has.
    """
    length = _length(heard)
    if len(heard) < length:
        return None
    frame = heard[:length]
    if with_checksum(frame[:-2]) != frame:
        raise NoRequestError(f"checksum {frame[-2:].hex()} (hex) of {frame.hex()}")
    return frame, heard[length:]


def reply_to(request: bytes, words: Sequence[int]) -> bytes:
    """The reply of the unit that the request names, whose registers from address 0 on are `words`."""
    unit_id, function = request[0], request[1]
    if function not in (READ_HOLDING_REGISTERS, READ_INPUT_REGISTERS):
        return _exception(unit_id, function, _ILLEGAL_FUNCTION)
    address, count = int.from_bytes(request[2:4], "big"), int.from_bytes(request[4:6], "big")
    if not 1 <= count <= MOST_WORDS:
        return _exception(unit_id, function, _ILLEGAL_VALUE)
    if address + count > len(words):
        return _exception(unit_id, function, _ILLEGAL_ADDRESS)
    data = b"".join(word.to_bytes(2, "big") for word in words[address : address + count])
    return with_checksum(bytes((unit_id, function, len(data))) + data)


def _length(heard: bytes) -> int:
    """How long the request is, as far as it can be told; at least one byte more than there is while it cannot."""
    if len(heard) < 2:
        return len(heard) + 1
    function = heard[1]
    if function in _FIXED:
        return _FIXED[function]
    if function not in _COUNTED:
        raise NoRequestError(f"function code {function}")
    fixed, counted_at = _COUNTED[function]
    if len(heard) <= counted_at:
        return counted_at + 1
    length = fixed + heard[counted_at]
    if length > _LONGEST:
        raise NoRequestError(f"a frame of {length} bytes")
    return length


def _exception(unit_id: int, function: int, code: int) -> bytes:
    return with_checksum(bytes((unit_id, function | EXCEPTION_FLAG, code)))
