"""Runs what must happen with time: anchors, silent boxes, deadlines. A job that fails is logged and tried next time.

In: the jobs of a desk. Out: nothing; `failures` counts by name for the health page. The one place of the desk with a
catch-all: one area's fault must not stop the deadlines of another.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence

from regulator.base.desk import Job

log = logging.getLogger(__name__)


class JobSupervisor:
    """`run(stop)` until told; each job in a thread of its own pool slot, never twice at once."""

    def __init__(self, jobs: Sequence[Job], now_ns: Callable[[], int]) -> None:
        self._jobs = tuple(jobs)
        self._now_ns = now_ns
        self.runs: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()

    async def run(self, stop: asyncio.Event) -> None:
        """All jobs, each at once and then in its own rhythm."""
        await asyncio.gather(*(self._repeat(job, stop) for job in self._jobs))

    async def _repeat(self, job: Job, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await asyncio.to_thread(self.run_once, job)
            await _waited(stop, job.every_s)

    def run_once(self, job: Job) -> bool:
        """One run; False when it failed."""
        try:
            job.run(self._now_ns())
        except Exception:
            self.failures[job.name] += 1
            log.exception("a job of the desk failed: job=%s failures=%d", job.name, self.failures[job.name])
            return False
        self.runs[job.name] += 1
        return True


async def _waited(stop: asyncio.Event, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            await stop.wait()
    except TimeoutError:
        return
