"""One browser's stream: the initialisation, then every part as it comes, while the view is held.

In: the relay and a way to ask whether the view goes on. Out: bytes. What the browser does not read waits in the relay,
not here: a slow one goes on with the newest key frame.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from regulator.parts.live.relay import Part, Relay

LOOK_S: Final = 0.15
ASK_EVERY: Final = 10


async def watched(
    relay: Relay, request_id: str, goes_on: Callable[[], Awaitable[bool]], look_s: float = LOOK_S
) -> AsyncIterator[bytes]:
    """Until the view ends. Asked for `goes_on` every second and a half."""
    number: int | None = None
    looks = 0
    while True:
        parts: list[Part] = await asyncio.to_thread(relay.after, request_id, number)
        for part in parts:
            yield part.body
            number = part.number
        looks += 1
        if looks % ASK_EVERY == 0 and not await goes_on():
            return
        await asyncio.sleep(look_s)
