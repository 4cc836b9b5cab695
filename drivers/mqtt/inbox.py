"""The handover from paho's thread to the event loop: ordered, bounded, and waking the loop once per burst.

    MQTT thread  --put-->  [ arrivals, Opened, Lost ... ]  --take-->  event loop  --settle-->  room again

An arrival holds its place until it is settled (committed, or put aside), so `has_room` bounds everything taken from
the broker and not yet in the history, in messages and in bytes. Without room the MQTT thread stops reading: the broker
waits, nothing is dropped.
Each counter has one writer, so no lock is needed.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from drivers.mqtt.decode import FieldMessage

CAPACITY_BYTES = 33_554_432


@dataclass(frozen=True, slots=True)
class Arrival:
    """One PUBLISH. `mid` is its packet identifier within `session_number`, 0 under QoS 0."""

    session_number: int
    message: FieldMessage
    qos: int
    mid: int
    redelivered: bool

    @property
    def held_bytes(self) -> int:
        """What it takes in memory, near enough."""
        return len(self.message.topic) + len(self.message.payload)


@dataclass(frozen=True, slots=True)
class Opened:
    """The broker took the connection. `resumed`: it still had our session, and redelivers what was not acknowledged."""

    session_number: int
    resumed: bool


@dataclass(frozen=True, slots=True)
class Subscribed:
    """The broker answered the subscription to `topic`; `refused` holds its words when it said no."""

    session_number: int
    topic: str
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection is gone, or never came to be."""

    session_number: int
    reason: str


Item = Arrival | Opened | Subscribed | Lost


class Inbox:
    """What the MQTT thread says, in the order in which it said it. Made inside a running event loop."""

    def __init__(self, capacity: int, on_room: Callable[[], None], capacity_bytes: int = CAPACITY_BYTES) -> None:
        self._capacity_bytes = capacity_bytes
        self._arrived_bytes = 0
        self._settled_bytes = 0
        self._loop = asyncio.get_running_loop()
        self._capacity = capacity
        self._on_room = on_room
        self._items: deque[Item] = deque()
        self._filled = asyncio.Event()
        self._waking = False
        self._arrived = 0
        self._settled = 0

    @property
    def has_room(self) -> bool:
        """Whether another arrival may be taken from the broker. The last one taken may pass the limit in bytes."""
        held_bytes = self._arrived_bytes - self._settled_bytes
        return self._arrived - self._settled < self._capacity and held_bytes < self._capacity_bytes

    def put(self, item: Item) -> None:
        """From any one thread at a time: append, and wake the event loop unless it is being woken already."""
        if isinstance(item, Arrival):
            self._arrived += 1
            self._arrived_bytes += item.held_bytes
        self._items.append(item)
        if not self._waking:
            self._waking = True
            self._loop.call_soon_threadsafe(self._wake)

    def settle(self, arrival: Arrival) -> None:
        """On the event loop: an arrival is done with. Tells the reader when it was waiting for room."""
        had_room = self.has_room
        self._settled += 1
        self._settled_bytes += arrival.held_bytes
        if not had_room:
            self._on_room()

    async def take(self) -> Item:
        """The next item, waiting for it."""
        while not self._items:
            self._filled.clear()
            await self._filled.wait()
        return self._items.popleft()

    def _wake(self) -> None:
        self._waking = False
        self._filled.set()
