"""Messages between the gateway and its eye process over a pipe: four bytes of length, then a pickle.

Both ends are this program, started by itself over an anonymous pipe that nobody else can open; nothing of a camera or a
network is ever unpickled as such (a picture is a value inside a message).
"""

import asyncio
import pickle
import struct
from typing import Any, BinaryIO

MAX_MESSAGE_BYTES = 64 * 2**20
_LENGTH = struct.Struct("!I")


def packed(message: object) -> bytes:
    """A message as it goes over the pipe. Raises ValueError beyond 64 MiB."""
    body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    if len(body) > MAX_MESSAGE_BYTES:
        raise ValueError(f"a message of {len(body)} bytes, expected at most {MAX_MESSAGE_BYTES}")
    return _LENGTH.pack(len(body)) + body


def read_message(stream: BinaryIO) -> Any:
    """The next message, waiting for it. Raises EOFError when the other end is gone."""
    head = _exactly(stream, _LENGTH.size)
    return _unpacked(_exactly(stream, _length_of(head)))


async def receive(reader: asyncio.StreamReader) -> Any:
    """As `read_message`, in an event loop. Raises asyncio.IncompleteReadError (an EOFError) at the end."""
    head = await reader.readexactly(_LENGTH.size)
    return _unpacked(await reader.readexactly(_length_of(head)))


def _length_of(head: bytes) -> int:
    (length,) = _LENGTH.unpack(head)
    if length > MAX_MESSAGE_BYTES:
        raise EOFError(f"found a message of {length} bytes, expected at most {MAX_MESSAGE_BYTES}: out of step")
    return int(length)


def _unpacked(body: bytes) -> Any:
    return pickle.loads(body)  # noqa: S301 - our own process at the other end, see above


def _exactly(stream: BinaryIO, count: int) -> bytes:
    parts: list[bytes] = []
    while count:
        part = stream.read(count)
        if not part:
            raise EOFError("the other end is gone")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
