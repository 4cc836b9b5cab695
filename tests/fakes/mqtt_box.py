"""An MQTT driver set up for a test; as a program, a box that takes messages and never commits, to be killed."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Sequence
from typing import Any

import numpy as np

from drivers.mqtt.driver import KIND
from drivers.mqtt.settings import MqttTable
from gateway.clock import SystemClock
from gateway.ports import BoundDevice, BoundLink, Clock, Driver, ReadingSink
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


if __name__ == "__main__":
    asyncio.run(_take_and_never_commit(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
