"""Messages between the two processes of a desk, over a private pair of sockets.

    front (boxes, the port)                    back (pages, jobs)
      SETTINGS {...}            ------------>
                                <------------    READY
      OPEN  n {scope}           ------------>
      GAVE  n what came         <----------->    WANT  n       `receive()`
      SENT  n                   <----------->    BODY  n       `send()`, after START n {status, headers}
      CLOSE n                   ------------>                  nobody waits for n any more
                                <------------    END   n       the application has returned
                                <------------    LOG {...}     for the one log of the desk

A frame is its length, the number of its request and its kind, then bytes. The end of either process is the end of the
stream. In: bytes. Out: frames. Knows no page.
"""

import asyncio
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from starlette.types import Message, Scope

_HEAD: Final = struct.Struct(">IIB")
_SPEC: Final = {"version": "3.0", "spec_version": "2.3"}
_TEXTS: Final = ("http_version", "method", "scheme", "path", "root_path")
_BYTES: Final = ("raw_path", "query_string")
LAST, MORE, GONE = b"\0", b"\1", b"\2"
"""First byte of a piece of a body: no other follows, others follow, or the visitor has left."""


class Kind(IntEnum):
    """What a frame between the two processes carries."""

    SETTINGS = 1
    READY = 2
    OPEN = 3
    WANT = 4
    GAVE = 5
    START = 6
    BODY = 7
    SENT = 8
    CLOSE = 9
    END = 10
    LOG = 11


@dataclass(frozen=True, slots=True)
class Frame:
    """`number`: of the request, 0 where it is about none."""

    kind: Kind
    number: int
    content: bytes


class Line:
    """One end of the pair. Frames are written whole, in their order; those of one turn of the loop go together."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._ready: list[bytes] = []

    async def read(self) -> Frame | None:
        """The next frame; None when the other process is gone."""
        try:
            length, number, kind = _HEAD.unpack(await self._reader.readexactly(_HEAD.size))
            return Frame(Kind(kind), number, await self._reader.readexactly(length))
        except (asyncio.IncompleteReadError, OSError):
            return None

    def write(self, kind: Kind, number: int = 0, content: bytes = b"") -> None:
        """Put a frame on the way. What goes to a process that is gone is lost; `read` tells."""
        if not self._ready:
            asyncio.get_running_loop().call_soon(self._flush)
        self._ready += (_HEAD.pack(len(content), number, kind), content)

    async def drain(self) -> None:
        """Wait until the other side has read most of it. Raises OSError when it is gone."""
        self._flush()
        await self._writer.drain()

    def close(self) -> None:
        """Hang up: the other side reads the end."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        ready, self._ready = self._ready, []
        if ready and not self._writer.is_closing():
            self._writer.write(b"".join(ready))


def scope_bytes(scope: Scope) -> bytes:
    """An HTTP request's scope as it travels: who asks, for what, with which headers."""
    said: dict[str, Any] = {name: scope.get(name, "") for name in _TEXTS}
    said |= {name: bytes(scope.get(name) or b"").decode("latin-1") for name in _BYTES}
    said |= {name: scope.get(name) for name in ("client", "server")}
    return json.dumps(said | {"headers": _texts(scope["headers"])}).encode()


def scope_of(content: bytes) -> Scope:
    """A request's scope, as an ASGI application gets it."""
    said: dict[str, Any] = json.loads(content)
    said |= {name: said[name].encode("latin-1") for name in _BYTES}
    said |= {name: tuple(said[name]) if said[name] else None for name in ("client", "server")}
    return said | {"type": "http", "asgi": dict(_SPEC), "headers": _pairs(said["headers"])}


def start_bytes(message: Message) -> bytes:
    """The beginning of a response as it travels."""
    return json.dumps({"status": message["status"], "headers": _texts(message.get("headers", ()))}).encode()


def start_of(content: bytes) -> Message:
    """An answer's start, as an ASGI server gets it."""
    said: Mapping[str, Any] = json.loads(content)
    return {"type": "http.response.start", "status": said["status"], "headers": _pairs(said["headers"])}


def piece_bytes(message: Message) -> bytes:
    """A piece of a request's or a response's body."""
    if message["type"] == "http.disconnect":
        return GONE
    return (MORE if message.get("more_body", False) else LAST) + bytes(message.get("body", b""))


def piece_of(content: bytes, message_type: str) -> Message:
    """The same, as a message of this type."""
    if content[:1] == GONE:
        return {"type": "http.disconnect"}
    return {"type": message_type, "body": content[1:], "more_body": content[:1] == MORE}


def _texts(headers: Any) -> list[list[str]]:
    return [[bytes(name).decode("latin-1"), bytes(value).decode("latin-1")] for name, value in headers]


def _pairs(headers: list[list[str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
