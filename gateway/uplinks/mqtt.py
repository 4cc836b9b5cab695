"""The MQTT uplink: alerts and readings republished at QoS 1, for dashboards and other systems of the site.

In: outbox rows and history blocks from the delivery loop. Out: PUBLISH, and a Receipt for each once the broker has
acknowledged it. The blocking work is done on one thread of its own. Never retries and keeps nothing: queueing is the
outbox's work.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from gateway.model.alert import OutboxItem, Receipt, ReceiptKind
from gateway.model.errors import LinkError
from gateway.model.quantity import Point
from gateway.ports import ReadingBlock, Uplink, UplinkContext, UplinkKind
from gateway.uplinks.home_assistant import box_announcement, device_announcement
from gateway.uplinks.mqtt_messages import OutMessage, alert_message, block_messages
from gateway.uplinks.mqtt_session import PublisherSession
from gateway.uplinks.mqtt_settings import MqttUplinkSettings

logger = logging.getLogger(__name__)

T = TypeVar("T")
_THE_BOX = ""
"""Stands for the box among the names of its devices."""


class MqttUplink:
    """One broker. Alerts and readings share the connection; one call is done after the other."""

    takes_evidence = False

    def __init__(self, settings: MqttUplinkSettings, context: UplinkContext) -> None:
        self.name = settings.name
        self.takes_alerts = settings.alerts
        self.takes_readings = settings.readings
        self._settings = settings
        self._clock = context.clock
        self._box = f"{context.project_code}_{context.box_id}"
        self._session = PublisherSession(settings, context.clock)
        self._announced: dict[str, tuple[Point, ...]] = {}
        self._announced_on = 0
        self._forbidden: set[str] = set()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"uplink-{settings.name}")
        self._keeper: asyncio.Task[None] | None = None

    async def send_alerts(self, batch: Sequence[OutboxItem]) -> Sequence[Receipt]:
        """Publish the rows in order. ACCEPTED after PUBACK, REJECTED when the broker never will, else RETRY."""
        if self._session.closing:
            return [Receipt.retry("the uplink is closing")] * len(batch)
        return await self._on_thread(lambda: self._send_alerts(batch))

    async def send_readings(self, blocks: Sequence[ReadingBlock]) -> Receipt:
        """Publish the blocks in order; ACCEPTED once the broker has acknowledged every message."""
        if self._session.closing:
            return Receipt.retry("the uplink is closing")
        return await self._on_thread(lambda: self._send_readings(blocks))

    async def close(self) -> None:
        """Stop at the next answer and disconnect. What was not acknowledged by then is RETRY."""
        if self._session.closing:
            return
        self._session.closing = True
        if self._keeper is not None:
            self._keeper.cancel()
        await asyncio.get_running_loop().run_in_executor(self._thread, self._session.close)
        self._thread.shutdown(wait=False)

    async def _on_thread(self, work: Callable[[], T]) -> T:
        if self._keeper is None:
            self._keeper = asyncio.create_task(self._keep_alive(), name=f"{self.name}: keep alive")
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _keep_alive(self) -> None:
        """Ping between batches, and notice a broker that has gone."""
        while True:
            await self._clock.sleep(self._settings.keepalive_s / 3)
            await asyncio.get_running_loop().run_in_executor(self._thread, self._session.keep_alive)

    def _send_alerts(self, batch: Sequence[OutboxItem]) -> list[Receipt]:
        now_ns = self._clock.now_ns()
        prefix = self._settings.topic_prefix
        receipts = self._session.publish([alert_message(prefix, item, now_ns) for item in batch])
        if receipts and receipts[-1].kind is not ReceiptKind.RETRY:
            self._announce([])  # after the alerts: nothing delays them
        return receipts

    def _send_readings(self, blocks: Sequence[ReadingBlock]) -> Receipt:
        try:
            self._session.connect()  # before encoding: only the broker knows how large a message may be
        except LinkError as error:
            return Receipt.retry(str(error))
        self._announce(blocks)
        now_ns = self._clock.now_ns()
        prefix, max_bytes = self._settings.topic_prefix, self._session.max_payload_bytes
        messages = [message for block in blocks for message in block_messages(prefix, block, now_ns, max_bytes)]
        receipts = self._session.publish(messages)
        for kind in (ReceiptKind.RETRY, ReceiptKind.REJECTED):
            for message, receipt in zip(messages, receipts, strict=True):
                if receipt.kind is kind:
                    return Receipt(kind, f"{message.topic}: {receipt.detail}", receipt.retry_after_s)
        return Receipt.accepted()

    def _announce(self, blocks: Sequence[ReadingBlock]) -> None:
        """Tell Home Assistant of the box and of devices whose points are new, once a connection: a broker that was
        started anew may have forgotten what it retained. What the broker forbids is not tried again."""
        if self._settings.home_assistant is None:
            return
        if self._announced_on != self._session.connections:
            self._announced, self._announced_on = {}, self._session.connections
        news = {block.device: block.points for block in blocks if self._announced.get(block.device) != block.points}
        if _THE_BOX not in self._announced:
            news[_THE_BOX] = ()
        messages = {device: self._announcement(device, points) for device, points in news.items()}
        messages = {device: message for device, message in messages.items() if message.topic not in self._forbidden}
        receipts = self._session.publish(list(messages.values())) if messages else []
        for (device, message), receipt in zip(messages.items(), receipts, strict=True):
            if receipt.kind is ReceiptKind.REJECTED:
                logger.warning("discovery refused uplink=%s topic=%s why=%s", self.name, message.topic, receipt.detail)
                self._forbidden.add(message.topic)
            elif receipt.kind is ReceiptKind.ACCEPTED:
                self._announced[device] = news[device]

    def _announcement(self, device: str, points: tuple[Point, ...]) -> OutMessage:
        discovery, prefix = self._settings.home_assistant or "", self._settings.topic_prefix
        if device == _THE_BOX:
            return box_announcement(discovery, prefix, self._box)
        return device_announcement(discovery, prefix, self._box, device, points)


def _build(settings: MqttUplinkSettings, context: UplinkContext) -> Uplink:
    return MqttUplink(settings, context)


KIND = UplinkKind(name="mqtt", settings=MqttUplinkSettings, build=_build)
