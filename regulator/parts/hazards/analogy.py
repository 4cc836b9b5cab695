"""Learning by analogy (举一反三): the same kind of works is checked in the firm's other projects (notice A5).

On a confirmed major hazard one check is laid down for each other project of the contractor (and, for lifting machines,
of the rental firm) that has such a device or such works. Where the kind of works is not known, all of them are checked.
"""

import json
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import Connection, and_, insert, select, update

from contract.canonical import Canonical
from regulator.base.model.actor import Actor, Duty
from regulator.base.model.refusals import RefusedError
from regulator.base.records.ledger import Deed, Ledger
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.hazards import hazard_analogies
from regulator.base.records.tables.registry import dangerous_works, devices, project_firms, projects
from regulator.parts.hazards.catalogue import DEVICES_OF_WORKS
from regulator.parts.hazards.record import HazardRecord

ROLES = ("contractor", "rental")
CHECKERS = (Duty.INSPECTOR, Duty.REVIEWER, Duty.APPROVER, Duty.RESPONDER)


class AnalogyResult(Enum):
    """What a check by analogy found."""

    NONE = "none"
    FOUND = "found"


@dataclass(frozen=True, slots=True)
class AnalogyCheck:
    """One check in one project. `result` is None while it is owed."""

    hazard_id: str
    project_code: str
    works_type: str
    due_at_ns: int
    result: AnalogyResult | None
    words: str
    found_hazard_id: str
    done_by: str
    done_at_ns: int


@dataclass(frozen=True, slots=True)
class CompletionReport:
    """How far the checks of one hazard are."""

    total: int
    done: int
    found: int

    @property
    def is_complete(self) -> bool:
        """None is owed."""
        return self.done == self.total


def lay_down_checks(
    db: Connection, ledger: Ledger, hazard: HazardRecord, due_at_ns: int, actor: Actor, now_ns: int
) -> int:
    """One row for each project concerned that has none yet; how many."""
    known = set(
        db.scalars(select(hazard_analogies.c.project_code).where(hazard_analogies.c.hazard_id == hazard.hazard_id))
    )
    fresh = [(code, firm) for code, firm in _concerned(db, hazard) if code not in known]
    for code, firm in fresh:
        values = {"hazard_id": hazard.hazard_id, "project_code": code, "source_project": hazard.project_code}
        values |= {"firm_code": firm, "works_type": hazard.works_type}
        db.execute(insert(hazard_analogies).values(**values, created_at_ns=now_ns, due_at_ns=due_at_ns))
    if fresh:
        content: dict[str, Canonical] = {
            "projects": [code for code, _ in fresh],
            "works_type": hazard.works_type,
            "due_at_ns": due_at_ns,
        }
        ledger.append(db, Deed("analogy_asked", hazard.hazard_id, content, hazard.project_code), actor, now_ns)
    return len(fresh)


def checks_of(db: Connection, hazard_id: str) -> tuple[AnalogyCheck, ...]:
    """Those of one hazard; the caller may see the hazard."""
    at = hazard_analogies.c
    rows = db.execute(select(hazard_analogies).where(at.hazard_id == hazard_id).order_by(at.project_code))
    return tuple(_check(row) for row in rows)


def checks_owed(db: Connection, actor: Actor, limit: int = 200) -> tuple[AnalogyCheck, ...]:
    """What is owed in the actor's scope, the next due first."""
    at = hazard_analogies.c
    owed = select(hazard_analogies).where(at.done_at_ns == 0, in_scope(actor.scope, at.project_code))
    return tuple(_check(row) for row in db.execute(owed.order_by(at.due_at_ns, at.project_code).limit(limit)))


def report(db: Connection, hazard_id: str) -> CompletionReport:
    """The completion report of one hazard."""
    checks = checks_of(db, hazard_id)
    found = sum(check.result is AnalogyResult.FOUND for check in checks)
    return CompletionReport(len(checks), sum(check.result is not None for check in checks), found)


@dataclass(frozen=True, slots=True)
class Seen:
    """What somebody found. `found_hazard_id`: the hazard that was opened for it."""

    result: AnalogyResult
    words: str
    found_hazard_id: str = ""


def record_check(db: Connection, ledger: Ledger, keys: tuple[str, str], seen: Seen, actor: Actor, now_ns: int) -> None:
    """`keys`: the hazard and the project that was checked. Raises RefusedError 403, 404, 409 or 422."""
    if not actor.has(*CHECKERS):
        raise RefusedError(403, "not_your_duty", "您的职责不能这样做", "your duty does not allow it", "action")
    if not seen.words.strip():
        raise RefusedError(422, "reason_missing", "须写明检查情况", "say what was checked", "words")
    at = hazard_analogies.c
    mine = and_(at.hazard_id == keys[0], at.project_code == keys[1], in_scope(actor.scope, at.project_code))
    row = db.execute(select(hazard_analogies).where(mine).with_for_update()).first()
    if row is None:
        raise RefusedError(404, "no_such_check", "没有这项排查", "no such check in your scope", "project_code")
    if row.done_at_ns:
        raise RefusedError(409, "already_done", "该项已排查", "this was checked already", "project_code")
    values = {"result": seen.result.value, "words": seen.words, "found_hazard_id": seen.found_hazard_id}
    db.execute(update(hazard_analogies).where(mine).values(**values, done_by=actor.user_id, done_at_ns=now_ns))
    content = {"checked_project": keys[1], **values}
    ledger.append(db, Deed("analogy_checked", keys[0], content, row.source_project), actor, now_ns)


def _concerned(db: Connection, hazard: HazardRecord) -> list[tuple[str, str]]:
    """(project, firm) of the firms at work here, each project once."""
    at, here = project_firms.c, project_firms.alias().c
    firms = select(here.firm_code).where(here.project_code == hazard.project_code, here.role.in_(ROLES))
    pairs = db.execute(
        select(at.project_code, at.firm_code, projects.c.dangerous_works)
        .join(projects, projects.c.project_code == at.project_code)
        .where(at.firm_code.in_(firms), at.role.in_(ROLES), at.status == "active")
        .where(at.project_code != hazard.project_code)
        .order_by(at.project_code, at.firm_code)
    ).all()
    wanted = _with_works(db, hazard.works_type)
    found = {row.project_code: row.firm_code for row in reversed(pairs) if _concerns(row, wanted, hazard.works_type)}
    return sorted(found.items())


def _concerns(row: object, wanted: set[str], works_type: str) -> bool:
    listed = json.loads(getattr(row, "dangerous_works", "[]") or "[]")
    return not works_type or getattr(row, "project_code", "") in wanted or works_type in listed


def _with_works(db: Connection, works_type: str) -> set[str]:
    kinds = sorted(DEVICES_OF_WORKS.get(works_type, frozenset()))
    has_device = select(devices.c.project_code).where(devices.c.kind.in_(kinds), devices.c.status == "active")
    at = dangerous_works.c
    has_works = select(at.project_code).where(at.type == works_type, at.stage.not_in(["ended", "finished"]))
    return set(db.scalars(has_device)) | set(db.scalars(has_works))


def _check(row: object) -> AnalogyCheck:
    names = [name for name in AnalogyCheck.__slots__ if name != "result"]
    result = getattr(row, "result", "")
    values = {name: getattr(row, name) for name in names}
    return AnalogyCheck(result=AnalogyResult(result) if result else None, **values)
