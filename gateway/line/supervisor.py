"""Starts, watches, restarts with back-off, stops. The one place with a catch-all: a bug in one part stops that part
for a moment and is logged with its traceback; the rest of the box goes on.
"""

import asyncio
import logging
import os
import random
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.ports import Clock

log = logging.getLogger(__name__)
FIRST_BACKOFF_S = 0.5
BACKOFF_LIMIT_S = 30.0
HEALTHY_AFTER_NS = 60_000_000_000


@dataclass(slots=True)
class PartHealth:
    """How one supervised part is doing. `restarts` since start; `last_error` of the last crash."""

    name: str
    running: bool = False
    restarts: int = 0
    last_error: str = ""


class Supervisor:
    """Keeps coroutines alive. Parts end only by cancellation; one that returns or raises is started again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.parts: dict[str, PartHealth] = {}

    def start(self, name: str, part: Callable[[], Awaitable[None]]) -> None:
        """Run `part` from now on, restarting it whenever it ends."""
        self.parts[name] = PartHealth(name)
        self._tasks[name] = asyncio.create_task(self._keep_alive(self.parts[name], part), name=name)

    async def stop(self, *names: str) -> None:
        """Cancel parts (all when none is named) and wait until they are gone."""
        chosen = [self._tasks.pop(name) for name in (names or tuple(self._tasks)) if name in self._tasks]
        for task in chosen:
            task.cancel()
        await asyncio.gather(*chosen, return_exceptions=True)

    async def _keep_alive(self, health: PartHealth, part: Callable[[], Awaitable[None]]) -> None:
        backoff_s = FIRST_BACKOFF_S
        while True:
            started_ns = self._clock.monotonic_ns()
            health.running = True
            try:
                await part()
                health.last_error = "ended without being asked to"
                log.error("event=part_ended part=%s", health.name)
            except Exception as error:  # the catch-all of the house: restart, never go silent
                health.last_error = f"{type(error).__name__}: {error}"
                log.exception("event=part_crashed part=%s", health.name)
            finally:
                health.running = False
            if self._clock.monotonic_ns() - started_ns > HEALTHY_AFTER_NS:
                backoff_s = FIRST_BACKOFF_S
            health.restarts += 1
            await self._clock.sleep(random.uniform(backoff_s / 2, backoff_s))  # noqa: S311 - jitter, not a secret
            backoff_s = min(BACKOFF_LIMIT_S, backoff_s * 2)


def notify_systemd(message: str) -> bool:
    """Tell systemd (READY=1, WATCHDOG=1, STOPPING=1); False when there is none, or it does not listen."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        try:
            notify.connect("\0" + address[1:] if address.startswith("@") else address)
            notify.sendall(message.encode())
        except OSError as error:
            log.warning("event=systemd_not_told message=%s reason=%r", message, error.strerror)
            return False
    return True
