"""uvicorn behind a `Door`: the HTTP server of box and desk.

In: an application, and how many connections it may have at most. Out: served sockets. Signals are left to whoever
starts it. Knows no pages.
"""

import asyncio
import http
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from screens.connections import MOST_AT_ONCE, Door, Limits, Phase, backlog

SWEEP_S: Final = 1.0


class BoundedServer(uvicorn.Server):
    """Serves one application, with a context by TLS. `protocol`: whose HTTP parser; `settings`: of `uvicorn.Config`."""

    def __init__(
        self,
        app: ASGIApp,
        limits: Limits,
        protocol: "type[_Watched]",
        tls: ssl.SSLContext | None = None,
        **settings: Any,
    ) -> None:
        config = uvicorn.Config(app, log_config=None, access_log=False, backlog=MOST_AT_ONCE, **settings)
        proxies = ProxyHeadersMiddleware(app, config.forwarded_allow_ips).trusted_hosts  # type: ignore[arg-type]
        self.door = Door(limits, lambda address: address in proxies)
        watched = type(protocol.__name__, (protocol,), {"door": self.door})
        config.http = watched if tls is None else type("Handshake", (_Handshake,), {"watched": watched, "tls": tls})
        self._sweep_due_s = 0.0
        super().__init__(config)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve. For asyncio a backlog is how many it accepts in one turn; for the system it is how many may wait."""
        await super().startup(sockets)
        for listener in sockets or ():
            listener.listen(backlog())

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: close what has taken too long."""
        now_s = asyncio.get_running_loop().time()
        if now_s >= self._sweep_due_s:
            self._sweep_due_s = now_s + SWEEP_S
            self.door.sweep(now_s)
        self.door.close_slow()
        return await super().on_tick(counter)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take no signal: the process that owns this server decides."""
        yield


class _Watched(asyncio.Protocol):
    """What a protocol of uvicorn tells the door. Stands before it in the order of classes."""

    door: Door
    transport: asyncio.Transport
    cycle: Any
    """uvicorn's newest request, with what is known of its answer."""
    _is_body_under_way: Callable[[], bool]
    """Whether a body still comes. Each parser says it its own way."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.address = (transport.get_extra_info("peername") or ("",))[0]
        self._state: tuple[Any, Phase] = None, Phase.HEADER
        self._has_begun = True  # a connection is made for a request
        self.waited_s, self.received_bytes = 0.0, 0
        super().connection_made(transport)
        self.door.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.door.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._has_begun = True
        super().data_received(data)
        self._look()
        self.received_bytes += len(data)
        self.door.measure(self)

    def on_response_complete(self) -> None:
        """uvicorn has sent the end of an answer."""
        self._has_begun = False
        super().on_response_complete()  # type: ignore[misc]
        self._look()

    @property
    def phase(self) -> Phase:
        """What the connection does now, as its timeouts need to know."""
        return self._state[1]

    @property
    def is_read(self) -> bool:
        """False while uvicorn holds the peer back, or the peer waits for our 100."""
        held = self.cycle is not None and self.cycle.waiting_for_100_continue
        return not (held or self.flow.read_paused)  # type: ignore[attr-defined]

    def end(self, status: int | None) -> None:
        """Answer with this status, unless an answer has begun, and close."""
        if self.transport.is_closing():
            return
        if status is not None and (self.phase is Phase.HEADER or not self.cycle.response_started):
            line = f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}"
            fields = "connection: close\r\ncontent-length: 0\r\nretry-after: 5"
            self.transport.write(f"{line}\r\n{fields}\r\n\r\n".encode())
        self.transport.close()

    def _look(self) -> None:
        """Begin to count anew when it does something else."""
        state = self.cycle, self._phase_now()
        if state != self._state:
            self._state = state
            self.waited_s, self.received_bytes = 0.0, 0

    def _phase_now(self) -> Phase:
        cycle = self.cycle
        if cycle is None:
            return Phase.HEADER
        if not cycle.response_complete:
            return Phase.BODY if cycle.more_body else Phase.RUNNING
        if self._is_body_under_way():
            return Phase.REST
        return Phase.HEADER if self._has_begun else Phase.IDLE


class _Handshake(asyncio.Protocol):
    """A connection until its TLS handshake is done: uvicorn would not know of it before. Then `watched` takes over."""

    watched: type[_Watched]
    tls: ssl.SSLContext
    phase = Phase.HEADER
    is_read = True

    def __init__(self, **about: Any) -> None:
        self._http = self.watched(**about)
        self._heard = bytearray()
        self.waited_s, self.received_bytes = 0.0, 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.address = (transport.get_extra_info("peername") or ("",))[0]
        self._transport = transport
        transport.pause_reading()  # the first bytes are for the handshake
        self._http.door.enter(self)
        if not transport.is_closing():
            self._shaking = asyncio.ensure_future(self._shake(transport))

    def data_received(self, data: bytes) -> None:
        self._heard += data

    def end(self, status: int | None) -> None:  # noqa: ARG002 - there is no HTTP yet
        """Close the connection without a word about the reason."""
        self._transport.abort()

    async def _shake(self, transport: asyncio.Transport) -> None:
        try:
            secured = await asyncio.get_running_loop().start_tls(transport, self, self.tls, server_side=True)
        except OSError:
            return  # it was no TLS, or was given up
        finally:
            self._http.door.leave(self)
        if secured is not None and not secured.is_closing():
            secured.set_protocol(self._http)
            self._http.connection_made(secured)
            if self._heard:
                self._http.data_received(bytes(self._heard))


class WatchedH11(_Watched, H11Protocol):
    """h11: Python, no limits of its own but 16 KiB of header."""

    def _is_body_under_way(self) -> bool:
        return self.conn.their_state is h11.SEND_BODY


class WatchedHttpTools(_Watched, HttpToolsProtocol):
    """httptools: C, without any limit of its own."""

    _body = False

    def on_headers_complete(self) -> None:
        """The parser has a whole header."""
        self._body = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The parser has a whole request."""
        self._body = False
        super().on_message_complete()

    def _is_body_under_way(self) -> bool:
        return self._body
