r"""Polls one device: the schedule, the breaker, the counters. The same for every protocol that is asked.

In: a `PolledDevice` that can be read once, a sink, a clock. Out: one `Readings` a poll into the sink, `LinkHealth` for
the health pages, one log line when the device goes down and one when it is back. Must not know any protocol.

Theory of operation.

    STARTING --good--> UP --failed--> DOWN --good--> UP
        \--failed-----------------------^  \--failed--> DOWN, with a longer bound

UP: ticks lie on a fixed grid (start + k x period), so that polling does not drift. When a poll or a stall takes
longer than the period, the ticks that passed are skipped and counted, never made up for in a burst.
DOWN: every failed try offers unreadable values (quality BAD), then waits a random time between 0 and a bound that
doubles from `backoff_min_s` to `backoff_max_s` ("full jitter": devices that failed together do not return together).
Beyond `backoff_min_s` the bound never exceeds the time that the device has been down: a short burst of noise may fail
many tries, and must not keep a healthy device away for long.
The first good poll starts a new grid. A try is never given up for good.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from random import SystemRandom
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gateway.model.errors import DecodeError, LinkError
from gateway.model.reading import Readings
from gateway.ports import Clock, LinkHealth, LinkState, ReadingSink
from kit.poll_seconds import POLL_SECONDS

logger = logging.getLogger(__name__)

Jitter = Callable[[float], float]


def full_jitter(bound_s: float) -> float:
    """A random wait between 0 and the bound, in seconds."""
    return bound_s * SystemRandom().random()


class PolledDevice(Protocol):
    """What can be polled: names itself and its points, and is read once at a time."""

    device_id: str
    point_index: NDArray[np.int32]

    async def read(self) -> Readings:
        """One poll. Raises LinkError or DecodeError when nothing of it could be read."""
        ...


class UnreadableReplyError(DecodeError):
    """A reply that is no answer. `payload` is what came, to be put aside."""

    def __init__(self, message: str, payload: bytes) -> None:
        self.payload = payload
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a device is polled (`period_s` 0: as fast as it answers) and how long it is left alone when down."""

    period_s: float
    backoff_min_s: float
    backoff_max_s: float


class Poller:
    """The loop that polls one device again and again."""

    def __init__(self, device: PolledDevice, pace: Pace, clock: Clock, jitter: Jitter = full_jitter) -> None:
        self._device = device
        self._pace = pace
        self._clock = clock
        self._jitter = jitter
        self._state = LinkState.STARTING
        self._polls = 0
        self._failures = 0
        self._skipped = 0
        self._last_error = ""
        self._failures_in_a_row = 0
        self._down_since_ns = 0
        self._due_ns = 0

    def health(self) -> LinkHealth:
        """Counters since start. `polls` were read; `skipped` ticks were missed, or their values met a full queue."""
        return LinkHealth(
            self._device.device_id, self._state, self._polls, self._failures, self._skipped, self._last_error
        )

    async def run(self, sink: ReadingSink) -> None:
        """Poll until cancelled. Anything but a link or decode error is a bug and escapes."""
        self._due_ns = self._clock.monotonic_ns()
        task = asyncio.current_task()
        while True:
            if task is not None and task.cancelling():
                # Python 3.11: `asyncio.wait_for` swallows a cancellation that meets an answer in the same turn.
                raise asyncio.CancelledError
            asked_ns = self._clock.monotonic_ns()
            try:
                readings = await self._device.read()
            except (LinkError, DecodeError) as error:
                self._failed(error, sink)
                await self._back_off()
            else:
                POLL_SECONDS.labels(self._device.device_id).observe((self._clock.monotonic_ns() - asked_ns) / 1e9)
                self._succeeded()
                self._offer(readings, sink)
                await self._next_tick()

    def _failed(self, error: LinkError | DecodeError, sink: ReadingSink) -> None:
        device = self._device
        self._failures += 1
        self._failures_in_a_row += 1
        self._last_error = str(error)
        if self._state is not LinkState.DOWN:
            self._state = LinkState.DOWN
            self._down_since_ns = self._clock.monotonic_ns()
            logger.warning("device down device=%s error=%r", device.device_id, self._last_error)
        if isinstance(error, UnreadableReplyError):
            sink.set_aside(device.device_id, error.payload, self._last_error)
        self._offer(Readings.unreadable(device.device_id, device.point_index, self._clock.now_ns()), sink)

    def _succeeded(self) -> None:
        self._polls += 1
        if self._state is LinkState.DOWN:
            down_s = (self._clock.monotonic_ns() - self._down_since_ns) / 1e9
            tries = self._failures_in_a_row
            logger.info("device back device=%s down_s=%.1f tries=%d", self._device.device_id, down_s, tries)
            self._due_ns = self._clock.monotonic_ns()
        self._failures_in_a_row = 0
        self._state = LinkState.UP

    def _offer(self, readings: Readings, sink: ReadingSink) -> None:
        if not sink.offer(readings):
            self._skipped += 1

    async def _back_off(self) -> None:
        doublings = min(self._failures_in_a_row - 1, 32)
        down_s = (self._clock.monotonic_ns() - self._down_since_ns) / 1e9
        first_s = self._pace.backoff_min_s
        bound_s = min(self._pace.backoff_max_s, first_s * 2.0**doublings, max(first_s, down_s))
        await self._clock.sleep(self._jitter(bound_s))

    async def _next_tick(self) -> None:
        period_ns = int(self._pace.period_s * 1e9)
        if period_ns == 0:
            return
        missed = max(0, self._clock.monotonic_ns() - self._due_ns) // period_ns
        self._skipped += missed
        self._due_ns += (missed + 1) * period_ns
        await self._clock.sleep((self._due_ns - self._clock.monotonic_ns()) / 1e9)
