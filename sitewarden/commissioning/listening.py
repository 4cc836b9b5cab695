"""A device that speaks by itself (MQTT, pushed frames), listened to: what it says next, beside the decoded values.

In: a link and its devices. Out: `Heard`. Uses the gateway's own drivers. At a broker with a session of its own, so that
it takes no message away from the gateway: a clean session under another client id; it subscribes only. On a port it
listens in the gateway's place, and acknowledges as the gateway would. Must not know operators, sheets or stores.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from drivers.frames.decode import FrameDecoder
from drivers.frames.driver import KIND as FRAMES
from drivers.frames.message import MessageReader
from drivers.frames.settings import FramePoint, FramesLink, FramesTable
from drivers.mqtt.decode import MessageDecoder
from drivers.mqtt.driver import KIND as MQTT
from drivers.mqtt.settings import BytePoint, MessagePoint, MqttLink
from gateway.model.reading import Quality, Readings
from gateway.ports import BoundDevice, BoundLink, Clock, Driver

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
    """The devices of a broker or a port, listened to within the block. A sink for the driver, a source for who asks."""

    def __init__(self, link: BoundLink, clock: Clock) -> None:
        self._driver = _driver(link, clock)
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
        self.table: Any = device.table
        self.keys = frozenset(point.key for point in self.table.points)
        self._device_id = str(device.settings.id)
        self._position = {int(index): i for i, index in enumerate(device.point_index)}
        self._listening = listening
        self._clock = clock
        self._within_s = within_s
        self._decoder = _decoder(device)

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


def _decoder(device: BoundDevice) -> FrameDecoder | MessageDecoder:
    table = device.table
    return (
        FrameDecoder(device, MessageReader(table.grammar)) if isinstance(table, FramesTable) else MessageDecoder(device)
    )


def _shortened(written: str) -> str:
    return written if len(written) <= _SHOWN_CHARACTERS else written[: _SHOWN_CHARACTERS - 3] + "..."


def speaks_by_itself(settings: object) -> bool:
    """Whether the devices of this link can be listened to."""
    return isinstance(settings, MqttLink | FramesLink)


def calls_itself(settings: Any) -> str:
    """By what a device of such a link is known: its topic, or its identity."""
    topic = getattr(settings, "own_topic", None)
    return f"topic {topic}" if topic is not None else f"identity {settings.identity}"


def place_of(point: MessagePoint | FramePoint) -> str:
    """Where in a message a point stands."""
    if isinstance(point, BytePoint):
        return f"byte {point.byte} {point.type} {point.order or ''}".rstrip()
    if isinstance(point, FramePoint):
        return (
            f"byte {point.at} {point.type} {point.order}"
            if point.at is not None
            else point.name or f"field {point.index}"
        )
    return point.path or point.topic_suffix or "message"


def _driver(link: BoundLink, clock: Clock) -> Driver:
    settings = link.settings
    if isinstance(settings, FramesLink):
        return FRAMES.build(link, clock)
    own = {"session": "clean", "client_id": f"{settings.effective_client_id}-commissioning"}
    return MQTT.build(replace(link, settings=settings.model_copy(update=own)), clock)
