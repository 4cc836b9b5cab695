"""Selection of projects for figures: those that an actor may see, by region and category if asked.

select(...).where(selection.covers(alarms.c.project_code))
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, select

from regulator.base.kinds import Category
from regulator.base.model.actor import Level, Scope
from regulator.base.model.refusals import RefusedError
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.registry import projects, regions


@dataclass(frozen=True, slots=True)
class Selection:
    """`scope` always holds; `region` (its level and code) and `category` (stored value) narrow it when given."""

    scope: Scope
    region: Scope | None = None
    category: str = ""

    def covers(self, project_code: "ColumnElement[str]") -> "ColumnElement[bool]":
        """True for rows of these projects."""
        clause = in_scope(self.scope, project_code)
        if self.region is not None:
            clause = clause & in_scope(self.region, project_code)
        if self.category:
            of_category = select(projects.c.project_code).where(projects.c.category == self.category)
            clause = clause & project_code.in_(of_category)
        return clause


def read_selection(db: Connection, scope: Scope, region: str, category: str) -> Selection:
    """From what a page's filter says; empty texts filter nothing. Raises RefusedError 422: no such category or region.

    A region outside the scope leaves nothing, since the scope holds too.
    """
    if category and category not in {each.value for each in Category}:
        raise RefusedError(422, "no_such_category", "没有这个类别", "no such category", "category")
    if not region:
        return Selection(scope, None, category)
    level = db.scalar(select(regions.c.level).where(regions.c.code == region))
    if level is None:
        raise RefusedError(422, "no_such_region", "没有这个区域", "no such region", "region")
    return Selection(scope, Scope(Level(level), region), category)


def regions_in(db: Connection, scope: Scope) -> list[tuple[str, str, str]]:
    """Active regions that hold a project of the scope, as (code, name, level), by level and code."""
    at = projects.c
    seen = in_scope(scope, at.project_code)
    columns = (at.province_code, at.city_code, at.county_code)
    held = [select(column).where(seen, column != "") for column in columns]
    known = regions.c.code.in_(held[0]) | regions.c.code.in_(held[1]) | regions.c.code.in_(held[2])
    rows = db.execute(
        select(regions.c.code, regions.c.name, regions.c.level).where(known, regions.c.status == "active")
    )
    order = [level.value for level in (Level.PROVINCE, Level.CITY, Level.COUNTY)]
    return sorted(((row[0], row[1], row[2]) for row in rows), key=lambda row: (order.index(row[2]), row[0]))
