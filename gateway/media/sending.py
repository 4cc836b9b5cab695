"""Bodies to a regulator, in a lane of their own: a clip of many megabytes must not stand before an alert.

    outbox (media_segment, pending) --one at a time--> body from the shelf, digest checked --> uplink --> Receipt

ACCEPTED and REJECTED resolve the row, RETRY keeps it and backs off with jitter. A body that is damaged or gone can
never be sent: the row is put aside with that reason. Knows no wire.
"""

import asyncio
import logging
import random
from collections.abc import Sequence
from typing import Final, Protocol

import orjson

from gateway.evidence import RecordKind
from gateway.media.shelf import DamagedError, MediaShelf, NotKeptError
from gateway.model.alert import OutboxItem, Receipt, ReceiptKind
from gateway.model.errors import StoreError
from gateway.ports import Clock
from gateway.recorder import Told
from gateway.store.alert_store import AlertStore

log = logging.getLogger(__name__)
IDLE_S: Final = 30.0
BACKOFF_FIRST_S: Final = 1.0
BACKOFF_LIMIT_S: Final = 120.0


class MediaCarrier(Protocol):
    """An uplink that takes bodies."""

    name: str

    async def send_media(self, item: OutboxItem, body: bytes, media_type: str) -> Receipt:
        """The body, then the message that names it. Never raises for a normal answer."""
        ...


class MediaSending:
    """Carries bodies to one regulator. Counters are since start."""

    def __init__(self, carrier: MediaCarrier, alerts: AlertStore, shelf: MediaShelf, clock: Clock) -> None:
        self._carrier = carrier
        self._alerts = alerts
        self._shelf = shelf
        self._clock = clock
        self._wake = asyncio.Event()
        self._failures = 0
        self._random = random.Random()  # noqa: S311 - jitter, not a secret
        self.sent = 0
        self.put_aside = 0
        self.last_error = ""

    @property
    def name(self) -> str:
        """The regulator's name."""
        return self._carrier.name

    def told(self, told: Sequence[Told]) -> None:
        """Something may be there to send."""
        if any(each.record.kind is RecordKind.MEDIA for each in told):
            self._wake.set()

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            self._wake.clear()
            receipt = await self.send_next()
            if receipt is None:
                await self._wait()
            elif receipt.kind is ReceiptKind.RETRY:
                await self._back_off(receipt)
            else:
                self._failures = 0

    async def send_next(self) -> Receipt | None:
        """One body; None when there is nothing to send."""
        items = self._alerts.pending(self.name, 1, media=True)
        if not items:
            return None
        item = items[0]
        receipt = await self._sent(item)
        try:
            await asyncio.wrap_future(self._alerts.resolve([(item, receipt)], self._clock.now_ns()))
        except StoreError as error:
            return Receipt.retry(f"the receipt could not be kept: {error}")
        self.sent += receipt.kind is ReceiptKind.ACCEPTED
        if receipt.kind is ReceiptKind.REJECTED:
            self.put_aside += 1
            log.error("event=media_rejected uplink=%s key=%s reason=%r", self.name, item.key, receipt.detail)
        return receipt

    async def _sent(self, item: OutboxItem) -> Receipt:
        said = orjson.loads(item.body)
        try:
            body = await asyncio.to_thread(self._shelf.read, said["blob_sha256"])
        except NotKeptError:
            return Receipt.rejected("the body is not on the disk")
        except DamagedError as error:
            return Receipt.rejected(f"the body is damaged: {error}")
        return await self._carrier.send_media(item, body, said["media_type"])

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(IDLE_S):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _back_off(self, receipt: Receipt) -> None:
        self.last_error = receipt.detail
        ceiling_s = min(BACKOFF_LIMIT_S, BACKOFF_FIRST_S * 2**self._failures)
        self._failures = min(self._failures + 1, 10)
        await self._clock.sleep(max(receipt.retry_after_s, self._random.uniform(ceiling_s / 4, ceiling_s)))
