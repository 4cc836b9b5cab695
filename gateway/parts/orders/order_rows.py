"""Orders as a page shows them: how long is left, what each answer became on its way, what may be said now.

In: orders, the outbox, who asks. Out: rows. Words are the templates'; judges nothing.
"""

from dataclasses import dataclass
from enum import StrEnum

from gateway.accounts.person import Role
from gateway.model.alert import ReceiptKind
from gateway.parts.orders.answering import reply_key
from gateway.parts.orders.order import Answer, Reply, SiteOrder
from gateway.store.outbox_reader import OutboxReader

OFFICERS_ANSWERS = frozenset({Answer.RECTIFIED, Answer.DISPUTED})
"""What only a safety officer may say for the site."""


class Way(StrEnum):
    """How far an answer is on its way."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    REFUSED = "refused"
    NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True)
class SentReply:
    """An answer and what became of it; `words` are the regulator's, or why the last attempt failed."""

    reply: Reply
    way: Way
    at_ns: int = 0
    words: str = ""


def sent_replies(order: SiteOrder, outbox: OutboxReader, box_id: str, regulators: tuple[str, ...]) -> list[SentReply]:
    """In a thread: every answer with its way out, oldest first."""
    uplinks = (order.uplink,) if order.uplink else regulators
    return [_sent(reply, order, outbox, box_id, uplinks) for reply in order.replies]


def _sent(reply: Reply, order: SiteOrder, outbox: OutboxReader, box_id: str, uplinks: tuple[str, ...]) -> SentReply:
    key = reply_key(box_id, order, reply.reply_id)
    found = [sent for sent in (outbox.of_key(uplink, key) for uplink in uplinks) if sent is not None]
    if not found:
        return SentReply(reply, Way.NOWHERE)
    refused = next((sent for sent in found if sent.outcome is ReceiptKind.REJECTED), None)
    if refused is not None:
        return SentReply(reply, Way.REFUSED, refused.resolved_at_ns, refused.words)
    pending = next((sent for sent in found if sent.pending), None)
    if pending is not None:
        return SentReply(reply, Way.WAITING, 0, pending.words)
    return SentReply(reply, Way.DELIVERED, found[0].resolved_at_ns)


def answers_for(order: SiteOrder, role: Role) -> tuple[Answer, ...]:
    """What somebody of this role may say now."""
    if role >= Role.SAFETY_OFFICER:
        return order.answers
    if role < Role.SUPERVISOR:
        return ()
    return tuple(answer for answer in order.answers if answer not in OFFICERS_ANSWERS)
