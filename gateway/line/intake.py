"""Queue 1, in memory: what drivers have read and the pipeline has not yet taken. Bounded; nothing vanishes unseen.

A poll that finds the queue full is skipped, counted, and its points are marked unknown. A message waits for room,
which holds the broker back. All calls come from the event loop.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Awaitable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.line.quarantine import Quarantine
from gateway.model.reading import Readings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """One poll or message; `kept` is set for those who wait until it is in the history."""

    readings: Readings
    kept: "asyncio.Future[None] | None" = None


class Intake:
    """The `ReadingSink` that drivers see. `capacity` counts polls."""

    def __init__(self, capacity: int, quarantine: Quarantine) -> None:
        self._capacity = capacity
        self._quarantine = quarantine
        self._queue: deque[Arrival] = deque()
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._skipped_points: list[NDArray[np.int32]] = []
        self.skipped: Counter[str] = Counter()
        self.set_aside_count: Counter[str] = Counter()
        self.received = 0
        self.values = 0

    def __len__(self) -> int:
        return len(self._queue)

    def offer(self, readings: Readings) -> bool:
        """Queue a poll; False when full (counted, its points become unknown) or malformed (set aside)."""
        if not self._well_formed(readings):
            return False
        if len(self._queue) >= self._capacity:
            if not self.skipped[readings.device]:
                log.error("event=intake_full device=%s capacity=%d", readings.device, self._capacity)
            self.skipped[readings.device] += 1
            self._skipped_points.append(readings.point_index)
            self._filled.set()
            return False
        self._add(Arrival(readings))
        return True

    async def put(self, readings: Readings) -> Awaitable[None]:
        """Queue a message, waiting for room; the result is done once the history has committed it.

        Malformed readings are set aside, and the result is done: there is nothing that could ever be kept.
        """
        await self.wait_for_room()
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if not self._well_formed(readings):
            kept.set_result(None)
            return kept
        self._add(Arrival(readings, kept))
        return kept

    async def wait_for_room(self) -> None:
        """Until a message would be queued at once."""
        while len(self._queue) >= self._capacity:
            self._room.clear()
            await self._room.wait()

    def take_now(self) -> list[Arrival]:
        """Everything that is queued, without waiting."""
        batch = list(self._queue)
        self._queue.clear()
        self._room.set()
        return batch

    def set_aside(self, device: str, payload: bytes, reason: str) -> None:
        """Keep what could not be understood, with the reason, and count it."""
        self.set_aside_count[device] += 1
        self._quarantine.keep(device, payload, reason)

    async def take(self, limit: int, timeout_s: float) -> list[Arrival]:
        """Up to `limit` arrivals in order; an empty list when none came within the time."""
        if not self._queue:
            self._filled.clear()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._filled.wait()
            except TimeoutError:
                return []
        batch = [self._queue.popleft() for _ in range(min(limit, len(self._queue)))]
        self._room.set()
        return batch

    def take_skipped(self) -> list[NDArray[np.int32]]:
        """The points of polls that were skipped since the last call."""
        skipped, self._skipped_points = self._skipped_points, []
        return skipped

    def _well_formed(self, readings: Readings) -> bool:
        """Whether the arrays fit each other: a driver's bug must not take the other devices' samples with it."""
        shape = readings.point_index.shape
        if len(shape) == 1 and readings.value.shape == shape and readings.quality.shape == shape:
            return True
        found = f"points {shape}, values {readings.value.shape}, qualities {readings.quality.shape}"
        self.set_aside(readings.device, readings.raw.payload, f"malformed readings: found {found}, expected one shape")
        return False

    def _add(self, arrival: Arrival) -> None:
        self._queue.append(arrival)
        self.received += 1
        self.values += len(arrival.readings.point_index)
        self._filled.set()
