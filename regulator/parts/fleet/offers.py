"""Offering rule packs to boxes, taking them back, and hearing what came of it.

    pack --approver, another person than who handed it in--> one signed message a box --mailbox--> box
    box's sealed record `rule_pack` --evidence--> outcome of the offer, an entry of the project's ledger

A box is said to judge by a pack when its own chain says so, never before. In: actors, boxes, records. Out: rows.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, func, insert, select, update

from contract.canonical import Canonical
from contract.mailbox import RulePackFile, RulePackOffer
from contract.messages import EvidenceRecord
from regulator.base.desk import Desk
from regulator.base.model.actor import SYSTEM, Actor, Duty
from regulator.base.model.heard import Heard
from regulator.base.model.refusals import RefusedError
from regulator.base.records.box_standing import IS_HEARD
from regulator.base.records.ledger import Deed, Ledger
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.fleet import pack_offers
from regulator.base.records.tables.intake import boxes, mailbox
from regulator.base.records.tables.registry import projects
from regulator.parts.fleet.packs import pack_row

KIND: Final = "rule_pack"
OUTCOMES: Final = ("waiting", "active", "refused", "declined", "withdrawn")
MOST_WAITING: Final = 4
"""Offers that a box has not fetched: more would not fit into one answer of its mailbox."""
MOST_WORDS: Final = 2000
MOST_NAME: Final = 200


@dataclass(frozen=True, slots=True)
class OfferState:
    """One offer and how far it has come. `reached`: how the box acknowledged it, '' while it has not."""

    row: "Row[Any]"
    fetched_at_ns: int
    reached: str


class OfferOffice:
    """The one door through which anything of this is changed."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def offer(self, sha256: str, box_ids: Sequence[str], reason: str, actor: Actor, now_ns: int) -> int:
        """To these boxes of the scope; how many were told. Raises RefusedError: 403, 404, 409, 422."""
        with self._desk.database.reading() as db:
            pack = pack_row(db, actor, sha256)
            _require_second(actor, pack)
            chosen = _known_boxes(db, actor, box_ids)
            for box in chosen:
                _require_room(db, box.box_id)
        _require_reason(reason)
        files = tuple(RulePackFile(name=name, text=text) for name, text in json.loads(pack.files).items())
        for box in chosen:
            self._tell(box, pack, reason, actor, now_ns, files=files)
        return len(chosen)

    def withdraw(self, sha256: str, reason: str, actor: Actor, now_ns: int) -> int:
        """From every box of the scope to which it was offered last; how many were told. Raises as `offer`."""
        with self._desk.database.reading() as db:
            pack = pack_row(db, actor, sha256)
            _require_duty(actor)
            _require_reason(reason)
            offered = [row.box_id for row in _standing_offers(db, actor, pack)]
            if not offered:
                words = ("辖区内没有监控主机收到过该规则包", "no box of your scope was offered this pack")
                raise RefusedError(409, "nothing_to_withdraw", *words)
            chosen = _known_boxes(db, actor, offered)
        for box in chosen:
            self._tell(box, pack, reason, actor, now_ns, files=(), withdrawn=True)
        return len(chosen)

    def _tell(
        self,
        box: "Row[Any]",
        pack: "Row[Any]",
        reason: str,
        actor: Actor,
        now_ns: int,
        *,
        files: tuple[RulePackFile, ...],
        withdrawn: bool = False,
    ) -> None:
        """One box, one transaction: whoever tells many boxes at once holds no two of them."""
        offer = RulePackOffer(
            offer_id=uuid.uuid4().hex,
            name=pack.name,
            sha256=pack.sha256,
            files=files,
            reason=reason,
            offered_by=actor.name,
            withdrawn=withdrawn,
        )
        row = {
            "offer_id": offer.offer_id,
            "sha256": pack.sha256,
            "name": pack.name,
            "box_id": box.box_id,
            "project_code": box.project_code,
            "withdrawn": int(withdrawn),
            "reason": reason,
            "offered_by": json.dumps(sorted(actor.persons)),
            "offered_name": actor.name,
            "offered_at_ns": now_ns,
        }
        with self._desk.database.transaction() as db:
            _require_room(db, box.box_id)
            message_id = self._desk.post(db, box.box_id, KIND, offer, now_ns)
            db.execute(insert(pack_offers).values(**row, message_id=message_id))
            content: dict[str, Canonical] = {"offer_id": offer.offer_id, "box_id": box.box_id, "name": pack.name}
            content |= {"sha256": pack.sha256, "reason": reason, "withdrawn": withdrawn}
            deed = Deed("rule_pack_offered", box.box_id, content, box.project_code)
            self._desk.ledger.append(db, deed, actor, now_ns)


