"""The board and the list (R4): what lies in which state, overdue first, within the scope of whoever looks.

An open hazard leaves no list by a filter of time; only what was asked for is left out.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, and_, case, func, or_, select

from regulator.hazards.deadline_days import DueClass, due_class, end_of_day_ns
from regulator.hazards.record import HazardRecord, record_of
from regulator.hazards.state_names import HazardState
from regulator.model.actor import Actor
from regulator.records.scope import in_scope
from regulator.records.tables.hazards import hazards
from regulator.records.tables.registry import projects
from screens.formats import site_time

S = HazardState
COLUMNS: Final = (S.PENDING, S.SITE_CHECK, S.CONFIRMED, S.ORDERED, S.RECTIFYING, S.AWAITING_RECHECK, S.REFUSED_BY_SITE)
CARDS = 50
PAGE = 50
WEEK_NS = 7 * 86_400_000_000_000
_OPEN: Final = tuple(state.value for state in COLUMNS)


@dataclass(frozen=True, slots=True)
class BoardCard:
    """One hazard on a list, with its project's name and its pile."""

    hazard: HazardRecord
    project_name: str
    due: DueClass


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
    """What a list shows; an empty text filters nothing. `before`: the last hazard id of the page before."""

    state: str = ""
    grade: str = ""
    channel: str = ""
    kind: str = ""
    project: str = ""
    due: str = ""
    listed: bool = False
    before: str = ""


def board(db: Connection, actor: Actor, now_ns: int) -> tuple[BoardColumn, ...]:
    """Columns of open hazards, each sorted by what passes first."""
    at = hazards.c
    scope = in_scope(actor.scope, at.project_code)
    counted = db.execute(select(at.state, func.count()).where(scope).group_by(at.state))
    totals: dict[str, int] = {row[0]: row[1] for row in counted}
    return tuple(
        BoardColumn(state, totals.get(state.value, 0), _cards(db, and_(scope, at.state == state.value), now_ns))
        for state in COLUMNS
    )


def due_counts(db: Connection, actor: Actor, now_ns: int) -> DueCounts:
    """Of all open hazards of the scope."""
    at = hazards.c
    tonight = end_of_day_ns(site_time(now_ns).date())
    mine = and_(in_scope(actor.scope, at.project_code), at.state.in_(_OPEN))
    row = db.execute(
        select(
            _count(_due(DueClass.OVERDUE, now_ns, tonight)),
            _count(_due(DueClass.TODAY, now_ns, tonight)),
            _count(_due(DueClass.WEEK, now_ns, tonight)),
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
    if wanted.listed:
        clauses.append(at.listed_level != "")
    if wanted.due:
        tonight = end_of_day_ns(site_time(now_ns).date())
        clauses += [at.state.in_(_OPEN), _due(DueClass(wanted.due), now_ns, tonight)]
    last = db.execute(select(at.opened_at_ns).where(at.hazard_id == wanted.before)).first()
    if last is not None:
        older = and_(at.opened_at_ns == last.opened_at_ns, at.hazard_id < wanted.before)
        clauses.append(or_(at.opened_at_ns < last.opened_at_ns, older))
    scope = in_scope(actor.scope, at.project_code)
    found = _joined().where(scope, *clauses).order_by(at.opened_at_ns.desc(), at.hazard_id.desc()).limit(PAGE + 1)
    return _made(db.execute(found), now_ns)


def _cards(db: Connection, where: "ColumnElement[bool]", now_ns: int) -> tuple[BoardCard, ...]:
    at = hazards.c
    first = case((at.due_at_ns == 0, 1), else_=0)
    found = _joined().where(where).order_by(first, at.due_at_ns, at.opened_at_ns, at.hazard_id).limit(CARDS)
    return _made(db.execute(found), now_ns)


def _joined() -> Any:
    at = hazards.c
    return select(hazards, projects.c.name.label("project_name")).outerjoin(
        projects, projects.c.project_code == at.project_code
    )


def _made(rows: "Iterable[Row[Any]]", now_ns: int) -> tuple[BoardCard, ...]:
    return tuple(
        BoardCard(record_of(row), row.project_name or row.project_code, due_class(row.due_at_ns, now_ns))
        for row in rows
    )


def _due(wanted: DueClass, now_ns: int, tonight_ns: int) -> "ColumnElement[bool]":
    """The same piles as `due_class`, as a clause; `tonight_ns` is the midnight that ends today."""
    due = hazards.c.due_at_ns
    return {
        DueClass.OVERDUE: and_(due > 0, due <= now_ns),
        DueClass.TODAY: and_(due > now_ns, due <= tonight_ns),
        DueClass.WEEK: and_(due > now_ns, due > tonight_ns, due <= tonight_ns + WEEK_NS),
        DueClass.LATER: due > tonight_ns + WEEK_NS,
        DueClass.NONE: due == 0,
    }[wanted]


def _count(clause: "ColumnElement[bool]") -> "ColumnElement[int]":
    return func.sum(case((clause, 1), else_=0))
