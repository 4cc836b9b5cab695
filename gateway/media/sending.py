"""Bodies to a regulator, in a lane of their own: a clip of many megabytes must not stand before an alert.

    outbox (media_segment, order_reply) --one at a time--> bodies from the shelf, digests checked --> uplink --> Receipt

ACCEPTED and REJECTED resolve the row, RETRY keeps it and backs off with jitter. A body that is damaged or gone can
never be sent: the row is put aside with that reason. An answer to an order names several bodies, or none. Knows no
wire.
"""

import asyncio
import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import orjson

from gateway.evidence.evidence import RecordKind
from gateway.line.recorder import Told
from gateway.media.shelf import DamagedError, MediaShelf, NotKeptError
from gateway.model.alert import OutboxItem, Receipt, ReceiptKind
from gateway.model.errors import StoreError
from gateway.ports import Clock
from gateway.store.alert_store import AlertStore

log = logging.getLogger(__name__)
IDLE_S: Final = 30.0
BACKOFF_FIRST_S: Final = 1.0
BACKOFF_LIMIT_S: Final = 120.0
REPLY_KIND: Final = "order_reply"
_PHOTO_TYPES: Final = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


@dataclass(frozen=True, slots=True)
class Body:
    """A file that goes before what names it."""

    content: bytes
    media_type: str


class MediaCarrier(Protocol):
    """An uplink that takes the bodies of media."""

    name: str

    async def send_reply(self, item: OutboxItem, bodies: Sequence[Body]) -> Receipt:
        """An answer to an order, after all that it names. Never raises for a normal answer."""
        ...

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
        """The name of the regulator that it sends to."""
        return self._carrier.name

    def told(self, told: Sequence[Told]) -> None:
        """Something may be there to send."""
        if any(each.record.kind in (RecordKind.MEDIA, RecordKind.ORDER_REPLY) for each in told):
            self._wake.set()

    async def run(self) -> None:
        """Send what waits for as long as it is let run."""
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
            if item.kind == REPLY_KIND:
                bodies = [await asyncio.to_thread(self._photo, sha256) for sha256 in said["blob_sha256"]]
                return await self._carrier.send_reply(item, bodies)
            body = await asyncio.to_thread(self._shelf.read, said["blob_sha256"])
        except NotKeptError:
            return Receipt.rejected("the body is not on the disk")
        except DamagedError as error:
            return Receipt.rejected(f"the body is damaged: {error}")
        return await self._carrier.send_media(item, body, said["media_type"])

    def _photo(self, sha256: str) -> Body:
        content = self._shelf.read(sha256)
        return Body(content, photo_type(content))

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


def photo_type(content: bytes) -> str:
    """The media type of a photo by its first bytes; it was opened for real when it came."""
    found = (kind for start, kind in _PHOTO_TYPES.items() if content.startswith(start))
    return next(found, "application/octet-stream")
