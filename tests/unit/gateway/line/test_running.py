"""The loops over the parts of a box: in which order they start, go on by new settings, and stop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence

import pytest
import pytest_asyncio

from gateway.line.running import RunningParts
from gateway.part import Job, Part, Stop
from kit.clock import SimulatedClock

EVERY_STEP = [step.name for step in Stop]


class File:
    """A store."""

    repair = None

    def __init__(self, said: list[str]) -> None:
        self.said = said

    def close(self) -> None:
        self.said.append("a file closes")


class Noting(Part[str]):
    """Writes down what it is asked. `jobs_now`: name and step of its jobs; `gone`: which a reload ends."""

    def __init__(self, name: str, said: list[str], jobs: Sequence[tuple[str, Stop]] = (), fault: str = "") -> None:
        self.name, self.said, self.fault = name, said, fault
        self.jobs_now, self.gone = list(jobs), list[str]()

    async def begin(self) -> None:
        self.said.append(f"{self.name} begins")

    def jobs(self) -> Sequence[Job]:
        return [Job(name, self._running(name), ends) for name, ends in self.jobs_now]

    async def resume(self) -> None:
        self.said.append(f"{self.name} resumes")
        await asyncio.Event().wait()

    async def prepare(self, change: str) -> Callable[[], None]:
        if self.fault:
            raise RuntimeError(self.fault)
        self.said.append(f"{self.name} prepares for {change}")
        return lambda: self.said.append(f"{self.name} goes on")

    def stale(self, change: str) -> Collection[str]:
        return self.gone

    async def reloaded(self) -> None:
        self.said.append(f"{self.name} has gone on")

    async def stop(self, step: Stop) -> None:
        self.said.append(step.name)

    def close(self) -> None:
        self.said.append(f"{self.name} closes")

    def _running(self, name: str) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            self.said.append(f"{name} runs")
            try:
                await asyncio.Event().wait()
            finally:
                self.said.append(f"{name} ends")

        return run


class Box:
    """Two parts."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.first = Noting("stores", self.said, [("recorder", Stop.RECORD)])
        self.first.files = {"alerts.db": File(self.said)}
        self.second = Noting(
            "field", self.said, [("driver:a", Stop.FIELD), ("driver:b", Stop.FIELD), ("rest", Stop.REST)]
        )
        self.running = RunningParts(SimulatedClock(1))
        self.running.parts = (self.first, self.second)

    def take(self) -> list[str]:
        """What was said since it was last asked."""
        said = list(self.said)
        self.said.clear()
        return said


@pytest_asyncio.fixture
async def box() -> AsyncIterator[Box]:
    made = Box()
    await made.running.start()
    await asyncio.sleep(0)
    yield made
    await made.running.supervisor.stop()


async def test_all_begin_before_any_job_runs_and_resume_beside_them(box: Box) -> None:
    said = box.take()
    assert said[:2] == ["stores begins", "field begins"]
    assert said[2:6] == ["recorder runs", "driver:a runs", "driver:b runs", "rest runs"]
    assert said[6:] == ["stores resumes", "field resumes"]


async def test_a_stop_ends_each_job_in_its_step_and_closes_what_was_built_first_last(box: Box) -> None:
    box.take()
    await box.running.stop()
    said = box.take()
    steps = [word for word in said if word in EVERY_STEP]
    assert steps == [step for step in EVERY_STEP for _ in box.running.parts]
    assert said[said.index("FIELD") :][:4] == ["FIELD", "FIELD", "driver:a ends", "driver:b ends"]
    assert said[said.index("RECORD") :][:3] == ["RECORD", "RECORD", "recorder ends"]
    assert said[said.index("REST") :][:3] == ["REST", "REST", "rest ends"]
    assert said[-3:] == ["field closes", "stores closes", "a file closes"]
    assert not any(health.running for health in box.running.supervisor.parts.values())


async def test_a_reload_ends_what_is_stale_before_all_go_on_and_starts_what_is_new(box: Box) -> None:
    box.take()
    box.second.gone = ["driver:a"]
    box.second.jobs_now = [("driver:b", Stop.FIELD), ("driver:c", Stop.FIELD), ("rest", Stop.REST)]
    await box.running.reload("new")
    await asyncio.sleep(0)
    assert box.take() == [
        "stores prepares for new",
        "field prepares for new",
        "driver:a ends",
        "stores goes on",
        "field goes on",
        "stores has gone on",
        "field has gone on",
        "driver:c runs",
    ]
    assert set(box.running.supervisor.parts) == {"recorder", "driver:b", "driver:c", "rest"}


async def test_a_part_that_cannot_prepare_leaves_all_as_it_was(box: Box) -> None:
    box.take()
    box.second.fault, box.second.gone = "no such port", ["driver:a"]
    with pytest.raises(RuntimeError, match="no such port"):
        await box.running.reload("new")
    assert box.take() == ["stores prepares for new"]
    assert all(health.running for health in box.running.supervisor.parts.values())
