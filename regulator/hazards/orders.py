"""Orders (整改通知、停工、督办、复工): a number, a legal basis, a deadline with its rule, sent down the box's mailbox.

The row, the mailbox message and the ledger's entry are one transaction. Where a project has no box the order stands
without one and says so; it is then served on paper and answered by an account of the firm.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, insert, select, update

from contract.messages import Order
from regulator.desk import Post
from regulator.hazards.record import HazardRecord
from regulator.hazards.rules import Document, Wording
from regulator.model.actor import Actor
from regulator.model.refusals import RefusedError
from regulator.records.ledger import Deed, Ledger
from regulator.records.tables.hazards import hazard_orders
from regulator.records.tables.intake import alarms, boxes
from screens.formats import site_time

PREFIX: Final = {
    Document.RECTIFY: "ZG",
    Document.STOP_WORK: "TG",
    Document.SUPERVISE: "DB",
    Document.CLOSE: "XH",
    Document.RESUME: "FG",
}
ENGLISH: Final = {
    Document.RECTIFY: "Rectification order",
    Document.STOP_WORK: "Stop-work order",
    Document.SUPERVISE: "Listed supervision",
    Document.CLOSE: "Closing note",
    Document.RESUME: "Work may resume",
}
CHINESE: Final = {
    Document.RECTIFY: "整改通知单",
    Document.STOP_WORK: "停工通知单",
    Document.SUPERVISE: "挂牌督办通知书",
    Document.CLOSE: "销号单",
    Document.RESUME: "复工通知单",
}
MOST_WORDS = 3900
"""A contract message holds 4000 characters of words."""


@dataclass(frozen=True, slots=True)
class OrderText:
    """What an order says. `rule`: the words of the deadline's rule."""

    kind: Document
    words: str
    basis: Wording
    rule: Wording
    deadline_at_ns: int


@dataclass(frozen=True, slots=True)
class IssuedOrder:
    """An order as it stands. `message_id` is empty where there is no box, `seen_at_ns` 0 until the site saw it."""

    order_id: str
    number: str
    hazard_id: str
    kind: Document
    words: str
    legal_basis: str
    deadline_at_ns: int
    rule_zh: str
    rule_en: str
    issued_by: str
    issued_at_ns: int
    box_id: str
    message_id: str
    document_id: str
    seen_at_ns: int


class OrderDesk:
    """Issues orders. `post` puts a message into a box's mailbox in the same transaction."""

    def __init__(self, ledger: Ledger, post: Post) -> None:
        self._ledger, self._post = ledger, post

    def issue(self, db: Connection, hazard: HazardRecord, text: OrderText, actor: Actor, now_ns: int) -> str:
        """The order's id. Raises RefusedError 409 when no rule pack names a legal basis."""
        if not text.basis.zh:
            zh, en = "规则包未给出法律依据，不能下达", "no rule pack names a legal basis: nothing is issued"
            raise RefusedError(409, "no_legal_basis", zh, en, text.kind.value)
        box_id = hazard.box_id or _box_of(db, hazard.project_code)
        entry = self._ledger.append(db, _deed(hazard, text, box_id), actor, now_ns)
        number = f"{PREFIX[text.kind]}-{hazard.project_code}-{site_time(now_ns).year}-{entry.seq}"
        order_id = f"{hazard.hazard_id}/{text.kind.value}/{entry.seq}"
        message_id = self._send(db, box_id, _message(db, hazard, text, order_id, number), now_ns)
        row = {
            "order_id": order_id,
            "number": number,
            "hazard_id": hazard.hazard_id,
            "project_code": hazard.project_code,
            "box_id": box_id,
            "kind": text.kind.value,
            "words": text.words,
            "legal_basis": text.basis.zh,
            "severity": _severity(hazard),
            "deadline_at_ns": text.deadline_at_ns,
            "rule_zh": text.rule.zh,
            "rule_en": text.rule.en,
            "issued_by": actor.user_id,
            "issued_level": actor.level.value,
            "issued_at_ns": now_ns,
            "message_id": message_id,
        }
        db.execute(insert(hazard_orders).values(**row))
        return order_id

    def _send(self, db: Connection, box_id: str, order: Order, now_ns: int) -> str:
        if not box_id:
            return ""
        try:
            return self._post(db, box_id, "order", order, now_ns)
        except LookupError:
            return ""


def orders_of(db: Connection, hazard_id: str) -> tuple[IssuedOrder, ...]:
    """Oldest first."""
    at = hazard_orders.c
    rows = db.execute(select(hazard_orders).where(at.hazard_id == hazard_id).order_by(at.issued_at_ns, at.order_id))
    names = [name for name in IssuedOrder.__slots__ if name != "kind"]
    return tuple(IssuedOrder(kind=Document(row.kind), **{name: getattr(row, name) for name in names}) for row in rows)


def note_document(db: Connection, order_id: str, document_id: str) -> None:
    """The printed document that stands for an order."""
    db.execute(update(hazard_orders).where(hazard_orders.c.order_id == order_id).values(document_id=document_id))


def _severity(hazard: HazardRecord) -> str:
    return "P1" if hazard.is_major else "P2"


def _box_of(db: Connection, project_code: str) -> str:
    """The project's box that was heard of last."""
    newest = select(boxes.c.box_id).where(boxes.c.project_code == project_code)
    return db.scalar(newest.order_by(boxes.c.last_seen_ns.desc(), boxes.c.box_id).limit(1)) or ""


def _message(db: Connection, hazard: HazardRecord, text: OrderText, order_id: str, number: str) -> Order:
    at = alarms.c
    mine = (at.box_id == hazard.box_id, at.alarm_id == hazard.alarm_id)
    raised = db.scalar(select(at.raised_event).where(*mine)) if hazard.alarm_id else ""
    return Order(
        order_id=order_id,
        number=number,
        title_zh=f"{CHINESE[text.kind]}：{hazard.title_zh}"[:500],
        title_en=f"{ENGLISH[text.kind]}: {hazard.title_en or hazard.title_zh}"[:500],
        words=text.words[:MOST_WORDS],
        legal_basis=f"{text.basis.zh}；{text.rule.zh}"[:MOST_WORDS],
        severity="P1" if hazard.is_major else "P2",
        deadline_at_ns=text.deadline_at_ns,
        event_ids=(raised,) if raised else (),
    )


def _deed(hazard: HazardRecord, text: OrderText, box_id: str) -> Deed:
    content = {
        "kind": text.kind.value,
        "hazard": hazard.number,
        "words": text.words,
        "legal_basis": text.basis.zh,
        "deadline_at_ns": text.deadline_at_ns,
        "rule_zh": text.rule.zh,
        "rule_en": text.rule.en,
        "box_id": box_id,
    }
    return Deed("order_issued", hazard.hazard_id, content, hazard.project_code)
