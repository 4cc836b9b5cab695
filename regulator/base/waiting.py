"""Waiting for an event, and no longer than until a moment. Knows no business."""

import asyncio


async def set_by(event: asyncio.Event, deadline_s: float) -> bool:
    """Whether the event is set by `deadline_s`, a time of the running loop; one that is past waits for nothing."""
    try:
        async with asyncio.timeout_at(deadline_s):
            await event.wait()
    except TimeoutError:
        return False
    return True
