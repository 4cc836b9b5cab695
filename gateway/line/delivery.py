"""Queue 2 to one uplink: alerts from the outbox first, then the history beyond the uplink's cursor.

The only place that retries a send. A Receipt decides: ACCEPTED and REJECTED resolve a row, RETRY keeps it and backs
off with full jitter (or as long as the receiver asks). A backlog leaves in bounded batches, and between two batches
alerts are looked for again, so alerts overtake it. One delivery a receiver: a dead one delays no other.
"""

import asyncio
import contextlib
import logging
import random
import sqlite3
from collections import Counter
from collections.abc import Sequence

from prometheus_client import Histogram

from gateway.model.alert import OutboxItem, Receipt, ReceiptKind
from gateway.model.errors import StoreError
from gateway.ports import BothWords, Clock, ReadingBlock, TellsFault, Uplink
from gateway.store.alert_store import AlertStore
from gateway.store.history_reader import HistoryReader
from gateway.store.history_store import HistoryStore

log = logging.getLogger(__name__)
ALERTS_A_BATCH = 50
POLLS_A_BATCH = 2000
IDLE_S = 5.0
BACKOFF_FIRST_S = 0.5
BACKOFF_LIMIT_S = 60.0
SEND_SECONDS = Histogram(
    "sitewarden_seal_to_accepted_seconds",
    "From sealing a message until the receiver has accepted it",
    ["uplink"],
    registry=None,
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600, 21600),
)
"""Of this process, since its start. A message that waited for a line is in the upper buckets."""


