"""Bodies are let go by class, and only when nobody needs them any more; records never are.

    KEPT, older than its class allows, alarm closed, no case open, every regulator's signed receipt held
        --> MEDIA_EXPIRED in the chain (digest, receipts) --> row EXPIRED --> body removed

The receipts are those for the record that holds the digest and for the body, where the body was to be sent. Where no
regulator is configured there is no receipt, and nothing is let go: the shelf's bound then says that it is full. The
body goes last: a kill in between leaves a body that the next start removes.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

from gateway.evidence.evidence import RecordKind
from gateway.line.recorder import Entry
from gateway.media.catching_up import catch_up
from gateway.media.kept import MediaClass, MediaItem, MediaState
from gateway.media.sealing import expiry_content, media_filed, segment_id
from gateway.media.stores import MediaStores

log = logging.getLogger(__name__)
EVERY_S: Final = 3600.0
DAY_NS: Final = 86_400 * 1_000_000_000
KEPT_DAYS: Final[dict[MediaClass, float]] = {
    MediaClass.FRAME: 365.0,
    MediaClass.STRIP: 180.0,
    MediaClass.CLIP: 90.0,
    MediaClass.REFERENCE: 365.0,
}
"""Product design: no rule was found that gives these."""


class MediaExpiry:
    """One a box; `expired` counts since start."""

    def __init__(self, stores: MediaStores, days: Mapping[MediaClass, float] = KEPT_DAYS) -> None:
        self._index, self._shelf, self._chain = stores.index, stores.shelf, stores.chain
        self._recorder, self._clock = stores.recorder, stores.clock
        self._days = days
        self.expired = 0

    async def run(self) -> None:
        """Clear up once an hour for as long as it is let run."""
        await self.finish()
        while True:
            await self.expire_due()
            await self._clock.sleep(EVERY_S)

    async def finish(self) -> None:
        """Remove the bodies of what was sealed as expired, should the last run have been killed before it did."""
        for item in await asyncio.to_thread(self._index.in_state, MediaState.EXPIRED):
            await self._remove(item)

    async def expire_due(self) -> int:
        """Let go of what may go now; how many bodies."""
        await catch_up(self._index, self._chain)
        now_ns, gone = self._clock.now_ns(), 0
        for item in await asyncio.to_thread(self._index.in_state, MediaState.KEPT):
            if now_ns - item.captured_at_ns >= self._days[item.media_class] * DAY_NS:
                gone += await self._let_go(item)
        return gone

    async def _let_go(self, item: MediaItem) -> bool:
        receipts = await asyncio.to_thread(self._allowed, item)
        if receipts is None:
            return False
        content, about = expiry_content(item, receipts), media_filed(item.alarm_id)
        await self._recorder.record(Entry(RecordKind.MEDIA_EXPIRED, self._clock.now_ns(), content, about=about))
        await catch_up(self._index, self._chain)
        await self._remove(item)
        self.expired += 1
        return True

    def _allowed(self, item: MediaItem) -> Mapping[str, str] | None:
        """The receipts when it may go; None when somebody still needs it."""
        alarm = self._chain.alarm(item.alarm_id)
        if (alarm is not None and alarm.open) or self._chain.case_open(item.alarm_id):
            return None
        record_key = f"{self._recorder.box_id}:evidence:{item.record_seq}"
        return self._chain.receipts(self._recorder.regulators, (record_key, segment_id(item)))

    async def _remove(self, item: MediaItem) -> None:
        """Unless another alarm still keeps the same body."""
        holders = await asyncio.to_thread(self._index.of_digest, item.sha256)
        if item.sha256 and not any(each.state in (MediaState.KEPT, MediaState.STORED) for each in holders):
            await asyncio.to_thread(self._shelf.remove, item.sha256)
