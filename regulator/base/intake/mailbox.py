"""Boxes' mailboxes: signed messages, numbered per box, delivered in order until the box says that it keeps them."""

import uuid

from pydantic import BaseModel
from sqlalchemy import Connection, bindparam, func, insert, select, update

from contract.envelope import SignedText, sign_text
from contract.messages import MailboxAck, MailboxMessage
from contract.signing import SignKey
from regulator.base.records.tables.intake import boxes, mailbox

_BOX = select(boxes.c.box_id).where(boxes.c.box_id == bindparam("box")).with_for_update()
_LAST = select(func.max(mailbox.c.mailbox_seq)).where(mailbox.c.box_id == bindparam("box"))
_ADD = insert(mailbox)
_WAITING = (
    select(mailbox.c.signed)
    .where(mailbox.c.box_id == bindparam("box"), mailbox.c.acknowledged_at_ns == 0)
    .order_by(mailbox.c.mailbox_seq)
    .limit(bindparam("most"))
)
_COUNT = select(func.count()).where(mailbox.c.box_id == bindparam("box"), mailbox.c.acknowledged_at_ns == 0)
_ACKNOWLEDGE = (
    update(mailbox)
    .where(mailbox.c.box_id == bindparam("box"), mailbox.c.message_id == bindparam("message"))
    .where(mailbox.c.acknowledged_at_ns == 0)
    .values(acknowledged_at_ns=bindparam("now"), outcome=bindparam("said"))
)


def post(db: Connection, box_id: str, kind: str, body: BaseModel, signer: SignKey, now_ns: int) -> str:
    """Put a message into a box's mailbox; its id. Raises LookupError for a box that is not enrolled."""
    if db.scalar(_BOX, {"box": box_id}) is None:
        raise LookupError(f"box {box_id} is not enrolled")
    row = message_row(box_id, (db.scalar(_LAST, {"box": box_id}) or 0) + 1, kind, body, signer, now_ns)
    db.execute(_ADD, row)
    return str(row["message_id"])


def message_row(
    box_id: str, number: int, kind: str, body: BaseModel, signer: SignKey, now_ns: int
) -> dict[str, object]:
    """A signed message as a row of `mailbox`."""
    message = MailboxMessage(
        message_id=uuid.uuid4().hex,
        mailbox_seq=number,
        box_id=box_id,
        kind=kind,
        issued_at_ns=now_ns,
        body=body.model_dump(mode="json"),
    )
    return {
        "box_id": box_id,
        "mailbox_seq": message.mailbox_seq,
        "message_id": message.message_id,
        "kind": kind,
        "signed": sign_text(message, signer).model_dump_json(),
        "issued_at_ns": now_ns,
    }


def waiting(db: Connection, box_id: str, most: int) -> tuple[SignedText, ...]:
    """Messages that the box has not acknowledged, oldest first."""
    return tuple(SignedText.model_validate_json(text) for text in db.scalars(_WAITING, {"box": box_id, "most": most}))


def with_mail(db: Connection, box_ids: frozenset[str]) -> frozenset[str]:
    """Which of these boxes have mail waiting."""
    at = mailbox.c
    return frozenset(db.scalars(select(at.box_id).where(at.acknowledged_at_ns == 0, at.box_id.in_(box_ids)).distinct()))


def count_waiting(db: Connection, box_id: str) -> int:
    """How many messages the box has not acknowledged."""
    return int(db.scalar(_COUNT, {"box": box_id}) or 0)


def acknowledge(db: Connection, box_id: str, body: MailboxAck, now_ns: int) -> None:
    """The box has these for good. Unknown or repeated ids change nothing."""
    for ack in body.messages:
        db.execute(_ACKNOWLEDGE, {"box": box_id, "message": ack.message_id, "now": now_ns, "said": ack.outcome})
