"""The regulator's orders and the site's answers, as one part.

In: the chain, read at the start and followed from then on; the regulators, whose messages are sealed as they come.
Out: a page.
"""

from collections.abc import Callable, Sequence

from fastapi import FastAPI

from gateway.line.recorder import Recorder
from gateway.line.reload import Change
from gateway.line.stores import BoxStores
from gateway.media.shelf import MediaShelf
from gateway.part import Part
from gateway.parts.orders.answering import OrderOffice
from gateway.parts.orders.order_book import BOOK_KINDS
from gateway.parts.orders.orders_page import OrderSources, order_routes
from gateway.parts.orders.sealing import seal_order
from gateway.store.alarm_reader import AlarmReader
from gateway.store.outbox_reader import OutboxReader
from gateway.uplinks.regulator import RegulatorUplink
from gateway.uplinks.regulator_mailbox import MessageHandler


class OrderPart(Part[Change]):
    """`heard(now_ns)`: whether the regulator was heard lately, None without one."""

    def __init__(
        self,
        stores: BoxStores,
        recorder: Recorder,
        shelf: MediaShelf,
        regulators: Sequence[RegulatorUplink],
        heard: Callable[[int], bool | None],
    ) -> None:
        self._recorder, self._clock = recorder, stores.clock
        office = OrderOffice(shelf, recorder, stores.clock, lambda: recorder.regulators)
        office.read(AlarmReader(stores.alerts.path).every(BOOK_KINDS))
        recorder.listeners.append(office.told)
        self._sources = OrderSources(office, OutboxReader(stores.alerts.path), lambda: recorder.regulators, heard)
        for uplink in regulators:
            uplink.on_message = self._sealed(uplink.on_message, uplink.name)

    def routes(self, app: FastAPI) -> None:
        """The list of orders, and the form that answers one."""
        order_routes(app, app.state.pages, self._sources)

    def _sealed(self, keep: MessageHandler, uplink: str) -> MessageHandler:
        return lambda down: seal_order(down, keep, self._recorder, self._clock, uplink)
