"""One dead and one late unit on an RS-485 bus, and 1 % of spoilt replies from four healthy ones: who waits for whom.

    python -m bench.noisy_bus [--seconds 600]

The units are libmodbus RTU servers (`tests.fakes.libmodbus_rtu_bus`). The bus is read twice at once, each time with
units of its own: on a pseudo-terminal, and over TCP through socat. Default settings, poll 300 ms. Printed per line: the
longest time between two good polls of a healthy unit, spoilt replies met, and values that were not the unit's own.
"""

import argparse
import asyncio
import logging
import socket
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from drivers.modbus.driver import RTU_KIND, RTU_TCP_KIND
from gateway.model.reading import Quality, Readings
from gateway.ports import BoundDevice, BoundLink, DriverKind
from kit.clock import SystemClock
from tests.fakes.holding_sink import HoldingSink
from tests.fakes.libmodbus_rtu_bus import LibmodbusRtuBus, SerialServer
from tests.fakes.modbus_binding import bound_device, point, table

DEAD, LATE, HEALTHY = 1, 2, range(3, 7)
UNITS = range(1, 7)
POLL_MS = 300
AIM_S = 2.0
TEN = table([point(f"p{i}", i, "uint16") for i in range(10)])


@dataclass(frozen=True, slots=True)
class Run:
    """What one line gave. `longest_gap_s` by healthy unit; `late_polls` is how often the late unit was read."""

    longest_gap_s: dict[int, float]
    polls: int
    failures: int
    late_polls: int
    wrong_values: int


async def measure(seconds: float) -> dict[str, Run]:
    """Both lines at once."""
    serial, over_tcp = await asyncio.gather(_serial(seconds), _over_tcp(seconds))
    return {"serial pty": serial, "TCP": over_tcp}


async def _serial(seconds: float) -> Run:
    with LibmodbusRtuBus(UNITS) as bus:
        return await _polled(bus, RTU_KIND, {"driver": "modbus-rtu", "serial_port": bus.path}, seconds)


async def _over_tcp(seconds: float) -> Run:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with LibmodbusRtuBus(UNITS) as bus, SerialServer(bus.path, port):
        address = {"driver": "modbus-rtu-tcp", "host": "127.0.0.1", "port": port}
        return await _polled(bus, RTU_TCP_KIND, address, seconds)


async def _polled(bus: LibmodbusRtuBus, kind: DriverKind, line: dict[str, Any], seconds: float) -> Run:
    for unit in UNITS:
        bus.set_registers(unit, 0, _words(unit))
        bus.fault(unit, "mute" if unit == DEAD else "late" if unit == LATE else "noise")
    link = kind.link_settings.model_validate({"id": "bus", "baud": 115_200} | line)
    driver = kind.build(BoundLink(link, tuple(_devices())), SystemClock())
    sink = HoldingSink()
    task = asyncio.create_task(driver.run(sink))
    await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return _run(sink.offered)


def _devices() -> list[BoundDevice]:
    return [bound_device(TEN, f"unit-{unit}", unit_id=unit, poll_ms=POLL_MS) for unit in UNITS]


def _words(unit: int) -> list[int]:
    return [unit * 100 + i for i in range(10)]


def _run(offered: list[Readings]) -> Run:
    by_unit = {unit: [poll for poll in offered if poll.device == f"unit-{unit}"] for unit in UNITS}
    read = {
        unit: [poll for poll in polls if not (poll.quality == Quality.BAD).any()] for unit, polls in by_unit.items()
    }
    healthy = [poll for unit in HEALTHY for poll in by_unit[unit]]
    return Run(
        longest_gap_s={unit: _longest_gap_s(read[unit]) for unit in HEALTHY},
        polls=len(healthy),
        failures=len(healthy) - sum(len(read[unit]) for unit in HEALTHY),
        late_polls=len(read[LATE]),
        wrong_values=sum(poll.value.tolist() != _words(unit) for unit, polls in read.items() for poll in polls),
    )


def _longest_gap_s(polls: list[Readings]) -> float:
    return max((later.observed_at_ns - sooner.observed_at_ns for sooner, later in pairwise(polls)), default=0) / 1e9


def report(runs: dict[str, Run], seconds: float) -> str:
    """The figures, with the aim beside them."""
    lines = [f"RS-485 bus, one dead, one late, four healthy units with 1 % spoilt replies, {seconds:.0f} s"]
    for line, run in runs.items():
        gaps = ", ".join(f"{gap:.2f}" for gap in run.longest_gap_s.values())
        lines.append(f"  {line:<11} longest gap of each healthy unit, s: {gaps}   aim <= {AIM_S:g}")
        lines.append(
            f"  {'':<11} polls {run.polls}, failed {run.failures}; the late unit was read {run.late_polls} times"
        )
        lines.append(f"  {'':<11} values of another unit {run.wrong_values}")
    return "\n".join(lines)


if __name__ == "__main__":
    logging.getLogger("drivers.polling").setLevel(logging.ERROR)  # one line a spoilt reply otherwise
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600)
    wanted = parser.parse_args()
    print(report(asyncio.run(measure(wanted.seconds)), wanted.seconds))
