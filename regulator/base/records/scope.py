"""Which projects an actor may see, as a clause that every query carries (省、市、县、企业、项目).

    select(hazards).where(in_scope(actor.scope, hazards.c.project_code))

There is no way round: an office that lists or changes anything of a project asks here first.
"""

from sqlalchemy import ColumnElement, Connection, Select, exists, false, select, true

from regulator.base.model.actor import Actor, Level, Scope
from regulator.base.model.refusals import RefusedError
from regulator.base.records.tables.registry import project_firms, projects


def in_scope(scope: Scope, project_code: "ColumnElement[str]") -> "ColumnElement[bool]":
    """True for rows whose project lies in the scope. A province sees unregistered projects too."""
    if scope.level is Level.PROJECT:
        return project_code == scope.code if scope.code else false()
    return project_code.in_(_projects_of(scope))


def in_region(code: str) -> "ColumnElement[bool]":
    """True for projects of a city or county. Says nothing of who may see them."""
    return (projects.c.city_code == code) | (projects.c.county_code == code)


def may_see(db: Connection, actor: Actor, project_code: str) -> bool:
    """Whether one project lies in the actor's scope."""
    clause = in_scope(actor.scope, projects.c.project_code)
    return bool(db.scalar(select(exists().where(projects.c.project_code == project_code, clause))))


def require_project(db: Connection, actor: Actor, project_code: str) -> None:
    """Raises RefusedError 404 for a project outside the scope: that it exists is not told either."""
    if not may_see(db, actor, project_code):
        raise RefusedError(404, "no_such_project", "没有这个项目", "no such project in your scope", "project_code")


def _projects_of(scope: Scope) -> "Select[tuple[str]]":
    chosen = select(projects.c.project_code)
    if scope.level is Level.FIRM:
        ours = (project_firms.c.firm_code == scope.code, project_firms.c.status == "active")
        return select(project_firms.c.project_code).where(*ours)
    if scope.level is Level.PROVINCE:
        return (
            chosen.where((projects.c.province_code == scope.code) | (projects.c.province_code == ""))
            if (scope.code)
            else chosen.where(true())
        )
    column = projects.c.city_code if scope.level is Level.CITY else projects.c.county_code
    return chosen.where(column == scope.code, column != "")
