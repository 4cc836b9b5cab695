"""A `ReadingSink` that a test steers: it decides when there is room and when the history has committed."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from gateway.model.errors import StoreError
from gateway.model.reading import Readings


class HoldingSink:
    """Keeps what it is given. With `hold` nothing is committed until `commit`; `room` bounds what is not committed."""

    def __init__(self, *, hold: bool = False, room: int = 1_000_000) -> None:
        self.readings: list[Readings] = []
        self.offered: list[Readings] = []
        self.aside: list[tuple[str, bytes, str]] = []
        self.most_uncommitted = 0
        self._hold = hold
        self._room = room
        self._uncommitted: deque[asyncio.Future[None]] = deque()
        self._changed = asyncio.Event()

    def offer(self, readings: Readings) -> bool:
        self.offered.append(readings)
        self._changed.set()
        return True

    async def put(self, readings: Readings) -> Awaitable[None]:
        await self.until(lambda: len(self._uncommitted) < self._room)
        self.readings.append(readings)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._hold:
            self._uncommitted.append(done)
        else:
            done.set_result(None)
        self.most_uncommitted = max(self.most_uncommitted, len(self._uncommitted))
        self._changed.set()
        return done

    def set_aside(self, device: str, payload: bytes, reason: str) -> None:
        self.aside.append((device, payload, reason))
        self._changed.set()

    def commit(self, count: int | None = None) -> None:
        """Say of the oldest `count` readings (all by default) that the history has them."""
        for _ in range(len(self._uncommitted) if count is None else count):
            self._uncommitted.popleft().set_result(None)
        self._changed.set()

    def commit_from_now_on(self) -> None:
        self._hold = False
        self.commit()

    def fail(self, reason: str) -> None:
        """Say of everything uncommitted that the history could not keep it."""
        while self._uncommitted:
            self._uncommitted.popleft().set_exception(StoreError(reason))
        self._changed.set()

    @property
    def uncommitted(self) -> int:
        """How many readings wait for `commit`."""
        return len(self._uncommitted)

    @property
    def values(self) -> list[float]:
        """The first value of every reading put, in order."""
        return [float(readings.value[0]) for readings in self.readings]

    async def until(self, condition: Callable[[], bool], deadline_s: float = 15.0) -> None:
        """Wait until `condition` holds, looking again at everything that happens here. Raises TimeoutError."""
        async with asyncio.timeout(deadline_s):
            while not condition():
                self._changed.clear()
                await self._changed.wait()
