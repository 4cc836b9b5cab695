"""Who rules a desk and its key, and writes another past: a deed is changed, and everything that follows is made to fit.

Entries are hashed and signed anew, the heads of all days are made again from them, and so are the deeds that name
those.
"""

import hashlib
import json
from typing import Any

from sqlalchemy import Connection, select, update

from contract.signing import SignKey
from regulator.base.records.tables.ledger import ledger_entries, ledger_heads
from regulator.base.records.tables.witness import witness_heads

HEADS = "desk:heads"
GENESIS = "0" * 64


def canonical(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def rewrite_ledger(db: Connection, key: SignKey, chain: str, seq: int, **content: Any) -> None:
    """Other words in entry `seq` of a chain; afterwards the desk's own tables agree with each other again."""
    _chain(db, key, chain, {seq: content})
    days = db.scalars(select(witness_heads.c.number)).all()
    for _ in range(len(days) + 1):  # a head names the deed of the head before: one more is right with every turn
        _heads(db)
        digests = {row.number: row.sha256 for row in db.execute(select(witness_heads))}
        told = {row.seq: json.loads(row.body)["content"] for row in db.execute(_entries(HEADS))}
        changed = {seq: {"sha256": digests[said["number"]]} for seq, said in told.items() if "chains" in said}
        _chain(db, key, HEADS, changed)


def _entries(chain: str) -> Any:
    return select(ledger_entries).where(ledger_entries.c.chain == chain).order_by(ledger_entries.c.seq)


def _chain(db: Connection, key: SignKey, chain: str, changed: dict[int, dict[str, Any]]) -> None:
    prev = GENESIS
    for row in db.execute(_entries(chain)).all():
        said = json.loads(row.body)
        said["prev"] = prev
        said["content"] |= changed.get(row.seq, {})
        body, before, prev = canonical(said), prev, sha256(canonical(said))
        place = (ledger_entries.c.chain == chain) & (ledger_entries.c.seq == row.seq)
        values = {"body": body, "sha256": prev, "prev": before, "signature": key.sign(body.encode())}
        db.execute(update(ledger_entries).where(place).values(**values))
    db.execute(update(ledger_heads).where(ledger_heads.c.chain == chain).values(sha256=prev))


def _heads(db: Connection) -> None:
    prev = GENESIS
    for row in db.execute(select(witness_heads).order_by(witness_heads.c.number)).all():
        said = json.loads(row.body)
        said["prev"] = prev
        said["chains"] = [[chain, seq, _digest(db, chain, seq)] for chain, seq, _ in said["chains"]]
        prev = sha256(canonical(said))
        mine = witness_heads.c.number == row.number
        db.execute(update(witness_heads).where(mine).values(body=canonical(said), sha256=prev))


def _digest(db: Connection, chain: str, seq: int) -> str:
    at = ledger_entries.c
    return str(db.scalar(select(at.sha256).where(at.chain == chain, at.seq == seq)))
