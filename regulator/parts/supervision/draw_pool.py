"""Who and what can be drawn: running projects of the drawing body with their bands, its inspectors, their conflicts."""

import json
import uuid
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from regulator.base.act import Act
from regulator.base.kinds import ItemLevel, ProjectStatus, Standing
from regulator.base.listed import Listed, require_seen
from regulator.base.model.actor import Actor, Duty, Scope
from regulator.base.model.authority import require_duty
from regulator.base.model.refusals import RefusedError
from regulator.base.records.scope import in_scope, require_project
from regulator.base.records.tables.people import accounts, grants
from regulator.base.records.tables.registry import project_firms, projects
from regulator.base.records.tables.supervision import draw_conflicts
from regulator.base.texts import read_code, read_reason
from regulator.parts.supervision.draw_file import DrawFile
from regulator.parts.supervision.draw_method import Pool, PoolInspector, PoolProject
from regulator.parts.supervision.risk import Band
from regulator.parts.supervision.risk_view import bands_of

UNSCORED = (Band.HIGH, 100)
"""What a project without a score counts as: not knowing makes it likelier, never less likely."""
LEADERS = (Duty.ADMINISTRATOR, Duty.APPROVER)


@dataclass(frozen=True, slots=True)
class Conflict:
    """An inspector who must not be drawn: one of the codes is given."""

    user_id: str
    project_code: str = ""
    firm_code: str = ""


def declare_conflict(act: Act, conflict: Conflict) -> str:
    """Keep an inspector away from a project or a firm; its id. Raises RefusedError 403, 404, 422."""
    own = act.actor.user_id == conflict.user_id
    if not own:
        require_duty(act.actor, *LEADERS)
    if bool(conflict.project_code) == bool(conflict.firm_code):
        raise RefusedError(422, "one_of_both", "须填写项目或企业之一", "give a project or a firm", "project_code")
    if conflict.project_code:
        require_project(act.db, act.actor, read_code(conflict.project_code, "project_code"))
    else:
        require_seen(act.db, act.actor, Listed(ItemLevel.FIRM, read_code(conflict.firm_code, "firm_code")))
    if conflict.user_id not in {row.user_id for row in inspectors_of(act.db, act.actor.scope)}:
        raise RefusedError(404, "no_such_inspector", "没有这名检查人员", "no such inspector of your body", "user_id")
    row = {
        "conflict_id": uuid.uuid4().hex,
        "user_id": conflict.user_id,
        "project_code": conflict.project_code,
        "firm_code": conflict.firm_code,
    }
    kept = {"words": read_reason(act.reason), "declared_by": act.actor.user_id, "declared_at_ns": act.now_ns}
    act.db.execute(insert(draw_conflicts).values(**row, **kept))
    act.write("draw_conflict", conflict.user_id, row, conflict.project_code, "" if conflict.project_code else "draws")
    return str(row["conflict_id"])


def end_conflict(act: Act, conflict_id: str) -> None:
    """It is over. Raises RefusedError 403, 404."""
    require_duty(act.actor, *LEADERS)
    at = draw_conflicts.c
    row = act.db.execute(select(draw_conflicts).where(at.conflict_id == conflict_id).with_for_update()).first()
    ours = {each.user_id for each in inspectors_of(act.db, act.actor.scope)}
    if row is None or row.ended_at_ns or row.user_id not in ours:
        raise RefusedError(404, "no_such_conflict", "没有这条回避", "no such conflict", "conflict_id")
    ended = {"ended_by": act.actor.user_id, "ended_at_ns": act.now_ns}
    act.db.execute(update(draw_conflicts).where(at.conflict_id == conflict_id).values(**ended))
    content = {"conflict_id": conflict_id}
    act.write("draw_conflict_ended", row.user_id, content, row.project_code, "" if row.project_code else "draws")


