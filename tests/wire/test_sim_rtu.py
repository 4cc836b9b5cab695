"""The twins on an RTU bus, read by mbpoll (libmodbus) and by our own driver's link. Real bytes, real time."""

import asyncio
import os
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from drivers.modbus.decode import compile_table
from drivers.modbus.rtu import with_checksum
from drivers.sim.faults import FaultCommand, FaultKind
from drivers.sim.field import SimField, SimOptions
from drivers.sim.registers import load_table, shipped_tables
from drivers.sim.rtu_bus import RtuBus
from drivers.sim.story import OverloadPlan
from kit.clock import SimulatedClock
from tests.fakes.sim_field import sim_field
from tests.fakes.site import advance_until, until

CRANE = compile_table(load_table(shipped_tables(), "crane-host-modbus"))
READ = with_checksum(bytes((1, 3, 0, 0, 0, 2)))


class Master:
    """The far end of a bus: writes what it is told, keeps what it hears."""

    def __init__(self, path: str) -> None:
        self.descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self.heard = b""
        asyncio.get_running_loop().add_reader(self.descriptor, self._read)

    def _read(self) -> None:
        self.heard += os.read(self.descriptor, 4096)

    async def ask(self, request: bytes, reply_bytes: int) -> bytes:
        self.heard = b""
        os.write(self.descriptor, request)
        await until(lambda: len(self.heard) >= reply_bytes)
        return self.heard

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.descriptor)
        os.close(self.descriptor)


@asynccontextmanager
async def _field(folder: Path, clock: SimulatedClock, where: str = "") -> AsyncIterator[SimField]:
    plan = OverloadPlan(every_s=0.0)
    field = SimField(SimOptions(folder, own_broker=False, broker_port=1, plan=plan, rtu=where), clock)
    await field.start()
    try:
        yield field
    finally:
        await field.stop()


@pytest.fixture
async def clock() -> SimulatedClock:
    return SimulatedClock()


@pytest.fixture
async def field(tmp_path: Path, clock: SimulatedClock) -> AsyncIterator[SimField]:
    async with _field(tmp_path, clock) as field:
        yield field


@pytest.fixture
async def master(field: SimField) -> AsyncIterator[Master]:
    assert field.bus is not None
    master = Master(field.bus.path)
    yield master
    master.close()


async def _mbpoll(path: str, *arguments: str) -> tuple[int, str]:
    command = ["mbpoll", "-m", "rtu", "-b", "9600", "-P", "none", "-0", "-1", *arguments]
    done = await asyncio.to_thread(
        subprocess.run, [*command, path], capture_output=True, text=True, check=False, timeout=30
    )
    return done.returncode, done.stdout + done.stderr


async def _float(path: str, unit: int, address: int) -> float:
    code, said = await _mbpoll(path, "-a", str(unit), "-t", "4:float", "-B", "-r", str(address), "-c", "1")
    assert code == 0, said
    return float(re.findall(r"^\[\d+\]:\s+(\S+)", said, re.MULTILINE)[0])


async def test_mbpoll_reads_every_unit_of_the_bus(field: SimField) -> None:
    assert field.bus is not None
    assert field.rtu_units == {"crane-1": 1, "crane-2": 2, "pit-1": 3}
    for unit, station in enumerate((*(crane.station for crane in field.cranes), field.pit.station), start=1):
        for point in station.face.table.points[:1]:
            assert point.type == "float32"
            read = await _float(field.bus.path, unit, point.address)
            assert read == pytest.approx(station.shown[point.key], rel=1e-5)


async def test_a_write_is_refused_and_changes_nothing(field: SimField) -> None:
    assert field.bus is not None
    before = list(field.cranes[0].station.server.words)
    command = ["mbpoll", "-m", "rtu", "-b", "9600", "-P", "none", "-0", "-a", "1", "-t", "4", "-r", "4"]
    for values in (["7"], ["7", "8"]):
        done = await asyncio.to_thread(
            subprocess.run, [*command, field.bus.path, *values], capture_output=True, text=True, check=False, timeout=30
        )
        assert "Illegal function" in done.stdout + done.stderr
    assert list(field.cranes[0].station.server.words) == before


async def test_what_is_not_there_is_refused_and_a_unit_that_is_not_there_is_silent(field: SimField) -> None:
    assert field.bus is not None
    code, said = await _mbpoll(field.bus.path, "-a", "1", "-t", "4", "-r", "5000", "-c", "2")
    assert (code != 0, "Illegal data address" in said) == (True, True)
    code, said = await _mbpoll(field.bus.path, "-a", "9", "-t", "4", "-r", "0", "-c", "2", "-o", "0.3")
    assert (code != 0, "timed out" in said) == (True, True)


