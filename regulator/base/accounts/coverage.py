"""Which scopes lie inside a scope: what an administrator may grant, and whose accounts they keep.

A province holds its cities and counties, a city its counties; each holds the firms that build there and the projects.
A firm holds its own projects, a project only itself. In: the register. Out: yes or no, for many scopes at once.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from regulator.base.model.actor import Level, Scope
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.registry import project_firms, projects, regions


@dataclass(frozen=True, slots=True)
class Coverage:
    """All scopes inside `scope`. `everything`: the desk's own province, which no list bounds."""

    scope: Scope
    everything: bool
    cities: frozenset[str]
    counties: frozenset[str]
    firms: frozenset[str]
    projects: frozenset[str]

    def holds(self, scope: Scope) -> bool:
        """Whether a scope is this one or inside it."""
        if self.everything or scope == self.scope:
            return True
        inside = {
            Level.CITY: self.cities,
            Level.COUNTY: self.counties,
            Level.FIRM: self.firms,
            Level.PROJECT: self.projects,
        }
        return bool(scope.code) and scope.code in inside.get(scope.level, frozenset())


def coverage_of(db: Connection, scope: Scope) -> Coverage:
    """What lies inside a scope now."""
    seen = in_scope(scope, projects.c.project_code)
    own = frozenset(db.scalars(select(projects.c.project_code).where(seen)))
    firms = frozenset(
        db.scalars(select(project_firms.c.firm_code).where(in_scope(scope, project_firms.c.project_code)))
    )
    cities = frozenset(_below(db, {scope.code}, "city")) if scope.level is Level.PROVINCE else frozenset()
    counties = frozenset(_below(db, cities or {scope.code}, "county")) if _regional(scope) else frozenset()
    whole = scope.level is Level.PROVINCE and not scope.code
    return Coverage(scope, whole, cities, counties, firms if _regional(scope) else frozenset(), own)


def _regional(scope: Scope) -> bool:
    return scope.level in (Level.PROVINCE, Level.CITY, Level.COUNTY)


def _below(db: Connection, parents: frozenset[str] | set[str], level: str) -> list[str]:
    wanted = (regions.c.parent.in_(parents)) & (regions.c.level == level) & (regions.c.parent != "")
    return list(db.scalars(select(regions.c.code).where(wanted)))
