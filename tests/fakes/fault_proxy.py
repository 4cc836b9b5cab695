"""A TCP proxy on loopback that can be told to misbehave, for any protocol.

    client ---> 127.0.0.1:proxy.port ---> target
           <---   (faults act here)  <---

PASS       bytes flow both ways
DELAY      every piece of a reply waits `delay_s`
BLACKHOLE  connections open and stay, nothing flows, what is sent is swallowed
RESET      open connections are reset (TCP RST); new ones are accepted and reset
REFUSE     open connections are reset; connecting is refused
THROTTLE   replies flow at `bytes_per_s`
TRUNCATE   every piece of a reply is cut after `keep_bytes`

A mode holds for connections that are open already. `change_request` and `change_reply` may rewrite each piece as it
passes (b"" drops it); `seen_requests` keeps every piece that a client sent, `connections` counts accepted ones, `until`
waits for either.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from enum import StrEnum
from types import TracebackType
from typing import Self

Change = Callable[[bytes], bytes]
_PIECE = 65_536


class Mode(StrEnum):
    """See the module's docstring."""

    PASS = "pass"
    DELAY = "delay"
    BLACKHOLE = "blackhole"
    RESET = "reset"
    REFUSE = "refuse"
    THROTTLE = "throttle"
    TRUNCATE = "truncate"


class FaultProxy:
    """One listening port in front of one target. Use as `async with`."""

    def __init__(self, target_port: int, target_host: str = "127.0.0.1") -> None:
        self.target_host = target_host
        self.target_port = target_port
        self.port = 0
        self.mode = Mode.PASS
        self.delay_s = 0.0
        self.bytes_per_s = 1000.0
        self.keep_bytes = 0
        self.change_request: Change | None = None
        self.change_reply: Change | None = None
        self.connections = 0
        self.bytes_to_target = 0
        self.bytes_to_client = 0
        self.seen_requests: list[bytes] = []
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._changed = asyncio.Event()

    @property
    def open_connections(self) -> int:
        """Connections of clients that are open now."""
        return len(self._open)

    async def set_mode(
        self, mode: Mode, *, delay_s: float = 0.0, bytes_per_s: float = 1000.0, keep_bytes: int = 0
    ) -> None:
        """From now on, for open and for new connections."""
        self.mode = mode
        self.delay_s, self.bytes_per_s, self.keep_bytes = delay_s, bytes_per_s, keep_bytes
        if mode is Mode.REFUSE:
            await self._stop_listening()
        elif self._server is None:
            await self._listen()
        if mode in (Mode.RESET, Mode.REFUSE):
            await self.reset_connections()

    async def reset_connections(self) -> None:
        """Reset what is open now, whatever the mode; a client may connect again."""
        tasks = list(self._open)
        for writer in self._open.values():
            _reset(writer)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def until(self, condition: Callable[[], bool], deadline_s: float = 10.0) -> None:
        """Wait until `condition` holds, looking whenever a client connects, sends or leaves. Raises TimeoutError."""
        async with asyncio.timeout(deadline_s):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        await self._stop_listening()
        await self.reset_connections()

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop_listening(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._changed.set()
        if self.mode in (Mode.RESET, Mode.REFUSE):
            _reset(writer)
            return
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = writer
        try:
            await self._carry(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass  # either side went away, or the test reset it: both are what this proxy is for
        finally:
            del self._open[task]
            self._changed.set()
            await _closed(writer)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target_reader, target_writer = await asyncio.open_connection(self.target_host, self.target_port)
        try:
            ways = [
                asyncio.ensure_future(self._requests(reader, target_writer)),
                asyncio.ensure_future(self._replies(target_reader, writer)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        finally:
            await _closed(target_writer)

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(_PIECE):
            self.seen_requests.append(piece)
            self._changed.set()
            if self.change_request is not None:
                piece = self.change_request(piece)
            if self.mode is Mode.BLACKHOLE or not piece:
                continue
            self.bytes_to_target += len(piece)
            writer.write(piece)
            await writer.drain()

    async def _replies(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(_PIECE):
            if self.change_reply is not None:
                piece = self.change_reply(piece)
            if self.mode is Mode.DELAY:
                await asyncio.sleep(self.delay_s)
            if self.mode is Mode.TRUNCATE:
                piece = piece[: self.keep_bytes]
            if self.mode is Mode.BLACKHOLE or not piece:
                continue
            await self._send_reply(piece, writer)

    async def _send_reply(self, piece: bytes, writer: asyncio.StreamWriter) -> None:
        step = max(1, int(self.bytes_per_s / 50)) if self.mode is Mode.THROTTLE else len(piece)
        for start in range(0, len(piece), step):
            part = piece[start : start + step]
            self.bytes_to_client += len(part)
            writer.write(part)
            await writer.drain()
            if self.mode is Mode.THROTTLE:
                await asyncio.sleep(len(part) / self.bytes_per_s)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close so that the peer gets an RST instead of a FIN."""
    sock: socket.socket = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(ConnectionError, asyncio.CancelledError):
        await writer.wait_closed()
