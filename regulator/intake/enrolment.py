"""How a box comes in: one-time codes, boxes, their keys.

In: codes that a person issued, checked enrolments. Out: rows; a project that nobody registered is noted as such and
becomes a finding. Only the digest of a code is kept.
"""

import hashlib
from contextlib import suppress

from sqlalchemy import Connection, exists, select, update

from contract.chain import GENESIS
from contract.envelope import Envelope
from contract.faults import BoxExists, CodeRefused, StaleSequence
from contract.messages import Enrol
from contract.signing import VerifyKey, verify_key
from regulator.intake.admission import admit, lock_box
from regulator.intake.findings import Finding, FindingKind, open_finding
from regulator.intake.insertion import insert_once
from regulator.model.actor import SYSTEM
from regulator.records.ledger import Deed, Ledger
from regulator.records.tables.intake import box_keys, boxes, codes
from regulator.records.tables.registry import projects


def add_code(db: Connection, code: str, box_id: str, now_ns: int) -> None:
    """Issue a code; with `box_id` it also replaces that box's key. The same code twice is one."""
    insert_once(db, codes, {"code_sha256": _code_digest(code), "box_id": box_id, "issued_at_ns": now_ns})


def enrol(db: Connection, ledger: Ledger, envelope: Envelope, body: Enrol, now_ns: int) -> None:
    """Spend the code and remember the box's key. The same box with the same key may repeat it (a lost reply).

    Raises CodeRefused or BoxExists.
    """
    digest = _code_digest(body.code)
    code = db.execute(select(codes).where(codes.c.code_sha256 == digest).with_for_update()).first()
    if code is None or code.box_id not in ("", envelope.box_id):
        raise CodeRefused("body.code", "a code issued for this box")
    if code.used_by:
        if (code.used_by, code.used_key_id) != (envelope.box_id, envelope.key_id):
            raise CodeRefused("body.code", "a code that was not used before")
        return
    known = db.scalar(select(exists().where(boxes.c.box_id == envelope.box_id)))
    if known and not code.box_id:
        raise BoxExists("box_id", "a new box id, or a code issued for this box")
    _enrol_box(db, ledger, envelope, body, now_ns)
    spent = {"used_by": envelope.box_id, "used_key_id": envelope.key_id, "used_at_ns": now_ns}
    db.execute(update(codes).where(codes.c.code_sha256 == digest).values(**spent))


def add_key(db: Connection, box_id: str, key: VerifyKey, now_ns: int) -> None:
    """A key of the box from now on; one that it had before is in force again."""
    row = {"box_id": box_id, "key_id": key.key_id, "alg": key.alg, "public_text": key.public_text}
    if not insert_once(db, box_keys, row | {"added_at_ns": now_ns}):
        mine = (box_keys.c.box_id == box_id) & (box_keys.c.key_id == key.key_id)
        db.execute(update(box_keys).where(mine).values(retired_at_ns=0))


def find_key(db: Connection, box_id: str, key_id: str) -> VerifyKey | None:
    """The box's public key while it is in force."""
    at = box_keys.c
    row = db.execute(
        select(at.alg, at.public_text).where(at.box_id == box_id, at.key_id == key_id, at.retired_at_ns == 0)
    ).first()
    return verify_key(row.alg, row.public_text) if row else None


def _enrol_box(db: Connection, ledger: Ledger, envelope: Envelope, body: Enrol, now_ns: int) -> None:
    box_id = envelope.box_id
    said = {"project_code": body.project_code, "software": body.software, "last_seen_ns": now_ns}
    row = {"box_id": box_id, "enrolled_at_ns": now_ns, "verified_sha256": GENESIS} | said
    if not insert_once(db, boxes, row):
        db.execute(update(boxes).where(boxes.c.box_id == box_id).values(**said))
    box = lock_box(db, box_id)
    others = (box_keys.c.box_id == box_id) & (box_keys.c.retired_at_ns == 0) & (box_keys.c.key_id != envelope.key_id)
    db.execute(update(box_keys).where(others).values(retired_at_ns=now_ns))
    add_key(db, box_id, verify_key(envelope.alg, body.public_key), now_ns)
    with suppress(StaleSequence):  # a box with a new code may have lost its counter, and learns it later
        admit(db, envelope, box, now_ns)
    _note_project(db, ledger, box_id, body.project_code, now_ns)
    content = {"box_id": box_id, "key_id": envelope.key_id, "software": body.software}
    ledger.append(db, Deed("box_enrolled", box_id, content, body.project_code), SYSTEM, now_ns)


def _note_project(db: Connection, ledger: Ledger, box_id: str, project_code: str, now_ns: int) -> None:
    row = {"project_code": project_code, "name": project_code, "status": "unregistered"}
    new = insert_once(db, projects, row)
    if new:
        words_zh = f"设备 {box_id} 登记了未备案的项目 {project_code}"
        words_en = f"box {box_id} enrolled for project {project_code}, which nobody registered"
        finding = Finding(FindingKind.UNREGISTERED_PROJECT, project_code, words_zh, words_en, project_code, box_id)
        open_finding(db, ledger, finding, now_ns)


def _code_digest(code: str) -> str:
    return hashlib.sha256(b"sitewarden-enrol:" + code.encode("utf-8", "surrogatepass")).hexdigest()
