"""`receipts.db` of one uplink: what a regulator signed about this box's chain, kept beside the chain and never in it.

    receipt      of one evidence record: the digest of the message that brought it
    checkpoint   about one an hour: the digest of record n, as the regulator holds it

The box seals its chain itself, so whoever rules the box can rewrite a record and seal all that follow anew. He cannot
sign for the regulator: what lies here then names another digest (`receipt_check`). A sealed receipt would be a new
record with a receipt of its own, without end, so they lie in a file of their own.

In: signed texts that were checked. Out: futures, done when the disk has them. Nothing is ever changed or removed.
Beyond `MAX_BYTES` only checkpoints are added: each vouches for every record before it.
"""

import sqlite3
from concurrent.futures import Future
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from contract.envelope import SignedText
from contract.signing import VerifyKey
from gateway.store.database import Schema, Writer, open_or_repair, reopen_connection

RECEIPTS_FILE: Final = "receipts.db"
MAX_BYTES: Final = 2**30  # PD: some 1.5 million receipts, four years of a busy site

_DDL = """
CREATE TABLE desk_key(key_id TEXT PRIMARY KEY, alg TEXT NOT NULL, public_key TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE proof(
    kind TEXT NOT NULL, seq INTEGER NOT NULL, signature TEXT NOT NULL, key_id TEXT NOT NULL, text TEXT NOT NULL,
    PRIMARY KEY (kind, seq, signature)) WITHOUT ROWID
"""
SCHEMA = Schema(1, _DDL, "FULL", ("desk_key", "proof"), check_up_to_bytes=64 * 2**20)


class ProofKind(StrEnum):
    """What sort of statement a regulator has signed."""

    RECEIPT = "receipt"
    CHECKPOINT = "checkpoint"


@dataclass(frozen=True, slots=True)
class Proof:
    """A signed text about record `seq`, and the key that it was checked with."""

    kind: ProofKind
    seq: int
    signed: SignedText
    key: VerifyKey


def receipts_path(folder: Path, uplink: str) -> Path:
    """Where an uplink's proofs lie in a data folder."""
    return folder / "uplinks" / uplink / RECEIPTS_FILE


class ReceiptStore:
    """Opens (and where needed repairs) the file. Raises StoreError where the disk does not let it."""

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = path
        self._max_bytes = max_bytes
        connection, _ = open_or_repair(path, SCHEMA)
        self.newest_checkpoint = _newest_checkpoint(connection)
        self._writer = Writer("receipts-writer", connection, reopen=lambda: reopen_connection(path, SCHEMA))

    newest_checkpoint: str
    """Of the highest record, as it was at the start: its text; empty when there is none."""

    def keep(self, proof: Proof) -> "Future[None]":
        """Once, however often it comes. StoreError when the disk does not take it."""
        return self._writer.submit(lambda db: self._insert(db, proof))

    def _insert(self, db: sqlite3.Connection, proof: Proof) -> None:
        if proof.kind is ProofKind.RECEIPT and self._path.stat().st_size >= self._max_bytes:
            return
        key, signed = proof.key, proof.signed
        db.execute("INSERT OR IGNORE INTO desk_key VALUES (?, ?, ?)", (key.key_id, key.alg, key.public_text))
        row = (str(proof.kind), proof.seq, signed.signature, signed.key_id, signed.text)
        db.execute("INSERT OR IGNORE INTO proof VALUES (?, ?, ?, ?, ?)", row)

    def close(self) -> None:
        """Finish the writes and let go of the file."""
        self._writer.close()


def _newest_checkpoint(db: sqlite3.Connection) -> str:
    sql = "SELECT text FROM proof WHERE kind = 'checkpoint' ORDER BY seq DESC LIMIT 1"
    row = db.execute(sql).fetchone()
    return str(row[0]) if row else ""
