"""Callers that are slow, endless or too many, over real sockets, against both HTTP parsers of uvicorn."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from screens.connections import Limits
from screens.listener import listen
from screens.server import BoundedServer, WatchedH11, WatchedHttpTools
from tests.fakes.certificates import make_certificates

LIMITS = Limits(in_all=50, an_address=50, header_s=0.5, header_bytes=8_192, body_grace_s=0.5, body_bytes_s=1_000)
PROTOCOLS = pytest.mark.parametrize("protocol", [WatchedH11, WatchedHttpTools])
GET = b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n"
BODY = b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
Caller = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Face:
    """A server with pages that take as long as the test says."""

    def __init__(self, limits: Limits, protocol: type, tls: ssl.SSLContext | None) -> None:
        self.go_on = asyncio.Event()
        self.disconnected = asyncio.Event()
        routes = [
            Route("/", lambda _: PlainTextResponse("page")),
            Route("/waits", self._waits),
            Route("/stream", self._stream),
            Route("/body", self._body, methods=["POST"]),
            Route("/refused", lambda _: PlainTextResponse("too much", 413), methods=["POST"]),
            Route("/late", self._late, methods=["POST"]),
        ]
        times = {"timeout_keep_alive": 60, "timeout_graceful_shutdown": 2}
        self.server = BoundedServer(Starlette(routes=routes), limits, protocol, tls, lifespan="off", **times)

    async def _waits(self, _: Request) -> Response:
        await self.go_on.wait()
        return PlainTextResponse("answered")

    async def _stream(self, _: Request) -> Response:
        async def events() -> AsyncIterator[str]:
            yield "first\n"
            await self.go_on.wait()
            yield "last\n"

        return StreamingResponse(events())

    async def _body(self, request: Request) -> Response:
        try:
            return PlainTextResponse(str(len(await request.body())))
        except Exception:
            self.disconnected.set()
            raise

    async def _late(self, request: Request) -> Response:
        """Reads nothing before it is told to."""
        await self.go_on.wait()
        return PlainTextResponse(str(len(await request.body())))


class Callers:
    """Connections to one face; all are closed at the end."""

    def __init__(self, face: Face, port: int) -> None:
        self.face = face
        self._port = port
        self._writers: list[asyncio.StreamWriter] = []

    async def calling(self, say: bytes = b"", source: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> Caller:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, local_addr=(source, 0), ssl=tls)
        self._writers.append(writer)
        writer.write(say)
        return reader, writer

    async def page(self, path: bytes = b"/", source: str = "127.0.0.1") -> bytes:
        request = (GET % path).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        return await heard(await self.calling(request, source))

    async def close(self) -> None:
        for writer in self._writers:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


@contextlib.asynccontextmanager
async def served(protocol: type, limits: Limits = LIMITS, tls: ssl.SSLContext | None = None) -> AsyncIterator[Callers]:
    face, listener = Face(limits, protocol, tls), listen("127.0.0.1", 0)
    serving = asyncio.create_task(face.server.serve([listener]))
    callers = Callers(face, listener.getsockname()[1])
    try:
        yield callers
    finally:
        await callers.close()
        face.go_on.set()
        face.server.should_exit = True
        await serving
        listener.close()


async def heard(caller: Caller) -> bytes:
    """All that comes until the server closes; what an unread request of ours destroys is not heard."""
    try:
        return await asyncio.wait_for(caller[0].read(), 15)
    except ConnectionResetError:
        return b""


async def until(caller: Caller, said: bytes) -> bytes:
    """What comes up to these bytes."""
    return await asyncio.wait_for(caller[0].readuntil(said), 15)


@PROTOCOLS
@pytest.mark.parametrize("begun", [b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\n"])
async def test_a_header_that_does_not_end_is_closed_with_408(protocol: type, begun: bytes) -> None:
    async with served(protocol) as callers:
        assert (await heard(await callers.calling(begun))).startswith(b"HTTP/1.1 408 ")


@PROTOCOLS
async def test_one_who_says_nothing_is_closed_without_a_word(protocol: type) -> None:
    async with served(protocol) as callers:
        assert await heard(await callers.calling()) == b""


@PROTOCOLS
async def test_one_who_begins_again_after_an_answer_is_closed_too(protocol: type) -> None:
    async with served(protocol) as callers:
        caller = await callers.calling(GET % b"/")
        assert (await until(caller, b"page")).startswith(b"HTTP/1.1 200 ")
        caller[1].write(b"GET /")
        assert (await heard(caller)).startswith(b"HTTP/1.1 408 ")


@PROTOCOLS
async def test_a_header_without_measure_is_closed(protocol: type) -> None:
    async with served(protocol, replace(LIMITS, header_s=60)) as callers:
        said = await heard(await callers.calling(b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 100_000))
        assert said == b"" or said.startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 400 "))
        assert b"page" in await callers.page()


@PROTOCOLS
async def test_a_body_that_stops_is_closed_and_the_page_hears_of_it(protocol: type) -> None:
    async with served(protocol) as callers:
        assert (await heard(await callers.calling(BODY % 1_000 + b"x"))).startswith(b"HTTP/1.1 408 ")
        async with asyncio.timeout(15):
            await callers.face.disconnected.wait()


@PROTOCOLS
async def test_a_body_at_the_agreed_rate_may_take_its_time(protocol: type) -> None:
    async with served(protocol) as callers:
        steady = await callers.calling(BODY % 8_000)
        stopped = asyncio.create_task(heard(await callers.calling(BODY % 8_000)))
        missing = 8_000
        while not stopped.done():
            steady[1].write(b"x" * 400)
            missing -= 400
            await asyncio.wait({stopped}, timeout=0.2)
        assert stopped.result().startswith(b"HTTP/1.1 408 ")
        steady[1].write(b"x" * missing)
        assert (await until(steady, b"8000")).startswith(b"HTTP/1.1 200 ")


@PROTOCOLS
async def test_what_we_do_not_read_is_not_the_callers_fault(protocol: type) -> None:
    size = 1_000_000
    head = BODY.replace(b"/body", b"/late") % size
    async with served(protocol) as callers:
        large = await callers.calling(head + b"x" * size)
        polite = await callers.calling(head.replace(b"Host", b"Expect: 100-continue\r\nHost"))
        assert (await heard(await callers.calling(BODY % size))).startswith(b"HTTP/1.1 408 ")
        callers.face.go_on.set()
        assert (await until(large, b"\r\n\r\n%d" % size)).startswith(b"HTTP/1.1 200 ")
        assert (await until(polite, b"\r\n")).startswith(b"HTTP/1.1 100 ")


@PROTOCOLS
async def test_a_body_that_goes_on_after_its_refusal_is_closed(protocol: type) -> None:
    async with served(protocol) as callers:
        caller = await callers.calling(BODY.replace(b"/body", b"/refused") % 10_000_000 + b"x" * 20_000)
        assert (await until(caller, b"too much")).startswith(b"HTTP/1.1 413 ")
        closed = asyncio.create_task(heard(caller))
        while not closed.done():
            caller[1].write(b"x" * 10)
            await asyncio.wait({closed}, timeout=0.1)
        assert closed.result() == b""


@PROTOCOLS
@pytest.mark.parametrize(("path", "last"), [(b"/waits", b"answered"), (b"/stream", b"last")])
async def test_a_request_that_waits_is_never_cut(protocol: type, path: bytes, last: bytes) -> None:
    async with served(protocol, replace(LIMITS, in_all=2)) as callers:
        waiting = await callers.calling(GET % path)
        assert await heard(await callers.calling()) == b"", "a whole time limit has passed"
        first, second = await callers.calling(b"G"), await callers.calling(b"G")
        assert await heard(first) == b"", "it gave way"
        assert (await heard(second)).startswith(b"HTTP/1.1 408 ")
        callers.face.go_on.set()
        assert (await until(waiting, last)).startswith(b"HTTP/1.1 200 ")


@PROTOCOLS
async def test_with_every_place_taken_by_a_request_one_more_is_refused(protocol: type) -> None:
    async with served(protocol, replace(LIMITS, in_all=2)) as callers:
        held = [await callers.calling(GET % b"/stream") for _ in range(2)]
        for caller in held:
            await until(caller, b"first")
        refused = await heard(await callers.calling())
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nretry-after: 5\r\n" in refused
        callers.face.go_on.set()
        for caller in held:
            await until(caller, b"last")
        assert (await callers.page()).startswith(b"HTTP/1.1 200 ")


@PROTOCOLS
async def test_one_address_takes_its_share_only(protocol: type) -> None:
    async with served(protocol, replace(LIMITS, in_all=4, an_address=2)) as callers:
        for _ in range(2):
            await until(await callers.calling(GET % b"/stream", "127.0.0.2"), b"first")
        assert (await heard(await callers.calling(source="127.0.0.2"))).startswith(b"HTTP/1.1 503 ")
        assert (await callers.page(source="127.0.0.3")).startswith(b"HTTP/1.1 200 ")


@PROTOCOLS
async def test_hundreds_of_idle_connections_keep_nobody_out(protocol: type) -> None:
    async with served(protocol, replace(LIMITS, header_s=60)) as callers:
        for number in range(300):
            await callers.calling(b"" if number % 2 else GET % b"/")
        began_s = time.monotonic()
        assert (await callers.page()).startswith(b"HTTP/1.1 200 ")
        assert time.monotonic() - began_s < 1
        assert callers.face.server.door.open <= LIMITS.in_all


@pytest.fixture
def tls(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What the server shows and what its callers trust."""
    certificates = make_certificates(tmp_path)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificates.server.cert_file, certificates.server.key_file)
    return server, ssl.create_default_context(cafile=certificates.ca_file)


