"""What the receiving regulator holds: boxes, codes, items under their keys, alerts, chains, mailboxes, counters.

In: envelopes whose signature was checked. Out: signed receipts and rows for pages. Every public method is one
transaction; what it returns is on the disk. Knows SQL and the contract, no HTTP. This class is the seam behind which
a larger database can stand.

Theory of operation: `accept` decides as drawn in `contract.envelope`: first by idempotency key (the receipt given
before is given again, byte by byte), then by sequence number, and only then writes item, alert row, chain record,
mailbox notice and receipt in one commit.
"""

import hashlib
import json
import sqlite3
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from contract.canonical import canonical_bytes
from contract.chain import GENESIS
from contract.envelope import Envelope, SignedText, sign_text
from contract.faults import BlobMissing, BoxExists, CodeRefused, ConflictingBody, InvalidBody, StaleSequence
from contract.messages import (
    Accepted,
    AlarmTransition,
    ChainState,
    Enrol,
    EvidenceRecord,
    Heartbeat,
    HeartbeatSeen,
    MailboxAck,
    MailboxMessage,
    MediaSegment,
    ReceiptNotice,
    ReceiptText,
    UpMessage,
)
from contract.sequence import SequenceWindow
from contract.signing import SignKey, VerifyKey, verify_key
from regulator.chain_ledger import ChainRecord, add_record, chain_state, compare_head, read_record
from regulator.database import Database, insert


@dataclass(frozen=True, slots=True)
class Delivery:
    """An item as it arrived: the checked envelope with its exact bytes, and its body as a message."""

    envelope: Envelope
    raw: bytes
    signature: str
    body: UpMessage


