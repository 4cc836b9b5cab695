"""The board and the list (R4): what lies in which state, overdue first, within the scope of whoever looks.

An open hazard leaves no list by a filter of time; only what was asked for is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, and_, case, func, or_, select

from regulator.base.deadline_days import DueClass, due_class, end_of_day_ns
from regulator.base.model.actor import Actor
from regulator.base.model.hazard_states import HazardState
from regulator.base.records.scope import in_region, in_scope
from regulator.base.records.tables.duties import hazard_notices
from regulator.base.records.tables.hazards import hazard_requests, hazards
from regulator.base.records.tables.registry import projects
from regulator.parts.hazards.record import HazardRecord, record_of
from regulator.parts.hazards.refused_days import day_of_refusal, refused_since
from regulator.parts.hazards.requests import asked_of
from screens.formats import site_time

S = HazardState
COLUMNS: Final = (S.PENDING, S.SITE_CHECK, S.CONFIRMED, S.ORDERED, S.RECTIFYING, S.AWAITING_RECHECK, S.REFUSED_BY_SITE)
CARDS = 50
PAGE = 50
WEEK_NS = 7 * 86_400_000_000_000
_OPEN: Final = tuple(state.value for state in COLUMNS)


@dataclass(frozen=True, slots=True)
class BoardCard:
    """One hazard on a list, its project's name and its pile. `refused_days`: which day of a refusal it is, else 0."""

    hazard: HazardRecord
    project_name: str
    due: DueClass
    refused_days: int = 0


@dataclass(frozen=True, slots=True)
class BoardColumn:
    """One state: how many there are, and the first of them."""

    state: HazardState
    total: int
    cards: tuple[BoardCard, ...]


@dataclass(frozen=True, slots=True)
class DueCounts:
    """How many open hazards are overdue, due today, due within seven days; and how many are listed."""

    overdue: int
    today: int
    week: int
    listed: int


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list shows; an empty text filters nothing. `asked`: with a request that waits for an approver who is
    another person; `unread`: of which the actor was told and has not read.
    `before`: the last hazard id of the page before."""

    state: str = ""
    grade: str = ""
    channel: str = ""
    kind: str = ""
    project: str = ""
    region: str = ""
    due: str = ""
    listed: bool = False
    asked: bool = False
    unread: bool = False
    before: str = ""


def board(db: Connection, actor: Actor, now_ns: int) -> tuple[BoardColumn, ...]:
    """Columns of open hazards, each sorted by what passes first."""
    at = hazards.c
    scope = in_scope(actor.scope, at.project_code)
    counted = db.execute(select(at.state, func.count()).where(scope, at.state.in_(_OPEN)).group_by(at.state))
    totals: dict[str, int] = {row[0]: row[1] for row in counted}
    return tuple(
        BoardColumn(state, totals.get(state.value, 0), _cards(db, and_(scope, at.state == state.value), now_ns))
        for state in COLUMNS
    )


def due_counts(db: Connection, actor: Actor, now_ns: int) -> DueCounts:
    """Of all open hazards of the scope."""
    at = hazards.c
    mine = and_(in_scope(actor.scope, at.project_code), at.state.in_(_OPEN))
    row = db.execute(
        select(
            _count(due_clause(DueClass.OVERDUE, now_ns)),
            _count(due_clause(DueClass.TODAY, now_ns)),
            _count(due_clause(DueClass.WEEK, now_ns)),
            _count(at.listed_level != ""),
        ).where(mine)
    ).one()
    return DueCounts(*(int(value or 0) for value in row))


def find_hazards(db: Connection, actor: Actor, wanted: Filter, now_ns: int) -> tuple[BoardCard, ...]:
    """One page of a list, newest first, one more than a page so that the caller sees whether there are more."""
    at = hazards.c
    texts = ("state", "grade", "channel", "kind")
    clauses = [at[name] == getattr(wanted, name) for name in texts if getattr(wanted, name)]
    if wanted.project:
        clauses.append(at.project_code == wanted.project)
    if wanted.region:
        clauses.append(at.project_code.in_(select(projects.c.project_code).where(in_region(wanted.region))))
    if wanted.listed:
        clauses.append(at.listed_level != "")
    if wanted.due:
        clauses += [at.state.in_(_OPEN), due_clause(DueClass(wanted.due), now_ns)]
    if wanted.unread:
        notice = hazard_notices.c
        mine = select(notice.hazard_id).where(notice.user_id == actor.user_id, notice.read_at_ns == 0)
        clauses.append(at.hazard_id.in_(mine))
    if wanted.asked:
        clauses.append(at.hazard_id.in_(select(hazard_requests.c.hazard_id).where(asked_of(actor))))
    last = db.execute(select(at.opened_at_ns).where(at.hazard_id == wanted.before)).first()
    if last is not None:
        older = and_(at.opened_at_ns == last.opened_at_ns, at.hazard_id < wanted.before)
        clauses.append(or_(at.opened_at_ns < last.opened_at_ns, older))
    scope = in_scope(actor.scope, at.project_code)
    found = _joined().where(scope, *clauses).order_by(at.opened_at_ns.desc(), at.hazard_id.desc()).limit(PAGE + 1)
    return _made(db, db.execute(found).all(), now_ns)


def _cards(db: Connection, where: "ColumnElement[bool]", now_ns: int) -> tuple[BoardCard, ...]:
    at = hazards.c
    first = case((at.due_at_ns == 0, 1), else_=0)
    found = _joined().where(where).order_by(first, at.due_at_ns, at.opened_at_ns, at.hazard_id).limit(CARDS)
    return _made(db, db.execute(found).all(), now_ns)


def _joined() -> Any:
    at = hazards.c
    return select(hazards, projects.c.name.label("project_name")).outerjoin(
        projects, projects.c.project_code == at.project_code
    )


def _made(db: Connection, rows: "Sequence[Row[Any]]", now_ns: int) -> tuple[BoardCard, ...]:
    refused = [row.hazard_id for row in rows if row.state == S.REFUSED_BY_SITE.value]
    since = refused_since(db, refused) if refused else {}
    return tuple(
        BoardCard(
            record_of(row),
            row.project_name or row.project_code,
            due_class(row.due_at_ns, now_ns),
            day_of_refusal(since[row.hazard_id], now_ns) if row.hazard_id in since else 0,
        )
        for row in rows
    )


def due_clause(wanted: DueClass, now_ns: int) -> "ColumnElement[bool]":
    """The same piles as `due_class`, as a clause on `hazards`."""
    due, tonight_ns = hazards.c.due_at_ns, end_of_day_ns(site_time(now_ns).date())
    return {
        DueClass.OVERDUE: and_(due > 0, due <= now_ns),
        DueClass.TODAY: and_(due > now_ns, due <= tonight_ns),
        DueClass.WEEK: and_(due > now_ns, due > tonight_ns, due <= tonight_ns + WEEK_NS),
        DueClass.LATER: due > tonight_ns + WEEK_NS,
        DueClass.NONE: due == 0,
    }[wanted]


def _count(clause: "ColumnElement[bool]") -> "ColumnElement[int]":
    return func.sum(case((clause, 1), else_=0))
