"""What a box says of itself: its software, what it judges by, who looks at its pictures, how its chain ends.

In: `box_state` messages and heartbeats inside a transaction. Out: the newest state; a state that differs from the one
before is kept beside it for good, with an entry in the project's ledger. Knows no page.
"""

import hashlib
import json

from sqlalchemy import Connection, insert, select, update

from contract.canonical import Canonical, canonical_bytes
from contract.envelope import Envelope
from contract.messages import BoxState, Heartbeat
from regulator.base.intake.insertion import insert_once
from regulator.base.model.actor import SYSTEM
from regulator.base.records.ledger import Deed, Ledger
from regulator.base.records.tables.fleet import box_state_changes, box_states


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


def head_row(envelope: Envelope, body: Heartbeat, now_ns: int) -> dict[str, object]:
    """What a heartbeat changes of its box's row: the end of the chain that it names, its counters, its clock."""
    row: dict[str, object] = {"head_seq": body.chain.seq, "head_sha256": body.chain.sha256, "head_at_ns": now_ns}
    row |= {"counters": json.dumps(body.counters), "clock_heard_at_ns": now_ns}
    return row | {"clock_offset_ns": _clock_offset(envelope.sent_at_ns, now_ns)}


def _clock_offset(sent_at_ns: int, now_ns: int) -> int:
    """The box's clock less ours, the way included. What a broken clock may say is longer than a column."""
    return max(-(2**62), min(2**62, sent_at_ns - now_ns))


def lasting_digest(said: dict[str, Canonical]) -> str:
    """SHA-256 of what changes only when somebody changes the box: not when it was started, nor how its clock is."""
    lasting = {name: value for name, value in said.items() if name not in ("started_at_ns", "clock")}
    return hashlib.sha256(canonical_bytes(lasting)).hexdigest()