class OfferHearing:
    """Hears from the intake what boxes sent, in the transaction that keeps it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def hear(self, db: Connection, heard: Heard, now_ns: int) -> None:
        """Called inside the transaction that keeps the record. What names no offer of this box changes nothing."""
        body = heard.body
        if not isinstance(body, EvidenceRecord) or f'"{KIND}"' not in body.record:
            return
        record = json.loads(body.record)
        content = record.get("content")
        if record.get("kind") != KIND or not isinstance(content, dict) or content.get("outcome") not in OUTCOMES:
            return
        seq, at = int(record.get("seq", 0)), pack_offers.c
        which = and_(at.offer_id == str(content.get("offer_id", "")), at.box_id == heard.box_id)
        found = db.execute(select(pack_offers).where(which).with_for_update()).first()
        if found is None or found.evidence_seq >= seq:
            return
        said: dict[str, Canonical] = {
            "outcome": str(content["outcome"]),
            "words_zh": str(content.get("words_zh", ""))[:MOST_WORDS],
            "words_en": str(content.get("words_en", ""))[:MOST_WORDS],
            "answered_by": str(content.get("user", ""))[:MOST_NAME],
            "answered_at_ns": int(record.get("at_ns", 0)),
            "evidence_seq": seq,
        }
        db.execute(update(pack_offers).where(which).values(**said, heard_at_ns=now_ns))
        told = said | {"offer_id": found.offer_id, "name": found.name, "sha256": found.sha256}
        self._ledger.append(db, Deed("rule_pack_answered", heard.box_id, told, found.project_code), SYSTEM, now_ns)


def offers_of(db: Connection, actor: Actor, sha256: str) -> list[OfferState]:
    """Offers of a pack to boxes of the scope, the newest first."""
    at = pack_offers.c
    wanted = (
        select(pack_offers, mailbox.c.acknowledged_at_ns, mailbox.c.outcome.label("reached"))
        .outerjoin(mailbox, mailbox.c.message_id == at.message_id)
        .where(at.sha256 == sha256, in_scope(actor.scope, at.project_code))
        .order_by(at.offered_at_ns.desc(), at.box_id)
    )
    return [OfferState(row, row.acknowledged_at_ns or 0, row.reached or "") for row in db.execute(wanted)]


def boxes_in_scope(db: Connection, actor: Actor) -> "list[Row[Any]]":
    """Whom a pack may be offered to; `name`: the project's, None where nobody registered it."""
    wanted = (
        select(boxes.c.box_id, boxes.c.project_code, projects.c.name)
        .outerjoin(projects, projects.c.project_code == boxes.c.project_code)
        .where(in_scope(actor.scope, boxes.c.project_code), IS_HEARD)
    )
    return list(db.execute(wanted.order_by(boxes.c.box_id)))


def _standing_offers(db: Connection, actor: Actor, pack: "Row[Any]") -> "list[Row[Any]]":
    """The newest offer of this pack's name to each box, where it is this pack and was not taken back."""
    at = pack_offers.c
    last = select(at.box_id, func.max(at.offered_at_ns).label("at_ns")).where(at.name == pack.name)
    newest = last.group_by(at.box_id).subquery()
    same = and_(at.box_id == newest.c.box_id, at.offered_at_ns == newest.c.at_ns)
    wanted = select(pack_offers).join(newest, same)
    mine = (at.sha256 == pack.sha256, at.withdrawn == 0, in_scope(actor.scope, at.project_code))
    return list(db.execute(wanted.where(*mine)))


def _known_boxes(db: Connection, actor: Actor, box_ids: Sequence[str]) -> "list[Row[Any]]":
    known = {row.box_id: row for row in boxes_in_scope(db, actor)}
    if not box_ids or not set(box_ids) <= set(known):
        raise RefusedError(404, "no_such_box", "请选择辖区内的监控主机", "choose boxes of your scope", "box")
    return [known[box_id] for box_id in sorted(set(box_ids))]


def _require_duty(actor: Actor) -> None:
    if not actor.has(Duty.APPROVER):
        raise RefusedError(403, "duty_needed", "您的岗位无权进行此操作", "your role does not allow this")


def _require_second(actor: Actor, pack: "Row[Any]") -> None:
    """Two people: limits that many sites judge by are not one person's doing."""
    _require_duty(actor)
    if actor.persons & set(json.loads(pack.added_by)):
        words = ("下发人不得是提交人，须由两人办理", "whoever handed it in may not offer it: two people act")
        raise RefusedError(403, "second_person", *words)


def _require_reason(reason: str) -> None:
    if not reason.strip() or len(reason) > MOST_WORDS:
        raise RefusedError(422, "reason_missing", "请写明理由", "say why", "reason")


def _require_room(db: Connection, box_id: str) -> None:
    at = mailbox.c
    waiting = select(func.count()).where(at.box_id == box_id, at.kind == KIND, at.acknowledged_at_ns == 0)
    if int(db.scalar(waiting) or 0) >= MOST_WAITING:
        words = (
            f"监控主机 {box_id} 尚有 {MOST_WAITING} 个规则包未取走",
            f"{box_id} has not fetched {MOST_WAITING} packs yet",
        )
        raise RefusedError(409, "offers_waiting", *words, "box")
