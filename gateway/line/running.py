"""Starts, reloads and stops the parts of a box, in order: loops over their list, written once.

In: the parts, in the order in which they were built. Out: jobs under one supervisor. Knows no part.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from gateway.line.supervisor import Supervisor
from gateway.part import Part, Stop
from gateway.ports import Clock


class RunningParts:
    """`supervisor` tells how each job is."""

    def __init__(self, clock: Clock) -> None:
        self.parts: Sequence[Part[Any]] = ()
        self.supervisor = Supervisor(clock)
        self._resuming: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """All begin, then every job runs, and what was left over is resumed."""
        for part in self.parts:
            await part.begin()
        self._start_jobs()
        self._resuming = [asyncio.create_task(part.resume()) for part in self.parts]

    async def reload(self, change: object) -> None:
        """All go on by it, or, when a part cannot, none does."""
        switches = [await part.prepare(change) for part in self.parts]
        stale = [name for part in self.parts for name in part.stale(change)]
        await self._end(stale)
        for name in stale:
            self.supervisor.parts.pop(name, None)
        for switch in switches:
            switch()
        for part in self.parts:
            await part.reloaded()
        self._start_jobs()

    async def stop(self) -> None:
        """One step after the other; then the stores are closed."""
        for task in self._resuming:
            task.cancel()
        jobs = [job for part in self.parts for job in part.jobs()]
        for step in Stop:
            ending = [job.name for job in jobs if job.ends is step]
            await asyncio.gather(*(part.stop(step) for part in self.parts), self._end(ending))
        for part in reversed(self.parts):
            part.close()
            for store in part.files.values():
                store.close()

    def _start_jobs(self) -> None:
        """Those that do not run yet."""
        for part in self.parts:
            for job in part.jobs():
                if job.name not in self.supervisor.parts:
                    self.supervisor.start(job.name, job.run)

    async def _end(self, names: Sequence[str]) -> None:
        if names:  # without a name it would be all
            await self.supervisor.stop(*names)