@pytest.mark.parametrize("kind", [FaultKind.SILENCE, FaultKind.DROP])
async def test_a_unit_that_falls_silent_leaves_the_others_alone(
    field: SimField, clock: SimulatedClock, master: Master, kind: FaultKind
) -> None:
    field.command(FaultCommand(twin="crane-1", fault=kind, for_s=5))
    await clock.advance(0.1)
    os.write(master.descriptor, READ)
    reply = await master.ask(with_checksum(bytes((2, 3, 0, 0, 0, 2))), 9)
    assert (reply[0], len(reply)) == (2, 9), "nothing of unit 1 before it"
    await clock.advance(6)
    assert (await master.ask(READ, 9))[0] == 1


async def test_a_late_reply_comes_late(field: SimField, clock: SimulatedClock, master: Master) -> None:
    field.command(FaultCommand(twin="crane-1", fault=FaultKind.DELAY, for_s=5, delay_s=0.8))
    await clock.advance(0.1)
    os.write(master.descriptor, READ)
    await until(lambda: bool(field.bus and field.bus._late))
    await clock.advance(0.7)
    assert master.heard == b""
    await advance_until(clock, lambda: len(master.heard) == 9, step_s=0.1)


@pytest.mark.parametrize(
    "noise",
    [READ[:5], b"\xff\x00\x55", READ[:-1] + b"\x00", bytes((1, 16, 0, 0, 0, 9, 255)) + bytes(9)],
    ids=["cut short", "no function", "wrong checksum", "longer than any frame"],
)
async def test_after_noise_the_next_request_is_answered(field: SimField, master: Master, noise: bytes) -> None:
    os.write(master.descriptor, noise)
    await until(lambda: bool(field.bus and field.bus.noises))
    assert (await master.ask(READ, 9))[:3] == b"\x01\x03\x04"


async def test_two_requests_at_once_get_two_replies(master: Master) -> None:
    replies = await master.ask(READ + with_checksum(bytes((3, 4, 0, 0, 0, 2))), 18)
    assert (replies[:3], replies[9:12]) == (b"\x01\x03\x04", b"\x03\x04\x04")


@pytest.mark.parametrize(
    ("pdu", "code"),
    [((1, 0, 0, 0, 1), 1), ((5, 0, 0, 255, 0), 1), ((3, 0, 0, 0, 0), 3), ((3, 0, 0, 0, 126), 3), ((4, 1, 0, 0, 1), 2)],
)
async def test_what_cannot_be_answered_is_refused(master: Master, pdu: tuple[int, ...], code: int) -> None:
    reply = await master.ask(with_checksum(bytes((1, *pdu))), 5)
    assert reply == with_checksum(bytes((1, pdu[0] | 0x80, code)))


async def test_an_existing_port_is_used_as_it_is(tmp_path: Path, clock: SimulatedClock) -> None:
    near, far = os.openpty()
    name = tmp_path / "ttyUSB0"
    try:
        async with _field(tmp_path, clock, os.ttyname(far)) as field:
            assert field.bus is not None
            assert field.bus.path == os.ttyname(far)
            os.write(near, READ)
            reply = await asyncio.to_thread(os.read, near, 100)
            assert reply[:3] == b"\x01\x03\x04"
        name.write_text("no serial port")
        with pytest.raises(OSError, match="ttyUSB0"):
            await RtuBus(str(name), {}, clock).start()
    finally:
        os.close(near)
        os.close(far)


async def test_a_name_is_a_link_that_goes_with_the_bus_and_replaces_a_left_one(
    tmp_path: Path, clock: SimulatedClock
) -> None:
    name = tmp_path / "bus"
    name.symlink_to("/dev/pts/ptmx")
    async with _field(tmp_path, clock, str(name)) as field:
        assert field.bus is not None
        assert field.bus.path == str(name)
        assert (await _mbpoll(str(name), "-a", "1", "-t", "4", "-r", "0", "-c", "1"))[0] == 0
    assert not name.is_symlink()


def test_the_command_serves_the_bus(tmp_path: Path) -> None:
    with sim_field(tmp_path, "--rtu", str(tmp_path / "bus")) as process:
        assert process.ready["rtu_path"] == str(tmp_path / "bus")
        unit = process.ready["rtu_units"]["pit-1"]
        assert asyncio.run(_float(process.ready["rtu_path"], unit, 0)) == pytest.approx(18.0, abs=1.0)
