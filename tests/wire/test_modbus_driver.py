"""The whole driver on real sockets: libmodbus devices, a proxy that breaks the wire, what reaches the sink."""

import asyncio
import math
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from drivers.modbus.driver import KIND
from drivers.modbus.encode import encode_table
from drivers.modbus.settings import ModbusTable
from gateway.model.reading import Quality, Readings
from gateway.ports import BoundLink, LinkState
from kit.clock import SystemClock
from tests.fakes.fault_proxy import FaultProxy, Mode
from tests.fakes.holding_sink import HoldingSink
from tests.fakes.libmodbus_server import LibmodbusServer
from tests.fakes.modbus_binding import bound_device, bound_link, float_table, point, shipped_table, table

FIFTY = float_table(50)


@pytest.fixture(scope="module")
def server() -> Iterator[LibmodbusServer]:
    with LibmodbusServer(devices=3, registers=200) as running:
        yield running


@asynccontextmanager
async def polled(*links: BoundLink) -> AsyncIterator[tuple[HoldingSink, list[Any]]]:
    sink = HoldingSink()
    drivers = [KIND.build(link, SystemClock()) for link in links]
    tasks = [asyncio.create_task(driver.run(sink)) for driver in drivers]
    try:
        yield sink, drivers
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in results), results


def show(server: LibmodbusServer, device_table: ModbusTable, values: dict[str, float], port_index: int = 0) -> None:
    for address, word in encode_table(device_table, values)[3].items():
        server.set_registers(address, [word], port_index)


def of(sink: HoldingSink, device: str) -> list[Readings]:
    return [readings for readings in sink.offered if readings.device == device]


def good(readings: Readings) -> bool:
    return not readings.quality.any()


async def test_a_poll_is_one_readings_with_values_time_and_raw_words(server: LibmodbusServer) -> None:
    show(server, FIFTY, {f"p{i}": i * 1.5 for i in range(50)})
    device = bound_device(FIFTY, first_index=30, poll_ms=0)
    clock = SystemClock()
    before_ns = clock.now_ns()
    async with polled(bound_link(server.port, [device])) as (sink, drivers):
        await sink.until(lambda: len(sink.offered) >= 20)
        health = drivers[0].health()
    for readings in sink.offered[:20]:
        assert readings.device == "unit-1"
        assert readings.value.tolist() == [i * 1.5 for i in range(50)]
        assert good(readings)
        assert readings.point_index is device.point_index
        assert before_ns <= readings.observed_at_ns <= readings.received_at_ns <= clock.now_ns()
        ((address, words),) = readings.raw.blocks
        assert address == 0
        assert words[2:4].tolist() == list(struct.unpack(">HH", struct.pack(">f", 1.5)))
    stamps = [readings.observed_at_ns for readings in sink.offered]
    assert stamps == sorted(set(stamps))
    assert [(entry.device, entry.state, entry.failures) for entry in health] == [("unit-1", LinkState.UP, 0)]


async def test_the_pit_loggers_map_is_read_value_by_value(server: LibmodbusServer) -> None:
    pit = shipped_table("pit-logger-modbus")
    shown = {
        "wall_top_h": 12.5,
        "wall_top_v": -3.25,
        "deep_h": 18.75,
        "water_level_mm": -640.0,
        "strut_force_kn": 1234.5,
        "ground_settlement": -3.21,
        "building_settlement": 7.0,
        "column_v": math.nan,
        "building_tilt_permille": -1.5,
        "excavated_m": 12.34,
        "box_temp": 21.5,
        "sensor_fault": 1.0,
        "mains_lost": 0.0,
        "battery_level": 11.0,
    }
    show(server, pit, shown, port_index=1)
    async with polled(bound_link(server.ports[1], [bound_device(pit, poll_ms=0)])) as (sink, _):
        await sink.until(lambda: bool(sink.offered))
    assert server.requests(1).keys() == {3}
    read = dict(zip(shown, sink.offered[0].value.tolist(), strict=True))
    assert read == pytest.approx(shown, nan_ok=True)
    assert sink.offered[0].quality.tolist() == [Quality.BAD if math.isnan(value) else 0 for value in shown.values()]


async def test_all_four_functions_and_nothing_else_reach_the_wire(server: LibmodbusServer) -> None:
    points = [
        point("coil", 5, "bit", 1),
        point("contact", 6, "bit", 2),
        point("holding", 7, "uint16", 3),
        point("input", 8, "uint16", 4),
    ]
    server.set_registers(5, [1], area="coils")
    server.set_registers(6, [1], area="discrete")
    server.set_registers(7, [77], area="holding")
    server.set_registers(8, [88], area="input")
    async with FaultProxy(server.port) as proxy:
        async with polled(bound_link(proxy.port, [bound_device(table(points), poll_ms=0)])) as (sink, _):
            await sink.until(lambda: len(sink.offered) >= 10)
            await proxy.set_mode(Mode.RESET)  # recovery must not bring anything else either
            await sink.until(lambda: not good(sink.offered[-1]))
            await proxy.set_mode(Mode.PASS)
            await sink.until(lambda: good(sink.offered[-1]))
        sent = {piece[7] for piece in proxy.seen_requests}
    assert sink.offered[0].value.tolist() == [1, 1, 77, 88]
    assert [address for address, _ in sink.offered[0].raw.blocks] == [5, 6, 7, 8]
    assert sent == {1, 2, 3, 4}
    assert all(len(piece) == 12 for piece in proxy.seen_requests)  # a read request is 12 bytes, whole in each piece


