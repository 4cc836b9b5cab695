"""A twin as a plain Modbus client sees it, well and broken. Time is simulated, the sockets are real."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from pymodbus import ModbusException
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.pdu import ModbusPDU

from drivers.modbus.decode import compile_table
from drivers.sim.crane import CraneTwin
from drivers.sim.faults import FaultCommand, FaultKind
from drivers.sim.overload_log import OverloadLog, read_overload_log
from drivers.sim.registers import load_table, shipped_tables
from drivers.sim.station import CraneStation, ModbusStation, values_of
from drivers.sim.story import OverloadPlan, PlannedOverload
from gateway.model.reading import Quality
from kit.clock import SimulatedClock

STEP_S = 0.05
CRANE = load_table(shipped_tables(), "crane-host-modbus")
DECODER = compile_table(CRANE)
SIZE = 24
MOMENT = [point.key for point in CRANE.points].index("moment_pct")
WRITES = [
    lambda client: client.write_coil(0, True),
    lambda client: client.write_register(4, 1),
    lambda client: client.write_coils(0, [True, False]),
    lambda client: client.write_registers(4, [1, 2]),
    lambda client: client.readwrite_registers(read_address=0, read_count=2, write_address=4, values=[1]),
]


class Bench:
    """One crane on its own port, a client, and a clock that moves only when told."""

    def __init__(self, folder: Path, schedule: list[PlannedOverload]) -> None:
        self.clock = SimulatedClock()
        self.log = OverloadLog(folder / "overloads.jsonl")
        twin = CraneTwin("bench")
        station = ModbusStation("crane-1", CRANE, 0, values_of(twin.state), self.clock)
        self.crane = CraneStation(twin, station, iter(schedule))
        self.station = station
        self.story_s = 0.0

    async def open(self) -> None:
        await self.station.server.start()
        self.client = self.new_client()
        assert await self.client.connect()

    def new_client(self) -> AsyncModbusTcpClient:
        return AsyncModbusTcpClient(
            "127.0.0.1", port=self.station.server.port, timeout=0.25, retries=0, reconnect_delay=0
        )

    async def close(self) -> None:
        self.client.close()
        await self.station.server.stop()
        await self.log.close()

    async def step(self, seconds: float = STEP_S) -> None:
        for _ in range(round(seconds / STEP_S)):
            await self.clock.advance(STEP_S)
            self.story_s += STEP_S
            self.station.settle()
            self.crane.step(STEP_S, self.story_s, 4.0, self.log, self.clock)

    async def words(self) -> list[int]:
        answer = await self.client.read_holding_registers(0, count=SIZE)
        assert not answer.isError()
        return answer.registers

    async def values(self) -> tuple[np.ndarray, np.ndarray]:
        return DECODER.decode([np.array(await self.words(), dtype=np.uint16)])

    def order(self, fault: FaultKind, for_s: float = 2.0, delay_s: float = 1.0) -> None:
        command = FaultCommand(twin="crane-1", fault=fault, for_s=for_s, delay_s=delay_s)
        self.station.faults.begin(command, self.clock.monotonic_ns())


@contextlib.asynccontextmanager
async def opened(folder: Path, schedule: list[PlannedOverload]) -> AsyncIterator[Bench]:
    bench = Bench(folder, schedule)
    await bench.open()
    try:
        yield bench
    finally:
        await bench.close()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with opened(tmp_path, []) as bench:
        yield bench


async def test_registers_show_the_state_of_the_twin(bench: Bench) -> None:
    for _ in range(40):
        await bench.step()
        value, quality = await bench.values()
        assert (quality == Quality.GOOD).all()
        for point, read in zip(CRANE.points, value, strict=True):
            assert read == pytest.approx(bench.station.shown[point.key], rel=1e-6, abs=0.0051)


async def test_input_registers_show_the_same_words(bench: Bench) -> None:
    await bench.step()
    answer = await bench.client.read_input_registers(0, count=SIZE)
    assert answer.registers == await bench.words()


@pytest.mark.parametrize("write", WRITES, ids=["FC5", "FC6", "FC15", "FC16", "FC23"])
async def test_every_write_is_refused_with_exception_1_and_changes_nothing(bench: Bench, write) -> None:
    before = await bench.words()
    answer: ModbusPDU = await write(bench.client)
    assert (answer.isError(), answer.exception_code) == (True, 1)
    assert await bench.words() == before


async def test_reading_past_the_map_is_exception_2(bench: Bench) -> None:
    answer = await bench.client.read_holding_registers(SIZE - 1, count=2)
    assert (answer.isError(), answer.exception_code) == (True, 2)


async def test_an_unknown_unit_is_an_exception_and_logs_nothing(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = await bench.client.read_holding_registers(0, count=2, device_id=9)
    assert answer.isError()
    assert not [record for record in caplog.records if record.name.startswith("pymodbus")]


async def test_the_log_is_what_a_client_could_read(tmp_path: Path) -> None:
    plan = OverloadPlan(first_after_s=1, every_s=10, jitter_s=0.5, duration_s=3, until_s=30)
    schedule = list(plan.schedule(5, "crane-1"))
    served: list[tuple[int, float]] = []
    async with opened(tmp_path, schedule) as bench:
        for _ in range(round(32 / STEP_S)):
            await bench.step()
            value, _ = await bench.values()
            served.append((bench.clock.now_ns(), value[MOMENT]))
    expected = [(before, after) for before, after in pairwise(served) if (before[1] >= 100) != (after[1] >= 100)]
    logged = read_overload_log(tmp_path / "overloads.jsonl")
    assert len(logged) == len(schedule) == 3
    assert [time for overload in logged for time in (overload.started_at_ns, overload.ended_at_ns)] == [
        after[0] for _, after in expected
    ]
    for overload in logged:
        during = [(at, pct) for at, pct in served if overload.started_at_ns <= at < overload.ended_at_ns]
        assert overload.peak_pct == pytest.approx(max(pct for _, pct in during), rel=1e-6)
        assert overload.violated_at_ns == next(at for at, pct in during if pct >= 110)
        assert (overload.ended_at_ns - overload.started_at_ns) / 1e9 == pytest.approx(3.0, abs=2 * STEP_S)


async def test_frozen_registers_stop_changing_and_go_on_later(bench: Bench) -> None:
    await bench.step(1)
    bench.order(FaultKind.FREEZE, for_s=2)
    frozen = await bench.words()
    for _ in range(30):
        await bench.step()
        assert await bench.words() == frozen
    await bench.step(1)
    assert await bench.words() != frozen


async def test_corrupt_registers_read_as_bad_by_turns_and_heal(bench: Bench) -> None:
    bench.order(FaultKind.CORRUPT, for_s=4)
    seen = set()
    for _ in range(6):
        await bench.step(0.5)
        _, quality = await bench.values()
        assert quality[MOMENT] == Quality.BAD
        seen.add(tuple(await bench.words()))
    assert len(seen) == 3
    await bench.step(2)
    assert ((await bench.values())[1] == Quality.GOOD).all()


async def test_a_silent_twin_accepts_and_never_answers(bench: Bench) -> None:
    bench.order(FaultKind.SILENCE)
    await bench.step()
    with pytest.raises(ModbusException, match="No response"):
        await bench.words()
    other = bench.new_client()
    assert await other.connect()
    other.close()
    await bench.step(3)
    assert len(await bench.words()) == SIZE


async def test_a_dropping_twin_hangs_up_on_old_and_new_connections(bench: Bench) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", bench.station.server.port)
    bench.order(FaultKind.DROP)
    await bench.step()
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()
    reader, writer = await asyncio.open_connection("127.0.0.1", bench.station.server.port)
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()
    await bench.step(3)
    bench.client.close()
    bench.client = bench.new_client()
    assert await bench.client.connect()
    assert len(await bench.words()) == SIZE


async def test_a_slow_twin_answers_after_the_delay(bench: Bench) -> None:
    bench.order(FaultKind.DELAY, for_s=60, delay_s=1.5)
    await bench.step()
    reader, writer = await asyncio.open_connection("127.0.0.1", bench.station.server.port)
    writer.write(bytes.fromhex("0007 0000 0006 01 03 0000 0002"))
    asked_s = bench.story_s
    answer = asyncio.ensure_future(reader.readexactly(13))
    async with asyncio.timeout(10):
        while not answer.done():
            await bench.step()
    assert bench.story_s - asked_s >= 1.5
    assert (await answer)[:2] == b"\x00\x07"
    writer.close()


@pytest.mark.parametrize("fault", [FaultKind.SILENCE, FaultKind.DROP, FaultKind.CORRUPT, FaultKind.FREEZE])
async def test_an_overload_nobody_could_read_is_not_logged(tmp_path: Path, fault: FaultKind) -> None:
    async with opened(tmp_path, [PlannedOverload(1.0, 3.0, 115.0)]) as bench:
        bench.order(fault, for_s=10)
        await bench.step(12)
    assert read_overload_log(tmp_path / "overloads.jsonl") == []


async def test_an_overload_half_hidden_is_logged_from_the_first_value_readable(tmp_path: Path) -> None:
    async with opened(tmp_path, [PlannedOverload(0.0, 8.0, 115.0)]) as bench:
        bench.order(FaultKind.SILENCE, for_s=4)
        await bench.step(3.9)
        assert read_overload_log(bench.log.path) == []
        await bench.step(0.15)
        (overload,) = read_overload_log(bench.log.path)
        assert overload.violated_at_ns == overload.started_at_ns
        assert (await bench.values())[0][MOMENT] >= 110


async def test_a_story_missed_by_a_stall_is_left_out(tmp_path: Path) -> None:
    async with opened(tmp_path, [PlannedOverload(1.0, 3.0, 115.0), PlannedOverload(20.0, 3.0, 115.0)]) as bench:
        bench.story_s = 10.0
        await bench.step(20)
    assert len(read_overload_log(tmp_path / "overloads.jsonl")) == 1


async def test_a_taken_port_is_an_error_that_names_it(bench: Bench) -> None:
    port = bench.station.server.port
    second = ModbusStation("crane-2", CRANE, port, values_of(bench.crane.twin.state), bench.clock)
    with pytest.raises(OSError, match=str(port)):
        await second.server.start()


async def test_registers_never_change_size(bench: Bench) -> None:
    with pytest.raises(ValueError, match=f"expected {SIZE}"):
        bench.station.server.put([1, 2, 3])
