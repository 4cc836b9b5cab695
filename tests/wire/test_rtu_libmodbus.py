"""RTU against libmodbus: on a pseudo-terminal, and through socat as a serial server. Real bytes, real time."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from drivers.modbus.driver import RTU_KIND, RTU_TCP_KIND
from drivers.modbus.encode import encode_table
from drivers.modbus.lines import BAUD_RATES, SerialLine
from gateway.model.errors import LinkError
from gateway.model.reading import Quality, Readings
from gateway.ports import BoundDevice, BoundLink, Driver, LinkState
from kit.clock import SystemClock
from tests.fakes.holding_sink import HoldingSink
from tests.fakes.libmodbus_rtu_bus import LibmodbusRtuBus, SerialServer
from tests.fakes.modbus_binding import bound_device, point, shipped_table, table

UNITS = range(1, 11)
TEN = table([point(f"p{i}", i, "uint16") for i in range(10)])
QUICK = {"timeout_ms": 500, "down_timeout_ms": 30, "quiet_ms": 5, "backoff_min_ms": 10, "backoff_max_ms": 100}


@pytest.fixture(scope="module")
def bus() -> Iterator[LibmodbusRtuBus]:
    with LibmodbusRtuBus(UNITS) as running:
        for unit in UNITS:
            running.set_registers(unit, 0, range(unit * 100, unit * 100 + 100))
        yield running


@pytest.fixture
def serial_server(bus: LibmodbusRtuBus) -> Iterator[SerialServer]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with SerialServer(bus.path, port) as running:
        yield running


def serial(path: str, devices: Sequence[BoundDevice], **settings: Any) -> Driver:
    raw = _given({"id": "bus", "driver": "modbus-rtu", "serial_port": path, "baud": 115_200} | QUICK | settings)
    return RTU_KIND.build(BoundLink(RTU_KIND.link_settings.model_validate(raw), tuple(devices)), SystemClock())


def over_tcp(port: int, devices: Sequence[BoundDevice], **settings: Any) -> Driver:
    raw = {"id": "bus", "driver": "modbus-rtu-tcp", "host": "127.0.0.1", "port": port, "baud": 115_200}
    link = RTU_TCP_KIND.link_settings.model_validate(_given(raw | QUICK | settings))
    return RTU_TCP_KIND.build(BoundLink(link, tuple(devices)), SystemClock())


def _given(settings: dict[str, Any]) -> dict[str, Any]:
    """Without what is None: there the product's own figure counts."""
    return {key: value for key, value in settings.items() if value is not None}


@asynccontextmanager
async def polled(driver: Driver) -> AsyncIterator[HoldingSink]:
    sink = HoldingSink()
    task = asyncio.create_task(driver.run(sink))
    yield sink
    task.cancel()
    (result,) = await asyncio.gather(task, return_exceptions=True)
    assert isinstance(result, asyncio.CancelledError), result


def units(which: Sequence[int], poll_ms: int = 0) -> list[BoundDevice]:
    return [bound_device(TEN, f"unit-{unit}", unit_id=unit, poll_ms=poll_ms) for unit in which]


def of(sink: HoldingSink, unit: int) -> list[Readings]:
    return [readings for readings in sink.offered if readings.device == f"unit-{unit}"]


def right(readings: Readings) -> bool:
    unit = int(readings.device.removeprefix("unit-"))
    return not readings.quality.any() and readings.value.tolist() == [unit * 100 + i for i in range(10)]


async def test_ten_units_on_one_serial_bus_are_read(bus: LibmodbusRtuBus) -> None:
    async with polled(serial(bus.path, units(UNITS))) as sink:
        await sink.until(lambda: all(len(of(sink, unit)) >= 3 for unit in UNITS))
    assert all(right(readings) for readings in sink.offered)


async def test_ten_units_behind_one_serial_server_are_read(serial_server: SerialServer) -> None:
    """A reply that the bus still owed to whoever asked before may cost a reading; it is never taken for an answer."""
    async with polled(over_tcp(serial_server.port, units(UNITS))) as sink:
        await sink.until(lambda: all(sum(right(readings) for readings in of(sink, unit)) >= 3 for unit in UNITS))
    assert all(right(readings) or set(readings.quality) <= {Quality.BAD, Quality.SUSPECT} for readings in sink.offered)


async def test_a_table_of_a_tcp_device_is_read_over_rtu(bus: LibmodbusRtuBus) -> None:
    pit = shipped_table("pit-logger-modbus")
    shown = {p.key: float(i % 2) for i, p in enumerate(pit.points)}
    for address, word in encode_table(pit, shown)[3].items():
        bus.set_registers(10, address, [word])
    async with polled(serial(bus.path, [bound_device(pit, unit_id=10)])) as sink:
        await sink.until(lambda: bool(sink.offered))
    assert dict(zip(shown, sink.offered[0].value.tolist(), strict=True)) == pytest.approx(shown)
    bus.set_registers(10, 0, range(1000, 1100))


