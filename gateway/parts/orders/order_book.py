"""All orders of the box, folded from its own chain: no second database that could say something else.

    chain (regulator_message, order_reply) --read once at the start, then record by record--> {order id: SiteOrder}

In: sealed records, in the chain's order. Out: orders. A message that was sealed twice (a kill between sealing and
remembering) counts once. Lives in the event loop. Knows no page and no uplink.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import orjson
from pydantic import ValidationError

from contract.mailbox import Order, OrderState
from contract.messages import MailboxMessage
from gateway.evidence.evidence import RecordKind
from gateway.evidence.sealed_messages import SealedRecord, sealed_message
from gateway.parts.orders.order import Answer, Photo, Reply, SiteOrder, Standing, Word

log = logging.getLogger(__name__)
BOOK_KINDS = (RecordKind.MESSAGE, RecordKind.ORDER_REPLY)


class OrderBook:
    """Orders by id. `take` each record once, oldest first."""

    def __init__(self) -> None:
        self._orders: dict[str, SiteOrder] = {}
        self._early: dict[str, list[Word]] = {}
        self._messages: set[str] = set()

    def __iter__(self) -> Iterator[SiteOrder]:
        return iter(self._orders.values())

    def find(self, seq: int) -> SiteOrder | None:
        """The order that this record sealed first."""
        return next((order for order in self if order.seq == seq), None)

    def by_id(self, order_id: str) -> SiteOrder | None:
        """The order that has this id at the regulator."""
        return self._orders.get(order_id)

    def take(self, record: SealedRecord) -> bool:
        """Read one record; whether an order changed."""
        if record.kind == RecordKind.ORDER_REPLY:
            return self._take_reply(record)
        if record.kind != RecordKind.MESSAGE:
            return False
        content = orjson.loads(record.body)["content"]
        message = sealed_message(content)
        if message is None or message.message_id in self._messages:
            return False
        self._messages.add(message.message_id)
        try:
            return self._take_message(message, content, record)
        except ValidationError:
            log.warning("event=order_unread seq=%d kind=%s", record.seq, message.kind)
            return False

    def _take_message(self, message: MailboxMessage, content: Mapping[str, Any], record: SealedRecord) -> bool:
        if message.kind == "order":
            order = Order.model_validate(message.body)
            self._orders[order.order_id] = self._merged(_site_order(order, message, content, record))
            return True
        if message.kind == "order_state":
            self._take_state(OrderState.model_validate(message.body), record.seq)
            return True
        return False

    def _merged(self, order: SiteOrder) -> SiteOrder:
        """An order that is said again in other words keeps its number here, and what was answered."""
        known = self._orders.get(order.order_id)
        if known is None:
            return replace(order, told=tuple(self._early.pop(order.order_id, ())))
        return replace(order, seq=known.seq, kept_at_ns=known.kept_at_ns, told=known.told, replies=known.replies)

    def _take_state(self, said: OrderState, seq: int) -> None:
        word = Word(Standing(said.state), said.words, said.changed_at_ns, said.deadline_at_ns, seq)
        known = self._orders.get(said.order_id)
        if known is None:
            self._early.setdefault(said.order_id, []).append(word)
            return
        told = sorted((*known.told, word), key=lambda each: each.changed_at_ns)
        self._orders[said.order_id] = replace(known, told=tuple(told))

    def _take_reply(self, record: SealedRecord) -> bool:
        content = orjson.loads(record.body)["content"]
        known = self._orders.get(content["order_id"])
        if known is None or known.find_reply(content["reply_id"]) is not None:
            return False
        reply = Reply(
            reply_id=content["reply_id"],
            answer=Answer(content["answer"]),
            words=content["words"],
            user=content["user"],
            answered_at_ns=content["answered_at_ns"],
            photos=tuple(Photo(**photo) for photo in content["photos"]),
            seq=record.seq,
        )
        self._orders[known.order_id] = replace(known, replies=(*known.replies, reply))
        return True


def _site_order(order: Order, message: MailboxMessage, content: Mapping[str, Any], record: SealedRecord) -> SiteOrder:
    return SiteOrder(
        order_id=order.order_id,
        number=order.number,
        title_zh=order.title_zh,
        title_en=order.title_en,
        words=order.words,
        legal_basis=order.legal_basis,
        severity=order.severity,
        ordered_deadline_ns=order.deadline_at_ns,
        issued_at_ns=message.issued_at_ns,
        kept_at_ns=record.at_ns,
        seq=record.seq,
        uplink=content.get("uplink", ""),
    )
