"""The minute's work: roll-ups and retention, the disk reserve, summaries for the regulator, checkpoints of the history.

A checkpoint seals how far the history had come. After an unclean stop it tells whether blocks that were once there are
gone, which no restart of the history alone could know.
"""

import asyncio
import json
import logging
from collections.abc import Sequence

from contract.canonical import Canonical
from gateway.evidence.evidence import RecordKind
from gateway.line.minute_summaries import MinuteSummaries
from gateway.line.recorder import Entry, Recorder
from gateway.model.errors import StoreError
from gateway.model.repair import Repair
from gateway.ports import Clock
from gateway.store.alert_store import AlertStore
from gateway.store.blocks import MINUTE_NS
from gateway.store.history_reader import HistoryReader
from gateway.store.history_store import HistoryStore, Retired

log = logging.getLogger(__name__)
SETTLE_NS = 5_000_000_000
CHECKPOINT_EVERY_MIN = 10


class Housekeeping:
    """Runs once a minute, five seconds into it, so that the last minute's polls have been written."""

    def __init__(
        self,
        alerts: AlertStore,
        history: HistoryStore,
        reader: HistoryReader,
        recorder: Recorder,
        summary_uplinks: Sequence[str],
        clock: Clock,
    ) -> None:
        self._alerts = alerts
        self._history = history
        self._recorder = recorder
        self._summaries = MinuteSummaries(alerts, history, reader, recorder, summary_uplinks)
        self._clock = clock

    async def run(self) -> None:
        """Every minute until cancelled. A full disk is reported by the parts that hit it; here it costs the turn."""
        while True:
            now_ns = self._clock.now_ns()
            await self._clock.sleep((MINUTE_NS - (now_ns - SETTLE_NS) % MINUTE_NS) / 1e9)
            try:
                await self.tend()
            except StoreError as error:
                log.warning("event=housekeeping_failed reason=%r", str(error))

    async def tend(self) -> None:
        """One minute's work. Raises StoreError when a database cannot be written."""
        await self._recorder.probe()
        now_ns = self._clock.now_ns()
        minute_ns = now_ns // MINUTE_NS * MINUTE_NS
        self._alerts.reserve.restore_when_possible()
        buffered_ns = self._history.buffered_since_ns()
        retired = await asyncio.wrap_future(self._history.tend(now_ns))
        self._report(retired, now_ns)
        self._report_lost(self._history.take_lost(), now_ns)
        complete_ns = min(minute_ns, buffered_ns, self._history.unrolled_since_ns())
        await self._summaries.catch_up(complete_ns, now_ns)
        if minute_ns // MINUTE_NS % CHECKPOINT_EVERY_MIN == 0:
            await self.checkpoint()

    async def checkpoint(self) -> None:
        """Seal how far the history has come."""
        block_id = await asyncio.wrap_future(self._history.last_block_id())
        content: dict[str, Canonical] = {"block_id": block_id}
        self._recorder.record(Entry(RecordKind.CHECKPOINT, self._clock.now_ns(), content))

    async def report_unclean_stop(self) -> None:
        """After a start: say what the last stop may have lost of the history, and what a repair could not save."""
        now_ns = self._clock.now_ns()
        self.report_repair("alerts.db", self._alerts.repair)
        self.report_repair("history.db", self._history.repair)
        if self._history.lost_since_ns or self._history.repair is not None:
            missing = self._missing_blocks()
            gap: dict[str, Canonical] = {
                "from_ns": self._history.lost_since_ns,
                "to_ns": now_ns,
                "reason": "unclean stop: polls after from_ns that were not yet written are lost",
                "missing_blocks": missing,
            }
            log.warning("event=history_gap from_ns=%d missing_blocks=%d", self._history.lost_since_ns, missing)
            self._recorder.record(Entry(RecordKind.HISTORY_GAP, now_ns, gap))

    def report_repair(self, name: str, repair: Repair | None) -> None:
        """Seal that a database was damaged at the start, and what was saved of it."""
        if repair is None:
            return
        rows: dict[str, Canonical] = dict(repair.rows)
        content: dict[str, Canonical] = {
            "file": name,
            "moved_to": repair.aside.name,
            "reason": repair.reason,
            "rows_saved": rows,
        }
        self._recorder.record(Entry(RecordKind.STORE_REPAIRED, self._clock.now_ns(), content))

    def _report_lost(self, blocks: int, now_ns: int) -> None:
        """Seal that the disk came back without what had not been synced."""
        if blocks:
            reason = "the disk came back without its newest blocks"
            gap: dict[str, Canonical] = {"from_ns": 0, "to_ns": now_ns, "reason": reason, "missing_blocks": blocks}
            self._recorder.record(Entry(RecordKind.HISTORY_GAP, now_ns, gap))

    def _missing_blocks(self) -> int:
        """Blocks that a checkpoint had seen and that are gone now."""
        checkpoint = self._alerts.last_of(RecordKind.CHECKPOINT)
        sealed = int(json.loads(checkpoint.body)["content"]["block_id"]) if checkpoint else 0
        return max(0, sealed - self._history.last_block_at_open)

    def _report(self, retired: Retired, now_ns: int) -> None:
        if retired.untaken:
            log.error("event=history_retired_untaken uplinks=%s", retired.untaken)
            untaken: dict[str, Canonical] = dict(retired.untaken)
            content: dict[str, Canonical] = {
                "from_ns": 0,
                "to_ns": now_ns,
                "reason": "history bound reached: polls left before an uplink had taken them",
                "untaken_polls": untaken,
            }
            self._recorder.record(Entry(RecordKind.HISTORY_GAP, now_ns, content))
