"""Units that refuse to have gaps read over, and links with a second address: real sockets, libmodbus behind a proxy."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from drivers.modbus.driver import KIND, ModbusDriver
from drivers.modbus.learning import RELEARN_S
from drivers.modbus.link import ModbusLink
from gateway.model.reading import Quality
from gateway.ports import BoundLink
from kit.clock import SystemClock
from tests.fakes.fault_proxy import FaultProxy, Mode
from tests.fakes.holding_sink import HoldingSink
from tests.fakes.libmodbus_server import LibmodbusServer
from tests.fakes.modbus_binding import bound_device, bound_link, point, table

POINTS = [point(f"p{address}", address, "uint16") for address in (0, 1, 5, 9, 10, 40)]
GAPPED = table(POINTS, max_gap=8)


class ShiftedClock(SystemClock):
    """The machine's clock, some time later."""

    ahead_s = 0.0

    def monotonic_ns(self) -> int:
        return super().monotonic_ns() + int(self.ahead_s * 1e9)


@pytest.fixture(scope="module")
def server() -> Iterator[LibmodbusServer]:
    with LibmodbusServer(devices=2, registers=100) as running:
        for index in range(2):
            running.set_registers(0, range(500, 600), index)
        yield running


def refusing(*missing: int) -> Callable[[bytes], bytes]:
    """Requests that touch these addresses go to where libmodbus answers exception 2."""

    def change(request: bytes) -> bytes:
        first, count = int.from_bytes(request[8:10], "big"), int.from_bytes(request[10:12], "big")
        touched = any(first <= address < first + count for address in missing)
        return request[:8] + b"\xff\x00" + request[10:] if touched else request

    return change


@asynccontextmanager
async def polled(link: BoundLink, clock: SystemClock) -> AsyncIterator[tuple[HoldingSink, ModbusDriver]]:
    sink = HoldingSink()
    driver = ModbusDriver(link, ModbusLink(link.settings, clock), clock)
    task = asyncio.create_task(driver.run(sink))
    yield sink, driver
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def asked(proxy: FaultProxy) -> list[tuple[int, int]]:
    return [(int.from_bytes(piece[8:10], "big"), int.from_bytes(piece[10:12], "big")) for piece in proxy.seen_requests]


