"""What the site answers to an order, as it comes from a box: kept with its evidence, and moves the hazard where it may.

    seen       the order is marked as seen
    accepted   已下达 -> 整改中          disputed   noted, nothing moves          rectified   -> 待复查

A box's answer is never refused for what state the hazard is in: it is kept with the refusal's name, so that nothing the
site said is lost. It is refused when it answers an order that this box was never given. Whoever answers at the box is
known by the name of an account there; both that name and `box:<box>/<name>` count as persons who answered.
"""

import json

from sqlalchemy import Connection, insert, select, update

from contract.canonical import Canonical
from contract.faults import OtherProject
from contract.messages import OrderReply
from regulator.base.model.actor import Actor, Duty, Level, Scope
from regulator.base.model.hazard_states import HazardAction
from regulator.base.model.heard import Heard
from regulator.base.model.refusals import RefusedError
from regulator.base.records.blob_senders import sent_by
from regulator.base.records.ledger import Deed
from regulator.base.records.tables.hazards import hazard_orders, hazard_replies
from regulator.base.records.tables.intake import blobs
from regulator.parts.hazards.evidence import EvidenceKind, Keep, NewEvidence, keep_evidence, new_items, note_entry
from regulator.parts.hazards.office import HazardOffice
from regulator.parts.hazards.record import HazardRecord, locked_hazard
from regulator.parts.hazards.step import Ask

ACTIONS = {
    "accepted": HazardAction.ACCEPT,
    "disputed": HazardAction.DISPUTE,
    "rectified": HazardAction.SUBMIT,
}


class ReplyListener:
    """Hears `order_reply` items inside the transaction that keeps them."""

    def __init__(self, office: HazardOffice) -> None:
        self._office = office

    def __call__(self, db: Connection, heard: Heard, now_ns: int) -> None:
        """Raises OtherProject for an order of another project, RefusedError 422 for one that is not this box's, or
        evidence that it has not sent."""
        body = heard.body
        if not isinstance(body, OrderReply):
            return
        at = hazard_orders.c
        order = db.execute(select(hazard_orders).where(at.order_id == body.order_id)).first()
        if order is not None and order.project_code != heard.project_code:
            raise OtherProject("body.order_id", f"an order of {heard.project_code}")
        if order is None or order.box_id != heard.box_id:
            raise RefusedError(422, "no_such_order", "没有这份通知单", "no such order for this box", "order_id")
        _require_blobs(db, heard.box_id, body)
        hazard = locked_hazard(db, order.hazard_id)
        if hazard is None:
            return
        reply_id = f"{heard.box_id}/{heard.key}"
        actor = _site_person(heard.box_id, hazard.project_code, body.user)
        if body.answer == "seen":
            self._seen(db, hazard, body, actor, now_ns)
            return
        self._answer(db, hazard, body, actor, (reply_id, now_ns))

    def _seen(self, db: Connection, hazard: HazardRecord, body: OrderReply, actor: Actor, now_ns: int) -> None:
        mine = (hazard_orders.c.order_id == body.order_id, hazard_orders.c.seen_at_ns == 0)
        db.execute(update(hazard_orders).where(*mine).values(seen_at_ns=now_ns))
        content: dict[str, Canonical] = {"order_id": body.order_id, "answered_at_ns": body.answered_at_ns}
        deed = Deed("order_seen", hazard.hazard_id, content, hazard.project_code)
        self._office.ledger.append(db, deed, actor, now_ns)

    def _answer(
        self, db: Connection, hazard: HazardRecord, body: OrderReply, actor: Actor, when: tuple[str, int]
    ) -> None:
        reply_id, now_ns = when
        evidence = tuple(_evidence(db, sha256) for sha256 in body.blob_sha256)
        ask = Ask(
            action=ACTIONS[body.answer],
            words=body.words,
            evidence=evidence,
            order_id=body.order_id,
            answered_at_ns=body.answered_at_ns,
            reply_id=reply_id,
        )
        try:
            self._office.act_held(db, hazard.hazard_id, ask, actor, now_ns)
        except RefusedError as refused:
            self._keep_unmoved(db, hazard, ask, actor, now_ns, refused.code)

    def _keep_unmoved(
        self, db: Connection, hazard: HazardRecord, ask: Ask, actor: Actor, now_ns: int, code: str
    ) -> None:
        """It moved nothing, and is kept: what the site said, its evidence, and why."""
        fresh = new_items(db, hazard.hazard_id, ask.evidence)
        keep = Keep(hazard.hazard_id, hazard.round, EvidenceKind.RECTIFIED)
        numbers = keep_evidence(db, keep, fresh, actor, now_ns)
        values = {
            "reply_id": ask.reply_id,
            "order_id": ask.order_id,
            "hazard_id": hazard.hazard_id,
            "project_code": hazard.project_code,
            "answer": next(answer for answer, action in ACTIONS.items() if action is ask.action),
            "words": ask.words,
            "user_id": actor.user_id,
            "persons": json.dumps(sorted(actor.persons)),
            "outcome": code,
            "answered_at_ns": ask.answered_at_ns,
            "kept_at_ns": now_ns,
        }
        db.execute(insert(hazard_replies).values(**values))
        content: dict[str, Canonical] = {
            "answer": ask.action.value,
            "words": ask.words,
            "outcome": code,
            "order_id": ask.order_id,
            "evidence": [item.sha256 for item in fresh],
        }
        deed = Deed("reply_moved_nothing", hazard.hazard_id, content, hazard.project_code)
        note_entry(db, hazard.hazard_id, numbers, self._office.ledger.append(db, deed, actor, now_ns).seq)


def _site_person(box_id: str, project_code: str, user: str) -> Actor:
    scope = Scope(Level.PROJECT, project_code)
    return Actor(f"box:{box_id}/{user}", user, scope, frozenset({Duty.RESPONDER}), on_behalf_of=user)


def _require_blobs(db: Connection, box_id: str, body: OrderReply) -> None:
    missing = set(body.blob_sha256) - sent_by(db, box_id, body.blob_sha256)
    if missing:
        zh, en = "证据文件尚未送达", f"evidence {min(missing)} has not arrived: send its bytes first"
        raise RefusedError(422, "evidence_not_arrived", zh, en, "blob_sha256")


def _evidence(db: Connection, sha256: str) -> NewEvidence:
    row = db.execute(select(blobs.c.media_type, blobs.c.size_bytes).where(blobs.c.sha256 == sha256)).first()
    return NewEvidence(sha256, row.media_type, "", row.size_bytes) if row else NewEvidence(sha256)
