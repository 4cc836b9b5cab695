"""Watches that the stores hold what they held: looks once at the start, and remembers every minute how far they are.

In: the data folder before anything is opened, then the running stores. Out: a `store_lost` record for each store that
was gone or an older copy of itself.
"""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

from contract.canonical import Canonical
from gateway.evidence.evidence import RecordKind
from gateway.line.recorder import Entry, Recorder
from gateway.model.errors import StoreError
from gateway.ports import Clock
from gateway.store.alert_store import AlertStore
from gateway.store.history_store import HistoryStore
from gateway.store.last_known import LastKnown, LostStore, remember

log = logging.getLogger(__name__)
REMEMBER_EVERY_S = 60.0


class StoreWatch:
    """`lost`: what was found before the stores were opened; opening makes a new file where one is gone."""

    def __init__(self, folder: Path, alerts: AlertStore, history: HistoryStore, clock: Clock) -> None:
        self._folder = folder
        self._alerts = alerts
        self._history = history
        self._clock = clock

    def report(self, lost: Sequence[LostStore], recorder: Recorder) -> None:
        """Seal in the chain what is gone from the stores."""
        now_ns = self._clock.now_ns()
        for each in lost:
            log.error("event=store_lost file=%s expected=%d found=%d", each.file, each.expected, each.found)
            content: dict[str, Canonical] = {"file": each.file, "expected": each.expected, "found": each.found}
            recorder.record(Entry(RecordKind.STORE_LOST, now_ns, content))

    async def run(self) -> None:
        """Look once a minute for as long as it is let run."""
        while True:
            await self.remember()
            await self._clock.sleep(REMEMBER_EVERY_S)

    async def remember(self) -> None:
        """A disk that takes nothing costs the turn: what is known of before stays true."""
        head = self._alerts.kept_head
        try:
            block_id = await asyncio.wrap_future(self._history.last_block_id())
            await asyncio.to_thread(
                remember, self._folder, LastKnown(head.seq, head.sha256, block_id, self._clock.now_ns())
            )
        except (OSError, StoreError) as error:
            log.warning("event=last_known_not_kept reason=%r", str(error))