@PROTOCOLS
@pytest.mark.parametrize("begun", [b"", b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\n\r\n"])
async def test_a_handshake_that_does_not_end_is_closed(
    protocol: type, begun: bytes, tls: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    async with served(protocol, tls=tls[0]) as callers:
        await heard(await callers.calling(begun))
        assert callers.face.server.door.open == 0


@PROTOCOLS
async def test_a_request_over_tls_has_the_same_limits(
    protocol: type, tls: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    async with served(protocol, tls=tls[0]) as callers:
        caller = await callers.calling(GET % b"/", tls=tls[1])
        assert (await until(caller, b"page")).startswith(b"HTTP/1.1 200 ")
        caller[1].write(b"GET /")
        assert (await heard(caller)).startswith(b"HTTP/1.1 408 ")


@PROTOCOLS
async def test_hundreds_without_a_handshake_keep_nobody_out(
    protocol: type, tls: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    async with served(protocol, replace(LIMITS, header_s=60), tls[0]) as callers:
        silent = [await callers.calling() for _ in range(300)]
        began_s = time.monotonic()
        caller = await callers.calling(GET % b"/", tls=tls[1])
        assert (await until(caller, b"page")).startswith(b"HTTP/1.1 200 ")
        assert time.monotonic() - began_s < 1
        assert await heard(silent[0]) == b"", "the oldest gave way"
        assert callers.face.server.door.open <= LIMITS.in_all
