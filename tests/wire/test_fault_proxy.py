"""The proxy itself: each mode does to a plain byte stream what it says."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.fakes.fault_proxy import FaultProxy, Mode


@pytest.fixture
async def proxy() -> AsyncIterator[FaultProxy]:
    """In front of a server that answers every piece with itself in capitals."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65_536):
            writer.write(piece.upper())
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with FaultProxy(server.sockets[0].getsockname()[1]) as running:
        yield running
    server.close()


async def ask(proxy: FaultProxy, request: bytes, size: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        writer.write(request)
        async with asyncio.timeout(5):
            return await reader.readexactly(size)
    finally:
        writer.close()


async def test_pass_carries_bytes_and_counts_them(proxy: FaultProxy) -> None:
    assert await ask(proxy, b"hello", 5) == b"HELLO"
    assert (proxy.connections, proxy.bytes_to_target, proxy.bytes_to_client) == (1, 5, 5)
    assert proxy.seen_requests == [b"hello"]
    await proxy.until(lambda: proxy.open_connections == 0)


async def test_delay_delays(proxy: FaultProxy) -> None:
    await proxy.set_mode(Mode.DELAY, delay_s=0.1)
    started_s = asyncio.get_running_loop().time()
    assert await ask(proxy, b"hello", 5) == b"HELLO"
    assert asyncio.get_running_loop().time() - started_s >= 0.1


async def test_throttle_limits_the_rate(proxy: FaultProxy) -> None:
    await proxy.set_mode(Mode.THROTTLE, bytes_per_s=1000)
    started_s = asyncio.get_running_loop().time()
    assert await ask(proxy, b"x" * 120, 120) == b"X" * 120
    assert asyncio.get_running_loop().time() - started_s >= 0.1


async def test_truncate_cuts_replies(proxy: FaultProxy) -> None:
    await proxy.set_mode(Mode.TRUNCATE, keep_bytes=3)
    assert await ask(proxy, b"hello", 3) == b"HEL"
    assert proxy.bytes_to_client == 3


async def test_blackhole_swallows_and_keeps_the_connection(proxy: FaultProxy) -> None:
    await proxy.set_mode(Mode.BLACKHOLE)
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"lost")
    await proxy.until(lambda: proxy.seen_requests == [b"lost"])
    await proxy.set_mode(Mode.PASS)
    writer.write(b"kept")
    assert await reader.readexactly(4) == b"KEPT"
    assert proxy.bytes_to_target == 4
    writer.close()


async def test_reset_resets_open_and_new_connections_until_it_ends(proxy: FaultProxy) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"hello")
    await reader.readexactly(5)
    await proxy.set_mode(Mode.RESET)
    with pytest.raises(ConnectionResetError):
        await reader.readexactly(1)
    writer.close()
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await ask(proxy, b"hello", 5)
    await proxy.set_mode(Mode.PASS)
    assert await ask(proxy, b"hello", 5) == b"HELLO"


async def test_refuse_refuses_and_the_port_comes_back(proxy: FaultProxy) -> None:
    port = proxy.port
    await proxy.set_mode(Mode.REFUSE)
    with pytest.raises(ConnectionRefusedError):
        await ask(proxy, b"hello", 5)
    await proxy.set_mode(Mode.PASS)
    assert proxy.port == port
    assert await ask(proxy, b"hello", 5) == b"HELLO"


async def test_bytes_can_be_changed_both_ways(proxy: FaultProxy) -> None:
    proxy.change_request = lambda piece: piece.replace(b"a", b"b")
    proxy.change_reply = lambda piece: piece + b"!"
    assert await ask(proxy, b"abc", 4) == b"BBC!"
