"""How a box comes in: its code is spent, its key is remembered, its project's other box is asked for.

    first box of a project          heard at once, its orders go to it
    the same box with a new code    its key is replaced, its numbers begin anew, else nothing changes
    a second box, a box that moved  enrolled and not heard before an approver admits it

In: checked enrolments. Out: rows; a project that nobody registered is noted as such and becomes a finding.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, exists, select, update

from contract.chain import GENESIS
from contract.envelope import Envelope
from contract.faults import CodeRefused
from contract.messages import Enrol
from contract.sequence import window_from
from contract.signing import VerifyKey, verify_key
from regulator.base.intake.admission import lock_box
from regulator.base.intake.codes import Asker, Why, code_digest, why_refused
from regulator.base.intake.findings import Finding, FindingKind, open_finding
from regulator.base.intake.insertion import insert_once
from regulator.base.model.actor import SYSTEM
from regulator.base.records.box_standing import IS_HEARD
from regulator.base.records.ledger import Deed, Ledger
from regulator.base.records.tables.intake import box_keys, boxes, codes
from regulator.base.records.tables.registry import projects

_BOX = select(boxes.c.box_id).where(boxes.c.box_id == bindparam("box")).with_for_update()


@dataclass(frozen=True, slots=True)
class Enrolment:
    """One enrolment of a box, inside its transaction."""

    db: Connection
    ledger: Ledger
    envelope: Envelope
    body: Enrol
    now_ns: int

    def take(self) -> bool:
        """Spend the code and remember the box's key; whether the box waits for an approver. The same box with the same
        key may repeat it (a lost reply). Raises CodeRefused."""
        digest, envelope = code_digest(self.body.code), self.envelope
        self.db.execute(_BOX, {"box": envelope.box_id})  # before its code: who revokes a box takes them in this order
        code = self.db.execute(select(codes).where(codes.c.code_sha256 == digest).with_for_update()).first()
        why = why_refused(code, Asker(envelope.box_id, self.body.project_code, envelope.key_id), self.now_ns)
        if why is not None or code is None:
            raise _refused(why or Why.UNKNOWN)
        if code.used_by:
            return self._repeat()
        waiting = self._enrol(code)
        spent = {"used_by": envelope.box_id, "used_key_id": envelope.key_id, "used_at_ns": self.now_ns}
        self.db.execute(update(codes).where(codes.c.code_sha256 == digest).values(**spent))
        return waiting

    def _repeat(self) -> bool:
        box = lock_box(self.db, self.envelope.box_id)
        if find_key(self.db, box.box_id, self.envelope.key_id) is None:
            raise _refused(Why.REVOKED)
        return bool(box.waiting)

    def _enrol(self, code: "Row[Any]") -> bool:
        db, box_id, project = self.db, self.envelope.box_id, self.body.project_code
        row = {"box_id": box_id, "project_code": project, "enrolled_at_ns": self.now_ns, "verified_sha256": GENESIS}
        new = insert_once(db, boxes, row)
        before = lock_box(db, box_id)
        moved = before.project_code != project
        self.ledger.hold(db, *(f"project:{each}" for each in {project, before.project_code}))
        stays = not (new or moved or before.waiting or before.revoked_at_ns)
        waiting = not stays and self._has_another()
        window = window_from(self.envelope.seq)
        values: dict[str, object] = {"project_code": project, "software": self.body.software, "waiting": int(waiting)}
        values |= {"revoked_at_ns": 0, "enrolled_by": code.issued_by}
        values |= {"seq_highest": window.highest, "seq_bits": f"{window.bits:x}"}
        values |= {} if waiting else {"last_seen_ns": self.now_ns}
        values |= {} if stays else {"assigned_at_ns": 0 if waiting else self.now_ns}
        db.execute(update(boxes).where(boxes.c.box_id == box_id).values(**values))
        self._change_key()
        self._tell(before.project_code if moved else "", waiting=waiting)
        return waiting

    def _has_another(self) -> bool:
        """Whether the project has a box that is heard, beside this one. Asked with the project's ledger held: of two
        first boxes of a moment one is the second."""
        others = (boxes.c.project_code == self.body.project_code, boxes.c.box_id != self.envelope.box_id, IS_HEARD)
        return bool(self.db.scalar(select(exists().where(*others))))

    def _change_key(self) -> None:
        box_id, key_id = self.envelope.box_id, self.envelope.key_id
        retire_keys(self.db, box_id, self.now_ns, but=key_id)
        add_key(self.db, box_id, verify_key(self.envelope.alg, self.body.public_key), self.now_ns)

    def _tell(self, left: str, *, waiting: bool) -> None:
        db, ledger, box_id, project = self.db, self.ledger, self.envelope.box_id, self.body.project_code
        _note_project(db, ledger, box_id, project, self.now_ns)
        content = {"box_id": box_id, "key_id": self.envelope.key_id, "software": self.body.software}
        deeds = [Deed("box_enrolled", box_id, content | {"waiting": waiting}, project)]
        deeds += [Deed("box_left", box_id, {"box_id": box_id, "project_code": project}, left)] if left else []
        ledger.append_all(db, deeds, SYSTEM, self.now_ns)
        if waiting:
            zh = f"项目 {project} 已有监控主机，又有 {box_id} 登记，待审批后才予接收"
            en = f"{project} has a box, and {box_id} enrolled for it too: it is not heard before an approver admits it"
            open_finding(db, ledger, Finding(FindingKind.BOX_WAITING, box_id, zh, en, project, box_id), self.now_ns)


def add_key(db: Connection, box_id: str, key: VerifyKey, now_ns: int) -> None:
    """A key of the box from now on; one that it had before is in force again."""
    row = {"box_id": box_id, "key_id": key.key_id, "alg": key.alg, "public_text": key.public_text}
    if not insert_once(db, box_keys, row | {"added_at_ns": now_ns}):
        mine = (box_keys.c.box_id == box_id) & (box_keys.c.key_id == key.key_id)
        db.execute(update(box_keys).where(mine).values(retired_at_ns=0))


def retire_keys(db: Connection, box_id: str, now_ns: int, but: str = "") -> None:
    """No key of the box is in force any more, except one."""
    at = box_keys.c
    mine = (at.box_id == box_id) & (at.retired_at_ns == 0) & (at.key_id != but)
    db.execute(update(box_keys).where(mine).values(retired_at_ns=now_ns))


def find_key(db: Connection, box_id: str, key_id: str) -> VerifyKey | None:
    """The box's public key while it is in force."""
    at = box_keys.c
    row = db.execute(
        select(at.alg, at.public_text).where(at.box_id == box_id, at.key_id == key_id, at.retired_at_ns == 0)
    ).first()
    return verify_key(row.alg, row.public_text) if row else None


def _refused(why: Why) -> CodeRefused:
    return CodeRefused("body.code", f"a code for this box and project that may be used; {why.en}")


def _note_project(db: Connection, ledger: Ledger, box_id: str, project_code: str, now_ns: int) -> None:
    row = {"project_code": project_code, "name": project_code, "status": "unregistered"}
    new = insert_once(db, projects, row)
    if new:
        words_zh = f"监控主机 {box_id} 登记了未备案的项目 {project_code}"
        words_en = f"box {box_id} enrolled for project {project_code}, which nobody registered"
        finding = Finding(FindingKind.UNREGISTERED_PROJECT, project_code, words_zh, words_en, project_code, box_id)
        open_finding(db, ledger, finding, now_ns)
