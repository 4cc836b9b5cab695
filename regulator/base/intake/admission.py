"""Whether a sending may pass: the box's row is taken, its key must be in force, its number must be new.

In: checked envelopes inside a transaction. Out: the box's row as it was. The first statement about a box is always the
lock on its row, so that two replicas that hear the same box take turns. Knows no item.
"""

from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from contract.envelope import Envelope
from contract.faults import NotAdmitted, UnknownSender
from contract.sequence import SequenceWindow
from regulator.base.records.tables.intake import box_keys, boxes

_BOX = select(boxes).where(boxes.c.box_id == bindparam("box")).with_for_update()
_KEYS = select(box_keys.c.key_id, box_keys.c.added_at_ns).where(
    box_keys.c.box_id == bindparam("box"), box_keys.c.retired_at_ns == 0
)
_SEEN = (
    update(boxes)
    .where(boxes.c.box_id == bindparam("box"))
    .values(seq_highest=bindparam("highest"), seq_bits=bindparam("bits"), last_seen_ns=bindparam("now"))
    .values(items_accepted=boxes.c.items_accepted + bindparam("items"))
)
_RETIRE = (
    update(box_keys)
    .where(box_keys.c.box_id == bindparam("box"), box_keys.c.retired_at_ns == 0)
    .where(box_keys.c.added_at_ns < bindparam("added"))
    .values(retired_at_ns=bindparam("now"))
)


def lock_box(db: Connection, box_id: str) -> "Row[Any]":
    """The box's row, held until the transaction ends. Raises UnknownSender."""
    row = db.execute(_BOX, {"box": box_id}).first()
    if row is None:
        raise UnknownSender("box_id", "a box that is enrolled")
    return row


def admit(db: Connection, envelope: Envelope, box: "Row[Any]", now_ns: int) -> None:
    """Note the sending's number. Raises StaleSequence, NotAdmitted, or UnknownSender for a key that was retired
    meanwhile."""
    check_sender(db, envelope, box, now_ns)
    admit_number(db, envelope, box, now_ns)


def admit_number(db: Connection, envelope: Envelope, box: "Row[Any]", now_ns: int, items: int = 0) -> None:
    """The same for a key that was checked already. `items`: how many are kept of it, for the box's count."""
    window = SequenceWindow(box.seq_highest, int(box.seq_bits, 16)).admit(envelope.seq)
    seen = {"box": envelope.box_id, "highest": window.highest, "bits": f"{window.bits:x}", "now": now_ns}
    seen["items"] = items
    db.execute(_SEEN, seen)


def was_seen(box: "Row[Any]", seq: int) -> bool:
    """Whether this number was used before, for certain: numbers below the window are not remembered one by one."""
    age = box.seq_highest - seq
    return age >= 0 and bool(int(box.seq_bits, 16) >> age & 1)


def check_sender(db: Connection, envelope: Envelope, box: "Row[Any]", now_ns: int) -> None:
    """Raises UnknownSender for a key that is not in force, NotAdmitted for a box that waits for an approver. The first
    use of a newer key retires the older ones."""
    keys = {row.key_id: row.added_at_ns for row in db.execute(_KEYS, {"box": envelope.box_id})}
    if envelope.key_id not in keys:
        raise UnknownSender("key_id", "a key that this box enrolled")
    if box.waiting:
        raise NotAdmitted("box_id", "a box that an approver has admitted")
    added = keys[envelope.key_id]
    if min(keys.values()) < added:
        db.execute(_RETIRE, {"box": envelope.box_id, "added": added, "now": now_ns})
