"""The two clocks: the machine's, and a simulated one that ships with the product (tests, replay)."""

import asyncio
import heapq
import itertools
import time


def elapsed_ns() -> int:
    """For durations; never jumps, and runs while the machine sleeps where its system has such a clock."""
    return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class SystemClock:
    """The machine's clock."""

    def now_ns(self) -> int:
        """UTC, nanoseconds since 1970."""
        return time.time_ns()

    def monotonic_ns(self) -> int:
        """For durations; never jumps."""
        return time.monotonic_ns()

    async def sleep(self, seconds: float) -> None:
        """Really sleep."""
        await asyncio.sleep(seconds)


class SimulatedClock:
    """A clock that moves only when told. `advance` wakes sleepers in the order of their deadlines."""

    def __init__(self, now_ns: int = 1_700_000_000_000_000_000) -> None:
        self._epoch_ns = now_ns
        self._elapsed_ns = 0
        self._order = itertools.count()
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []

    def now_ns(self) -> int:
        """The simulated UTC time."""
        return self._epoch_ns + self._elapsed_ns

    def monotonic_ns(self) -> int:
        """Simulated nanoseconds since the clock was made."""
        return self._elapsed_ns

    def move_to(self, now_ns: int) -> None:
        """Move time forward to a UTC time, without waiting for anybody: a replay has no time to lose. Sleepers that are
        due wake when the caller next waits. A time that has passed moves nothing."""
        self._elapsed_ns = max(self._elapsed_ns, now_ns - self._epoch_ns)
        while self._sleepers and self._sleepers[0][0] <= self._elapsed_ns:
            future = heapq.heappop(self._sleepers)[2]
            if not future.done():
                future.set_result(None)

    def step_wall(self, seconds: float) -> None:
        """Move the wall clock only, as an operator or a bad time server would; durations do not notice."""
        self._epoch_ns += int(seconds * 1e9)

    async def sleep(self, seconds: float) -> None:
        """Wait until `advance` has passed the deadline."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        deadline = self._elapsed_ns + max(0, int(seconds * 1e9))
        heapq.heappush(self._sleepers, (deadline, next(self._order), future))
        await future

    async def advance(self, seconds: float) -> None:
        """Move time forward, letting every sleeper due on the way run at its own deadline."""
        target = self._elapsed_ns + int(seconds * 1e9)
        await self._let_tasks_run()
        while self._sleepers and self._sleepers[0][0] <= target:
            deadline, _, future = heapq.heappop(self._sleepers)
            self._elapsed_ns = max(self._elapsed_ns, deadline)
            if not future.done():
                future.set_result(None)
            await self._let_tasks_run()
        self._elapsed_ns = target
        await self._let_tasks_run()

    async def _let_tasks_run(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)
