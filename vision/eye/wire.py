"""Orders of the gateway to its eye process over a pipe: four bytes of length, then a pickle.

They go down only. The gateway is believed by the process that it started; what the eye says back is not, and is never
unpickled (`vision.eye.said`).
"""

import pickle
import struct
from typing import Any, BinaryIO

MAX_MESSAGE_BYTES = 64 * 2**20
_LENGTH = struct.Struct("!I")


def packed(order: object) -> bytes:
    """An order as it goes over the pipe. Raises ValueError beyond 64 MiB."""
    body = pickle.dumps(order, protocol=pickle.HIGHEST_PROTOCOL)
    if len(body) > MAX_MESSAGE_BYTES:
        raise ValueError(f"an order of {len(body)} bytes, expected at most {MAX_MESSAGE_BYTES}")
    return _LENGTH.pack(len(body)) + body


def read_order(stream: BinaryIO) -> Any:
    """The next order, waiting for it: in the eye only. Raises EOFError when the gateway is gone."""
    head = _exactly(stream, _LENGTH.size)
    return pickle.loads(_exactly(stream, _length_of(head)))  # noqa: S301 - the gateway's, see above


def _length_of(head: bytes) -> int:
    (length,) = _LENGTH.unpack(head)
    if length > MAX_MESSAGE_BYTES:
        raise EOFError(f"found a message of {length} bytes, expected at most {MAX_MESSAGE_BYTES}: out of step")
    return int(length)


def _exactly(stream: BinaryIO, count: int) -> bytes:
    parts: list[bytes] = []
    while count:
        part = stream.read(count)
        if not part:
            raise EOFError("the other end is gone")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