class ReceiverStore:
    """One SQLite file. Thread-safe: one writer at a time. `on_mailbox` is called with a box id when mail arrives."""

    def __init__(self, path: Path, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._database = Database(path)
        self._now_ns = now_ns
        self.on_mailbox: Callable[[str], None] = tell_nobody

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def add_code(self, code: str, box_id: str = "") -> None:
        """Issue a one-time enrolment code; with `box_id` it also replaces that box's key. Only its digest is kept."""
        with self._database.transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO codes (code_sha256, box_id, issued_at_ns) VALUES (?,?,?)",
                (_code_digest(code), box_id, self._now_ns()),
            )

    def enrol(self, envelope: Envelope, body: Enrol) -> None:
        """Spend the code and remember the box's key. The same box with the same key may repeat it (a lost reply)."""
        with self._database.transaction() as db:
            code = db.execute("SELECT * FROM codes WHERE code_sha256=?", (_code_digest(body.code),)).fetchone()
            if code is None or code["box_id"] not in ("", envelope.box_id):
                raise CodeRefused("body.code", "a code issued for this box")
            if code["used_by"]:
                if (code["used_by"], code["used_key_id"]) != (envelope.box_id, envelope.key_id):
                    raise CodeRefused("body.code", "a code that was not used before")
                return
            known = db.execute("SELECT 1 FROM boxes WHERE box_id=?", (envelope.box_id,)).fetchone()
            if known and not code["box_id"]:
                raise BoxExists("box_id", "a new box id, or a code issued for this box")
            self._enrol_box(db, envelope, body)

    def _enrol_box(self, db: sqlite3.Connection, envelope: Envelope, body: Enrol) -> None:
        now = self._now_ns()
        db.execute(
            "INSERT INTO boxes (box_id, project_code, software, enrolled_at_ns, last_seen_ns, seq_highest, seq_bits,"
            " verified_seq, verified_sha256) VALUES (?,?,?,?,?,0,'0',0,?) ON CONFLICT (box_id) DO UPDATE SET"
            " project_code=excluded.project_code, software=excluded.software, last_seen_ns=excluded.last_seen_ns",
            (envelope.box_id, body.project_code, body.software, now, now, GENESIS),
        )
        db.execute(
            "UPDATE box_keys SET retired_at_ns=? WHERE box_id=? AND retired_at_ns=0 AND key_id<>?",
            (now, envelope.box_id, envelope.key_id),
        )
        self._add_key(db, envelope.box_id, verify_key(envelope.alg, body.public_key))
        with suppress(StaleSequence):  # a box with a new code may have lost its counter, and learns it later
            self._admit(db, envelope)
        db.execute(
            "UPDATE codes SET used_by=?, used_key_id=?, used_at_ns=? WHERE code_sha256=?",
            (envelope.box_id, envelope.key_id, now, _code_digest(body.code)),
        )

    def find_key(self, box_id: str, key_id: str) -> VerifyKey | None:
        """The box's public key while it is in force."""
        rows = self._database.rows(
            "SELECT alg, public_text FROM box_keys WHERE box_id=? AND key_id=? AND retired_at_ns=0", (box_id, key_id)
        )
        return verify_key(rows[0]["alg"], rows[0]["public_text"]) if rows else None

    def rotate_box_key(self, envelope: Envelope, new: VerifyKey) -> None:
        """Take the box's next key. The old one stays until the new one is first used."""
        with self._database.transaction() as db:
            self._admit(db, envelope)
            self._add_key(db, envelope.box_id, new)

    def _add_key(self, db: sqlite3.Connection, box_id: str, key: VerifyKey) -> None:
        db.execute(
            "INSERT INTO box_keys (box_id, key_id, alg, public_text, added_at_ns) VALUES (?,?,?,?,?)"
            " ON CONFLICT (box_id, key_id) DO UPDATE SET retired_at_ns=0",
            (box_id, key.key_id, key.alg, key.public_text, self._now_ns()),
        )

    def admit(self, envelope: Envelope) -> None:
        """Judge a message by its sequence number alone. Raises StaleSequence."""
        with self._database.transaction() as db:
            self._admit(db, envelope)

    def _admit(self, db: sqlite3.Connection, envelope: Envelope) -> None:
        box = envelope.box_id
        row = db.execute("SELECT seq_highest, seq_bits FROM boxes WHERE box_id=?", (box,)).fetchone()
        window = SequenceWindow(row["seq_highest"], int(row["seq_bits"], 16)).admit(envelope.seq)
        db.execute(
            "UPDATE boxes SET seq_highest=?, seq_bits=?, last_seen_ns=? WHERE box_id=?",
            (window.highest, f"{window.bits:x}", self._now_ns(), box),
        )
        db.execute(
            "UPDATE box_keys SET retired_at_ns=? WHERE box_id=? AND retired_at_ns=0 AND added_at_ns <"
            " (SELECT added_at_ns FROM box_keys WHERE box_id=? AND key_id=?)",
            (self._now_ns(), box, box, envelope.key_id),
        )

    def accept(self, delivery: Delivery, signer: SignKey) -> Accepted:
        """Keep an item once. Raises ConflictingBody, StaleSequence, DigestMismatch, InvalidBody or BlobMissing."""
        envelope = delivery.envelope
        record = read_record(delivery.body, envelope.box_id) if isinstance(delivery.body, EvidenceRecord) else None
        if isinstance(delivery.body, AlarmTransition) and delivery.body.event_id != envelope.key:
            raise InvalidBody("body.event_id", "the envelope's key")
        body = canonical_bytes(envelope.body)
        digest = hashlib.sha256(body).hexdigest()
        with self._database.transaction() as db:
            held = self._held(db, envelope, digest)
            if held is None:
                self._admit(db, envelope)
                receipt = self._keep(db, delivery, body, signer)
                self._file(db, delivery, record, receipt, signer)
            else:
                self._bump(db, "duplicates_refused")
            chain = chain_state(db, envelope.box_id) if record else None
        if held is None and _has_notice(delivery.body):
            self.on_mailbox(envelope.box_id)
        return Accepted(receipt=held or receipt, duplicate=held is not None, chain=chain)

    def _held(self, db: sqlite3.Connection, envelope: Envelope, digest: str) -> SignedText | None:
        row = db.execute(
            "SELECT kind, body_sha256, receipt FROM items WHERE box_id=? AND key=?", (envelope.box_id, envelope.key)
        ).fetchone()
        if row is None:
            return None
        if (row["kind"], row["body_sha256"]) != (envelope.kind, digest):
            raise ConflictingBody("body", f"the body held under this key, SHA-256 {row['body_sha256']}")
        return SignedText.model_validate_json(row["receipt"])

    def _keep(self, db: sqlite3.Connection, delivery: Delivery, body: bytes, signer: SignKey) -> SignedText:
        envelope, now = delivery.envelope, self._now_ns()
        digest = hashlib.sha256(body).hexdigest()
        text = ReceiptText(
            receipt_id=uuid.uuid4().hex,
            box_id=envelope.box_id,
            key=envelope.key,
            kind=envelope.kind,
            body_sha256=digest,
            accepted_at_ns=now,
        )
        receipt = sign_text(text, signer)
        row = {
            "box_id": envelope.box_id,
            "key": envelope.key,
            "kind": envelope.kind,
            "seq": envelope.seq,
            "late": envelope.late,
            "sent_at_ns": envelope.sent_at_ns,
            "accepted_at_ns": now,
            "body": body.decode(),
            "body_sha256": digest,
            "envelope": delivery.raw.decode(),
            "envelope_signature": delivery.signature,
            "receipt": receipt.model_dump_json(),
        }
        insert(db, "items", row)
        return receipt

    def _file(
        self,
        db: sqlite3.Connection,
        delivery: Delivery,
        record: ChainRecord | None,
        receipt: SignedText,
        signer: SignKey,
    ) -> None:
        envelope, body = delivery.envelope, delivery.body
        if isinstance(body, AlarmTransition):
            _file_alert(db, envelope, body, self._now_ns())
        if record is not None:
            add_record(db, envelope.box_id, record, envelope.seq, self._now_ns())
        if (
            isinstance(body, MediaSegment)
            and not db.execute(
                "SELECT 1 FROM blobs WHERE sha256=? AND size_bytes=?", (body.blob_sha256, body.size_bytes)
            ).fetchone()
        ):
            raise BlobMissing("body.blob_sha256", "a blob that was sent before, of this size")
        if _has_notice(body):
            self._post(db, envelope.box_id, "receipt", ReceiptNotice(receipt=receipt), signer)

    def hear(self, envelope: Envelope, body: Heartbeat) -> HeartbeatSeen:
        """Note a heartbeat and hold its chain head against what is held."""
        with self._database.transaction() as db:
            self._admit(db, envelope)
            db.execute(
                "UPDATE boxes SET head_seq=?, head_sha256=?, counters=? WHERE box_id=?",
                (body.chain.seq, body.chain.sha256, json.dumps(body.counters), envelope.box_id),
            )
            compare_head(db, envelope.box_id, body.chain, envelope.seq)
            waiting = db.execute(
                "SELECT count(*) FROM mailbox WHERE box_id=? AND acknowledged_at_ns=0", (envelope.box_id,)
            ).fetchone()[0]
            return HeartbeatSeen(chain=chain_state(db, envelope.box_id), messages_waiting=waiting)

    def post(self, box_id: str, kind: str, body: BaseModel, signer: SignKey) -> str:
        """Put a message into a box's mailbox; its id. Raises LookupError for a box that is not enrolled."""
        if not self._database.rows("SELECT 1 FROM boxes WHERE box_id=?", (box_id,)):
            raise LookupError(f"box {box_id} is not enrolled")
        with self._database.transaction() as db:
            message_id = self._post(db, box_id, kind, body, signer)
        self.on_mailbox(box_id)
        return message_id

    def _post(self, db: sqlite3.Connection, box_id: str, kind: str, body: BaseModel, signer: SignKey) -> str:
        last = db.execute("SELECT max(mailbox_seq) FROM mailbox WHERE box_id=?", (box_id,)).fetchone()[0] or 0
        message = MailboxMessage(
            message_id=uuid.uuid4().hex,
            mailbox_seq=last + 1,
            box_id=box_id,
            kind=kind,
            issued_at_ns=self._now_ns(),
            body=body.model_dump(mode="json"),
        )
        row = {
            "box_id": box_id,
            "mailbox_seq": message.mailbox_seq,
            "message_id": message.message_id,
            "kind": kind,
            "signed": sign_text(message, signer).model_dump_json(),
            "issued_at_ns": message.issued_at_ns,
        }
        insert(db, "mailbox", row)
        return message.message_id

    def waiting(self, box_id: str, limit: int) -> tuple[SignedText, ...]:
        """Messages that the box has not acknowledged, oldest first."""
        rows = self._database.rows(
            "SELECT signed FROM mailbox WHERE box_id=? AND acknowledged_at_ns=0 ORDER BY mailbox_seq LIMIT ?",
            (box_id, limit),
        )
        return tuple(SignedText.model_validate_json(row["signed"]) for row in rows)

    def acknowledge(self, envelope: Envelope, body: MailboxAck) -> None:
        """The box has these for good. Unknown or repeated ids change nothing."""
        with self._database.transaction() as db:
            self._admit(db, envelope)
            db.executemany(
                "UPDATE mailbox SET acknowledged_at_ns=?, outcome=? WHERE box_id=? AND message_id=?"
                " AND acknowledged_at_ns=0",
                [(self._now_ns(), ack.outcome, envelope.box_id, ack.message_id) for ack in body.messages],
            )

    def note_blob(self, box_id: str, sha256: str, size_bytes: int, media_type: str) -> None:
        """A file is complete on the shelf."""
        with self._database.transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO blobs VALUES (?,?,?,?,?)",
                (sha256, size_bytes, media_type, box_id, self._now_ns()),
            )

    def count(self, name: str) -> None:
        """Add one to a lasting counter."""
        with self._database.transaction() as db:
            self._bump(db, name)

    def _bump(self, db: sqlite3.Connection, name: str) -> None:
        db.execute("INSERT INTO counters VALUES (?,1) ON CONFLICT (name) DO UPDATE SET count=count+1", (name,))

    def alerts(self, limit: int | None = None) -> list[dict[str, Any]]:
        """Alarm transitions held, newest first: asset, rule_id, transition, observed_at_ns, accepted_at_ns, key ..."""
        rows = self._database.rows(
            "SELECT * FROM alerts ORDER BY accepted_at_ns DESC, rowid DESC LIMIT ?", (-1 if limit is None else limit,)
        )
        return [dict(row) for row in rows]

    def items(self, kind: str) -> list[dict[str, Any]]:
        """Items of one kind in the order of their arrival; `body` is their exact canonical text."""
        return [dict(row) for row in self._database.rows("SELECT * FROM items WHERE kind=? ORDER BY rowid", (kind,))]

    def media_of(self, alerts: list[dict[str, Any]]) -> dict[tuple[str, str], list[dict[str, Any]]]:
        """(box, key of an alert) -> what came of its pictures, in the order of arrival: bodies of `thumbnail` and
        `media_segment` items, each with its `kind`. Bytes of segments lie on the shelf."""
        if not alerts:
            return {}
        rows = self._database.rows(
            "SELECT box_id, kind, body FROM items WHERE kind IN ('thumbnail', 'media_segment') AND accepted_at_ns >= ?"
            " ORDER BY rowid",
            (min(alert["accepted_at_ns"] for alert in alerts),),
        )
        wanted = {(alert["box_id"], alert["key"]) for alert in alerts}
        found: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for row in rows:
            said = json.loads(row["body"])
            name = (row["box_id"], said["event_id"])
            if name in wanted:
                found.setdefault(name, []).append(said | {"kind": row["kind"]})
        return found

    def boxes(self) -> list[dict[str, Any]]:
        """Enrolled boxes: when last seen, mail `waiting`, and `chain` (a `ChainState`)."""
        with self._database.transaction() as db:
            rows = db.execute(
                "SELECT *, (SELECT count(*) FROM mailbox m WHERE m.box_id=b.box_id AND acknowledged_at_ns=0) AS waiting"
                " FROM boxes b ORDER BY box_id"
            ).fetchall()
            return [dict(row) | {"chain": chain_state(db, row["box_id"])} for row in rows]

    def chain(self, box_id: str) -> ChainState:
        """How a box's chain stands. Raises LookupError for a box that is not enrolled."""
        for box in self.boxes():
            if box["box_id"] == box_id:
                state: ChainState = box["chain"]
                return state
        raise LookupError(f"box {box_id} is not enrolled")

    def stats(self) -> dict[str, int]:
        """Figures for pages and tests."""
        tables = {"boxes": "boxes", "alerts_held": "alerts", "items_held": "items", "evidence_held": "chain_records"}
        tables |= {"blobs_held": "blobs"}
        figures = {
            name: int(self._database.rows(f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608 - fixed names
            for name, table in tables.items()
        }
        figures |= dict.fromkeys(("duplicates_refused", "conflicts_refused", "stale_refused"), 0)
        return figures | {row["name"]: row["count"] for row in self._database.rows("SELECT * FROM counters")}


COUNTED_FAULTS = {ConflictingBody: "conflicts_refused", StaleSequence: "stale_refused"}
"""Refusals of enrolled boxes that are worth a lasting counter."""


def tell_nobody(box_id: str) -> None:
    """The listener while nobody listens."""


def _has_notice(body: UpMessage) -> bool:
    return isinstance(body, EvidenceRecord | MediaSegment)


def _code_digest(code: str) -> str:
    return hashlib.sha256(b"sitewarden-enrol:" + code.encode("utf-8", "surrogatepass")).hexdigest()


def _file_alert(db: sqlite3.Connection, envelope: Envelope, body: AlarmTransition, now_ns: int) -> None:
    taken = ["project_code", "asset", "subject", "rule_id", "severity", "transition", "title_zh", "title_en"]
    taken += ["measured", "unit", "suspected", "observed_at_ns"]
    row: dict[str, object] = {name: getattr(body, name) for name in taken}
    row |= {"box_id": envelope.box_id, "key": envelope.key, "limit_value": body.limit}
    insert(db, "alerts", row | {"late": envelope.late, "accepted_at_ns": now_ns})
