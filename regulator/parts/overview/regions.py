"""Where it is: the same figures by the regions below a scope, or by project where there is none below.

    province -> cities | city -> counties | county, firm, project -> projects

Regions stand in the order of their codes, always, so that people find them by place; of projects only those with
something open, at most `MOST`. A member whose region nobody entered stands under the empty code.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, case, func, select

from regulator.base.coverage.ladder import Footing, Rung
from regulator.base.coverage.standings import Standing
from regulator.base.deadline_days import DueClass
from regulator.base.kinds import ProjectStatus
from regulator.base.model.actor import Actor, Level
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.hazards import hazards
from regulator.base.records.tables.registry import projects, regions
from regulator.base.records.tables.review import review_items
from regulator.parts.hazards.board import COLUMNS, due_clause
from regulator.parts.review.shelf import waiting

MOST: Final = 20
_OVER: Final = (ProjectStatus.FINISHED.value, ProjectStatus.ENDED.value)


@dataclass(frozen=True, slots=True)
class Place:
    """One region or project. `members` of the set, how many of them are `covered` today and how many are `silent`."""

    code: str
    name: str
    projects: int
    members: int
    covered: int
    silent: int
    to_review: int
    p1: int
    hazards: int
    overdue: int

    @property
    def quiet(self) -> bool:
        """Nothing open, late or silent."""
        return not (self.to_review or self.hazards or self.silent)


def places(db: Connection, actor: Actor, standing: Standing, now_ns: int) -> tuple[Place, ...]:
    """Regions below the actor's, or projects."""
    rows = _projects(db, actor)
    counts = _counts(db, actor, now_ns)
    if actor.level not in (Level.PROVINCE, Level.CITY):
        found = (_place(row.project_code, row.name, [row.project_code], counts, standing) for row in rows)
        busy = sorted((place for place in found if not place.quiet), key=lambda each: (-each.overdue, -each.p1))
        return tuple(busy[:MOST])
    below = defaultdict(list)
    for row in rows:
        below[row.city_code if actor.level is Level.PROVINCE else row.county_code].append(row.project_code)
    names = {row.code: row.name for row in db.execute(select(regions.c.code, regions.c.name))}
    return tuple(_place(code, names.get(code, ""), below[code], counts, standing) for code in sorted(below))


_Counts = dict[str, tuple[int, int, int, int]]


def _projects(db: Connection, actor: Actor) -> "list[Row[Any]]":
    at = projects.c
    chosen = select(at.project_code, at.name, at.city_code, at.county_code)
    going = (in_scope(actor.scope, at.project_code), at.status.not_in(_OVER))
    return list(db.execute(chosen.where(*going).order_by(at.project_code)))


def _counts(db: Connection, actor: Actor, now_ns: int) -> _Counts:
    """By project: to review, of them P1, open hazards, of them overdue."""
    at, hazard = review_items.c, hazards.c
    first = func.sum(case((at.severity == "P1", 1), else_=0))
    queued = select(at.project_code, func.count(), first).where(waiting(actor, now_ns))
    late = func.sum(case((due_clause(DueClass.OVERDUE, now_ns), 1), else_=0))
    opened = select(hazard.project_code, func.count(), late).where(
        hazard.state.in_([state.value for state in COLUMNS]), in_scope(actor.scope, hazard.project_code)
    )
    items = {row[0]: (row[1], int(row[2])) for row in db.execute(queued.group_by(at.project_code))}
    piles = {row[0]: (row[1], int(row[2])) for row in db.execute(opened.group_by(hazard.project_code))}
    return {code: (*items.get(code, (0, 0)), *piles.get(code, (0, 0))) for code in items.keys() | piles.keys()}


def _place(code: str, name: str, own: Iterable[str], counts: _Counts, standing: Standing) -> Place:
    codes = list(own)
    ladders = [standing.ladders[each] for each in codes if each in standing.ladders]
    stops = [stop for ladder in ladders if (stop := ladder.stopped_at) is not None]
    totals = [sum(column) for column in zip(*(counts.get(each, (0, 0, 0, 0)) for each in codes), strict=True)]
    return Place(
        code,
        name,
        len(codes),
        len(ladders),
        len(ladders) - len(stops),
        sum(stop.rung is Rung.HEARTBEAT and stop.footing is Footing.NO for stop in stops),
        *totals,
    )
