"""A device that speaks by itself (MQTT), listened to: what it says next, beside the decoded values.

In: a link to a broker, its devices. Out: `Heard`. Uses the gateway's own driver with a session of its own, so that it
takes no message away from the gateway: a clean session under another client id. Subscribes only, publishes nothing.
Must not know operators, sheets or stores.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from drivers.mqtt.decode import MessageDecoder
from drivers.mqtt.driver import KIND
from drivers.mqtt.settings import MqttLink, MqttTable
from gateway.model.reading import Quality, Readings
from gateway.ports import BoundDevice, BoundLink, Clock

_SHOWN_CHARACTERS = 20


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What a device said of its points: `value` and `quality` have shape (points,), in table order; `text` is what the
    message held, '' where nothing was heard of the point. `messages` counts what was understood, `aside` says why the
    others were not."""

    value: NDArray[np.float64]
    quality: NDArray[np.uint8]
    text: tuple[str, ...]
    messages: int
    aside: tuple[str, ...]


class Listening:
    """A broker's devices, listened to within the block. A sink for the driver, and a source for who asks."""

    def __init__(self, link: BoundLink, clock: Clock) -> None:
        settings: MqttLink = link.settings
        own = {"session": "clean", "client_id": f"{settings.effective_client_id}-commissioning"}
        self._driver = KIND.build(replace(link, settings=settings.model_copy(update=own)), clock)
        self._task: asyncio.Task[None] | None = None
        self.arrived = asyncio.Event()
        self.polls: dict[str, list[Readings]] = {device.settings.id: [] for device in link.devices}
        self.aside: dict[str, list[str]] = {device.settings.id: [] for device in link.devices}

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._driver.run(self))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def offer(self, readings: Readings) -> bool:  # noqa: ARG002  # the port names it
        """The driver says that the broker is lost; why is in its health."""
        return True

    async def put(self, readings: Readings) -> Awaitable[None]:
        """A message that was understood. It is acknowledged at once: this session's messages are copies."""
        self.polls[readings.device].append(readings)
        self.arrived.set()
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        kept.set_result(None)
        return kept

    def set_aside(self, device: str, payload: bytes, reason: str) -> None:  # noqa: ARG002  # the port names it
        """A message that was not understood."""
        self.aside.setdefault(device, []).append(reason)
        self.arrived.set()

    def trouble(self, device: str) -> str:
        """What the driver says is wrong with the device's link; '' when nothing is."""
        return next((link.last_error for link in self._driver.health() if link.device == device), "")


class DeviceHeard:
    """One device, asked by waiting for what it says next; at most `within_s`."""

    def __init__(self, listening: Listening, device: BoundDevice, clock: Clock, within_s: float) -> None:
        self.table: MqttTable = device.table
        self.keys = frozenset(point.key for point in self.table.points)
        self._device_id = str(device.settings.id)
        self._decoder = MessageDecoder(device)
        self._position = {int(index): i for i, index in enumerate(device.point_index)}
        self._listening = listening
        self._clock = clock
        self._within_s = within_s

    async def hear(self) -> Heard:
        """What is said from now on, until every point was heard of or the time is over."""
        since_ns = self._clock.now_ns()
        already = len(self._listening.aside[self._device_id])
        try:
            async with asyncio.timeout(self._within_s):
                while not self._complete(since_ns):
                    self._listening.arrived.clear()
                    await self._listening.arrived.wait()
        except TimeoutError:
            pass
        return self._heard(since_ns, already)

    async def shown(self) -> dict[str, float]:
        """Key -> value, NaN where it was not heard of or is not GOOD."""
        heard = await self.hear()
        value = np.where(heard.quality == Quality.GOOD, heard.value, np.nan)
        return {point.key: float(number) for point, number in zip(self.table.points, value, strict=True)}

    async def shown_often(self, count: int, pause_s: float) -> list[dict[str, float]]:  # noqa: ARG002  # it sets the pace
        """`count` times what it says next."""
        return [await self.shown() for _ in range(count)]

    def _since(self, since_ns: int) -> list[Readings]:
        polls = self._listening.polls[self._device_id]
        return [readings for readings in polls if readings.received_at_ns >= since_ns]

    def _complete(self, since_ns: int) -> bool:
        heard = {int(index) for readings in self._since(since_ns) for index in readings.point_index}
        return heard == self._position.keys()

    def _heard(self, since_ns: int, already: int) -> Heard:
        n = len(self.table.points)
        value, quality, text = np.full(n, np.nan), np.full(n, Quality.BAD, dtype=np.uint8), [""] * n
        polls = self._since(since_ns)
        for readings in polls:
            for index, number, code in zip(readings.point_index, readings.value, readings.quality, strict=True):
                i = self._position[int(index)]
                value[i], quality[i] = number, code
                text[i] = _shortened(self._decoder.written(i, readings.raw.payload))
        aside = self._listening.aside[self._device_id][already:]
        return Heard(value, quality, tuple(text), len(polls), tuple(dict.fromkeys(aside)))


def _shortened(written: str) -> str:
    return written if len(written) <= _SHOWN_CHARACTERS else written[: _SHOWN_CHARACTERS - 3] + "..."
