"""Log of views of people: each live view, clip or picture with faces is sealed before it is shown.

In: who asks, what and why. Out: the number of the record. A view that cannot be sealed is not given. Knows no picture.
"""

import asyncio
from enum import StrEnum
from typing import Final

from starlette.requests import Request

from contract.canonical import Canonical
from gateway.evidence.evidence import RecordKind
from gateway.line.recorder import Entry, Recorder
from gateway.ports import Clock
from gateway.web.account_visitors import address_of
from gateway.web.visitor import RefusedError, Role, visitor_of

KEPT_WITHIN_S: Final = 10.0
VIDEO_ROLE: Final = Role.SUPERVISOR
"""Who may look at live video and clips: they show faces, because they are not re-encoded."""


class Viewed(StrEnum):
    """What was looked at."""

    LIVE = "live"
    CLIP = "clip"
    FACES = "faces"


class ViewLog:
    """Writes views into the chain, each within `within_s`."""

    def __init__(self, recorder: Recorder, clock: Clock, within_s: float = KEPT_WITHIN_S) -> None:
        self._recorder = recorder
        self._clock = clock
        self._within_s = within_s

    async def seal(self, request: Request, viewed: Viewed, camera: str, alarm_id: str = "") -> int:
        """One view begins. Raises RefusedError (503) when it could not be put on record: then nothing is shown."""
        visitor = visitor_of(request)
        content: dict[str, Canonical] = {
            "event": str(viewed),
            "user": visitor.name or visitor.kind.value,
            "target": camera,
            "detail": alarm_id,
            "address": address_of(request),
        }
        entry = Entry(RecordKind.MEDIA_VIEWED, self._clock.now_ns(), content, about=f"view:{alarm_id or camera}")
        try:
            async with asyncio.timeout(self._within_s):
                record = await asyncio.shield(self._recorder.record(entry))
        except TimeoutError:
            raise RefusedError(
                503, "not_on_record", "查看记录无法写入，暂不能查看", "the view cannot be put on record: not shown"
            ) from None
        return record.seq
