"""After a repair of `alerts.db`: evidence records that the damage took, got back from their copies in the outbox.

    evidence  1 2 3 . . 6 . .        damaged pages took 4, 5, 7 and 8
    outbox    1 2 3 4 5 6 7 8        the same records as messages to a regulator, with their digests

Without this the box would count on from 6, give the numbers 7 and 8 a second time, and the regulator, which holds the
first 7 and 8, would rightly say that the chain contradicts itself, for ever. In: an open database. Out: how many
records came back. Where the outbox holds no copy (no uplink takes evidence) nothing can.
"""

import json
import sqlite3
from typing import Any

from contract.chain import record_digest

_COPIES = "SELECT body FROM outbox WHERE kind = 'evidence_record' AND state <> 'rejected' ORDER BY outbox_id"
_KNOWN = "SELECT 1 FROM evidence WHERE seq = ?"
_INSERT = "INSERT INTO evidence(seq, kind, at_ns, alarm_id, sha256, body) VALUES (?, ?, ?, ?, ?, ?)"


def restore_evidence(db: sqlite3.Connection) -> int:
    """Insert every record that the outbox still holds and `evidence` does not; how many there were."""
    restored = 0
    db.execute("BEGIN IMMEDIATE")
    try:
        for (body,) in db.execute(_COPIES):
            row = _record_in(body)
            if row is not None and db.execute(_KNOWN, row[:1]).fetchone() is None:
                db.execute(_INSERT, row)
                restored += 1
    except sqlite3.Error:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
    return restored


def _record_in(message: bytes) -> tuple[int, str, int, str, str, bytes] | None:
    """The row of `evidence` that a message was made of; None when it does not match its own digest."""
    try:
        told = json.loads(message)
        text, sha256 = told["record"].encode(), told["sha256"]
        record = json.loads(text)
        row = (int(record["seq"]), str(record["kind"]), int(record["at_ns"]), _about(record["content"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return (*row, sha256, text) if record_digest(text) == sha256 else None


def _about(content: dict[str, Any]) -> str:
    """What a record is filed under: an alarm's id, the device or point whose service changed, or what it names."""
    if "filed_under" in content:
        return str(content["filed_under"])
    if "taken_out_by" in content:
        return f"service:{content['target']}"
    alarm = content.get("alarm")
    return str(alarm["alarm_id"]) if isinstance(alarm, dict) else ""
