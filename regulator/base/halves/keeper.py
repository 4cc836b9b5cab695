"""Starts the process that makes pages and does the jobs, and starts it again when it dies.

    start --SETTINGS--> process --READY--> requests go there --its end--> wait 1, 2, 4 ... 30 s --> start

In: the desk's settings once its database is prepared. Out: a `PagesFront` that passes on while the process lives. The
process has our end of a pair of sockets as its standard input: when this one dies, however it dies, the other reads
the end and ends, too.
"""

import asyncio
import logging
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Sequence
from typing import Final

from regulator.base.halves.frames import Kind, Line
from regulator.base.halves.front import PagesFront, tell
from regulator.base.settings import DeskSettings
from regulator.base.waiting import set_by

log = logging.getLogger(__name__)
COMMAND: Final = (sys.executable, "-m", "regulator.pages_process")
FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 30.0
LIMIT: Final = 1 << 20


class PagesKeeper:
    """`run` until `stop`; `first` is set once the process works, or has failed for the first time."""

    def __init__(
        self,
        front: PagesFront,
        settings: DeskSettings,
        command: Sequence[str] = COMMAND,
        first_wait_s: float = FIRST_WAIT_S,
    ) -> None:
        self._front, self._settings, self._command = front, settings, command
        self._stop = asyncio.Event()
        self._first_wait_s = self._wait_s = first_wait_s
        self.first = asyncio.Event()
        self.starts = 0

    def stop(self) -> None:
        """End the process, and `run` when it has ended."""
        self._stop.set()

    async def run(self) -> None:
        """Keep the process of the pages alive, as long as it is let run."""
        while not self._stop.is_set():
            try:
                await self._once()
            except OSError as error:
                log.warning("event=pages_process_not_started error=%s", type(error).__name__)
            self.first.set()
            if await set_by(self._stop, asyncio.get_running_loop().time() + self._wait_s):
                return
            self._wait_s = min(self._wait_s * 2, LONGEST_WAIT_S)

    async def _once(self) -> None:
        self.starts += 1
        mine, theirs = socket.socketpair()
        try:
            process = await asyncio.create_subprocess_exec(*self._command, stdin=theirs.fileno(), stdout=DEVNULL)
        except OSError:
            mine.close()
            raise
        finally:
            theirs.close()
        line = Line(*await asyncio.open_unix_connection(sock=mine, limit=LIMIT))
        stopping = asyncio.create_task(self._hang_up(line))
        try:
            line.write(Kind.SETTINGS, 0, self._settings.model_dump_json().encode())
            if await _ready(line):
                self._wait_s = self._first_wait_s
                self.first.set()
                log.info("event=pages_process_works pid=%d", process.pid)
                await self._front.follow(line)
        finally:
            stopping.cancel()
            line.close()
            await _ended(process)
        if not self._stop.is_set():
            log.warning("event=pages_process_ended pid=%d code=%s", process.pid, process.returncode)

    async def _hang_up(self, line: Line) -> None:
        await self._stop.wait()
        line.close()


async def _ready(line: Line) -> bool:
    """Whether the process says so before its end."""
    while (frame := await line.read()) is not None:
        if frame.kind is Kind.READY:
            return True
        if frame.kind is Kind.LOG:
            tell(frame.content)
    return False


async def _ended(process: Process) -> None:
    """It ends by itself when the line has: what it writes is finished first."""
    try:
        await process.wait()
    except asyncio.CancelledError:
        process.kill()
        raise
