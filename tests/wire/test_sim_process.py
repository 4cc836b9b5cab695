"""The field as its own process, as the demo and the kill tests run it. Real time, so kept short."""

import asyncio
import contextlib
import json
import signal
import socket
import struct
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pymodbus import ModbusException
from pymodbus.client import AsyncModbusTcpClient

from drivers.sim.overload_log import read_overload_log

FREE_PORTS = ["--crane-ports", "0,0", "--pit-port", "0", "--broker-port", "0"]


async def launch(folder: Path, *arguments: str) -> Process:
    command = [sys.executable, "-W", "error", "-m", "drivers.sim", "--folder", str(folder), *arguments]
    return await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=PIPE)


async def say(process: Process) -> dict[str, Any]:
    """The next line the process prints, parsed."""
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), 20)
    decoded = json.loads(line)
    assert isinstance(decoded, dict)
    return decoded


async def tell(process: Process, order: str) -> dict[str, Any]:
    assert process.stdin is not None
    process.stdin.write(order.encode() + b"\n")
    await process.stdin.drain()
    return await say(process)


async def ended(process: Process) -> tuple[int, str]:
    _, errors = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode is not None
    return process.returncode, errors.decode()


@contextlib.asynccontextmanager
async def running(folder: Path, *arguments: str) -> AsyncIterator[tuple[Process, dict[str, Any]]]:
    process = await launch(folder, *FREE_PORTS, *arguments)
    try:
        yield process, await say(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def overloaded(port: int) -> None:
    """Until a plain client reads 100 % or more."""
    client = AsyncModbusTcpClient("127.0.0.1", port=port)
    assert await client.connect()
    async with asyncio.timeout(20):
        moment_pct = 0.0
        while moment_pct < 100:
            words = (await client.read_holding_registers(4, count=2)).registers
            (moment_pct,) = struct.unpack(">f", struct.pack(">HH", *words))
    client.close()


async def test_it_prints_its_ports_and_ends_by_itself(tmp_path: Path) -> None:
    process = await launch(tmp_path, *FREE_PORTS, "--seconds", "0.5")
    ready = await say(process)
    ports = {*ready["crane_ports"], ready["pit_port"], ready["broker_port"]}
    assert len(ports) == 4
    assert 0 not in ports
    assert (ready["ready"], ready["pid"]) == (True, process.pid)
    assert await ended(process) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    async with running(tmp_path) as (process, _):
        process.send_signal(number)
        assert await ended(process) == (0, "")


async def test_a_killed_twin_has_logged_what_it_began(tmp_path: Path) -> None:
    arguments = ("--overload-first-s", "0", "--overload-jitter-s", "0")
    for crane in (0, 1):
        async with running(tmp_path, *arguments) as (process, ready):
            await overloaded(ready["crane_ports"][crane])
            process.kill()
            await ended(process)
        begun = [overload for overload in read_overload_log(Path(ready["overload_log"])) if not overload.ended_at_ns]
        assert f"crane-{crane + 1}" in {overload.asset for overload in begun}
        assert len(begun) >= crane + 1


async def until_unanswered(client: AsyncModbusTcpClient) -> None:
    """An order is in force from the next physics step on: read until then."""
    async with asyncio.timeout(20):
        while True:
            await client.read_holding_registers(0, count=25)


async def test_faults_are_ordered_on_stdin(tmp_path: Path) -> None:
    async with running(tmp_path, "--control-stdin") as (process, ready):
        client = AsyncModbusTcpClient("127.0.0.1", port=ready["pit_port"], timeout=0.6, retries=0)
        assert await client.connect()
        assert not (await client.read_holding_registers(0, count=25)).isError()
        order = '{"twin": "pit-1", "fault": "silence", "for_s": 30}'
        assert (await tell(process, order))["taken"] == {**json.loads(order), "delay_s": 1.0}
        with pytest.raises(ModbusException, match="No response"):
            await until_unanswered(client)
        client.close()


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ('{"twin": "crane-9", "fault": "drop"}', "expected one of crane-1, crane-2, pit-1, mast-1"),
        ('{"twin": "crane-1", "fault": "explode"}', "'drop', 'delay', 'corrupt', 'freeze' or 'silence'"),
        ('{"twin": "crane-1", "fault": "drop", "for_s": -1}', "greater than 0"),
        ("nonsense", "Invalid JSON"),
    ],
)
async def test_a_wrong_order_is_refused_with_the_reason_and_nothing_dies(
    tmp_path: Path, order: str, words: str
) -> None:
    async with running(tmp_path, "--control-stdin") as (process, _):
        answer = await tell(process, order)
        assert answer["refused"] == order
        assert words in answer["reason"]
        assert "taken" in await tell(process, '{"twin": "mast-1", "fault": "freeze"}')


async def test_a_taken_port_is_one_line_and_status_1(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = await launch(tmp_path, *FREE_PORTS, "--crane-ports", f"0,{port}")
        status, errors = await ended(process)
    assert (status, errors.count("\n")) == (1, 1)
    assert f"found port {port} taken" in errors


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--overload-every-s", "5"], "overload every_s: found 5.0"),
        (["--no-broker"], "expected the port of a running broker"),
        (["--crane-ports", "a,b"], "--crane-ports"),
    ],
)
async def test_impossible_arguments_are_refused_with_status_2(tmp_path: Path, arguments: list[str], words: str) -> None:
    status, errors = await ended(await launch(tmp_path, *FREE_PORTS, *arguments))
    assert status == 2
    assert words in errors