async def test_a_refused_gap_is_learned_at_no_values_expense(
    server: LibmodbusServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with FaultProxy(server.port) as proxy:
        proxy.change_request = refusing(3)
        link = bound_link(proxy.port, [bound_device(GAPPED, poll_ms=0)])
        async with polled(link, SystemClock()) as (sink, _):
            await sink.until(lambda: len(sink.offered) >= 5)
        requests = asked(proxy)
    assert requests[:4] == [(0, 11), (0, 2), (0, 6), (5, 6)]  # whole, first run, over the gap at 2, the rest
    assert requests[4:8] == [(40, 1), (0, 2), (5, 6), (40, 1)]  # two requests instead of three; the gap at 6 stays
    assert requests.count((0, 11)) == 1
    for readings in sink.offered:
        assert readings.value.tolist() == [500, 501, 505, 509, 510, 540]
        assert not readings.quality.any()
    lines = [record.getMessage() for record in caplog.records if record.name == "drivers.modbus.unit"]
    assert lines == ["gap refused, read in parts device=unit-1 function=3 address=0 count=11 parts=2"]


async def test_the_whole_is_tried_again_after_an_hour(server: LibmodbusServer) -> None:
    clock = ShiftedClock()
    async with FaultProxy(server.port) as proxy:
        proxy.change_request = refusing(3)
        async with polled(bound_link(proxy.port, [bound_device(GAPPED, poll_ms=0)]), clock) as (sink, _):
            await sink.until(lambda: len(sink.offered) >= 3)
            proxy.change_request = None
            clock.ahead_s = RELEARN_S + 1
            seen = len(sink.offered)
            await sink.until(lambda: len(sink.offered) >= seen + 5)
        assert asked(proxy)[-4:].count((0, 11)) == 2
    assert all(not readings.quality.any() for readings in sink.offered)


async def test_a_point_that_is_missing_spoils_only_its_own_part(server: LibmodbusServer) -> None:
    async with FaultProxy(server.port) as proxy:
        proxy.change_request = refusing(5)
        async with polled(bound_link(proxy.port, [bound_device(GAPPED, poll_ms=0)]), SystemClock()) as (sink, _):
            await sink.until(lambda: len(sink.offered) >= 5)
    for readings in sink.offered:
        assert readings.quality.tolist() == [0, 0, Quality.BAD, 0, 0, 0]


async def test_a_gateway_that_loses_the_unit_ends_the_search(server: LibmodbusServer) -> None:
    async with FaultProxy(server.port) as proxy:
        proxy.change_request = refusing(3)
        replies = 0

        def lost(reply: bytes) -> bytes:
            nonlocal replies
            replies += 1
            return reply if replies == 1 else reply[:5] + b"\x03" + reply[6:7] + b"\x83\x0b"

        proxy.change_reply = lost
        async with polled(bound_link(proxy.port, [bound_device(GAPPED, poll_ms=0)]), SystemClock()) as (sink, driver):
            await sink.until(lambda: bool(sink.offered))
            assert "gateway target device failed to respond" in driver.health()[0].last_error
        assert asked(proxy)[:2] == [(0, 11), (0, 2)]
        assert (0, 6) not in asked(proxy)
    assert sink.offered[0].quality.tolist() == [Quality.BAD] * 6


async def test_a_block_that_is_refused_in_all_its_parts_stays_one_request(server: LibmodbusServer) -> None:
    async with FaultProxy(server.port) as proxy:
        proxy.change_request = refusing(0, 1, 5, 9)
        async with polled(bound_link(proxy.port, [bound_device(GAPPED, poll_ms=0)]), SystemClock()) as (sink, _):
            await sink.until(lambda: len(sink.offered) >= 3)
        assert asked(proxy).count((0, 11)) >= 3
    assert sink.offered[-1].quality.tolist() == [2, 2, 2, 2, 2, 0]


def with_standby(first: int, second: int, **settings: Any) -> BoundLink:
    more = {
        "standby": {"host": "127.0.0.1", "port": second},
        "switch_after": 2,
        "return_probe_s": 0.2,
        "timeout_ms": 100,
    }
    return bound_link(first, [bound_device(GAPPED, poll_ms=5)], **more | settings)


@pytest.mark.parametrize("mode", [Mode.REFUSE, Mode.BLACKHOLE, Mode.RESET])
async def test_the_second_address_takes_over_and_the_first_is_returned_to(
    server: LibmodbusServer, mode: Mode, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with FaultProxy(server.ports[0]) as first, FaultProxy(server.ports[1]) as second:
        driver = KIND.build(with_standby(first.port, second.port), SystemClock())
        sink = HoldingSink()
        task = asyncio.create_task(driver.run(sink))
        await sink.until(lambda: len(sink.offered) >= 3)
        assert second.connections == 0
        await first.set_mode(mode)
        await sink.until(lambda: driver.health()[0].on_standby and not sink.offered[-1].quality.any())
        assert driver.health()[0].address == f"127.0.0.1:{second.port}"
        taken_over = len(sink.offered)
        tries = first.connections
        await sink.until(lambda: len(sink.offered) >= taken_over + 100)  # probed meanwhile, at no poll's expense
        assert all(not readings.quality.any() for readings in sink.offered[taken_over:])
        assert mode is Mode.REFUSE or first.connections > tries
        await first.set_mode(Mode.PASS)
        await sink.until(lambda: not driver.health()[0].on_standby)
        await sink.until(lambda: not sink.offered[-1].quality.any())
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    lines = [record.getMessage() for record in caplog.records if record.name == "drivers.modbus.standby"]
    assert [line.split("=")[0] for line in lines] == ["link switched address", "link switched back address"]


async def test_an_exception_reply_is_no_reason_to_switch(server: LibmodbusServer) -> None:
    beyond = table([point("a", 5000, "uint16"), point("b", 7, "uint16")])
    settings = {"standby": {"host": "127.0.0.1", "port": server.ports[1]}, "switch_after": 1}
    driver = KIND.build(bound_link(server.port, [bound_device(beyond, poll_ms=0)], **settings), SystemClock())
    sink = HoldingSink()
    task = asyncio.create_task(driver.run(sink))
    await sink.until(lambda: len(sink.offered) >= 5)
    assert not driver.health()[0].on_standby
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
