"""Looking at all that is held of a box once more, as a stranger would: digests, signatures, chain, anchors, files.

    item      body = its digest; envelope = its signature by a key of this box; receipt = the desk's signature over this
    count     items of a box are numbered: none is missing up to the number that its row and its last anchor name
    chain     each record = its digest, names the one before; the end = the head that is kept; every anchor is in it
    key       the key's text has the fingerprint that is its id (two boxes' keys that changed places do not)
    file      the bytes on the shelf have their digest

In: rows as they lie, the desk's public keys, the shelf. Out: faults, each naming the row. Changes nothing.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, exists, func, select, tuple_

from contract.canonical import canonical_bytes
from contract.chain import GENESIS, ChainFault, ChainHead, verify_chain
from contract.faults import ContractFault
from contract.signing import SignKey, VerifyKey, verify_key
from regulator.base.intake.anchors import CHAIN_ANCHORED, ITEMS
from regulator.base.intake.findings import Finding, FindingKind, open_finding
from regulator.base.model.shelf import Shelf
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.key_history import public_keys
from regulator.base.records.ledger import Ledger
from regulator.base.records.tables.intake import alarm_media, alerts, anchors, box_keys, boxes, chain_records, items
from regulator.base.records.tables.ledger import ledger_entries

RECHECK_EVERY_S = 3600.0
LOOK_BACK_NS = 2 * 3_600_000_000_000
PAGE = 1000
Keys = Mapping[str, VerifyKey]


@dataclass(frozen=True, slots=True)
class RecheckJob:
    """Rechecks what came lately, and the whole chain, of every box; faults become findings."""

    database: DeskDatabase
    ledger: Ledger
    desk_key: SignKey
    shelf: Shelf

    def run(self, now_ns: int) -> None:
        """Do one round of this job at this moment."""
        for faults in recheck_all(self.database, self.desk_key, self.shelf, now_ns - LOOK_BACK_NS):
            with self.database.transaction() as db:
                for fault in faults:
                    open_finding(db, self.ledger, fault, now_ns)


def recheck_all(database: DeskDatabase, desk_key: SignKey, shelf: Shelf, since_ns: int = 0) -> Iterator[list[Finding]]:
    """Faults of boxes that are gone, then of each box; items and files that were accepted since a time."""
    with database.reading() as db:
        desk_keys = public_keys(db, desk_key)
        names = list(db.scalars(select(boxes.c.box_id).order_by(boxes.c.box_id)))
        yield list(_lost_boxes(db, set(names)))
    for box_id in names:
        with database.reading() as db:
            faults = list(Recheck(db, box_id, desk_keys, shelf).faults(since_ns))
        yield faults


def _lost_boxes(db: Connection, there: set[str]) -> Iterator[Finding]:
    """Boxes of which an anchor or a key is there, and no row."""
    known = set(db.scalars(select(anchors.c.box_id).distinct())) | set(db.scalars(select(box_keys.c.box_id).distinct()))
    for box_id in sorted(known - there):
        zh, en = f"设备 {box_id} 的登记已被删除", f"the row of {box_id}, which was enrolled, is gone"
        yield Finding(FindingKind.RECORD_DELETED, f"{box_id}: box", zh, en, "", box_id)


class Recheck:
    """One box, in a transaction that reads."""

    def __init__(self, db: Connection, box_id: str, desk_keys: Keys, shelf: Shelf) -> None:
        self._db = db
        self._box = db.execute(select(boxes).where(boxes.c.box_id == box_id)).one()
        self._desk_keys = desk_keys
        self._shelf = shelf

    def faults(self, since_ns: int = 0) -> Iterator[Finding]:
        """Everything that does not hold; items and files that were accepted since a time."""
        keys, swapped = self._keys()
        yield from swapped
        for item in self._items(since_ns):
            yield from self._item(item, keys)
        yield from self._deleted_items()
        yield from self._deleted_alerts()
        yield from self._chain()
        yield from self._files(since_ns)

    def _keys(self) -> tuple[Keys, list[Finding]]:
        """Keys by their id, and those whose text has another fingerprint than their id."""
        good: dict[str, VerifyKey] = {}
        swapped = []
        for row in self._db.execute(select(box_keys).where(box_keys.c.box_id == self._box.box_id)).all():
            key = _read_key(row.alg, row.public_text)
            if key is None or key.key_id != row.key_id:
                zh = f"设备 {row.box_id} 的密钥 {row.key_id} 与其指纹不符：密钥已被调换"
                en = f"key {row.key_id} of {row.box_id} does not have its fingerprint: keys were swapped"
                swapped.append(self._fault(FindingKind.FOREIGN_KEY, row.key_id, zh, en))
            else:
                good[row.key_id] = key
        return good, swapped

    def _items(self, since_ns: int) -> "Iterator[Row[Any]]":
        """In the order of their numbers, some at a time."""
        at = items.c
        mine = (at.box_id == self._box.box_id) & (at.accepted_at_ns >= since_ns)
        first = self._db.scalar(select(func.min(at.number)).where(mine))
        rows = self._page(mine, (-1 if first is None else first - 1, ""))
        while rows:
            yield from rows
            rows = self._page(mine, (rows[-1].number, rows[-1].key))

    def _page(self, mine: "ColumnElement[bool]", after: tuple[int, str]) -> "Sequence[Row[Any]]":
        at = items.c
        beyond = tuple_(at.number, at.key) > tuple_(*after)
        found = select(items).where(mine, beyond).order_by(at.number, at.key).limit(PAGE)
        return self._db.execute(found).all()

    def _deleted_items(self) -> Iterator[Finding]:
        """Numbers that no row has any more. Each was receipted: a row and its receipt are kept in one commit."""
        at, box = items.c, self._box
        last = max(box.items_accepted, self._anchored_items())
        mine = (at.box_id == box.box_id) & (at.number > 0)
        if self._db.scalar(select(func.count()).where(mine)) == last:
            return
        there = list(self._db.scalars(select(at.number).where(mine).order_by(at.number)))
        for before, after in pairwise([0, *there, last + 1]):
            if after - before > 1:
                which = f"{before + 1}–{after - 1}" if after - before > 2 else f"{before + 1}"
                zh = f"设备 {box.box_id} 第 {which} 件已签发回执的上报数据已被删除"
                en = f"items {which} of {box.box_id}, which had receipts, are gone"
                yield self._fault(FindingKind.RECORD_DELETED, f"items {which}", zh, en)

    def _anchored_items(self) -> int:
        """What the ledger says of how many there were."""
        at = ledger_entries.c
        told = select(at.body).where(at.subject == self._box.box_id, at.kind == CHAIN_ANCHORED)
        body = self._db.scalar(told.order_by(at.at_ns.desc(), at.seq.desc()).limit(1))
        return int(json.loads(body)["content"].get(ITEMS, 0)) if body else 0

    def _deleted_alerts(self) -> Iterator[Finding]:
        """Transitions that are kept as sent and stand in no list of alarms."""
        at = items.c
        held = exists().where(alerts.c.box_id == at.box_id, alerts.c.key == at.key)
        gone = select(at.key).where(at.box_id == self._box.box_id, at.kind == "alarm_transition", ~held)
        for key in self._db.scalars(gone.order_by(at.number).limit(PAGE)).all():
            zh = f"报警记录 {key} 已从报警表中删除"
            en = f"the row of alert {key} is gone; what was sent is there"
            yield self._fault(FindingKind.RECORD_DELETED, f"alert {key}", zh, en)

    def _item(self, item: "Row[Any]", keys: Keys) -> Iterator[Finding]:
        where = f"{item.kind} {item.key}"
        if hashlib.sha256(item.body.encode()).hexdigest() != item.body_sha256 or not _same_body(item):
            zh, en = f"{where} 的内容与入库时不符", f"the body of {where} is not what was accepted"
            yield self._fault(FindingKind.RECORD_CHANGED, where, zh, en)
        if not _signed_by(keys, item):
            zh, en = f"{where} 的设备签名不成立", f"the box's signature of {where} does not hold"
            yield self._fault(FindingKind.BAD_SIGNATURE, where, zh, en)
        if not self._receipt_holds(item):
            zh, en = f"{where} 的回执系伪造或被改", f"the receipt of {where} is forged or changed"
            yield self._fault(FindingKind.RECEIPT_FORGED, where, zh, en)

    def _receipt_holds(self, item: "Row[Any]") -> bool:
        try:
            receipt = json.loads(item.receipt)
            said = json.loads(receipt["text"])
            key = self._desk_keys[receipt["key_id"]]
            key.verify(receipt["signature"], receipt["text"].encode())
        except (ValueError, KeyError, TypeError, ContractFault):
            return False
        named = tuple(said.get(name) for name in ("box_id", "key", "kind", "body_sha256", "accepted_at_ns"))
        return named == (item.box_id, item.key, item.kind, item.body_sha256, item.accepted_at_ns)

    def _chain(self) -> Iterator[Finding]:
        at = chain_records.c
        mine = select(chain_records).where(at.box_id == self._box.box_id, at.seq <= self._box.verified_seq)
        rows = self._db.execute(mine.order_by(at.seq, at.envelope_seq)).all()
        main = main_line(rows)
        end = verify_chain((row.seq, row.sha256, row.record.encode()) for row in main)
        if isinstance(end, ChainFault):
            zh, en = f"证据链记录 {end.seq} 不成立", f"chain record {end.seq} does not hold: {end.reason}"
            yield self._fault(FindingKind.RECORD_CHANGED, f"chain {end.seq}", zh, en)
        elif end != ChainHead(self._box.verified_seq, self._box.verified_sha256):
            zh = f"证据链应止于记录 {self._box.verified_seq}，库中止于 {end.seq}：末尾记录被删除"
            en = f"the chain reached {self._box.verified_seq}, the rows end at {end.seq}: the tail was deleted"
            yield self._fault(FindingKind.TAIL_DELETED, f"chain {end.seq + 1}", zh, en)
        held = {(row.seq, row.sha256) for row in rows}
        for anchor in self._db.execute(select(anchors).where(anchors.c.box_id == self._box.box_id)).all():
            if (anchor.seq, anchor.sha256) not in held:
                zh = f"第 {anchor.number} 次锚定的记录 {anchor.seq} 已缺失或被改"
                en = f"record {anchor.seq}, which anchor {anchor.number} names, is gone or changed"
                yield self._fault(FindingKind.TAIL_DELETED, f"anchor {anchor.number}", zh, en)

    def _files(self, since_ns: int) -> Iterator[Finding]:
        at = alarm_media.c
        wanted = select(at.sha256).join(items, (items.c.box_id == at.box_id) & (items.c.key == at.item_key))
        wanted = wanted.where(at.box_id == self._box.box_id, at.kind == "segment", items.c.accepted_at_ns >= since_ns)
        for sha256 in self._db.scalars(wanted.distinct()).all():
            try:
                self._shelf.read(sha256)
            except (LookupError, ValueError):
                zh, en = f"媒体文件 {sha256} 缺失或被改", f"file {sha256} is gone or changed"
                yield self._fault(FindingKind.BLOB_DIGEST, sha256, zh, en)

    def _fault(self, kind: FindingKind, subject: str, zh: str, en: str) -> Finding:
        box = self._box.box_id
        return Finding(kind, f"{box}: {subject}", zh, en, self._box.project_code, box)


def main_line(rows: "Sequence[Row[Any]]") -> "list[Row[Any]]":
    """Of two records with one number the one that follows the line; a fork is a finding of its own."""
    line: list[Row[Any]] = []
    for _, twins in groupby(rows, key=lambda row: row.seq):
        known = list(twins)
        prev = line[-1].sha256 if line else GENESIS
        line.append(next((row for row in known if row.prev == prev), known[0]))
    return line


def _same_body(item: "Row[Any]") -> bool:
    try:
        return bool(canonical_bytes(json.loads(item.envelope)["body"]).decode() == item.body)
    except (ValueError, KeyError, TypeError):
        return False


def _signed_by(keys: Keys, item: "Row[Any]") -> bool:
    try:
        said = json.loads(item.envelope)
        keys[said["key_id"]].verify(item.envelope_signature, item.envelope.encode())
    except (ValueError, KeyError, TypeError, ContractFault):
        return False
    return bool((said["box_id"], said["key"], said["kind"]) == (item.box_id, item.key, item.kind))


def _read_key(alg: str, public_text: str) -> VerifyKey | None:
    try:
        return verify_key(alg, public_text)
    except ContractFault:
        return None
