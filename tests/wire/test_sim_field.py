"""All twins together on a simulated clock: what starts, runs and stops as one."""

import asyncio
import socket
import struct
from pathlib import Path

import pytest
from pymodbus.client import AsyncModbusTcpClient

from drivers.sim.faults import FaultCommand, FaultKind
from drivers.sim.field import LOG_NAME, SimField, SimOptions
from drivers.sim.overload_log import read_overload_log
from drivers.sim.story import OverloadPlan
from kit.clock import SimulatedClock


def connectable(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def moment_pct(client: AsyncModbusTcpClient) -> float:
    words = (await client.read_holding_registers(4, count=2)).registers
    return float(struct.unpack(">f", struct.pack(">HH", *words))[0])


async def test_every_port_is_open_between_start_and_stop(tmp_path: Path) -> None:
    field = SimField(SimOptions(tmp_path), SimulatedClock())
    await field.start()
    ports = [*field.crane_ports, field.pit_port, field.broker_port]
    assert len(set(ports)) == 4
    assert [await asyncio.to_thread(connectable, port) for port in ports] == [True] * 4
    await field.stop()
    assert [await asyncio.to_thread(connectable, port) for port in ports] == [False] * 4


async def test_cranes_overload_as_planned_and_the_log_agrees(tmp_path: Path) -> None:
    plan = OverloadPlan(first_after_s=1, every_s=8, jitter_s=0.5, duration_s=2.5, until_s=25)
    clock = SimulatedClock()
    field = SimField(SimOptions(tmp_path, plan=plan, seed=3), clock)
    await field.start()
    began_ns = clock.now_ns()
    await clock.advance(26)
    await field.stop()
    logged = read_overload_log(tmp_path / LOG_NAME)
    assert field.overloads_served == len(logged)
    for asset in ("crane-1", "crane-2"):
        planned = list(plan.schedule(3, asset))
        starts_s = [(o.started_at_ns - began_ns) / 1e9 for o in logged if o.asset == asset]
        assert len(planned) == 3
        assert [0 < start_s - p.at_s < 1.6 for start_s, p in zip(starts_s, planned, strict=True)] == [True] * 3
    assert all(overload.ended_at_ns for overload in logged)


async def test_the_mast_publishes_every_second_of_the_clock(tmp_path: Path) -> None:
    clock = SimulatedClock()
    field = SimField(SimOptions(tmp_path), clock)
    await field.start()
    assert field.mast is not None
    await clock.advance(10)
    assert (field.mast.sent, field.mast.skipped) == (10, 0)
    await field.stop()


async def test_a_fault_on_one_twin_leaves_the_others_alone(tmp_path: Path) -> None:
    clock = SimulatedClock()
    field = SimField(SimOptions(tmp_path, plan=OverloadPlan(every_s=0)), clock)
    await field.start()
    clients = [AsyncModbusTcpClient("127.0.0.1", port=port) for port in field.crane_ports]
    for client in clients:
        assert await client.connect()
    field.command(FaultCommand(twin="crane-1", fault=FaultKind.CORRUPT, for_s=5))
    await clock.advance(0.1)
    corrupt, well = [await moment_pct(client) for client in clients]
    assert not 0 <= corrupt <= 655.35
    assert 0 <= well < 85
    for client in clients:
        client.close()
    await field.stop()


async def test_an_order_to_an_unknown_twin_is_refused(tmp_path: Path) -> None:
    field = SimField(SimOptions(tmp_path), SimulatedClock())
    with pytest.raises(ValueError, match="expected one of crane-1, crane-2, pit-1, mast-1"):
        field.command(FaultCommand(twin="crane-3", fault=FaultKind.DROP))


async def test_a_failed_start_leaves_nothing_open(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        field = SimField(SimOptions(tmp_path, pit_port=taken.getsockname()[1]), SimulatedClock())
        with pytest.raises(OSError, match="taken"):
            await field.start()
    ports = [*field.crane_ports, field.broker_port]
    assert 0 not in ports
    assert [await asyncio.to_thread(connectable, port) for port in ports] == [False] * 3


async def test_a_log_that_cannot_be_written_stops_the_field_instead_of_lying(tmp_path: Path) -> None:
    (tmp_path / LOG_NAME).symlink_to("/dev/full")
    clock = SimulatedClock()
    plan = OverloadPlan(first_after_s=0, jitter_s=0)
    field = SimField(SimOptions(tmp_path, plan=plan), clock)
    await field.start()
    await clock.advance(3)
    with pytest.raises(OSError, match="No space left"):
        await asyncio.wait_for(field.wait(), 5)
    await field.stop()
