"""One connection against a real libmodbus server: what a reply gives, and what each thing that is no answer says."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from drivers.modbus.link import ExceptionReplyError, ModbusLink
from drivers.modbus.plan import Request
from drivers.modbus.settings import ModbusTcpLink
from drivers.polling import UnreadableReplyError
from gateway.model.errors import LinkError
from kit.clock import SystemClock
from tests.fakes.fault_proxy import FaultProxy, Mode
from tests.fakes.libmodbus_server import LibmodbusServer

TEN_WORDS = Request(3, 0, 10)


@pytest.fixture(scope="module")
def server() -> Iterator[LibmodbusServer]:
    with LibmodbusServer(registers=3000) as running:
        running.set_registers(0, range(100, 225))
        yield running


@pytest.fixture
async def proxy(server: LibmodbusServer) -> AsyncIterator[FaultProxy]:
    async with FaultProxy(server.port) as running:
        yield running


@pytest.fixture
async def link(proxy: FaultProxy) -> AsyncIterator[ModbusLink]:
    opened = link_to(proxy.port)
    yield opened
    opened.close()


def link_to(port: int, timeout_ms: int = 500) -> ModbusLink:
    settings = ModbusTcpLink(id="l", driver="modbus-tcp", host="127.0.0.1", port=port, timeout_ms=timeout_ms)
    return ModbusLink(settings, SystemClock())


async def test_registers_arrive_as_they_were_set(link: ModbusLink, server: LibmodbusServer) -> None:
    server.set_registers(10, [0, 1, 0x7FFF, 0x8000, 0xFFFF], area="input")
    assert (await link.read(1, Request(3, 0, 125))).tolist() == list(range(100, 225))
    assert (await link.read(1, Request(4, 10, 5))).tolist() == [0, 1, 0x7FFF, 0x8000, 0xFFFF]


@pytest.mark.parametrize(("function", "area"), [(1, "coils"), (2, "discrete")])
@pytest.mark.parametrize("count", [1, 7, 8, 9, 16, 2000])
async def test_bits_arrive_as_zero_and_one(
    link: ModbusLink, server: LibmodbusServer, function: int, area: str, count: int
) -> None:
    bits = [(i * 7) % 3 == 0 for i in range(count)]
    server.set_registers(3, bits, area=area)  # type: ignore[arg-type]
    assert (await link.read(1, Request(function, 3, count))).tolist() == [int(bit) for bit in bits]


async def test_one_connection_serves_all_requests(link: ModbusLink, proxy: FaultProxy) -> None:
    await asyncio.gather(*(link.read(unit, Request(3, unit, 2)) for unit in range(1, 20)))
    assert proxy.connections == 1


async def test_an_exception_reply_names_code_function_address_and_unit(link: ModbusLink, proxy: FaultProxy) -> None:
    with pytest.raises(ExceptionReplyError) as caught:
        await link.read(7, Request(3, 2995, 10))
    assert caught.value.code == 2
    assert str(caught.value) == (
        f"exception 2 (illegal data address) asking 127.0.0.1:{proxy.port} unit 7 "
        "for function 3, address 2995, count 10"
    )
    assert (await link.read(7, TEN_WORDS)).tolist() == list(range(100, 110))
    assert proxy.connections == 1  # an exception is an answer: the connection stays


@pytest.mark.parametrize(("code", "absent"), [(1, False), (4, False), (6, False), (10, True), (11, True), (99, False)])
async def test_every_exception_code_is_understood(link: ModbusLink, proxy: FaultProxy, code: int, absent: bool) -> None:
    proxy.change_reply = lambda reply: reply[:4] + b"\x00\x03" + reply[6:7] + bytes([0x83, code])
    with pytest.raises(ExceptionReplyError, match=rf"exception {code} \(") as caught:
        await link.read(1, TEN_WORDS)
    assert caught.value.unit_is_absent is absent


WRONG_REPLIES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "transaction id of another request": (lambda r: b"\xbe\xef" + r[2:], "no whole frame"),
    "transaction id 0": (lambda r: b"\x00\x00" + r[2:], "transaction id 0"),
    "another unit": (lambda r: r[:6] + b"\x09" + r[7:], "no whole frame"),
    "protocol id": (lambda r: r[:2] + b"\x12\x34" + r[4:], "no whole frame"),
    "function 4 for 3": (lambda r: r[:7] + b"\x04" + r[8:], "function code 4"),
    "a write's echo": (lambda r: r[:4] + b"\x00\x06" + r[6:7] + b"\x06\x00\x01\x00\x02", "function code 6"),
    "an unknown function": (lambda r: r[:7] + b"\x63" + r[8:], "function code 99"),
    "exception of another function": (lambda r: r[:4] + b"\x00\x03" + r[6:7] + b"\x84\x02", "function code 132"),
    "too few words": (lambda r: r[:4] + b"\x00\x07" + r[6:8] + b"\x04" + r[9:13], "4 data bytes, expected 20"),
    "too many words": (
        lambda r: r[:4] + b"\x00\x19" + r[6:8] + b"\x16" + r[9:] + b"\0\0",
        "22 data bytes, expected 20",
    ),
    "byte count lies": (lambda r: r[:8] + b"\x12" + r[9:], r"byte count 12 \(hex\), 20 data bytes, expected 20"),
    "no data": (lambda r: r[:4] + b"\x00\x02" + r[6:8], "data bytes, expected 20"),
    "cut in the middle": (lambda r: r[:-7], "no whole frame"),
    "cut in the header": (lambda r: r[:5], "no whole frame"),
    "not Modbus": (lambda r: b"HTTP/1.1 400 Bad Request\r\n\r\n", "no whole frame"),
}


@pytest.mark.parametrize("fault", list(WRONG_REPLIES))
async def test_a_reply_that_is_no_answer_never_becomes_words(link: ModbusLink, proxy: FaultProxy, fault: str) -> None:
    change, message = WRONG_REPLIES[fault]
    proxy.change_reply = change
    with pytest.raises(UnreadableReplyError, match=message) as caught:
        await link.read(1, TEN_WORDS)
    assert caught.value.payload != b""
    assert "unit 1 for function 3, address 0, count 10" in str(caught.value)
    proxy.change_reply = None
    assert (await link.read(1, TEN_WORDS)).tolist() == list(range(100, 110))
    assert proxy.connections == 2  # the stream was in doubt: a new connection


async def test_what_follows_an_answer_does_not_reach_the_next_request(link: ModbusLink, proxy: FaultProxy) -> None:
    proxy.change_reply = lambda reply: reply + b"\x00\x63\x00\x00\x00\x03\x01\x83\x02"
    for address in range(5):
        assert (await link.read(1, Request(3, address, 1))).tolist() == [100 + address]


async def test_silence_is_a_link_error_within_the_timeout(proxy: FaultProxy) -> None:
    link = link_to(proxy.port, timeout_ms=50)
    await proxy.set_mode(Mode.BLACKHOLE)
    with pytest.raises(LinkError, match=r"no reply within 50 ms asking .* unit 3 for function 3, address 0, count 10"):
        await link.read(3, TEN_WORDS)
    link.close()


async def test_a_late_reply_is_never_taken_for_the_next_answer(proxy: FaultProxy) -> None:
    link = link_to(proxy.port, timeout_ms=200)
    await proxy.set_mode(Mode.DELAY, delay_s=0.3)
    with pytest.raises(LinkError, match="no reply within 200 ms"):
        await link.read(1, Request(3, 0, 1))
    await proxy.set_mode(Mode.PASS)
    assert (await link.read(1, Request(3, 50, 1))).tolist() == [150]
    link.close()


async def test_a_reset_while_waiting_is_noticed_at_once(proxy: FaultProxy) -> None:
    link = link_to(proxy.port, timeout_ms=60_000)
    await link.read(1, TEN_WORDS)
    await proxy.set_mode(Mode.BLACKHOLE)
    reading = asyncio.create_task(link.read(1, TEN_WORDS))
    async with asyncio.timeout(5):
        await proxy.until(lambda: len(proxy.seen_requests) == 2)
        await proxy.reset_connections()
        with pytest.raises(LinkError, match="connection lost asking"):
            await reading
    link.close()


async def test_a_server_that_hangs_up_between_polls_costs_no_poll(
    link: ModbusLink, proxy: FaultProxy, server: LibmodbusServer
) -> None:
    await link.read(1, TEN_WORDS)
    await proxy.reset_connections()
    other = link_to(server.port)
    await other.read(1, TEN_WORDS)  # a round trip on the same loop, which meanwhile hears of the reset
    other.close()
    assert (await link.read(1, TEN_WORDS)).tolist() == list(range(100, 110))
    assert proxy.connections == 2


async def test_a_refused_connection_says_so(proxy: FaultProxy, link: ModbusLink) -> None:
    await proxy.set_mode(Mode.REFUSE)
    with pytest.raises(LinkError, match=f"cannot connect to 127.0.0.1:{proxy.port}: refused or unreachable"):
        await link.read(1, TEN_WORDS)
    await proxy.set_mode(Mode.PASS)
    assert len(await link.read(1, TEN_WORDS)) == 10


async def test_a_cancelled_read_leaves_no_reply_behind(proxy: FaultProxy, link: ModbusLink) -> None:
    await proxy.set_mode(Mode.DELAY, delay_s=0.05)
    reading = asyncio.create_task(link.read(1, Request(3, 0, 1)))
    await proxy.until(lambda: len(proxy.seen_requests) == 1)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert (await link.read(1, Request(3, 60, 1))).tolist() == [160]


async def test_a_trickling_reply_is_put_together(proxy: FaultProxy, link: ModbusLink) -> None:
    await proxy.set_mode(Mode.THROTTLE, bytes_per_s=200)
    assert (await link.read(1, TEN_WORDS)).tolist() == list(range(100, 110))


async def test_the_library_stays_silent(proxy: FaultProxy, caplog: pytest.LogCaptureFixture) -> None:
    link = link_to(proxy.port, timeout_ms=50)
    await proxy.set_mode(Mode.BLACKHOLE)
    with pytest.raises(LinkError):
        await link.read(1, TEN_WORDS)
    proxy.change_reply = lambda reply: reply[:7] + b"\x63"
    await proxy.set_mode(Mode.PASS)
    with pytest.raises(UnreadableReplyError):
        await link.read(1, TEN_WORDS)
    link.close()
    assert [record.name for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("turns", range(8))
async def test_a_cancellation_that_meets_the_reply_is_not_lost(turns: int) -> None:
    """`asyncio.wait_for` of Python 3.11 drops it; the driver would then never stop. `turns` sweeps the moment."""
    asked: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def answer_and_cancel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readexactly(12)
        writer.write(request[:4] + b"\x00\x05" + request[6:8] + b"\x02\x00\x2a")
        for _ in range(turns):
            await asyncio.sleep(0)
        asked.set_result(reading.cancel())
        writer.close()

    server = await asyncio.start_server(answer_and_cancel, "127.0.0.1", 0)
    link = link_to(server.sockets[0].getsockname()[1])
    reading = asyncio.create_task(link.read(1, Request(3, 0, 1)))
    await asyncio.wait([reading, asked], timeout=5)
    link.close()
    server.close()
    was_in_time = await asked
    assert reading.cancelled() is was_in_time
