"""What the regulator holds of each box's hash chain, and what it can tell from it.

Records may arrive in any order (a box pipelines). The verified head moves over every record that names its
predecessor; what is missing is a gap and heals when it arrives; what contradicts is a fault and stays for ever:

    verified head            gap                 arrived early
    1 -> 2 -> 3              4 missing           5 -> 6

Faults: two records with one number (a fork), a record that names another predecessor, a head in a heartbeat that
denies records which the box had sent before it (a deleted tail) or gives another digest. Both sides of a
contradiction are kept, and the first one is a finding. In: records and heads inside a transaction that holds the box's
row. Out: `ChainState`. Knows no HTTP.
"""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, exists, func, select, update

from contract.chain import ChainHead, record_digest
from contract.envelope import SignedText, sign_text
from contract.faults import DigestMismatch, InvalidBody
from contract.messages import ChainCheckpoint, ChainPosition, ChainState, EvidenceRecord
from contract.signing import SignKey
from regulator.base.intake.findings import Finding, FindingKind, open_finding
from regulator.base.intake.insertion import insert_once
from regulator.base.records.ledger import Ledger
from regulator.base.records.tables.intake import boxes, chain_records

_at = chain_records.c
_TWINS = select(_at.seq).where(_at.box_id == bindparam("box"), _at.seq == bindparam("number"))
_TWINS = _TWINS.where(_at.sha256 != bindparam("digest")).limit(1)
_NUMBERED = select(_at.sha256, _at.prev).where(_at.box_id == bindparam("box"), _at.seq == bindparam("number"))
_NUMBERED = _NUMBERED.order_by(_at.envelope_seq)
_DENIED = select(func.max(_at.seq)).where(_at.box_id == bindparam("box"), _at.seq > bindparam("head"))
_DENIED = _DENIED.where(_at.envelope_seq < bindparam("sending"))
_BEYOND = select(func.min(_at.seq), func.max(_at.seq))
_BEYOND = _BEYOND.where(_at.box_id == bindparam("box"), _at.seq > bindparam("verified"))
_mine = _at.box_id == bindparam("box")
_beyond = _mine & (_at.seq > bindparam("verified"))
_numbered = _mine & (_at.seq == bindparam("head"))
_HEARD = select(
    select(func.max(_at.seq))
    .where(_mine, _at.seq > bindparam("head"), _at.envelope_seq < bindparam("sending"))
    .scalar_subquery()
    .label("denied"),
    exists().where(_numbered, _at.sha256 == bindparam("digest")).label("same"),
    exists().where(_numbered, _at.sha256 != bindparam("digest")).label("others"),
    select(func.min(_at.seq)).where(_beyond).scalar_subquery().label("first"),
    select(func.max(_at.seq)).where(_beyond).scalar_subquery().label("last"),
)
_BOX = select(boxes).where(boxes.c.box_id == bindparam("box"))
_HEAD = update(boxes).where(boxes.c.box_id == bindparam("box"))
_HEAD = _HEAD.values(
    verified_seq=bindparam("seq"), verified_sha256=bindparam("digest"), gap_since_ns=bindparam("since")
)
_FAULT = update(boxes).where(boxes.c.box_id == bindparam("box"), boxes.c.chain_fault == "")
_FAULT = _FAULT.values(chain_fault=bindparam("reason"))


@dataclass(frozen=True, slots=True)
class ChainRecord:
    """A record's place, read from its text."""

    seq: int
    prev: str
    sha256: str
    text: str


@dataclass(frozen=True, slots=True)
class _Contradiction:
    kind: FindingKind
    words_zh: str
    words_en: str


def read_record(body: EvidenceRecord, box_id: str) -> ChainRecord:
    """The record inside the message, its digest checked. Raises DigestMismatch or InvalidBody.

    Only its place is read: what else a box sealed is evidence and is kept as it is.
    """
    raw = body.record.encode()
    if record_digest(raw) != body.sha256:
        raise DigestMismatch("body.sha256", "the SHA-256 of the record's UTF-8 bytes")
    try:
        fields = json.loads(raw)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise InvalidBody("body.record", "a JSON object")
    seq, prev = fields.get("seq"), fields.get("prev")
    if not isinstance(seq, int) or isinstance(seq, bool) or not 1 <= seq < 2**63 or not isinstance(prev, str):
        raise InvalidBody("body.record", "a chain record with seq (from 1) and prev")
    if fields.get("box_id") != box_id:
        raise InvalidBody("body.record", f"a record of {box_id}")
    if "\0" in prev:
        raise InvalidBody("body.record", "prev without U+0000")
    return ChainRecord(seq, prev, body.sha256, body.record)


