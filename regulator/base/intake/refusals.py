"""Refused input: counted, stored unchanged, and made a finding where cheating is possible.

    any fault     --> counter of the box and the fault's code
    bad input     --> kept_aside: the first 64 KiB, what was wrong, when; at most 200 a box and day, all are counted
    suspicious    --> finding that names the box (`regulator.base.intake.suspicions`)

A box that waits for an approver is only counted: it says nothing wrong. Nor does one that has come to a quota, which is
a finding. What a stranger sent is not read where it is
long: who he says that he is stands at its end or in the header.
"""

import base64
import hashlib
import uuid
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, insert, select, update

from contract.envelope import Envelope, read_envelope
from contract.faults import (
    BadSignature,
    CodeRefused,
    ConflictingBody,
    ContractFault,
    NotAdmitted,
    QuotaReached,
    StaleSequence,
    UnknownSender,
)
from contract.sender import Claim, claim_of
from regulator.base.intake.findings import count_finding, open_finding
from regulator.base.intake.insertion import insert_once
from regulator.base.intake.opening import SMALL_BYTES, claim_in
from regulator.base.intake.suspicions import DAILY, finding_of, project_of
from regulator.base.records.ledger import Ledger
from regulator.base.records.tables.intake import box_counters, kept_aside

KEPT_BYTES = 64 * 1024
KEPT_A_DAY = 200
DAY_NS = 86_400_000_000_000

COUNTERS = {ConflictingBody.code: "conflicts_refused", StaleSequence.code: "stale_refused"}
"""Names that are older than `refused_<code>`."""

_BUMP = update(box_counters).where(box_counters.c.box_id == bindparam("box"), box_counters.c.name == bindparam("what"))
_BUMP = _BUMP.values(count=box_counters.c.count + 1)


@dataclass(frozen=True, slots=True)
class Refusal:
    """One message that was not taken: the bytes as they came, the signature beside them, where they were sent to."""

    fault: ContractFault
    raw: bytes
    signature: str
    address: str
    claim: Claim | None = None


def bump(db: Connection, box_id: str, name: str) -> None:
    """Add one to a lasting counter of a box."""
    place = {"box": box_id, "what": name}
    if db.execute(_BUMP, place).rowcount == 0:
        insert_once(db, box_counters, {"box_id": box_id, "name": name, "count": 0})
        db.execute(_BUMP, place)


def note_refusal(db: Connection, ledger: Ledger, refusal: Refusal, now_ns: int) -> None:
    """Count it, keep it, name it."""
    envelope, fault = _envelope(refusal), refusal.fault
    claim = claim_of(envelope) if envelope is not None else refusal.claim or claim_in(refusal.raw)
    known = claim is not None and project_of(db, claim.box_id) is not None
    box_id = claim.box_id if claim is not None and known else ""
    bump(db, box_id, COUNTERS.get(fault.code, f"refused_{fault.code}"))
    if isinstance(fault, NotAdmitted):
        return
    if not isinstance(fault, QuotaReached):
        _keep(db, refusal, box_id, now_ns)
    finding = finding_of(db, fault, claim, envelope, now_ns) if claim is not None else None
    if finding is not None:
        note = count_finding if finding.kind in DAILY else open_finding
        note(db, ledger, finding, now_ns)


def _envelope(refusal: Refusal) -> Envelope | None:
    """What a sender says; None for bytes that say nothing, or that are long and may be anybody's."""
    if len(refusal.raw) > SMALL_BYTES and isinstance(refusal.fault, UnknownSender | BadSignature):
        return None
    try:
        return read_envelope(refusal.raw)
    except ContractFault:
        return None


def _keep(db: Connection, refusal: Refusal, box_id: str, now_ns: int) -> None:
    at = kept_aside.c
    since = select(func.count()).where(at.box_id == box_id, at.at_ns > now_ns - DAY_NS)
    if int(db.scalar(since) or 0) >= KEPT_A_DAY:
        return
    content = b"" if isinstance(refusal.fault, CodeRefused) else refusal.raw  # it holds a code, which may be open still
    row = {
        "aside_id": uuid.uuid4().hex,
        "at_ns": now_ns,
        "box_id": box_id,
        "address": refusal.address,
        "code": refusal.fault.code,
        "field": refusal.fault.field[:200],
        "expected": refusal.fault.expected[:200],
        "size_bytes": len(refusal.raw),
        "sha256": hashlib.sha256(refusal.raw).hexdigest(),
        "content_base64": base64.b64encode(content[:KEPT_BYTES]).decode(),
        "signature": refusal.signature[:400],
    }
    db.execute(insert(kept_aside), row)
