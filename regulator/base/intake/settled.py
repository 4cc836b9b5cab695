"""Results from the writer's thread back to the event loop: one call over the border for all that one commit settled.

    writer: result, result, result ...  -->  one call into the loop  -->  every sender that waits goes on

Waking a loop costs a write to a pipe and a turn of the loop; a commit settles dozens of sendings at once.
"""

import asyncio
import threading
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class Settled:
    """For one event loop: the one that waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ready: list[tuple[asyncio.Future[Any], Future[Any]]] = []
        self._called = False

    async def wait(self, result: "Future[T]") -> T:
        """The result, or what was raised instead. A caller that is cancelled cancels what was not begun."""
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[T] = loop.create_future()

        def settle(done: "Future[T]") -> None:
            with self._lock:
                self._ready.append((waiting, done))
                calling, self._called = not self._called, True
            if calling and not loop.is_closed():
                loop.call_soon_threadsafe(self._tell)

        result.add_done_callback(settle)
        try:
            return await waiting
        except asyncio.CancelledError:
            result.cancel()
            raise

    def _tell(self) -> None:
        with self._lock:
            ready, self._ready, self._called = self._ready, [], False
        for waiting, done in ready:
            if waiting.done():
                continue
            if done.cancelled():
                waiting.cancel()
            elif error := done.exception():
                waiting.set_exception(error)
            else:
                waiting.set_result(done.result())