def conflicts_of(db: Connection, actor: Actor) -> Sequence[Any]:
    """Those that hold, of the inspectors of the actor's body."""
    at, ours = draw_conflicts.c, [row.user_id for row in inspectors_of(db, actor.scope)]
    holding = select(draw_conflicts, accounts.c.name).join(accounts, accounts.c.user_id == at.user_id)
    return db.execute(holding.where(at.ended_at_ns == 0, at.user_id.in_(ours)).order_by(at.declared_at_ns)).all()


def inspectors_of(db: Connection, scope: Scope) -> Sequence[Any]:
    """User id and name of everybody who inspects for exactly this body, by id."""
    held, who = grants.c, accounts.c
    in_force = (held.approved_at_ns > 0, held.revoked_at_ns == 0, who.disabled_at_ns == 0)
    here = (held.level == scope.level.value, held.scope_code == scope.code, held.duties.contains('"inspector"'))
    found = select(who.user_id, who.name).distinct().join(grants, held.user_id == who.user_id)
    return db.execute(found.where(*in_force, *here).order_by(who.user_id)).all()


def pool_of(db: Connection, scope: Scope, file: DrawFile, draw_id: str) -> Pool:
    """The pool as it is now. Raises RefusedError 422: nothing to draw, or too few inspectors for some project."""
    at = projects.c
    running = (in_scope(scope, at.project_code), at.status == ProjectStatus.RUNNING.value)
    codes = list(db.scalars(select(at.project_code).where(*running).order_by(at.project_code)))
    scored = bands_of(db, codes)
    banded = [(code, *scored.get(code, UNSCORED)) for code in codes]
    there = Counter(band for _, band, _ in banded)
    pool = Pool(
        draw_id=draw_id,
        edition=file.edition,
        projects=tuple(PoolProject(code, band, score + 1) for code, band, score in banded),
        inspectors=_with_conflicts(db, scope, set(codes)),
        wanted=tuple((band, file.wanted(band, there[band])) for band in Band),
        inspectors_each=file.inspectors_each,
    )
    _require_enough(pool)
    return pool


def _with_conflicts(db: Connection, scope: Scope, codes: set[str]) -> tuple[PoolInspector, ...]:
    at = draw_conflicts.c
    away: dict[str, set[str]] = defaultdict(set)
    of_firm: dict[str, set[str]] = defaultdict(set)
    working = select(project_firms.c.firm_code, project_firms.c.project_code)
    for firm_code, code in db.execute(working.where(project_firms.c.status == Standing.ACTIVE.value)):
        of_firm[firm_code].add(code)
    for row in db.execute(select(draw_conflicts).where(at.ended_at_ns == 0)):
        away[row.user_id] |= {row.project_code} if row.project_code else of_firm[row.firm_code]
    people = inspectors_of(db, scope)
    return tuple(PoolInspector(row.user_id, tuple(sorted(away[row.user_id] & codes))) for row in people)


def _require_enough(pool: Pool) -> None:
    if not pool.projects or not any(wanted for _, wanted in pool.wanted):
        raise RefusedError(422, "nothing_to_draw", "辖区内无可抽取的在建项目", "no running project to draw", "name")
    away = Counter(code for each in pool.inspectors for code in each.excluded)
    most = len(pool.inspectors) - pool.inspectors_each
    short = [each.code for each in pool.projects if away[each.code] > most]
    if short:
        named = ", ".join(short[:10])
        zh = f"可派检查人员不足 {pool.inspectors_each} 人（回避后）：{named}"
        en = f"fewer than {pool.inspectors_each} inspectors without a conflict for: {named}"
        raise RefusedError(422, "too_few_inspectors", zh, en, "inspectors")


def names_of(db: Connection, user_ids: Sequence[str]) -> dict[str, str]:
    """Names of accounts."""
    at = accounts.c
    return {row[0]: row[1] for row in db.execute(select(at.user_id, at.name).where(at.user_id.in_(user_ids)))}


def people_of(text: str) -> tuple[str, ...]:
    """User ids of a kept JSON list."""
    return tuple(str(each) for each in json.loads(text))
