"""A driver for devices that call, set up for a test, and raw callers who say to it what a test wants."""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import yaml

from drivers.frames.driver import KIND, FramesDriver
from drivers.frames.encode import encode_frame
from drivers.frames.settings import FramesTable
from gateway.ports import BoundDevice, BoundLink, Clock, LinkHealth, LinkState, ReadingSink
from kit.clock import SystemClock

DEVICES = Path(__file__).parents[2] / "config" / "devices"
BINARY = "crane-host-binary-frames"
TEXT = "crane-host-text-frames"
DUST = "dust-hj212"
WITHIN_S = 15.0
CLOCK = "231115061320"
"""2023-11-15 06:13:20 in China, as the binary frames say it: the start of a `SimulatedClock`."""


@functools.cache
def shipped(model: str) -> FramesTable:
    """A device table as the product ships it."""
    return FramesTable.model_validate(yaml.safe_load((DEVICES / f"{model}.yaml").read_text(encoding="utf-8")))


def bound_link(
    port: int, identities: Sequence[str] = ("SIM-0001",), table: FramesTable | None = None, **link: Any
) -> BoundLink:
    """Devices `crane-1`, `crane-2`, ... on one port, in the order of their identities."""
    table = table or shipped(BINARY)
    settings = KIND.link_settings.model_validate({"id": "boxes", "port": port, "retry_s": 0.02, **link})
    bound = []
    for i, identity in enumerate(identities):
        name, first = f"crane-{i + 1}", i * len(table.points)
        about = {"id": name, "link": "boxes", "asset": name, "table": table.model, "identity": identity}
        device = KIND.device_settings.model_validate(about)
        index = np.arange(first, first + len(table.points), dtype=np.int32)
        bound.append(BoundDevice(device, table, (), index))
    return BoundLink(settings, tuple(bound))


@contextlib.asynccontextmanager
async def running(link: BoundLink, sink: ReadingSink, clock: Clock | None = None) -> AsyncIterator[FramesDriver]:
    """The driver of `link`, listening inside the block. A bug that ends it is raised at the end of the block."""
    driver = FramesDriver(link, clock or SystemClock())
    task = asyncio.create_task(driver.run(sink))
    try:
        await until(lambda: task.done() or port_of(driver).state is LinkState.UP, "the port is open")
        yield driver
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def port_of(driver: FramesDriver) -> LinkHealth:
    """The health of the port itself."""
    return driver.health()[-1]


async def until(condition: Callable[[], object], what: str, within_s: float = WITHIN_S) -> None:
    """Return as soon as the condition holds; TimeoutError naming `what` when it does not in time."""
    try:
        async with asyncio.timeout(within_s):
            while not condition():
                await asyncio.sleep(0.002)
    except TimeoutError:
        raise TimeoutError(f"{what}: not within {within_s} s") from None


def frame(message: str = "values", serial: str = "SIM-0001", number: int = 1, **values: float) -> bytes:
    """A frame of the shipped binary table, of the simulated clock's first second."""
    fields = {"kind": {"registration": "01", "heartbeat": "02", "values": "03"}[message], "serial": serial}
    fields |= {"number": str(number), "clock": CLOCK}
    known: Mapping[str, float] = {"load_t": 1.0, "rated_t": 6.0, "multiple": 2, **values} if message == "values" else {}
    return encode_frame(shipped(BINARY), message, fields, known)


class RawCaller:
    """A TCP client that says what it is told."""

    def __init__(self, port: int, source: str = "127.0.0.1") -> None:
        self._port = port
        self._source = source
        self.received = b""

    async def __aenter__(self) -> Self:
        opened = asyncio.open_connection("127.0.0.1", self._port, local_addr=(self._source, 0))
        self._reader, self._writer = await opened
        self._listening = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._writer.transport.abort()
        await self._listening

    @property
    def is_over(self) -> bool:
        """Whether the box has hung up."""
        return self._listening.done()

    async def say(self, data: bytes) -> None:
        """Send bytes."""
        self._writer.write(data)
        await self._writer.drain()

    async def hears(self, data: bytes) -> None:
        """Wait until everything that was heard is exactly this."""
        await until(lambda: len(self.received) >= len(data) or self.is_over, f"{data!r} is heard")
        assert self.received == data

    async def hung_up_on(self) -> None:
        """Wait until the box hangs up."""
        await until(lambda: self.is_over, "the box hangs up")

    async def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while chunk := await self._reader.read(4096):
                self.received += chunk
