"""Findings: what the desk noticed by itself and a person should look at (a silent box, a contradiction, a strange key).

A finding is opened once for a kind and a subject, however often it is noticed, and stays open until it is closed; a
later occurrence opens a new one. What a sender can cause as often as it likes is one finding a day that counts. Opening
and closing are entries of the project's ledger. A finding is no hazard.
"""

import uuid
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, select, update

from regulator.base.intake.insertion import insert_once
from regulator.base.model.actor import SYSTEM, Actor
from regulator.base.records.ledger import Deed, Ledger
from regulator.base.records.tables.intake import findings
from screens.formats import site_time


class FindingKind(StrEnum):
    """What the intake notices about what a box sends."""

    UNREGISTERED_PROJECT = "unregistered_project"
    SILENT_BOX = "silent_box"
    CHAIN_GAP = "chain_gap"
    CHAIN_FAULT = "chain_fault"
    TAIL_DELETED = "tail_deleted"
    REPLAYED = "replayed"
    BAD_SIGNATURE = "bad_signature"
    FOREIGN_KEY = "foreign_key"
    CONFLICTING_BODY = "conflicting_body"
    BLOB_DIGEST = "blob_digest"
    RECORD_CHANGED = "record_changed"
    RECORD_DELETED = "record_deleted"
    RECEIPT_FORGED = "receipt_forged"
    OTHER_PROJECT = "other_project"
    SEQUENCE_JUMP = "sequence_jump"
    BOX_WAITING = "box_waiting"
    CODE_REFUSED = "code_refused"
    RETIRED_KEY = "retired_key"
    CLOCK_OFF = "clock_off"
    HEAD_BROKEN = "head_broken"
    HEAD_UNSTAMPED = "head_unstamped"
    OVER_QUOTA = "over_quota"


@dataclass(frozen=True, slots=True)
class Finding:
    """`subject` names the thing (a box id, a project code, a digest): with `kind` it is what a finding is one of."""

    kind: str
    subject: str
    words_zh: str
    words_en: str
    project_code: str = ""
    box_id: str = ""


def open_finding(db: Connection, ledger: Ledger, finding: Finding, now_ns: int) -> str:
    """Open it unless it is open already; its id."""
    opened = _opened(db, ledger, finding, now_ns)
    return opened or str(db.scalar(select(findings.c.finding_id).where(*_open_one(finding))))


def count_finding(db: Connection, ledger: Ledger, finding: Finding, now_ns: int) -> None:
    """Open today's finding of this kind about this subject, or count it once more."""
    today = replace(finding, subject=f"{finding.subject} {site_time(now_ns).date()}")
    if not _opened(db, ledger, today, now_ns):
        more = {"again": findings.c.again + 1, "last_at_ns": now_ns}
        db.execute(update(findings).where(*_open_one(today)).values(**more))


def _opened(db: Connection, ledger: Ledger, finding: Finding, now_ns: int) -> str:
    """The new finding's id; empty when there is one."""
    row = {
        "finding_id": uuid.uuid4().hex,
        "kind": str(finding.kind),
        "subject": finding.subject,
        "words_zh": finding.words_zh,
        "words_en": finding.words_en,
        "project_code": finding.project_code,
        "box_id": finding.box_id,
        "opened_at_ns": now_ns,
    }
    if not insert_once(db, findings, row):
        return ""
    content = {name: row[name] for name in ("finding_id", "kind", "box_id", "words_zh", "words_en")}
    ledger.append(db, _deed("finding_opened", finding, content), SYSTEM, now_ns)
    return str(row["finding_id"])


def _open_one(finding: Finding) -> "tuple[ColumnElement[bool], ...]":
    at = findings.c
    return at.kind == finding.kind, at.subject == finding.subject, at.closed_at_ns == 0


def close_finding(
    db: Connection, ledger: Ledger, finding_id: str, because: str, now_ns: int, actor: Actor = SYSTEM
) -> bool:
    """Close an open one, with a reason; whether there was one to close."""
    row = db.execute(select(findings).where(findings.c.finding_id == finding_id).with_for_update()).first()
    if row is None or row.closed_at_ns:
        return False
    closed = update(findings).where(findings.c.finding_id == finding_id)
    db.execute(closed.values(closed_at_ns=now_ns, closed_because=because))
    finding = Finding(row.kind, row.subject, row.words_zh, row.words_en, row.project_code, row.box_id)
    content = {"finding_id": finding_id, "kind": row.kind, "because": because}
    ledger.append(db, _deed("finding_closed", finding, content), actor, now_ns)
    return True


def close_of(db: Connection, ledger: Ledger, kind: str, subject: str, because: str, now_ns: int) -> bool:
    """Close the open finding of a kind about a subject, when there is one."""
    at = findings.c
    found = db.scalar(select(at.finding_id).where(at.kind == kind, at.subject == subject, at.closed_at_ns == 0))
    return found is not None and close_finding(db, ledger, found, because, now_ns)


def _deed(kind: str, finding: Finding, content: dict[str, object]) -> Deed:
    words = {name: str(value) for name, value in content.items()}
    chain = "" if finding.project_code else "intake"
    return Deed(kind, finding.subject, words, project_code=finding.project_code, chain=chain)