class Delivery:
    """Carries everything to one uplink. Counters are since start."""

    def __init__(
        self, uplink: Uplink, alerts: AlertStore, history: HistoryStore, reader: HistoryReader, clock: Clock
    ) -> None:
        self._uplink = uplink
        self._alerts = alerts
        self._history = history
        self._reader = reader
        self._clock = clock
        self._wake = asyncio.Event()
        self._urgent = asyncio.Event()
        self._failures = 0
        self._moved = False
        """Whether the last batch went in part: then the receiver is there, and says of the rest when."""
        self._random = random.Random()  # noqa: S311 - jitter, not a secret
        self._cursor = 0
        self._started = False
        self._history_fault = ""
        self.accepted_kinds: Counter[str] = Counter()
        self.alerts_rejected = 0
        self.polls_sent = 0
        self.retries = 0
        self.last_error = ""
        self.down_since_ns = 0
        self.caught_up = False

    @property
    def name(self) -> str:
        """The name of the uplink that it serves."""
        return self._uplink.name

    @property
    def fault(self) -> BothWords:
        """What a person must mend before the uplink works, in Chinese and English; '' twice when nothing."""
        return self._uplink.fault() if isinstance(self._uplink, TellsFault) else ("", "")

    @property
    def takes_evidence(self) -> bool:
        """Whether the receiver is a regulator, who holds the box's chain."""
        return self._uplink.takes_evidence

    @property
    def cursor(self) -> int:
        """How far the uplink has taken the history."""
        return self._cursor

    @property
    def alerts_accepted(self) -> int:
        """Messages of all kinds that the receiver holds."""
        return self.accepted_kinds.total()

    def wake(self, urgent: bool = False) -> None:
        """There is something new to send. An urgent wake (a new alert) also ends a back-off."""
        self.caught_up = False
        self._wake.set()
        if urgent:
            self._urgent.set()

    def close(self) -> None:
        """Let go of the history that it reads from."""
        self._reader.close()

    async def run(self) -> None:
        """Deliver what waits for as long as it is let run."""
        while True:
            self._wake.clear()
            receipt = await self._deliver_once()
            if receipt is None:
                self.caught_up = not self._wake.is_set()
                await self._wait_for_work()
            elif receipt.kind is ReceiptKind.RETRY:
                await self._back_off(receipt)
            else:
                self._note_success()

    async def _deliver_once(self) -> Receipt | None:
        """One batch of alerts, or else one batch of history; None when there is nothing to send."""
        if self._uplink.takes_alerts or self._uplink.takes_evidence:
            try:
                items = self._alerts.pending(self.name, ALERTS_A_BATCH)
            except StoreError as error:
                return Receipt.retry(str(error))
            if items:
                return await self._send_alerts(items)
        if self._uplink.takes_readings:
            blocks = await self._next_blocks()
            if blocks:
                return await self._send_readings(blocks)
        return None

    async def _next_blocks(self) -> Sequence[ReadingBlock]:
        """None while the history cannot be asked: alerts go on leaving."""
        try:
            if not self._started:
                self._cursor = await asyncio.wrap_future(self._history.start_cursor(self.name))
                self._started = True
            blocks = await asyncio.to_thread(self._reader.blocks_after, self._cursor, POLLS_A_BATCH)
        except (StoreError, sqlite3.Error) as error:
            if not self._history_fault:
                log.error("event=history_not_read uplink=%s reason=%r", self.name, str(error))
            self._history_fault = str(error)
            return ()
        self._history_fault = ""
        return blocks

    async def _send_alerts(self, items: Sequence[OutboxItem]) -> Receipt:
        receipts = await self._uplink.send_alerts(items)
        answers = list(zip(items, receipts, strict=True))
        for item, receipt in answers:
            if receipt.kind is ReceiptKind.REJECTED:
                log.error("event=alert_rejected uplink=%s key=%s reason=%r", self.name, item.key, receipt.detail)
        with contextlib.suppress(StoreError):  # the store remembers them, and writes them down once it can
            await asyncio.wrap_future(self._alerts.resolve(answers, self._clock.now_ns()))
        now_ns = self._clock.now_ns()
        for item, receipt in answers:
            if receipt.kind is ReceiptKind.ACCEPTED:
                SEND_SECONDS.labels(self.name).observe(max(0, now_ns - item.created_at_ns) / 1e9)
        self.accepted_kinds.update(item.kind for item, receipt in answers if receipt.kind is ReceiptKind.ACCEPTED)
        self._moved = any(receipt.kind is ReceiptKind.ACCEPTED for receipt in receipts)
        if self._moved:
            self._note_success()
        self.alerts_rejected += sum(receipt.kind is ReceiptKind.REJECTED for receipt in receipts)
        retries = [receipt for receipt in receipts if receipt.kind is ReceiptKind.RETRY]
        return retries[0] if retries else receipts[-1]

    async def _send_readings(self, blocks: Sequence[ReadingBlock]) -> Receipt:
        self._moved = False
        receipt = await self._uplink.send_readings(blocks)
        if receipt.kind is ReceiptKind.RETRY:
            return receipt
        if receipt.kind is ReceiptKind.REJECTED:
            log.error("event=readings_rejected uplink=%s blocks=%d reason=%r", self.name, len(blocks), receipt.detail)
        self._cursor = blocks[-1].cursor
        self.polls_sent += sum(len(block.observed_at_ns) for block in blocks)
        self._history.advance(self.name, self._cursor)
        return receipt

    async def _wait_for_work(self) -> None:
        """Until woken, or for a while: a missed wake-up must not cost more than seconds."""
        try:
            async with asyncio.timeout(IDLE_S):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _back_off(self, receipt: Receipt) -> None:
        self.retries += 1
        self.last_error = receipt.detail
        if not self.down_since_ns and not self._moved:
            self.down_since_ns = self._clock.now_ns()
            log.warning("event=uplink_down uplink=%s reason=%r", self.name, receipt.detail)
        ceiling_s = min(BACKOFF_LIMIT_S, BACKOFF_FIRST_S * 2**self._failures)
        self._failures = min(self._failures + 1, 10)
        pause_s = max(receipt.retry_after_s, self._random.uniform(ceiling_s / 4, ceiling_s))
        if receipt.retry_after_s:
            await self._clock.sleep(pause_s)
        else:
            await self._sleep_unless_urgent(pause_s)

    async def _sleep_unless_urgent(self, pause_s: float) -> None:
        """A new alert is tried at once, but never sooner than the shortest pause: a dead receiver is not hammered."""
        started_ns = self._clock.monotonic_ns()
        self._urgent.clear()
        sleep = asyncio.ensure_future(self._clock.sleep(pause_s))
        urgent = asyncio.ensure_future(self._urgent.wait())
        try:
            await asyncio.wait({sleep, urgent}, return_when=asyncio.FIRST_COMPLETED)
            slept = sleep.done()
        finally:
            for wait in (sleep, urgent):
                wait.cancel()
            await asyncio.gather(sleep, urgent, return_exceptions=True)
        waited_s = (self._clock.monotonic_ns() - started_ns) / 1e9
        if not slept and waited_s < BACKOFF_FIRST_S:
            await self._clock.sleep(BACKOFF_FIRST_S - waited_s)

    def _note_success(self) -> None:
        self._failures = 0
        if self.down_since_ns:
            log.warning("event=uplink_back uplink=%s retries=%d", self.name, self.retries)
            self.down_since_ns = 0
