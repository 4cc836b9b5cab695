"""Refused input: counted, stored unchanged, and made a finding where cheating is possible.

    any fault     --> counter of the box and the fault's code
    bad input     --> kept_aside: the first 64 KiB, what was wrong, when; at most 200 a box and day, all are counted
    suspicious    --> finding that names the box (and whose key it was)

A refused sender is not identified: what it says of itself is a claim, and the words say so.
"""

import base64
import hashlib
import uuid
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, insert, select, update

from contract.envelope import read_envelope
from contract.faults import (
    BadSignature,
    ConflictingBody,
    ContractFault,
    DigestMismatch,
    StaleSequence,
    UnknownSender,
)
from regulator.intake.findings import Finding, FindingKind, open_finding
from regulator.intake.insertion import insert_once
from regulator.records.ledger import Ledger
from regulator.records.tables.intake import box_counters, box_keys, boxes, kept_aside

KEPT_BYTES = 64 * 1024
KEPT_A_DAY = 200
DAY_NS = 86_400_000_000_000

COUNTERS: dict[type[ContractFault], str] = {ConflictingBody: "conflicts_refused", StaleSequence: "stale_refused"}
"""Names that are older than `refused_<code>`."""

_BUMP = update(box_counters).where(box_counters.c.box_id == bindparam("box"), box_counters.c.name == bindparam("what"))
_BUMP = _BUMP.values(count=box_counters.c.count + 1)
_PROJECT = select(boxes.c.project_code).where(boxes.c.box_id == bindparam("box"))


@dataclass(frozen=True, slots=True)
class Refusal:
    """One message that was not taken: the bytes as they came, the signature beside them, where they were sent to."""

    fault: ContractFault
    raw: bytes
    signature: str
    address: str


def bump(db: Connection, box_id: str, name: str) -> None:
    """Add one to a lasting counter of a box."""
    place = {"box": box_id, "what": name}
    if db.execute(_BUMP, place).rowcount == 0:
        insert_once(db, box_counters, {"box_id": box_id, "name": name, "count": 0})
        db.execute(_BUMP, place)


def note_refusal(db: Connection, ledger: Ledger, refusal: Refusal, now_ns: int) -> None:
    """Count it, keep it, name it."""
    claimed, key_id = _claim(refusal.raw)
    project = db.scalar(_PROJECT, {"box": claimed}) if claimed else None
    box_id = claimed if project is not None else ""
    fault = refusal.fault
    bump(db, box_id, COUNTERS.get(type(fault), f"refused_{fault.code}"))
    _keep(db, refusal, box_id, now_ns)
    finding = _finding(db, fault, box_id, key_id, project or "") if box_id else None
    if finding is not None:
        open_finding(db, ledger, finding, now_ns)


def _claim(raw: bytes) -> tuple[str, str]:
    try:
        envelope = read_envelope(raw)
    except ContractFault:
        return "", ""
    return envelope.box_id, envelope.key_id


def _keep(db: Connection, refusal: Refusal, box_id: str, now_ns: int) -> None:
    at = kept_aside.c
    since = select(func.count()).where(at.box_id == box_id, at.at_ns > now_ns - DAY_NS)
    if int(db.scalar(since) or 0) >= KEPT_A_DAY:
        return
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
        "content_base64": base64.b64encode(refusal.raw[:KEPT_BYTES]).decode(),
        "signature": refusal.signature[:400],
    }
    db.execute(insert(kept_aside), row)


def _finding(db: Connection, fault: ContractFault, box_id: str, key_id: str, project: str) -> Finding | None:
    named = {"subject": box_id, "project_code": project, "box_id": box_id}
    if isinstance(fault, BadSignature):
        zh, en = (
            f"自称设备 {box_id} 的报文签名不符",
            f"a message in the name of {box_id} has a signature that does not fit",
        )
        return Finding(FindingKind.BAD_SIGNATURE, words_zh=zh, words_en=en, **named)
    if isinstance(fault, UnknownSender):
        return _foreign_key(db, box_id, key_id, project)
    if isinstance(fault, StaleSequence):
        zh, en = f"设备 {box_id} 的报文序号已使用过", f"a message of {box_id} has a number that was used before"
        return Finding(FindingKind.REPLAYED, words_zh=zh, words_en=en, **named)
    if isinstance(fault, ConflictingBody):
        zh, en = f"设备 {box_id} 以同一键发送了不同内容", f"{box_id} sent another content under a key that is held"
        return Finding(FindingKind.CONFLICTING_BODY, words_zh=zh, words_en=en, **named)
    if isinstance(fault, DigestMismatch):
        zh, en = f"设备 {box_id} 的内容与其摘要不符", f"bytes of {box_id} do not have the digest they claim"
        return Finding(FindingKind.BLOB_DIGEST, words_zh=zh, words_en=en, **named)
    return None


def _foreign_key(db: Connection, box_id: str, key_id: str, project: str) -> Finding:
    at = box_keys.c
    owner = db.scalar(select(at.box_id).where(at.key_id == key_id, at.box_id != box_id).order_by(at.box_id).limit(1))
    if owner is None:
        zh, en = (
            f"自称设备 {box_id} 的报文使用了未登记的密钥",
            f"a message in the name of {box_id} uses a key it never enrolled",
        )
        return Finding(FindingKind.FOREIGN_KEY, box_id, f"{zh} {key_id}", f"{en}, {key_id}", project, box_id)
    zh = f"自称设备 {box_id} 的报文使用了设备 {owner} 的密钥"
    en = f"a message in the name of {box_id} uses the key of {owner}"
    return Finding(FindingKind.FOREIGN_KEY, f"{box_id}<{owner}", zh, en, project, box_id)
