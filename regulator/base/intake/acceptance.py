"""Keeping an item once, as drawn in `contract.envelope`: by its key first, then by its number, then in one commit.

In: a checked delivery inside a transaction. Out: the signed receipt, always the same for the same item. What the desk's
areas want to know of an item they are told inside the same transaction: kept with it or not at all.
"""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select

from contract.canonical import canonical_bytes
from contract.envelope import Envelope, SignedText, sign_text
from contract.faults import BlobMissing, ConflictingBody, InvalidBody, OtherProject
from contract.mailbox import ReceiptNotice
from contract.messages import (
    Accepted,
    AlarmTransition,
    EvidenceRecord,
    MediaSegment,
    ReceiptText,
    Thumbnail,
    UpMessage,
)
from contract.signing import SignKey
from regulator.base.intake.admission import admit_number, check_sender, lock_box, was_seen
from regulator.base.intake.alarm_projection import file_media, file_transition
from regulator.base.intake.box_chain import BoxChain, ChainRecord, read_record
from regulator.base.intake.findings import Finding, FindingKind, open_finding
from regulator.base.intake.loose_files import settle
from regulator.base.intake.mailbox import post
from regulator.base.intake.refusals import bump
from regulator.base.intake.sealed_late import hear_alarm, hear_record
from regulator.base.model.heard import Heard, Listener, SetListener
from regulator.base.model.refusals import RefusedError
from regulator.base.records.blob_senders import sent_by
from regulator.base.records.ledger import Ledger
from regulator.base.records.tables.intake import blob_senders, blobs, items