async def test_all_four_functions_and_nothing_else_reach_the_bus(bus: LibmodbusRtuBus) -> None:
    points = [point("c", 5, "bit", 1), point("d", 6, "bit", 2), point("h", 7, "uint16", 3), point("i", 8, "uint16", 4)]
    bus.set_registers(9, 5, [1], "coils")
    bus.set_registers(9, 6, [1], "discrete")
    bus.set_registers(9, 8, [88], "input")
    seen = len(bus.requests())
    async with polled(serial(bus.path, [bound_device(table(points), unit_id=9, poll_ms=0)])) as sink:
        await sink.until(lambda: len(sink.offered) >= 3)
    assert sink.offered[0].value.tolist() == [1, 1, 907, 88]
    assert set(bus.requests()[seen:]) == {(9, 1), (9, 2), (9, 3), (9, 4)}


async def test_an_address_outside_the_unit_is_refused_and_the_rest_is_read(bus: LibmodbusRtuBus) -> None:
    partly = table([point("within", 7, "uint16"), point("beyond", 5000, "uint16")])
    async with polled(serial(bus.path, [bound_device(partly, unit_id=4)])) as sink:
        await sink.until(lambda: bool(sink.offered))
    assert sink.offered[0].quality.tolist() == [Quality.GOOD, Quality.BAD]
    assert sink.offered[0].value[0] == 407


async def test_texts_become_labels_and_no_readings(bus: LibmodbusRtuBus) -> None:
    words = struct.unpack(">8H", b"TC-6012  \0\xff\xff\xff\xff\xff\xff")
    bus.set_registers(5, 200, words)
    texts = [
        {"key": "model", "function": 3, "address": 200, "registers": 8},
        {"key": "refused", "function": 3, "address": 5000, "registers": 2},
    ]
    labelled = table([point("p0", 0, "uint16")], labels=texts)
    driver = serial(bus.path, [bound_device(labelled, "unit-5", unit_id=5, poll_ms=5)])
    async with polled(driver) as sink:
        await sink.until(lambda: len(sink.offered) >= 2)
        assert driver.health()[0].labels == (("model", "TC-6012"),)
        assert (driver.health()[0].address, driver.health()[0].state) == (bus.path, LinkState.UP)
    assert [readings.value.tolist() for readings in sink.offered[:2]] == [[500], [500]]


@pytest.mark.parametrize("way", ["serial", "tcp"])
async def test_nine_units_go_on_while_the_tenth_is_dead(
    bus: LibmodbusRtuBus, serial_server: SerialServer, way: str
) -> None:
    bus.fault(6, "mute")
    driver = serial(bus.path, units(UNITS, 100)) if way == "serial" else over_tcp(serial_server.port, units(UNITS, 100))
    async with polled(driver) as sink:
        await sink.until(lambda: all(len(of(sink, unit)) >= 30 for unit in set(UNITS) - {6}), deadline_s=20)
        health = {entry.device: entry for entry in driver.health()}
    bus.fault(6, "none")
    assert health["unit-6"].state is LinkState.DOWN
    assert all(not right(readings) for readings in of(sink, 6))
    healthy = [entry for device, entry in health.items() if device != "unit-6"]
    assert sum(entry.failures for entry in healthy) < 0.01 * sum(entry.polls for entry in healthy)
    for unit in set(UNITS) - {6}:
        assert all(right(readings) for readings in of(sink, unit) if not readings.quality.any())


@pytest.mark.parametrize("way", ["serial", "tcp"])
async def test_noise_beside_a_dead_and_a_late_unit_keeps_no_healthy_unit_waiting(
    bus: LibmodbusRtuBus, serial_server: SerialServer, way: str
) -> None:
    """On a real line, with the product's own settings; ten minutes of it are `bench.noisy_bus`."""
    dead, late, healthy = 1, 2, range(3, 7)
    faults = {dead: "mute", late: "late"} | dict.fromkeys(healthy, "noise")
    for unit, fault in faults.items():
        bus.fault(unit, fault)
    devices, usual = units(range(1, 7), 300), dict.fromkeys(QUICK)
    driver = serial(bus.path, devices, **usual) if way == "serial" else over_tcp(serial_server.port, devices, **usual)
    async with polled(driver) as sink:
        await sink.until(lambda: all(len(of(sink, unit)) >= 45 for unit in healthy), deadline_s=60)
    for unit in faults:
        bus.fault(unit, "none")
    for unit in healthy:
        read = [readings.observed_at_ns for readings in of(sink, unit) if not (readings.quality == Quality.BAD).any()]
        assert max(later - sooner for sooner, later in pairwise(read)) <= 2_000_000_000, unit
    for readings in sink.offered:
        assert right(replace(readings, quality=np.zeros_like(readings.quality))) or (readings.quality == 2).all()