class BoxChain:
    """One box's chain inside a transaction: `box` is its row, locked."""

    def __init__(self, db: Connection, ledger: Ledger, box: "Row[Any]", now_ns: int) -> None:
        self._db = db
        self._ledger = ledger
        self._box = box
        self._now_ns = now_ns

    def add(self, record: ChainRecord, envelope_seq: int) -> None:
        """Keep a record and move the verified head as far as it goes."""
        place = {"box": self._box.box_id, "number": record.seq, "digest": record.sha256}
        twin = self._db.scalar(_TWINS, place)
        row = {"box_id": self._box.box_id, "seq": record.seq, "sha256": record.sha256, "prev": record.prev}
        row |= {"envelope_seq": envelope_seq, "record": record.text, "accepted_at_ns": self._now_ns}
        insert_once(self._db, chain_records, row)
        if twin is not None:
            words = f"有两条不同的记录 {record.seq}", f"two different records numbered {record.seq}"
            self._note(_Contradiction(FindingKind.CHAIN_FAULT, *words))
        self._advance()

    def compare(self, head: ChainPosition, envelope_seq: int) -> ChainState:
        """Hold the box's own word on its head against what it had sent before that word (by envelope number).

        How the chain stands then. One question where nothing contradicts, as nearly always.
        """
        place = {"box": self._box.box_id, "head": head.seq, "sending": envelope_seq, "digest": head.sha256}
        heard = self._db.execute(_HEARD, place | {"verified": self._box.verified_seq}).one()
        if heard.denied is None and (heard.same or not heard.others):
            return _state_of(self._box, heard.first, heard.last)
        self._contradict(head, envelope_seq)
        return self.state()

    def _contradict(self, head: ChainPosition, envelope_seq: int) -> None:
        box = self._box.box_id
        denied = self._db.scalar(_DENIED, {"box": box, "head": head.seq, "sending": envelope_seq})
        if denied is not None:
            zh = f"设备称证据链止于 {head.seq}，但此前已发送记录 {denied}"
            en = f"the box says its chain ends at {head.seq} but had sent record {denied}"
            self._note(_Contradiction(FindingKind.TAIL_DELETED, zh, en))
        held = {row.sha256 for row in self._db.execute(_NUMBERED, {"box": box, "number": head.seq})}
        if held and head.sha256 not in held:
            words = f"设备给出的记录 {head.seq} 摘要不同", f"the box gives another digest for record {head.seq}"
            self._note(_Contradiction(FindingKind.CHAIN_FAULT, *words))

    def state(self) -> ChainState:
        """How the chain of this box stands now."""
        return chain_state(self._db, self._box.box_id)

    def _advance(self) -> None:
        box = self._box.box_id
        head = self._walk(ChainHead(self._box.verified_seq, self._box.verified_sha256))
        first, _ = self._db.execute(_BEYOND, {"box": box, "verified": head.seq}).one()
        gap = first is not None and first > head.seq + 1
        since = (self._box.gap_since_ns or self._now_ns) if gap else 0
        self._db.execute(_HEAD, {"box": box, "seq": head.seq, "digest": head.sha256, "since": since})

    def _walk(self, head: ChainHead) -> ChainHead:
        while rows := self._db.execute(_NUMBERED, {"box": self._box.box_id, "number": head.seq + 1}).all():
            fitting = [row.sha256 for row in rows if row.prev == head.sha256]
            if not fitting:
                zh = f"记录 {head.seq + 1} 的前序与记录 {head.seq} 不符"
                en = f"record {head.seq + 1} names another predecessor than record {head.seq}"
                self._note(_Contradiction(FindingKind.CHAIN_FAULT, zh, en))
                break
            head = ChainHead(head.seq + 1, fitting[0])
        return head

    def _note(self, what: _Contradiction) -> None:
        box = self._box.box_id
        self._db.execute(_FAULT, {"box": box, "reason": what.words_en})
        finding = Finding(what.kind, box, what.words_zh, what.words_en, self._box.project_code, box)
        open_finding(self._db, self._ledger, finding, self._now_ns)


def signed_checkpoint(key: SignKey, box_id: str, head: ChainHead, now_ns: int) -> SignedText | None:
    """What a box keeps as proof of its chain up to `head`, the end that holds here; None before the first record."""
    if head.seq == 0:
        return None
    return sign_text(ChainCheckpoint(box_id=box_id, seq=head.seq, sha256=head.sha256, at_ns=now_ns), key)


def chain_state(db: Connection, box_id: str) -> ChainState:
    """How a box's chain stands. Raises LookupError for a box that is not enrolled."""
    row = db.execute(_BOX, {"box": box_id}).first()
    if row is None:
        raise LookupError(f"box {box_id} is not enrolled")
    first, last = db.execute(_BEYOND, {"box": box_id, "verified": row.verified_seq}).one()
    return _state_of(row, first, last)


def _state_of(row: "Row[Any]", first: int | None, last: int | None) -> ChainState:
    """`first` and `last`: of the records beyond the verified head."""
    verified = row.verified_seq
    gap = first is not None and first > verified + 1
    return ChainState(
        state="fault" if row.chain_fault else "gap" if gap else "ok",
        verified_seq=verified,
        highest_seq=last or verified,
        missing_from=verified + 1 if gap else 0,
        missing_to=(first or 0) - 1 if gap else 0,
        reason=row.chain_fault,
    )
