"""Who rules a box and rewrites its past: one record is changed and every later one is sealed anew.

Written from `docs/contract.md` alone with sqlite3, hashlib and json, so that it shares no code with the box.
"""

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

GENESIS = "0" * 64


def canonical(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def rewrite(folder: Path, seq: int, **content: Any) -> None:
    """Other words in record `seq`; all others keep theirs."""
    with closing(sqlite3.connect(folder / "alerts.db")) as db, db:
        prev = GENESIS
        for number, body in db.execute("SELECT seq, CAST(body AS BLOB) FROM evidence ORDER BY seq").fetchall():
            record = json.loads(body)
            record["prev"] = prev
            if number == seq:
                record["content"] |= content
            raw = canonical(record)
            prev = hashlib.sha256(raw).hexdigest()
            db.execute("UPDATE evidence SET body = ?, sha256 = ? WHERE seq = ?", (raw, prev, number))
            told = canonical({"record": raw.decode(), "sha256": prev})
            db.execute("UPDATE outbox SET body = ? WHERE key LIKE ?", (told, f"%:evidence:{number}"))


def cut(folder: Path, after: int) -> None:
    """Records beyond `after` were never there."""
    with closing(sqlite3.connect(folder / "alerts.db")) as db, db:
        for (number,) in db.execute("SELECT seq FROM evidence WHERE seq > ?", (after,)).fetchall():
            db.execute("DELETE FROM evidence WHERE seq = ?", (number,))
            db.execute("DELETE FROM outbox WHERE key LIKE ?", (f"%:evidence:{number}",))


def forget(receipts: Path, from_seq: int, kind: str = "") -> None:
    """Proofs of records from `from_seq` on were never kept; of one kind or all."""
    with closing(sqlite3.connect(receipts)) as db, db:
        db.execute("DELETE FROM proof WHERE seq >= ? AND (kind = ? OR ? = '')", (from_seq, kind, kind))
