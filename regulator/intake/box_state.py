"""What a box says of itself: its software, what it judges by, who looks at its pictures.

In: `box_state` messages inside a transaction. Out: the newest state; a state that differs from the one before is kept
beside it for good, with an entry in the project's ledger. Knows no page.
"""

import hashlib

from sqlalchemy import Connection, insert, select, update

from contract.canonical import Canonical, canonical_bytes
from contract.messages import BoxState
from regulator.intake.insertion import insert_once
from regulator.model.actor import SYSTEM
from regulator.records.ledger import Deed, Ledger
from regulator.records.tables.fleet import box_state_changes, box_states


def hear_state(db: Connection, ledger: Ledger, box_id: str, project_code: str, body: BoxState, now_ns: int) -> None:
    """Keep it. The caller holds the lock on the box's row."""
    said: dict[str, Canonical] = body.model_dump(mode="json")
    text, digest = canonical_bytes(said).decode(), lasting_digest(said)
    mine = box_states.c.box_id == box_id
    before = db.execute(select(box_states).where(mine)).first()
    row = {"box_id": box_id, "body": text, "sha256": digest, "heard_at_ns": now_ns, "changed_at_ns": now_ns}
    if before is None:
        db.execute(insert(box_states), row)
    else:
        changed_ns = before.changed_at_ns if before.sha256 == digest else now_ns
        db.execute(update(box_states).where(mine).values(**row | {"changed_at_ns": changed_ns}))
    if before is None or before.sha256 != digest:
        kept = {name: row[name] for name in ("box_id", "heard_at_ns", "body", "sha256")}
        insert_once(db, box_state_changes, kept)
        ledger.append(db, Deed("box_state_changed", box_id, said, project_code), SYSTEM, now_ns)


def lasting_digest(said: dict[str, Canonical]) -> str:
    """SHA-256 of what changes only when somebody changes the box: not when it was started, nor how its clock is."""
    lasting = {name: value for name, value in said.items() if name not in ("started_at_ns", "clock")}
    return hashlib.sha256(canonical_bytes(lasting)).hexdigest()
