"""Whose reports there are, and who may read them: one for each province, city and county that is in force.

A province reads those of its cities and counties, a city its own and its counties', a county its own; a firm and a
project none.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, false, select, true

from regulator.base.model.actor import Actor, Level, Scope
from regulator.base.records.tables.registry import regions
from regulator.base.records.tables.reports import reports

LEVELS = (Level.PROVINCE, Level.CITY, Level.COUNTY)


@dataclass(frozen=True, slots=True)
class ReportRegion:
    """`code` of a province may be empty: the desk's own, whatever it is called."""

    level: Level
    code: str
    name: str

    @property
    def scope(self) -> Scope:
        """The scope of the projects that the region's report counts."""
        return Scope(self.level, self.code)


def report_regions(db: Connection, province_code: str, province_name: str) -> list[ReportRegion]:
    """All regions in force, the province first; it has a report even where nobody entered it as a region."""
    at = regions.c
    rows = db.execute(select(regions).where(at.status == "active").order_by(at.code)).all()
    found = [ReportRegion(Level(row.level), row.code, row.name) for row in rows]
    if not any(each.level is Level.PROVINCE for each in found):
        found.append(ReportRegion(Level.PROVINCE, province_code, province_name))
    return sorted(found, key=lambda each: (LEVELS.index(each.level), each.code))


def readable(db: Connection, actor: Actor) -> "ColumnElement[bool]":
    """A clause for rows of `reports`."""
    if actor.level is Level.PROVINCE:
        return true() if not actor.scope.code else reports.c.region_code.in_(_below(db, actor.scope.code))
    if actor.level is Level.CITY:
        return (reports.c.level != Level.PROVINCE.value) & reports.c.region_code.in_(_below(db, actor.scope.code))
    if actor.level is Level.COUNTY:
        return (reports.c.level == Level.COUNTY.value) & (reports.c.region_code == actor.scope.code)
    return false()


def signs_for(actor: Actor, level: str, region_code: str) -> bool:
    """Whether somebody acts for the very region that a report is of. An actor of a province without a code is its."""
    own = actor.scope.code == region_code or (actor.level is Level.PROVINCE and not actor.scope.code)
    return actor.level.value == level and own


def _below(db: Connection, code: str) -> list[str]:
    """A region and all under it."""
    parents: dict[str, list[str]] = {}
    for row in db.execute(select(regions.c.code, regions.c.parent)):
        parents.setdefault(row.parent, []).append(row.code)
    return list(_walk(code, parents, 3))


def _walk(code: str, parents: dict[str, list[str]], depth: int) -> Iterable[str]:
    yield code
    for child in parents.get(code, ()) if depth else ():
        yield from _walk(child, parents, depth - 1)
