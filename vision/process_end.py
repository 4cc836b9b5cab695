"""Ending a child process so that its exit status stays known.

`Process.kill` looks at the child first, and so takes the status of one that has just ended by itself away from the
event loop, which then says 255. A child whose pipes are closed is therefore given a moment to be gone.
"""

import asyncio
import contextlib

GRACE_S = 2.0


async def end_process(process: asyncio.subprocess.Process, *, at_once: bool) -> None:
    """Gone after this, whatever it hangs in. `at_once`: it is known to hang, or nobody asks for its status."""
    if process.stdin is not None:
        process.stdin.close()
    if process.returncode is None and not at_once:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_S):
                await process.wait()
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    await process.wait()
