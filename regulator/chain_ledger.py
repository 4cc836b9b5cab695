"""What the regulator holds of each box's hash chain, and what it can tell from it.

Records may arrive in any order (a box pipelines). The verified head moves over every record that names its
predecessor; what is missing is a gap and heals when it arrives; what contradicts is a fault and stays for ever:

    verified head            gap                 arrived early
    1 -> 2 -> 3              4 missing           5 -> 6

Faults: two records with one number (a fork), a record that names another predecessor, a head in a heartbeat that
denies records which the box had sent before it (a deleted tail) or gives another digest. Both sides of a
contradiction are kept. In: records and heads inside a transaction. Out: `ChainState`. Knows no HTTP.
"""

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from contract.chain import record_digest
from contract.faults import DigestMismatch, InvalidBody
from contract.messages import ChainPosition, ChainState, EvidenceRecord


@dataclass(frozen=True, slots=True)
class ChainRecord:
    """A record's place, read from its text."""

    seq: int
    prev: str
    sha256: str
    text: str


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
    return ChainRecord(seq, prev, body.sha256, body.record)


def add_record(db: sqlite3.Connection, box_id: str, record: ChainRecord, envelope_seq: int, now_ns: int) -> None:
    """Keep a record and move the verified head as far as it goes."""
    twin = db.execute(
        "SELECT 1 FROM chain_records WHERE box_id=? AND seq=? AND sha256<>?", (box_id, record.seq, record.sha256)
    ).fetchone()
    db.execute(
        "INSERT OR IGNORE INTO chain_records VALUES (?,?,?,?,?,?,?)",
        (box_id, record.seq, record.sha256, record.prev, envelope_seq, record.text, now_ns),
    )
    if twin:
        _note_fault(db, box_id, f"two different records numbered {record.seq}")
    _advance(db, box_id)


def compare_head(db: sqlite3.Connection, box_id: str, head: ChainPosition, envelope_seq: int) -> None:
    """Hold the box's own word on its head against what it had sent before that word (by envelope number)."""
    denied = db.execute(
        "SELECT max(seq) FROM chain_records WHERE box_id=? AND seq>? AND envelope_seq<?",
        (box_id, head.seq, envelope_seq),
    ).fetchone()[0]
    if denied is not None:
        _note_fault(db, box_id, f"the box says its chain ends at {head.seq} but had sent record {denied}")
    held = db.execute("SELECT sha256 FROM chain_records WHERE box_id=? AND seq=?", (box_id, head.seq)).fetchall()
    if held and head.sha256 not in {row["sha256"] for row in held}:
        _note_fault(db, box_id, f"the box gives another digest for record {head.seq}")


def chain_state(db: sqlite3.Connection, box_id: str) -> ChainState:
    """How the box's chain stands."""
    row = db.execute("SELECT * FROM boxes WHERE box_id=?", (box_id,)).fetchone()
    first, last = db.execute(
        "SELECT min(seq), max(seq) FROM chain_records WHERE box_id=? AND seq>?", (box_id, row["verified_seq"])
    ).fetchone()
    return state_of(row, first, last)


def state_of(box: Any, first_beyond: int | None, last_beyond: int | None) -> ChainState:
    """The state from a box's row and the first and last record numbers beyond its verified head."""
    verified = box["verified_seq"]
    highest = last_beyond or verified
    gap = first_beyond is not None and first_beyond > verified + 1
    return ChainState(
        state="fault" if box["chain_fault"] else "gap" if gap else "ok",
        verified_seq=verified,
        highest_seq=highest,
        missing_from=verified + 1 if gap else 0,
        missing_to=first_beyond - 1 if gap and first_beyond is not None else 0,
        reason=box["chain_fault"],
    )


def _advance(db: sqlite3.Connection, box_id: str) -> None:
    box = db.execute("SELECT verified_seq, verified_sha256 FROM boxes WHERE box_id=?", (box_id,)).fetchone()
    seq, sha256 = box["verified_seq"], box["verified_sha256"]
    while rows := db.execute(
        "SELECT sha256, prev FROM chain_records WHERE box_id=? AND seq=? ORDER BY envelope_seq", (box_id, seq + 1)
    ).fetchall():
        fitting = [row["sha256"] for row in rows if row["prev"] == sha256]
        if not fitting:
            _note_fault(db, box_id, f"record {seq + 1} names another predecessor than record {seq}")
            break
        seq, sha256 = seq + 1, fitting[0]
    db.execute("UPDATE boxes SET verified_seq=?, verified_sha256=? WHERE box_id=?", (seq, sha256, box_id))


def _note_fault(db: sqlite3.Connection, box_id: str, reason: str) -> None:
    db.execute("UPDATE boxes SET chain_fault=? WHERE box_id=? AND chain_fault=''", (reason, box_id))
