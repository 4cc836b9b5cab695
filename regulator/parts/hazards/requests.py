"""What needs a second or a higher person: an extension, a lower grade, listed supervision that the desk proposes.

Asking changes nothing but this record; deciding names both. In: a step. Out: rows, and a granted extension's end.
"""

import json
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, insert, or_, select, update

from regulator.base.deadline_days import due_day, end_of_day_ns
from regulator.base.model.actor import Actor, Level
from regulator.base.model.hazard_states import HazardAction
from regulator.base.model.refusals import RefusedError
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.hazards import hazard_deadlines, hazard_orders, hazard_requests
from regulator.base.rules import Document
from regulator.parts.hazards.deadlines import DeadlineKind, open_deadlines
from regulator.parts.hazards.record import HazardRecord
from regulator.parts.hazards.step import Step
from screens.formats import site_time

REQUEST_OF = {
    HazardAction.ASK_REGRADE: "regrade",
    HazardAction.DECIDE_REGRADE: "regrade",
    HazardAction.ASK_EXTENSION: "extension",
    HazardAction.DECIDE_EXTENSION: "extension",
}


def open_request(db: Connection, hazard_id: str, kind: str) -> "Row[Any] | None":
    """What was asked for and not decided."""
    at = hazard_requests.c
    found = select(hazard_requests).where(at.hazard_id == hazard_id, at.kind == kind, at.decided_at_ns == 0)
    return db.execute(found.order_by(at.asked_at_ns).limit(1)).first()


def asked_of(actor: Actor) -> "ColumnElement[bool]":
    """Requests of the scope that are open and were asked by nobody of the actor's persons."""
    at = hazard_requests.c
    own = or_(*(at.asked_persons.contains(json.dumps(person), autoescape=True) for person in sorted(actor.persons)))
    return and_(at.decided_at_ns == 0, in_scope(actor.scope, at.project_code), ~own)


def requests_of(db: Connection, hazard_id: str) -> "list[Row[Any]]":
    """Every one of this hazard, the oldest first."""
    at = hazard_requests.c
    return list(db.execute(select(hazard_requests).where(at.hazard_id == hazard_id).order_by(at.asked_at_ns)))


def ask_for(step: Step) -> None:
    """Write the request down. Raises RefusedError: an extension without a later day, or of no deadline."""
    kind = REQUEST_OF[step.ask.action]
    deadline_id, due = _extension(step) if kind == "extension" else ("", 0)
    values = {
        "request_id": f"{step.hazard.hazard_id}/{kind}/{step.now_ns}",
        "hazard_id": step.hazard.hazard_id,
        "project_code": step.hazard.project_code,
        "kind": kind,
        "words": step.ask.words,
        "deadline_id": deadline_id,
        "proposed_due_at_ns": due,
        "asked_by": step.actor.user_id,
        "asked_persons": json.dumps(sorted(step.actor.persons)),
        "asked_at_ns": step.now_ns,
    }
    step.db.execute(insert(hazard_requests).values(**values))


def decide_on(step: Step) -> "Row[Any]":
    """Settle the open request of this kind (the guards have seen that there is one)."""
    kind = REQUEST_OF[step.ask.action]
    row = open_request(step.db, step.hazard.hazard_id, kind)
    if row is None:
        raise RefusedError(409, "nothing_asked", "没有待审批的申请", "nothing was asked for", "action")
    settle(step.db, row.request_id, step.actor.user_id, granted=step.ask.grant, now_ns=step.now_ns)
    return row


def settle(db: Connection, request_id: str, user_id: str, *, granted: bool, now_ns: int) -> None:
    """Who decided, when, what."""
    outcome = "granted" if granted else "refused"
    mine = hazard_requests.c.request_id == request_id
    db.execute(update(hazard_requests).where(mine).values(decided_by=user_id, decided_at_ns=now_ns, outcome=outcome))


def extendable(db: Connection, hazard_id: str) -> "Row[Any] | None":
    """The deadline that an extension is asked for: the next one to pass."""
    rows = open_deadlines(db, hazard_id, DeadlineKind.LISTING, DeadlineKind.RECTIFY)
    return rows[0] if rows else None


def deadline_level(db: Connection, hazard: HazardRecord) -> Level:
    """Whose deadline would be extended: the level that listed it, or that gave the order."""
    asked = open_request(db, hazard.hazard_id, "extension")
    row = extendable(db, hazard.hazard_id)
    if asked is not None:
        row = db.execute(select(hazard_deadlines).where(hazard_deadlines.c.deadline_id == asked.deadline_id)).first()
    if row is not None and row.level:
        return Level(row.level)
    at = hazard_orders.c
    rectify = select(at.issued_level).where(at.hazard_id == hazard.hazard_id, at.kind == Document.RECTIFY.value)
    level = db.scalar(rectify.order_by(at.issued_at_ns.desc()).limit(1))
    return Level(level) if level else Level.COUNTY


def _extension(step: Step) -> tuple[str, int]:
    row = extendable(step.db, step.hazard.hazard_id)
    if row is None:
        raise RefusedError(409, "no_deadline", "没有可延期的期限", "there is no deadline to extend", "due_day")
    day = step.ask.due_day
    latest = max(due_day(row.due_at_ns), site_time(step.now_ns).date())
    if day is None or day <= latest:
        zh, en = f"新期限须晚于 {latest}", f"the new last day must be later than {latest}"
        raise RefusedError(422, "due_not_later", zh, en, "due_day")
    return row.deadline_id, end_of_day_ns(day)
