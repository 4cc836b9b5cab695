"""Acknowledging and shelving: what a reviewer does with an item besides judging it. Neither touches alarm or hazard.

    A  acknowledged: seen and being dealt with; the item stays where it is, everybody sees the name
    S  shelved: out of the queue for at most eight hours, with a reason; then it is back by itself

A P1 and a suspected major hazard are never shelved. The shelf is a list of its own with a count: nothing hides there.
In: a transaction, who acts, an item that nobody else holds. Out: rows and ledger entries.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from contract.canonical import Canonical
from regulator.base.model.actor import Actor
from regulator.base.model.refusals import RefusedError
from regulator.base.records.ledger import Deed, Ledger
from regulator.base.records.tables.intake import alarms
from regulator.base.records.tables.registry import projects
from regulator.base.records.tables.review import review_acknowledgements, review_items, review_shelves
from regulator.parts.review.funnel import HOUR_NS
from regulator.parts.review.judgement import ItemState, require_reviewer
from regulator.parts.review.leases import find_item, visible, why_not

HOURS: Final = (1, 2, 4, 8)
GRAVEST: Final = "P1"
MAJOR: Final = "major"
LONGEST_REASON: Final = 500


@dataclass(frozen=True, slots=True)
class ShelfRequest:
    """Why an item is put on the shelf, and for how long."""

    reason: str
    hours: int


@dataclass(frozen=True, slots=True)
class Shelved:
    """One line of the shelf. Times UTC ns."""

    item_id: str
    project_code: str
    project_name: str
    severity: str
    title_zh: str
    title_en: str
    source_id: str
    reason: str
    user_name: str
    at_ns: int
    until_ns: int


def read_shelf_request(reason: str, hours: str) -> ShelfRequest:
    """From a form. Raises RefusedError 422 that names the field."""
    said = reason.strip()
    if not 2 <= len(said) <= LONGEST_REASON:
        words = (f"请填写 2 至 {LONGEST_REASON} 字的搁置原因", f"a reason of 2 to {LONGEST_REASON} characters")
        raise RefusedError(422, "reason_needed", *words, "reason")
    if hours not in {str(each) for each in HOURS}:
        known = ", ".join(str(each) for each in HOURS)
        raise RefusedError(
            422, "bad_hours", f"搁置时长须为 {known} 小时之一", f"hours: expected one of {known}", "hours"
        )
    return ShelfRequest(said, int(hours))


def on_shelf(now_ns: int) -> "ColumnElement[bool]":
    """True for items of `review_items` that lie on the shelf now."""
    at = review_shelves.c
    lying = and_(at.item_id == review_items.c.item_id, at.ended_at_ns == 0, at.until_ns > now_ns)
    return select(at.item_id).where(lying).correlate(review_items).exists()


def waiting(actor: Actor, now_ns: int) -> "ColumnElement[bool]":
    """Open items that somebody may see and that are not on the shelf: what every count of the queue counts."""
    return and_(review_items.c.state == ItemState.OPEN.value, visible(actor), ~on_shelf(now_ns))


def acknowledge(db: Connection, ledger: Ledger, actor: Actor, item_id: str, now_ns: int) -> bool:
    """Say that it was seen; False when the same person said so before. Raises RefusedError: 403, 404, 409."""
    require_reviewer(actor)
    row = find_item(db, actor, item_id)
    if row.state != ItemState.OPEN.value:
        raise why_not(row, actor, now_ns)
    values = {"item_id": item_id, "user_id": actor.user_id, "project_code": row.project_code}
    dialect = postgresql if db.dialect.name == "postgresql" else sqlite
    said = dialect.insert(review_acknowledgements).values(**values, user_name=actor.name, at_ns=now_ns)
    new = db.scalar(said.on_conflict_do_nothing().returning(review_acknowledgements.c.item_id)) is not None
    if new:
        ledger.append(db, Deed("review_acknowledged", item_id, {}, str(row.project_code)), actor, now_ns)
    return new


def shelve(db: Connection, ledger: Ledger, actor: Actor, item_id: str, asked: ShelfRequest, now_ns: int) -> int:
    """Put it aside; until when (UTC ns). Raises RefusedError: 403, 404, 409 a P1, a suspected major hazard, one that
    somebody else holds, or that lies there already."""
    require_reviewer(actor)
    row = find_item(db, actor, item_id, lock=True)
    if row.state != ItemState.OPEN.value or (row.lease_by != actor.user_id and row.lease_until_ns > now_ns):
        raise why_not(row, actor, now_ns)
    if row.severity == GRAVEST or MAJOR in str(row.risk_reasons).split():
        zh, en = "一级报警和疑似重大隐患不得搁置", "a P1 or a suspected major hazard is never shelved"
        raise RefusedError(409, "never_shelved", zh, en, "item_id")
    at = review_shelves.c
    if db.scalar(select(at.number).where(at.item_id == item_id, at.ended_at_ns == 0, at.until_ns > now_ns)) is not None:
        raise RefusedError(409, "shelved_already", "该项已在搁置中", "this item lies on the shelf already", "item_id")
    number = (db.scalar(select(func.max(at.number)).where(at.item_id == item_id)) or 0) + 1
    until_ns = now_ns + asked.hours * HOUR_NS
    values = {"item_id": item_id, "number": number, "project_code": row.project_code, "reason": asked.reason}
    values |= {"user_id": actor.user_id, "user_name": actor.name, "at_ns": now_ns, "until_ns": until_ns}
    db.execute(insert(review_shelves).values(**values))
    db.execute(update(review_items).where(review_items.c.item_id == item_id).values(lease_until_ns=now_ns))
    content: dict[str, Canonical] = {"reason": asked.reason, "until_ns": until_ns}
    ledger.append(db, Deed("review_shelved", item_id, content, str(row.project_code)), actor, now_ns)
    return until_ns


def fetch_back(db: Connection, ledger: Ledger, actor: Actor, item_id: str, now_ns: int) -> None:
    """Into the queue again before its time. Raises RefusedError: 403, 404, 409 not on the shelf."""
    require_reviewer(actor)
    row = find_item(db, actor, item_id, lock=True)
    at = review_shelves.c
    lying = and_(at.item_id == item_id, at.ended_at_ns == 0, at.until_ns > now_ns)
    ended = update(review_shelves).where(lying).values(ended_at_ns=now_ns, ended_by=actor.user_id)
    if db.scalar(ended.returning(at.number)) is None:
        raise RefusedError(409, "not_shelved", "该项不在搁置中", "this item is not on the shelf", "item_id")
    ledger.append(db, Deed("review_fetched_back", item_id, {}, str(row.project_code)), actor, now_ns)


def shelf_of(db: Connection, actor: Actor, now_ns: int) -> list[Shelved]:
    """What lies on the shelf in the actor's scope, the next to come back first."""
    at, item, alarm = review_shelves.c, review_items.c, alarms.c
    query = (
        select(
            review_shelves, item.severity, item.source_id, item.rule_id, projects.c.name, alarm.title_zh, alarm.title_en
        )
        .join(review_items, item.item_id == at.item_id)
        .outerjoin(alarms, (alarm.box_id == item.box_id) & (alarm.alarm_id == item.alarm_id))
        .outerjoin(projects, projects.c.project_code == at.project_code)
        .where(at.ended_at_ns == 0, at.until_ns > now_ns, item.state == ItemState.OPEN.value, visible(actor))
    )
    return [
        Shelved(
            item_id=row.item_id,
            project_code=row.project_code,
            project_name=row.name or row.project_code,
            severity=row.severity,
            title_zh=row.title_zh or row.rule_id,
            title_en=row.title_en or row.rule_id,
            source_id=row.source_id,
            reason=row.reason,
            user_name=row.user_name,
            at_ns=row.at_ns,
            until_ns=row.until_ns,
        )
        for row in db.execute(query.order_by(at.until_ns, at.item_id))
    ]


def acknowledged_by(db: Connection, item_ids: set[str]) -> Mapping[str, tuple[str, ...]]:
    """Names of those who acknowledged each item, the first first."""
    at = review_acknowledgements.c
    found: dict[str, tuple[str, ...]] = {}
    if item_ids:
        for row in db.execute(select(at.item_id, at.user_name).where(at.item_id.in_(item_ids)).order_by(at.at_ns)):
            found[row.item_id] = (*found.get(row.item_id, ()), row.user_name)
    return found
