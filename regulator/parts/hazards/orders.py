"""Orders (整改通知、停工、督办、复工): a number, a legal basis, a deadline with its rule, sent down the box's mailbox.

The row, the mailbox message and the ledger's entry are one transaction. Of several boxes the one that the project's
orders are assigned to gets them all. Where a project has no box the order stands without one and says so; it is then
served on paper and answered by an account of the firm.
"""

from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import Connection, insert, select

from contract.mailbox import Order, OrderState
from kit.words import Words
from regulator.base.desk import Desk
from regulator.base.documents.documents import issue_document
from regulator.base.documents.paper import DocumentKind, DocumentRequest
from regulator.base.model.actor import Actor
from regulator.base.model.refusals import RefusedError
from regulator.base.records.box_standing import assigned_box
from regulator.base.records.ledger import Deed
from regulator.base.records.tables.hazards import hazard_orders
from regulator.base.records.tables.intake import alarms
from regulator.base.records.tables.registry import firms, project_firms, projects
from regulator.base.rules import Document
from regulator.parts.hazards.evidence import evidence_of
from regulator.parts.hazards.record import HazardRecord
from screens.citing import item_text
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
PAPERS: Final = {
    Document.RECTIFY: DocumentKind.RECTIFICATION,
    Document.STOP_WORK: DocumentKind.STOP_WORK,
    Document.SUPERVISE: DocumentKind.SUPERVISION,
    Document.CLOSE: DocumentKind.CLOSURE,
}
"""What is printed, numbered and hashed; a resumption is a message and a ledger entry."""
SILENT: Final = frozenset({Document.CLOSE, Document.RESUME})
"""Nothing for the site to answer: it is told where its orders stand instead."""
NO_REGION: Final = "000000"
MOST_WORDS = 3900
"""A contract message holds 4000 characters of words."""


@dataclass(frozen=True, slots=True)
class OrderText:
    """What an order says. `rule`: the words of the deadline's rule."""

    kind: Document
    words: str
    basis: Words
    rule: Words
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


@dataclass(frozen=True, slots=True)
class OrderWord:
    """Where orders stand, as the contract says it. `deadline_at_ns` 0: nothing new."""

    state: Literal["ordered", "awaiting_recheck", "returned", "closed", "withdrawn"]
    words: str = ""
    deadline_at_ns: int = 0
    kinds: tuple[Document, ...] = (Document.RECTIFY, Document.SUPERVISE)


class OrderDesk:
    """Issues orders: the paper, the row, the message to the box, in the caller's transaction."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._ledger = desk, desk.ledger

    def issue(self, db: Connection, hazard: HazardRecord, text: OrderText, actor: Actor, now_ns: int) -> str:
        """The order's id. Raises RefusedError 409 when no rule pack names a legal basis."""
        if not text.basis.zh:
            zh, en = "规则包未给出法律依据，不能下达", "no rule pack names a legal basis: nothing is issued"
            raise RefusedError(409, "no_legal_basis", zh, en, text.kind.value)
        box_id = assigned_box(db, hazard.project_code)
        entry = self._ledger.append(db, _deed(hazard, text, box_id), actor, now_ns)
        order_id = f"{hazard.hazard_id}/{text.kind.value}/{entry.seq}"
        document = self._document(db, hazard, text, order_id, actor, now_ns)
        number = document or f"{PREFIX[text.kind]}-{hazard.project_code}-{site_time(now_ns).year}-{entry.seq}"
        order = _message(db, hazard, text, order_id, number)
        message_id = self._send(db, "" if text.kind in SILENT else box_id, order, now_ns)
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
            "document_id": document,
        }
        db.execute(insert(hazard_orders).values(**row))
        return order_id

    def tell(self, db: Connection, hazard_id: str, word: "OrderWord", now_ns: int) -> None:
        """Tell the box where the hazard's orders of these kinds stand. Nothing is sent to where no order was sent."""
        at = hazard_orders.c
        sent = (at.hazard_id == hazard_id, at.message_id != "", at.kind.in_([kind.value for kind in word.kinds]))
        for row in db.execute(select(at.order_id, at.box_id).where(*sent).order_by(at.issued_at_ns, at.order_id)):
            body = OrderState(
                order_id=row.order_id,
                state=word.state,
                words=word.words[:MOST_WORDS],
                changed_at_ns=now_ns,
                deadline_at_ns=word.deadline_at_ns,
            )
            self._desk.post(db, row.box_id, "order_state", body, now_ns)

    def _document(
        self, db: Connection, hazard: HazardRecord, text: OrderText, order_id: str, actor: Actor, now_ns: int
    ) -> str:
        """The paper's number; empty for what has no paper of its own."""
        kind = PAPERS.get(text.kind)
        if kind is None:
            return ""
        project = db.execute(select(projects).where(projects.c.project_code == hazard.project_code)).first()
        name = project.name if project else hazard.project_code
        county = project.county_code if project else ""
        request = DocumentRequest(
            key=order_id,
            kind=kind,
            region_code=actor.scope.code or county or NO_REGION,
            project_code=hazard.project_code,
            project_name=name,
            subject=hazard.hazard_id,
            addressee=_addressee(db, hazard.project_code) or name,
            title=hazard.title_zh,
            paragraphs=tuple(line for line in text.words.splitlines() if line.strip()),
            legal_basis=tuple(filter(None, (text.basis.zh, _criteria(hazard)))),
            deadline_at_ns=text.deadline_at_ns,
            deadline_rule=text.rule.zh,
            evidence=tuple(item.sha256 for item in evidence_of(db, hazard.hazard_id)),
        )
        return issue_document(db, self._desk, request, actor, now_ns).number

    def _send(self, db: Connection, box_id: str, order: Order, now_ns: int) -> str:
        if not box_id:
            return ""
        try:
            return self._desk.post(db, box_id, "order", order, now_ns)
        except LookupError:
            return ""


def orders_of(db: Connection, hazard_id: str) -> tuple[IssuedOrder, ...]:
    """All of them, the oldest first."""
    at = hazard_orders.c
    rows = db.execute(select(hazard_orders).where(at.hazard_id == hazard_id).order_by(at.issued_at_ns, at.order_id))
    names = [name for name in IssuedOrder.__slots__ if name != "kind"]
    return tuple(IssuedOrder(kind=Document(row.kind), **{name: getattr(row, name) for name in names}) for row in rows)


def _addressee(db: Connection, project_code: str) -> str:
    """The contractor's name."""
    at = project_firms.c
    contractor = (at.project_code == project_code, at.role == "contractor", at.status == "active")
    found = select(firms.c.name).join(project_firms, at.firm_code == firms.c.firm_code).where(*contractor)
    return db.scalar(found.order_by(at.firm_code).limit(1)) or ""


def _criteria(hazard: HazardRecord) -> str:
    """The national criteria's item, under both editions."""
    codes = [
        item_text("zh-CN", code)
        for code in (
            hazard.catalogue_code,
            hazard.other_code,
        )
        if code
    ]
    return f"重大事故隐患判定：{'；对照 '.join(codes)}" if codes and hazard.is_major else ""


def _severity(hazard: HazardRecord) -> str:
    return "P1" if hazard.is_major else "P2"


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
