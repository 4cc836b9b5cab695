"""An MQTT driver set up for a test; as a program, a box that is killed in the end.

python -m tests.fakes.mqtt_box PORT PROTOCOL 3        takes three messages and commits none
python -m tests.fakes.mqtt_box PORT PROTOCOL told     tells after each message what it has and the memory it took
"""

import asyncio
import contextlib
import json
import re
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from drivers.mqtt.driver import KIND
from drivers.mqtt.settings import MqttTable
from gateway.ports import BoundDevice, BoundLink, Clock, Driver, ReadingSink
from kit.clock import SystemClock
from tests.fakes.holding_sink import HoldingSink

TABLE: dict[str, Any] = {
    "version": 1,
    "model": "mast",
    "driver": "mqtt",
    "title_zh": "气象站",
    "title_en": "Mast",
    "source": "test",
    "certainty": "PD",
    "points": [
        {"key": "wind", "path": "$.w", "title_zh": "风速", "title_en": "Wind"},
        {"key": "temp", "path": "$.t", "title_zh": "气温", "title_en": "Temperature"},
    ],
}


def bound_link(port: int, *, table: dict[str, Any] | None = None, topic: str = "site/mast", **link: Any) -> BoundLink:
    """One device `mast-1` on one broker; quick to retry."""
    device = {"id": "mast-1", "link": "l", "asset": "mast-1", "table": "mast", "topic": topic}
    return bound_devices(port, [(device, table or TABLE)], **link)


def bound_devices(port: int, devices: Sequence[tuple[dict[str, Any], dict[str, Any]]], **link: Any) -> BoundLink:
    """Devices with their tables, both as YAML would give them, on one broker; quick to retry."""
    about = {"id": "l", "driver": "mqtt", "host": "127.0.0.1", "retry_first_s": 0.05, "retry_max_s": 0.2}
    settings = KIND.link_settings.model_validate({**about, "port": port, **link})
    bound: list[BoundDevice] = []
    first = 0
    for device, table in devices:
        fields = MqttTable.model_validate(table)
        index = np.arange(first, first + len(fields.points), dtype=np.int32)
        bound.append(BoundDevice(KIND.device_settings.model_validate(device), fields, (), index))
        first += len(index)
    return BoundLink(settings, tuple(bound))


@contextlib.asynccontextmanager
async def running(link: BoundLink, sink: ReadingSink, clock: Clock | None = None) -> AsyncIterator[Driver]:
    """The driver of `link`, running inside the block. A bug that ends it is raised at the end of the block."""
    driver = KIND.build(link, clock or SystemClock())
    task = asyncio.create_task(driver.run(sink))
    try:
        yield driver
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _take_and_never_commit(port: int, protocol: str, count: int) -> None:
    sink = HoldingSink(hold=True)
    async with running(bound_link(port, protocol=protocol), sink):
        await sink.until(lambda: len(sink.readings) >= count)
        sys.stdout.write("taken\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


async def _tell_each(port: int, protocol: str) -> None:
    sink = HoldingSink()
    async with running(bound_link(port, protocol=protocol), sink):
        told = 0
        while True:
            told += 1
            await sink.until(lambda told=told: len(sink.readings) >= told, deadline_s=600)  # type: ignore[misc]
            line = {"values": sink.values, "aside": [why for _, _, why in sink.aside], "peak_bytes": peak_bytes()}
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()


def peak_bytes(pid: int | str = "self") -> int:
    """The most memory that a process has had at once."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024


if __name__ == "__main__":
    address, what = (int(sys.argv[1]), sys.argv[2]), sys.argv[3]
    asyncio.run(_tell_each(*address) if what == "told" else _take_and_never_commit(*address, int(what)))
