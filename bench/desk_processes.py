"""Processes of the desk's benchmark: started by it, measured from outside, ended by their own ids.

CPU seconds and memory are what the kernel says of a process. Of PostgreSQL and of a desk: the first process, its
children that have ended, and the living ones.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from tests.fakes.postgresql import PostgreSQL, reachable_folder, remove

READY_WITHIN_S = 120.0
ANSWER_WITHIN_S = 600.0
Process = asyncio.subprocess.Process


@contextlib.contextmanager
def postgresql() -> Iterator[PostgreSQL]:
    """A server of our own, away with all its files afterwards."""
    folder = reachable_folder()
    server = PostgreSQL(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop("immediate")
        remove(folder)


@contextlib.asynccontextmanager
async def process(command: list[str], log: Path) -> AsyncIterator[Process]:
    """A process of our own, ended by its id. Lines may be long: a storm's receipts come in one."""
    with log.open("wb") as errors:
        started = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=errors, limit=1 << 26
        )
    try:
        yield started
    finally:
        if started.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                started.terminate()
        await started.wait()


def replica(file: Path, log: Path) -> contextlib.AbstractAsyncContextManager[Process]:
    """A desk of this file."""
    return process([sys.executable, "-m", "sitewarden", "desk", str(file), "--log-level", "WARNING"], log)


async def line_of(running: Process, within_s: float = ANSWER_WITHIN_S) -> bytes:
    """The next line that a process prints. Raises RuntimeError when it ended, TimeoutError."""
    assert running.stdout is not None
    line = await asyncio.wait_for(running.stdout.readline(), within_s)
    if not line:
        raise RuntimeError(f"process {running.pid} ended early: look at its log")
    return line


def peak_mb(pid: int) -> float:
    """The most memory that a process held so far (VmHWM), and each of its children: what they share counts twice."""
    return round(sum(map(_peak_mb, [pid, *children_of(pid)])), 1)


def _peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


def children_of(pid: int) -> list[int]:
    """Processes that it started and that live."""
    found: set[int] = set()
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found.update(map(int, (task / "children").read_text(encoding="ascii").split()))
    return sorted(found)


def cpu_s(pid: int, ended_children: bool = False) -> float:
    """User and system seconds of a process; with those of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    used = fields[11:15] if ended_children else fields[11:13]
    return sum(map(int, used)) / os.sysconf("SC_CLK_TCK")


def family_cpu_s(pid: int) -> float:
    """The same of a process with its children, those that have ended and those that live."""
    total = cpu_s(pid, ended_children=True)
    for child in children_of(pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            total += cpu_s(child)
    return total


def server_cpu_s(server: PostgreSQL) -> float:
    """The same of a PostgreSQL server as a whole, since its last start."""
    return family_cpu_s(int((server.folder / "data/postmaster.pid").read_text(encoding="ascii").split()[0]))
