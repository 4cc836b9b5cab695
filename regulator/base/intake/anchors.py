"""Anchors: every few minutes the head of each box's chain is written into its project's ledger, signed by the desk.

    box chain   1 <- 2 <- 3 <- 4 <- 5 ...
                          |         |
    ledger      ... <- anchor 1 <- anchor 2 ...          each entry hash-chained and signed with the desk's key

A chain alone cannot tell that its end was cut off. An anchor can: whoever holds one knows that record `seq` existed
with this digest, and that so many items of the box were kept. Before a new anchor is made the last one is held against
the chain: what it names must still be there.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from regulator.base.intake.admission import lock_box
from regulator.base.intake.findings import Finding, FindingKind, open_finding
from regulator.base.model.actor import SYSTEM
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Deed, Ledger
from regulator.base.records.tables.intake import anchors, boxes, chain_records

ANCHOR_EVERY_S = 300.0
CHAIN_ANCHORED = "chain_anchored"
ITEMS = "items_accepted"
"""How many items of the box had been kept, in the deed."""


@dataclass(frozen=True, slots=True)
class AnchorJob:
    """Anchors every box whose head has moved. Two replicas may run it: the box's row decides who is first."""

    database: DeskDatabase
    ledger: Ledger

    def run(self, now_ns: int) -> None:
        """One round; a transaction a box, so that a long round holds up no box."""
        with self.database.reading() as db:
            names = list(db.scalars(select(boxes.c.box_id).where(boxes.c.verified_seq > 0).order_by(boxes.c.box_id)))
        for box_id in names:
            with self.database.transaction() as db:
                anchor_box(db, self.ledger, box_id, now_ns)


def anchor_box(db: Connection, ledger: Ledger, box_id: str, now_ns: int) -> bool:
    """Anchor one box's verified head; False when nothing moved, or when the last anchor no longer holds."""
    box = lock_box(db, box_id)
    last = last_anchor(db, box_id)
    if last is not None:
        if not _still_there(db, ledger, box, last, now_ns):
            return False
        if (last.seq, last.sha256, last.head_seq) == (box.verified_seq, box.verified_sha256, box.head_seq):
            return False
    said = {"seq": box.verified_seq, "sha256": box.verified_sha256, "head_seq": box.head_seq}
    said |= {"head_sha256": box.head_sha256, "number": last.number + 1 if last is not None else 1}
    deed = Deed(CHAIN_ANCHORED, box_id, {"box_id": box_id, ITEMS: box.items_accepted} | said, box.project_code)
    entry = ledger.append(db, deed, SYSTEM, now_ns)
    row = {"box_id": box_id, "project_code": box.project_code, "at_ns": now_ns} | said
    db.execute(insert(anchors), row | {"ledger_chain": entry.chain, "ledger_seq": entry.seq})
    return True


def last_anchor(db: Connection, box_id: str) -> "Row[Any] | None":
    """The newest anchor of a box."""
    found = select(anchors).where(anchors.c.box_id == box_id).order_by(anchors.c.number.desc()).limit(1)
    return db.execute(found).first()


def anchor_over(db: Connection, box_id: str, seq: int) -> "Row[Any] | None":
    """The first anchor that covers a record."""
    found = select(anchors).where(anchors.c.box_id == box_id, anchors.c.seq >= seq).order_by(anchors.c.number).limit(1)
    return db.execute(found).first()


def _still_there(db: Connection, ledger: Ledger, box: "Row[Any]", last: "Row[Any]", now_ns: int) -> bool:
    at = chain_records.c
    held = set(db.scalars(select(at.sha256).where(at.box_id == box.box_id, at.seq == last.seq)))
    if last.sha256 in held and box.verified_seq >= last.seq:
        return True
    said = f"{last.number}", f"{last.seq}"
    zh = f"第 {said[0]} 次锚定证明设备 {box.box_id} 的记录 {said[1]} 曾在库中，现已缺失或被改"
    en = f"anchor {said[0]} proves that record {said[1]} of {box.box_id} was held; it is gone or changed"
    finding = Finding(FindingKind.TAIL_DELETED, f"{box.box_id}#{last.seq}", zh, en, box.project_code, box.box_id)
    open_finding(db, ledger, finding, now_ns)
    return False
