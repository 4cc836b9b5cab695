"""Modbus RTU frames and their timing. Pure.

In: a request, or bytes as they arrived. Out: the request's frame; the first frame in the bytes, checked. Knows no line,
no clock and no schedule. Source: Modbus over Serial Line V1.02, 2.5.1 (frames, timing) and 6.2 (checksum); the checksum
is computed by pymodbus. Why the frames are taken apart here: docs/adr/0010.

    unit | function | byte count, data          | checksum, low byte first      a reply
    unit | function + 128 | exception code      | checksum, low byte first      an exception reply
"""

from dataclasses import dataclass

from pymodbus.framer import FramerRTU

from drivers.modbus.plan import Request
from drivers.modbus.registers import (
    READ_COILS,
    READ_DISCRETE_INPUTS,
    READ_HOLDING_REGISTERS,
    READ_INPUT_REGISTERS,
)
from drivers.modbus.replies import EXCEPTION_FLAG, data_bytes

READ_FUNCTIONS = (READ_COILS, READ_DISCRETE_INPUTS, READ_HOLDING_REGISTERS, READ_INPUT_REGISTERS)
OVERHEAD_BYTES = 5  # unit, function, byte count, checksum; also the whole of an exception reply
REQUEST_BYTES = 8
BITS_A_CHARACTER = 11  # start, 8 data, parity or a second stop bit, stop (V1.02, 2.5.1)
SILENT_CHARACTERS = 3.5
FAST_BAUD = 19_200
FAST_SILENCE_S = 0.00175


class BrokenFrameError(Exception):
    """Bytes that begin with no frame; the message says why."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A sound frame: checksum right, length as announced. `data` lies between function code and checksum."""

    unit_id: int
    function: int
    data: bytes


def request_frame(unit_id: int, request: Request) -> bytes:
    """The bytes that ask a unit for this. Raises ValueError for anything but functions 1 to 4."""
    if request.function not in READ_FUNCTIONS:
        raise ValueError(f"function {request.function}: only {READ_FUNCTIONS} read, and nothing else is sent")
    head = bytes((unit_id, request.function))
    return with_checksum(head + request.address.to_bytes(2, "big") + request.count.to_bytes(2, "big"))


def with_checksum(body: bytes) -> bytes:
    """The body with its two checksum bytes."""
    return body + FramerRTU.compute_CRC(body).to_bytes(2, "big")


def reply_bytes(request: Request) -> int:
    """Length of the frame that answers this request."""
    return OVERHEAD_BYTES + data_bytes(request)


def first_frame(received: bytes) -> tuple[Frame, bytes] | None:
    """The frame at the start of the bytes, and what follows it; None while it is not whole.

    Nothing is skipped to find one. Raises BrokenFrameError when the bytes cannot begin a reply to a read.
    """
    if len(received) < OVERHEAD_BYTES:
        return None
    function = received[1]
    if function & ~EXCEPTION_FLAG not in READ_FUNCTIONS:
        raise BrokenFrameError(f"function code {function}")
    length = OVERHEAD_BYTES if function & EXCEPTION_FLAG else OVERHEAD_BYTES + received[2]
    if len(received) < length:
        return None
    frame = received[:length]
    if with_checksum(frame[:-2]) != frame:
        raise BrokenFrameError(f"checksum {frame[-2:].hex()} (hex), computed {with_checksum(frame[:-2])[-2:].hex()}")
    return Frame(frame[0], function, frame[2:-2]), received[length:]


def silence_s(baud: int, extra_ms: float = 0.0) -> float:
    """How long the line must be silent between two frames: 3.5 characters, above 19200 baud 1.75 ms, and the extra."""
    standard = FAST_SILENCE_S if baud > FAST_BAUD else SILENT_CHARACTERS * BITS_A_CHARACTER / baud
    return standard + extra_ms / 1000


def wire_s(baud: int, characters: int) -> float:
    """How long so many bytes are on the wire."""
    return characters * BITS_A_CHARACTER / baud
