"""Ending a child process so that its exit status stays known.

`Process.kill` looks at the child first, and so takes the status of one that has just ended by itself away from the
event loop, which then says 255. A child whose pipes are closed is therefore given a moment to be gone. A child is the
leader of its own session: whatever it has started is killed with it, and nobody waits for a pipe that is held open.
"""

import asyncio
import contextlib
import os
import signal

GRACE_S = 2.0
WORDS_S = 1.0


async def end_process(process: asyncio.subprocess.Process, *, at_once: bool) -> None:
    """Gone after this, whatever it hangs in. `at_once`: it is known to hang, or nobody asks for its status."""
    if process.stdin is not None:
        process.stdin.close()
    if process.returncode is None and not at_once:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_S):
                await process.wait()
    if process.returncode is None:  # once its status is taken, its number may be another's
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(GRACE_S):
            await process.wait()


async def words_of(process: asyncio.subprocess.Process, reading: "asyncio.Task[str]") -> str:
    """What the task has read of a process that is gone; its pipes are closed after this. Empty when whoever it left
    behind still holds them."""
    try:
        return await asyncio.wait_for(reading, WORDS_S)
    except (TimeoutError, OSError):
        return ""
    finally:
        process._transport.close()  # type: ignore[attr-defined]  # asyncio has no public name for it