async def test_a_refused_block_spoils_its_points_and_no_others(
    server: LibmodbusServer, caplog: pytest.LogCaptureFixture
) -> None:
    partly = table([point("beyond", 5000, "uint16"), point("within", 7, "uint16"), point("gone", 300, "uint16")])
    server.set_registers(7, [77])
    async with polled(bound_link(server.port, [bound_device(partly, poll_ms=0)])) as (sink, drivers):
        await sink.until(lambda: len(sink.offered) >= 5)
        assert drivers[0].health()[0].state is LinkState.UP
    for readings in sink.offered[:5]:
        assert readings.quality.tolist() == [Quality.BAD, Quality.GOOD, Quality.BAD]
        assert readings.value[1] == 77
        assert [address for address, _ in readings.raw.blocks] == [7]
    refusals = [record.getMessage() for record in caplog.records if "registers refused" in record.getMessage()]
    assert len(refusals) == 2  # one line a block, not one a poll
    assert any("exception 2 (illegal data address)" in line and "address 5000" in line for line in refusals)


async def test_a_block_that_is_answered_again_says_so_once(
    server: LibmodbusServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    two_blocks = bound_device(table([point("a", 0, "uint16"), point("b", 50, "uint16")]), poll_ms=0)
    async with FaultProxy(server.port) as proxy:
        proxy.change_request = lambda request: request[:8] + b"\xff" + request[9:] if request[9] == 50 else request
        async with polled(bound_link(proxy.port, [two_blocks])) as (sink, _):
            await sink.until(lambda: len(sink.offered) >= 3)
            proxy.change_request = None
            await sink.until(lambda: good(sink.offered[-1]))
    lines = [record.getMessage() for record in caplog.records if record.name == "drivers.modbus.unit"]
    assert len(lines) == 2
    assert lines[1] == "registers back device=unit-1 function=3 address=50"


async def test_a_unit_that_refuses_everything_is_down(server: LibmodbusServer) -> None:
    beyond = bound_device(table([point("a", 5000, "uint16"), point("b", 6000, "uint16")]), poll_ms=0)
    async with polled(bound_link(server.port, [beyond])) as (sink, drivers):
        await sink.until(lambda: len(sink.offered) >= 3)
        health = drivers[0].health()[0]
    assert health.state is LinkState.DOWN
    assert "exception 2" in health.last_error
    assert all(readings.quality.tolist() == [Quality.BAD, Quality.BAD] for readings in sink.offered)


async def test_a_gateway_that_misses_the_unit_is_not_asked_for_more(server: LibmodbusServer) -> None:
    two_blocks = bound_device(table([point("a", 0, "uint16"), point("b", 50, "uint16")]), unit_id=9, poll_ms=0)
    async with FaultProxy(server.port) as proxy:
        proxy.change_reply = lambda reply: reply[:4] + b"\x00\x03\x09\x83\x0b"
        async with polled(bound_link(proxy.port, [two_blocks])) as (sink, drivers):
            await sink.until(lambda: len(sink.offered) >= 3)
            assert "exception 11 (gateway target device failed to respond)" in drivers[0].health()[0].last_error
        assert {piece[8:10] for piece in proxy.seen_requests} == {b"\x00\x00"}
        assert {piece[6] for piece in proxy.seen_requests} == {9}


async def test_a_frozen_device_does_not_slow_the_others(server: LibmodbusServer) -> None:
    show(server, FIFTY, {"p0": 1.0})
    async with FaultProxy(server.ports[2]) as proxy:
        frozen = bound_link(proxy.port, [bound_device(FIFTY, "frozen", poll_ms=20)], timeout_ms=60_000)
        alive = bound_link(server.port, [bound_device(FIFTY, "alive", poll_ms=20)])
        async with polled(frozen, alive) as (sink, _):
            await sink.until(lambda: len(of(sink, "frozen")) > 0)
            await proxy.set_mode(Mode.BLACKHOLE)
            seen = len(of(sink, "alive"))
            frozen_seen = len(of(sink, "frozen"))
            await sink.until(lambda: len(of(sink, "alive")) >= seen + 25, deadline_s=5)
            assert len(of(sink, "frozen")) <= frozen_seen + 1
            assert all(good(readings) for readings in of(sink, "alive"))


async def test_one_silent_unit_on_a_shared_link_leaves_the_other_readable(server: LibmodbusServer) -> None:
    show(server, FIFTY, {"p0": 1.0})
    units = [bound_device(FIFTY, "dead", unit_id=2, poll_ms=10), bound_device(FIFTY, "alive", unit_id=1, poll_ms=10)]
    async with FaultProxy(server.port) as proxy:
        proxy.change_request = lambda request: b"" if request[6] == 2 else request
        async with polled(bound_link(proxy.port, units, timeout_ms=100)) as (sink, drivers):
            await sink.until(lambda: len(of(sink, "alive")) >= 20 and len(of(sink, "dead")) >= 2)
            states = {entry.device: entry.state for entry in drivers[0].health()}
    assert all(good(readings) for readings in of(sink, "alive"))
    assert not any(good(readings) for readings in of(sink, "dead"))
    assert states == {"dead": LinkState.DOWN, "alive": LinkState.UP}


@pytest.mark.parametrize("mode", [Mode.RESET, Mode.REFUSE, Mode.BLACKHOLE, Mode.TRUNCATE])
async def test_polling_resumes_after_an_outage(
    server: LibmodbusServer, mode: Mode, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    show(server, FIFTY, {f"p{i}": float(i) for i in range(50)})
    async with FaultProxy(server.port) as proxy:
        link = bound_link(proxy.port, [bound_device(FIFTY, poll_ms=5)], timeout_ms=150)
        async with polled(link) as (sink, drivers):
            await sink.until(lambda: len(sink.offered) >= 5)
            await proxy.set_mode(mode, keep_bytes=20)
            await sink.until(lambda: drivers[0].health()[0].failures >= 3)
            await proxy.set_mode(Mode.PASS)
            count = len(sink.offered)
            await sink.until(lambda: len([r for r in sink.offered[count:] if good(r)]) >= 10)
            assert drivers[0].health()[0].state is LinkState.UP
    for readings in sink.offered:
        assert readings.value.tolist() == list(range(50)) if good(readings) else np.isnan(readings.value).all()
    lines = [record.getMessage() for record in caplog.records if record.name == "drivers.polling"]
    assert len(lines) == 2
    assert lines[0].startswith("device down device=unit-1 error=")
    assert lines[1].startswith("device back device=unit-1")


async def test_a_device_that_is_switched_off_and_on_comes_back() -> None:
    words = list(range(20))
    device_table = table([point(f"p{i}", i, "uint16") for i in range(20)])
    first = LibmodbusServer()
    first.set_registers(0, words)
    link = bound_link(first.port, [bound_device(device_table, poll_ms=5)])
    try:
        async with polled(link) as (sink, _):
            await sink.until(lambda: len(sink.offered) >= 3)
            first.close()
            await sink.until(lambda: not good(sink.offered[-1]))
            with LibmodbusServer(ports=[first.port]) as second:
                second.set_registers(0, words)
                await sink.until(lambda: good(sink.offered[-1]) and sink.offered[-1].value.tolist() == words)
    finally:
        first.close()


async def test_a_device_that_is_off_at_the_start_is_found_later(server: LibmodbusServer) -> None:
    async with FaultProxy(server.port) as proxy:
        await proxy.set_mode(Mode.REFUSE)
        async with polled(bound_link(proxy.port, [bound_device(FIFTY, poll_ms=5)])) as (sink, _):
            await sink.until(lambda: len(sink.offered) >= 3)
            assert not any(good(readings) for readings in sink.offered)
            await proxy.set_mode(Mode.PASS)
            await sink.until(lambda: good(sink.offered[-1]))


async def test_a_standing_nan_and_a_standing_sentinel_are_bad_at_every_poll(server: LibmodbusServer) -> None:
    device_table = table([point("f", 0), point("n", 2, "int16", sentinels=[0x8000]), point("ok", 3, "uint16")])
    server.set_registers(0, [0x7FC0, 0, 0x8000, 5])
    async with polled(bound_link(server.port, [bound_device(device_table, poll_ms=0)])) as (sink, drivers):
        await sink.until(lambda: len(sink.offered) >= 10)
        assert drivers[0].health()[0].failures == 0  # the link is well, the instruments are not
    for readings in sink.offered:
        assert readings.quality.tolist() == [Quality.BAD, Quality.BAD, Quality.GOOD]
        assert np.isnan(readings.value[:2]).all()
        assert readings.raw.blocks[0][1].tolist() == [0x7FC0, 0, 0x8000, 5]


async def test_foreign_frames_are_put_aside_with_their_bytes(server: LibmodbusServer) -> None:
    async with FaultProxy(server.port) as proxy:
        proxy.change_reply = lambda reply: reply[:7] + b"\x04" + reply[8:]
        async with polled(bound_link(proxy.port, [bound_device(FIFTY, poll_ms=0)])) as (sink, _):
            await sink.until(lambda: len(sink.aside) >= 2)
    device, payload, reason = sink.aside[0]
    assert device == "unit-1"
    assert payload[7] == 4
    assert "function code 4" in reason


async def test_stopping_closes_the_connection(server: LibmodbusServer) -> None:
    async with FaultProxy(server.port) as proxy:
        async with polled(bound_link(proxy.port, [bound_device(FIFTY, poll_ms=0)])) as (sink, _):
            await sink.until(lambda: bool(sink.offered))
            assert proxy.open_connections == 1
        await proxy.until(lambda: proxy.open_connections == 0)
