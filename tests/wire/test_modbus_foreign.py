"""Modbus programs of other people: npm modbus-serial as our server on TCP and RTU, mbpoll as a client of our twins.

(libmodbus, the third, serves in test_modbus_link, test_modbus_driver and test_rtu_libmodbus.)
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator

import pytest

from drivers.modbus.driver import KIND, rtu_link
from drivers.modbus.encode import encode_table
from drivers.modbus.link import ExceptionReplyError, ModbusLink
from drivers.modbus.plan import Request
from drivers.modbus.settings import ModbusRtuLink, ModbusTcpLink
from drivers.modbus.standby import WordSource
from drivers.sim.faults import Faults
from drivers.sim.modbus_server import ModbusTwinServer
from gateway.model.errors import LinkError
from kit.clock import SystemClock
from tests.fakes.holding_sink import HoldingSink
from tests.fakes.modbus_binding import bound_device, bound_link, point, shipped_table, table
from tests.fakes.modbus_serial_server import ModbusSerialRtuServer, ModbusSerialServer

WORDS = [0, 1, 0x7FFF, 0x8000, 0xFFFF, *range(1000, 1095)]


@pytest.fixture(scope="module")
def serial() -> Iterator[ModbusSerialServer]:
    with ModbusSerialServer(registers=200) as server:
        server.set_registers(0, WORDS)
        yield server


@pytest.fixture
async def link(serial: ModbusSerialServer) -> AsyncIterator[ModbusLink]:
    settings = ModbusTcpLink(id="l", driver="modbus-tcp", host="127.0.0.1", port=serial.port, timeout_ms=2000)
    opened = ModbusLink(settings, SystemClock())
    yield opened
    opened.close()


@pytest.fixture
async def twin() -> AsyncIterator[ModbusTwinServer]:
    served = ModbusTwinServer(0, WORDS, Faults(), SystemClock())
    await served.start()
    yield served
    await served.stop()


async def test_registers_and_bits_of_modbus_serial_arrive_as_they_were_set(
    link: ModbusLink, serial: ModbusSerialServer
) -> None:
    serial.set_registers(3, [5, 0xFFFF], "input")
    serial.set_registers(0, [1, 0, 0, 1, 1, 0, 1, 0, 1, 1], "coils")
    serial.set_registers(7, [1, 1, 0, 1], "discrete")
    assert (await link.read(1, Request(3, 0, 100))).tolist() == WORDS
    assert (await link.read(1, Request(4, 3, 2))).tolist() == [5, 0xFFFF]
    assert (await link.read(1, Request(1, 0, 10))).tolist() == [1, 0, 0, 1, 1, 0, 1, 0, 1, 1]
    assert (await link.read(1, Request(2, 7, 4))).tolist() == [1, 1, 0, 1]


async def test_an_address_beyond_its_map_is_an_exception_reply(link: ModbusLink) -> None:
    with pytest.raises(ExceptionReplyError, match="exception 2"):
        await link.read(1, Request(3, 190, 20))
    assert len(await link.read(1, Request(3, 0, 5))) == 5


async def test_a_unit_that_it_is_not_is_met_with_silence(serial: ModbusSerialServer) -> None:
    settings = ModbusTcpLink(id="l", driver="modbus-tcp", host="127.0.0.1", port=serial.port, timeout_ms=150)
    link = ModbusLink(settings, SystemClock())
    with pytest.raises(LinkError, match=r"no reply within 150 ms asking .* unit 7"):
        await link.read(7, Request(3, 0, 1))
    link.close()


async def test_a_shipped_table_is_read_from_modbus_serial(serial: ModbusSerialServer) -> None:
    crane = shipped_table("crane-host-modbus")
    shown = {p.key: p.min if abs(p.min) < 1e6 else 0.0 for p in crane.points}
    for function, words in encode_table(crane, shown).items():
        for address, word in words.items():
            serial.set_registers(address, [word], "holding" if function == 3 else "input")
    sink = HoldingSink()
    driver = KIND.build(bound_link(serial.port, [bound_device(crane, poll_ms=0)]), SystemClock())
    task = asyncio.create_task(driver.run(sink))
    await sink.until(lambda: len(sink.offered) >= 5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    for readings in sink.offered[:5]:
        assert dict(zip(shown, readings.value.tolist(), strict=True)) == pytest.approx(shown, abs=1e-3)
    serial.set_registers(0, WORDS)


async def test_several_units_share_one_connection_of_a_server_that_answers_for_one(serial: ModbusSerialServer) -> None:
    small = table([point("p0", 1, "uint16")])
    devices = [bound_device(small, "there", unit_id=1, poll_ms=5), bound_device(small, "absent", unit_id=2, poll_ms=5)]
    sink = HoldingSink()
    driver = KIND.build(bound_link(serial.port, devices, timeout_ms=100), SystemClock())
    task = asyncio.create_task(driver.run(sink))
    await sink.until(lambda: sum(readings.device == "there" for readings in sink.offered) >= 20)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    good = {readings.device for readings in sink.offered if not readings.quality.any()}
    assert good == {"there"}
    assert all(readings.value.tolist() == [1] for readings in sink.offered if readings.device == "there")


async def mbpoll(port: int, *arguments: str) -> tuple[int, str]:
    """Exit status, and what it says."""
    process = await asyncio.create_subprocess_exec(
        *("mbpoll", "-m", "tcp", "-0", "-1", "-o", "2", "-p", str(port), *arguments[:-1], "127.0.0.1", arguments[-1]),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode is not None
    return process.returncode, output.decode(errors="replace")


def values(output: str) -> list[int]:
    return [int(value, 0) for value in re.findall(r"^\[\d+\]:\s+(0x[0-9A-F]+)", output, re.MULTILINE)]


@pytest.mark.parametrize("table_type", ["3:hex", "4:hex"])
async def test_mbpoll_reads_our_twin_word_by_word(twin: ModbusTwinServer, table_type: str) -> None:
    status, output = await mbpoll(twin.port, "-a", "1", "-t", table_type, "-r", "0", "-c", "100", "-v")
    assert values(output) == WORDS, output
    assert status == 0


async def test_our_twin_refuses_what_mbpoll_writes(twin: ModbusTwinServer) -> None:
    status, output = await mbpoll(twin.port, "-a", "1", "-t", "4", "-r", "4", "77")
    assert "Illegal function" in output
    assert status != 0
    _, after = await mbpoll(twin.port, "-a", "1", "-t", "4:hex", "-r", "4", "-c", "1", "-v")
    assert values(after) == [0xFFFF]


async def test_our_twin_refuses_an_address_outside_its_map(twin: ModbusTwinServer) -> None:
    _, output = await mbpoll(twin.port, "-a", "1", "-t", "4:hex", "-r", "95", "-c", "10", "-v")
    assert "Illegal data address" in output


@pytest.fixture(scope="module")
def rtu_unit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModbusSerialRtuServer]:
    with ModbusSerialRtuServer(tmp_path_factory.mktemp("rtu"), registers=200) as server:
        server.set_registers(0, WORDS)
        yield server


@pytest.fixture
async def rtu(rtu_unit: ModbusSerialRtuServer) -> AsyncIterator[WordSource]:
    wire = {"serial_port": rtu_unit.path, "baud": 19200, "timeout_ms": 2000, "down_timeout_ms": 200}
    opened = rtu_link(ModbusRtuLink.model_validate({"id": "l", "driver": "modbus-rtu", **wire}), SystemClock())
    yield opened
    opened.close()


async def test_every_area_of_modbus_serial_arrives_over_an_rtu_line(
    rtu: WordSource, rtu_unit: ModbusSerialRtuServer
) -> None:
    rtu_unit.set_registers(3, [5, 0xFFFF], "input")
    rtu_unit.set_registers(0, [1, 0, 0, 1, 1, 0, 1, 0, 1, 1], "coils")
    rtu_unit.set_registers(7, [1, 1, 0, 1], "discrete")
    assert (await rtu.read(1, Request(3, 0, 100))).tolist() == WORDS
    assert (await rtu.read(1, Request(4, 3, 2))).tolist() == [5, 0xFFFF]
    assert (await rtu.read(1, Request(1, 0, 10))).tolist() == [1, 0, 0, 1, 1, 0, 1, 0, 1, 1]
    assert (await rtu.read(1, Request(2, 7, 4))).tolist() == [1, 1, 0, 1]


async def test_modbus_serial_refuses_over_rtu_and_goes_on(rtu: WordSource) -> None:
    with pytest.raises(ExceptionReplyError, match="exception 2"):
        await rtu.read(1, Request(3, 190, 20))
    assert (await rtu.read(1, Request(3, 0, 5))).tolist() == WORDS[:5]


async def test_modbus_serial_is_silent_for_another_unit_of_the_line(rtu: WordSource) -> None:
    with pytest.raises(LinkError, match="unit 7"):
        await rtu.read(7, Request(3, 0, 1))
    assert (await rtu.read(1, Request(3, 0, 2))).tolist() == WORDS[:2]
