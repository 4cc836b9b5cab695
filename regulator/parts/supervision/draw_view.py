"""What pages show of draws: to whom, and nothing of the targets before their day."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Select, exists, select

from regulator.base.model.actor import Actor, Scope
from regulator.base.model.refusals import RefusedError
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.registry import projects
from regulator.base.records.tables.supervision import draw_projects, draws
from regulator.parts.supervision.draw_office import DrawState
from regulator.parts.supervision.draw_pool import names_of, people_of
from regulator.parts.supervision.risk import Band

MOST_LISTED = 200


@dataclass(frozen=True, slots=True)
class Stratum:
    """One band of a draw's pool, with what was drawn of it."""

    band: Band
    there: int
    drawn: int


@dataclass(frozen=True, slots=True)
class ShownTarget:
    """A drawn project in the viewer's scope. `place`: the how-manieth it was."""

    place: int
    code: str
    name: str
    band: Band
    inspectors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShownDraw:
    """A draw as it may be seen today. `targets` None: secret until the day. `own`: of the viewer's own body.

    `nonce` and `seed` are empty until the draw is public.
    """

    row: Any
    state: DrawState
    own: bool
    strata: tuple[Stratum, ...]
    inspectors: int
    nonce: str
    seed: str
    targets: tuple[ShownTarget, ...] | None
    people: dict[str, str]


def draws_of(db: Connection, actor: Actor) -> list[tuple[Any, DrawState]]:
    """Draws whose pool has a project in the scope, the latest day first."""
    rows = db.execute(
        _seen(actor.scope).order_by(draws.c.on_day.desc(), draws.c.frozen_at_ns.desc()).limit(MOST_LISTED)
    )
    return [(row, DrawState.of(row.state)) for row in rows]


def draw_of(db: Connection, actor: Actor, draw_id: str, today: date) -> ShownDraw:
    """One draw. Raises RefusedError 404 for one that has nothing in the scope."""
    row = db.execute(_seen(actor.scope).where(draws.c.draw_id == draw_id)).first()
    if row is None:
        raise RefusedError(404, "no_such_draw", "没有这次抽取", "no such draw", "draw_id")
    pool, state = json.loads(row.pool), DrawState.of(row.state)
    public = state is DrawState.REVEALED
    there = Counter(project["band"] for project in pool["projects"])
    known = public or (state is DrawState.DRAWN and row.on_day <= today.isoformat())
    targets = _targets(db, actor.scope, draw_id) if known else None
    people = sorted({each for target in targets or () for each in target.inspectors})
    return ShownDraw(
        row=row,
        state=state,
        own=(row.level, row.scope_code) == (actor.level.value, actor.scope.code),
        strata=tuple(Stratum(Band.of(each["band"]), there[each["band"]], each["draw"]) for each in pool["strata"]),
        inspectors=len(pool["inspectors"]),
        nonce=row.nonce if public else "",
        seed=row.seed if public else "",
        targets=targets,
        people=names_of(db, people),
    )


def pool_text(db: Connection, actor: Actor, draw_id: str, today: date) -> str:
    """The frozen bytes, for whoever may see all of the pool. Raises RefusedError 404."""
    return str(_whole_row(db, actor, draw_id, today).pool)


def result_text(db: Connection, actor: Actor, draw_id: str, today: date) -> str:
    """The result's bytes, once it is public. Raises RefusedError 404."""
    row = _whole_row(db, actor, draw_id, today)
    if row.state != DrawState.REVEALED.value:
        raise RefusedError(404, "not_public", "结果尚未公开", "the result is not public yet", "draw_id")
    return str(row.result)


def _whole_row(db: Connection, actor: Actor, draw_id: str, today: date) -> Any:
    found, at = draw_of(db, actor, draw_id, today), draw_projects.c
    outside = select(at.project_code).where(at.draw_id == draw_id, ~in_scope(actor.scope, at.project_code))
    if db.scalar(outside.limit(1)) is not None:
        zh, en = "名录含辖区以外的项目", "the pool has projects outside your scope"
        raise RefusedError(404, "not_your_scope", zh, en, "draw_id")
    return found.row


def _seen(scope: Scope) -> "Select[tuple[Any, ...]]":
    at = draw_projects.c
    return select(draws).where(exists().where(at.draw_id == draws.c.draw_id, in_scope(scope, at.project_code)))


def _targets(db: Connection, scope: Scope, draw_id: str) -> tuple[ShownTarget, ...]:
    at = draw_projects.c
    rows = (
        select(at.place, at.project_code, projects.c.name, at.band, at.inspectors)
        .join(projects, projects.c.project_code == at.project_code)
        .where(at.draw_id == draw_id, at.place > 0, in_scope(scope, at.project_code))
        .order_by(at.place)
    )
    return tuple(ShownTarget(row[0], row[1], row[2], Band.of(row[3]), people_of(row[4])) for row in db.execute(rows))