@pytest.mark.parametrize("way", ["serial", "tcp"])
async def test_replies_held_back_and_let_go_never_land_on_other_points(
    bus: LibmodbusRtuBus, serial_server: SerialServer, way: str
) -> None:
    """Two blocks of the same shape on each unit: a late reply to the one would fit the other."""
    twins = table([point("low", 0, "uint16"), point("high", 50, "uint16")])
    devices = [bound_device(twins, f"unit-{unit}", unit_id=unit, poll_ms=5) for unit in (1, 2, 3)]
    driver = serial(bus.path, devices) if way == "serial" else over_tcp(serial_server.port, devices)

    def read_rightly(unit: int, since: int) -> bool:
        return any(not readings.quality.any() for readings in of(sink, unit)[since:])

    async with polled(driver) as sink:
        for unit in (1, 2, 3, 1):
            before = len(of(sink, unit))
            await sink.until(lambda unit=unit, before=before: read_rightly(unit, before))  # type: ignore[misc]
            bus.fault(unit, "hold")
            failing = len(of(sink, unit))
            await sink.until(
                lambda unit=unit, failing=failing: any((r.quality == 2).all() for r in of(sink, unit)[failing:])
            )  # type: ignore[misc]
            bus.fault(unit, "none")
            freed = len(of(sink, unit))
            await sink.until(lambda unit=unit, freed=freed: read_rightly(unit, freed))  # type: ignore[misc]
    for readings in sink.offered:
        unit = int(readings.device.removeprefix("unit-"))
        if (readings.quality != Quality.BAD).any():
            assert readings.value.tolist() == [unit * 100, unit * 100 + 50]
    suspect = [readings for readings in sink.offered if (readings.quality == Quality.SUSPECT).any()]
    assert len(suspect) >= 4


async def test_a_unit_that_is_not_there_is_down_with_its_name_in_the_reason(bus: LibmodbusRtuBus) -> None:
    driver = serial(bus.path, [bound_device(TEN, "unit-99", unit_id=99)])
    async with polled(driver) as sink:
        await sink.until(lambda: len(sink.offered) >= 2)
        (entry,) = driver.health()
    assert entry.state is LinkState.DOWN
    assert entry.last_error.startswith(f"no reply in time asking {bus.path} unit 99")
    assert all((readings.quality == Quality.BAD).all() for readings in sink.offered)


async def test_a_dead_serial_server_is_replaced_by_the_standby(
    bus: LibmodbusRtuBus, serial_server: SerialServer
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = taken.getsockname()[1]
    standby = {"host": "127.0.0.1", "port": serial_server.port}
    driver = over_tcp(nobody, units([1, 2], 5), standby=standby, switch_after=2, return_probe_s=0.2)
    async with polled(driver) as sink:
        await sink.until(lambda: all(any(right(r) for r in of(sink, unit)) for unit in (1, 2)))
        assert {entry.address for entry in driver.health()} == {f"127.0.0.1:{serial_server.port}"}
        assert all(entry.on_standby for entry in driver.health())


async def test_a_serial_port_that_is_missing_taken_or_none_at_all_says_so(bus: LibmodbusRtuBus, tmp_path: Any) -> None:
    missing = SerialLine(str(tmp_path / "ttyUSB9"), 9600, "none", 1)
    with pytest.raises(LinkError, match=r"cannot open serial port .*ttyUSB9: No such file or directory"):
        await missing.open(1)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(LinkError, match=r"cannot open serial port .*file: Inappropriate ioctl"):
        await SerialLine(str(tmp_path / "file"), 9600, "none", 1).open(1)
    first = SerialLine(bus.path, 9600, "even", 2)
    await first.open(1)
    with pytest.raises(LinkError, match="in use by another program"):
        await SerialLine(bus.path, 9600, "none", 1).open(1)
    first.close()


@pytest.mark.parametrize("baud", sorted(BAUD_RATES))
@pytest.mark.parametrize(("parity", "stop_bits"), [("none", 2), ("even", 1), ("odd", 1)])
async def test_every_line_setting_is_accepted_by_the_system(
    bus: LibmodbusRtuBus, baud: int, parity: str, stop_bits: int
) -> None:
    line = SerialLine(bus.path, baud, parity, stop_bits)
    await line.open(1)
    assert line.is_open
    line.close()
    assert not line.is_open
