"""Messages between the gateway and a capture process, over a stream socket.

    4 bytes length of the head | 4 bytes length of the body | head: JSON object with "kind" | body: bytes

To the capture process: `plan` (the first; body: the plan), `clip`, `live`, `cancel`. From it: `report`, and to a
request of number `id`: `part` (body), `done` (about), `refused` (reason). Lengths above the bounds are no message.
What a message from it may hold is checked by `vision.camera.heard`.
"""

import json
import socket
import struct
from dataclasses import dataclass, field
from typing import Any

LENGTHS = struct.Struct("!II")
PART_BYTES = 65_536
_HEAD_MAX = 65_536
_BODY_MAX = 1_048_576


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `body` is not shown: it can be a plan."""

    kind: str
    about: dict[str, Any] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)

    def encode(self) -> bytes:
        """As it goes over the socket."""
        head = json.dumps({"kind": self.kind, **self.about}).encode()
        return LENGTHS.pack(len(head), len(self.body)) + head + self.body


def lengths(octets: bytes) -> tuple[int, int]:
    """How many bytes of head and of body follow. Raises ValueError when no message begins so."""
    head, body = LENGTHS.unpack(octets)
    if not 0 < head <= _HEAD_MAX or body > _BODY_MAX:
        raise ValueError(f"no message begins with lengths {head} and {body}")
    return head, body


def decode(head: bytes, body: bytes) -> Message:
    """Raises ValueError when it is no message."""
    try:
        about = json.loads(head, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("a head that is nested too deep") from None
    if not isinstance(about, dict) or not isinstance(about.get("kind"), str):
        raise ValueError("a message is an object with a kind")
    return Message(about.pop("kind"), about, body)


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def receive(sock: socket.socket) -> Message | None:
    """The next message, waiting for it; None when the other side is gone. Raises ValueError for what is none."""
    start = _exactly(sock, LENGTHS.size)
    if start is None:
        return None
    head_length, body_length = lengths(start)
    head, body = _exactly(sock, head_length), _exactly(sock, body_length)
    return None if head is None or body is None else decode(head, body)


def _exactly(sock: socket.socket, count: int) -> bytes | None:
    octets = bytearray()
    while len(octets) < count:
        try:
            more = sock.recv(count - len(octets))
        except OSError:
            return None
        if not more:
            return None
        octets += more
    return bytes(octets)