_HELD = select(items.c.kind, items.c.body_sha256, items.c.receipt).where(
    items.c.box_id == bindparam("box"), items.c.key == bindparam("item")
)
_KEEP = insert(items)
_BLOB = select(blobs.c.sha256).where(blobs.c.sha256 == bindparam("digest"), blobs.c.size_bytes == bindparam("size"))
_BLOB = _BLOB.join(
    blob_senders, (blob_senders.c.sha256 == blobs.c.sha256) & (blob_senders.c.box_id == bindparam("box"))
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """An item as it arrived: the checked envelope with its exact bytes, and its body as a message."""

    envelope: Envelope
    raw: bytes
    signature: str
    body: UpMessage
    missing: frozenset[str] = frozenset()
    """Files that the message names and that are not on the shelf."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Accepts with the desk's key. `listeners` by kind of item."""

    key: SignKey
    listeners: Mapping[str, Sequence[Listener]] = field(default_factory=dict)

    def accept(self, db: Connection, delivery: Delivery, now_ns: int) -> Accepted:
        """Keep an item once.

        Raises ConflictingBody, OtherProject, StaleSequence, DigestMismatch, InvalidBody, BlobMissing, NotAdmitted or
        UnknownSender.
        """
        envelope = delivery.envelope
        record = checked_record(delivery)
        body = canonical_bytes(envelope.body)
        digest = hashlib.sha256(body).hexdigest()
        box = lock_box(db, envelope.box_id)
        check_sender(db, envelope, box, now_ns)
        held = _held(db, envelope, digest)
        if held is None:
            _require_own_project(box, delivery.body)
            _require_files(db, delivery)
            admit_number(db, envelope, box, now_ns, items=1)
            receipt, row = self.receipted(delivery, body, digest, now_ns)
            db.execute(_KEEP, row | {"number": box.items_accepted + 1})
            self._file(db, delivery, box, record, receipt, now_ns)
            settle(db, envelope.box_id, delivery.body)
        else:
            receipt = held
            self._note_repeat(db, box, envelope, now_ns)
        chain = BoxChain(db, Ledger(self.key), box, now_ns).state() if record else None
        return Accepted(receipt=receipt, duplicate=held is not None, chain=chain)

    def receipted(
        self, delivery: Delivery, body: bytes, digest: str, now_ns: int
    ) -> tuple[SignedText, dict[str, object]]:
        """A new item's receipt, and its row in `items`, which wants its number."""
        envelope = delivery.envelope
        text = ReceiptText(
            receipt_id=uuid.uuid4().hex,
            box_id=envelope.box_id,
            key=envelope.key,
            kind=envelope.kind,
            body_sha256=digest,
            accepted_at_ns=now_ns,
        )
        receipt = sign_text(text, self.key)
        row: dict[str, object] = {
            "box_id": envelope.box_id,
            "key": envelope.key,
            "kind": envelope.kind,
            "seq": envelope.seq,
            "late": int(envelope.late),
            "sent_at_ns": envelope.sent_at_ns,
            "accepted_at_ns": now_ns,
            "body": body.decode(),
            "body_sha256": digest,
            "envelope": delivery.raw.decode(),
            "envelope_signature": delivery.signature,
            "receipt": receipt.model_dump_json(),
        }
        return receipt, row

    def _file(
        self,
        db: Connection,
        delivery: Delivery,
        box: "Row[Any]",
        record: ChainRecord | None,
        receipt: SignedText,
        now_ns: int,
    ) -> None:
        envelope, body = delivery.envelope, delivery.body
        if isinstance(body, AlarmTransition):
            file_transition(db, box, envelope, body, now_ns)
        elif record is not None:
            BoxChain(db, Ledger(self.key), box, now_ns).add(record, envelope.seq)
        elif isinstance(body, MediaSegment | Thumbnail):
            _require_blob(db, box.box_id, body)
            file_media(db, envelope.box_id, envelope.key, body)
        if has_notice(body):
            post(db, envelope.box_id, "receipt", ReceiptNotice(receipt=receipt), self.key, now_ns)
        self.tell_all(db, [(delivery, box.project_code)], now_ns)

    def tell_all(self, db: Connection, told: Sequence[tuple[Delivery, str]], now_ns: int) -> None:
        """Tell the areas of items, each with the project of its box, each kind in its order: who can hear a set is told
        it as a set. Raises InvalidBody for what one of them refuses, or what it raises by its own name."""
        kinds: dict[str, list[Heard]] = {}
        for each, project_code in told:
            heard = Heard(each.envelope.box_id, project_code, each.body, each.envelope.key)
            kinds.setdefault(each.envelope.kind, []).append(heard)
        for kind, items_heard in kinds.items():
            for listener in (*_OWN.get(kind, ()), *self.listeners.get(kind, ())):
                _tell(db, listener, items_heard, now_ns)

    def _note_repeat(self, db: Connection, box: "Row[Any]", envelope: Envelope, now_ns: int) -> None:
        """A retry has a new number; the same number again is a replay of old bytes. Either changes nothing."""
        bump(db, box.box_id, "duplicates_refused")
        if not was_seen(box, envelope.seq):
            return
        bump(db, box.box_id, "replayed")
        zh = f"有人重放设备 {box.box_id} 已发送过的报文（序号 {envelope.seq}）"
        en = f"messages that {box.box_id} had sent before are played again (number {envelope.seq})"
        finding = Finding(FindingKind.REPLAYED, box.box_id, zh, en, box.project_code, box.box_id)
        open_finding(db, Ledger(self.key), finding, now_ns)


_OWN: Mapping[str, Sequence[Listener]] = {"alarm_transition": [hear_alarm], "evidence_record": [hear_record]}
"""What the intake itself hears, before any area."""


def _require_own_project(box: "Row[Any]", body: UpMessage) -> None:
    if isinstance(body, AlarmTransition) and body.project_code != box.project_code:
        raise OtherProject("body.project_code", box.project_code)


def _require_files(db: Connection, delivery: Delivery) -> None:
    """A file that was sent and is gone: it was cleared, as no message had named it. The box sends it again."""
    if delivery.missing and sent_by(db, delivery.envelope.box_id, delivery.missing):
        raise BlobMissing("body.blob_sha256", "a blob that this box sent within a day")


def _tell(db: Connection, listener: Listener, heard: Sequence[Heard], now_ns: int) -> None:
    try:
        if isinstance(listener, SetListener) and len(heard) > 1:
            listener.hear_all(db, heard, now_ns)
            return
        for each in heard:
            listener(db, each, now_ns)
    except RefusedError as refusal:
        raise InvalidBody(f"body.{refusal.field}".rstrip("."), refusal.message_en) from None


def has_notice(body: UpMessage) -> bool:
    """Whether the receipt is put into the mailbox too."""
    return isinstance(body, EvidenceRecord | MediaSegment)


def checked_record(delivery: Delivery) -> ChainRecord | None:
    """The chain record inside an item, if it is one. Raises DigestMismatch or InvalidBody."""
    envelope, body = delivery.envelope, delivery.body
    if isinstance(body, AlarmTransition) and body.event_id != envelope.key:
        raise InvalidBody("body.event_id", "the envelope's key")
    return read_record(body, envelope.box_id) if isinstance(body, EvidenceRecord) else None


def _held(db: Connection, envelope: Envelope, digest: str) -> SignedText | None:
    row = db.execute(_HELD, {"box": envelope.box_id, "item": envelope.key}).first()
    if row is None:
        return None
    if (row.kind, row.body_sha256) != (envelope.kind, digest):
        raise ConflictingBody("body", f"the body held under this key, SHA-256 {row.body_sha256}")
    return SignedText.model_validate_json(row.receipt)


def _require_blob(db: Connection, box_id: str, body: MediaSegment | Thumbnail) -> None:
    if isinstance(body, Thumbnail):
        return
    if db.scalar(_BLOB, {"box": box_id, "digest": body.blob_sha256, "size": body.size_bytes}) is None:
        raise BlobMissing("body.blob_sha256", "a blob that this box sent before, of this size")
