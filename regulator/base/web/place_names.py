"""What regions, firms and projects are called, for pages that hold their codes.

In: codes. Out: names; the code itself where nobody entered a name. Read once for a page, when the first is asked for.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sqlalchemy import Connection, select

from regulator.base.model.actor import Level, Scope
from regulator.base.records.tables.registry import firms, projects, regions

Reading = Callable[[], AbstractContextManager[Connection]]


@dataclass(frozen=True, slots=True)
class Region:
    """A region in force; `depth`: 0 for the uppermost of a list, 1 for one below it."""

    code: str
    name: str
    depth: int


class PlaceNames:
    """For one page. `reading` opens the database."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._regions: dict[str, tuple[str, str, str]] | None = None
        self._others: dict[tuple[Level, str], str] = {}

    def region(self, code: str) -> str:
        """The name of a province, city or county."""
        known = self._known()
        return known[code][0] if code in known else code

    def scope(self, scope: Scope) -> str:
        """The name of whatever a scope is of; empty for the whole desk."""
        if scope.level in (Level.FIRM, Level.PROJECT):
            return self._other(scope.level, scope.code)
        return self.region(scope.code)

    def all(self) -> list[tuple[str, str]]:
        """Codes and names of all regions, by code."""
        return [(code, name) for code, (name, _, _) in sorted(self._known().items())]

    def below(self, scope: Scope) -> list[Region]:
        """Cities with their counties below a scope, to choose from; of a firm and a project none."""
        if scope.level in (Level.FIRM, Level.PROJECT, Level.COUNTY):
            return []
        known = self._known()
        cities = [scope.code] if scope.level is Level.CITY else self._children(scope.code, Level.CITY.value)
        found: list[Region] = []
        for city in cities:
            found.append(Region(city, known[city][0] if city in known else city, 0))
            counties = self._children(city, Level.COUNTY.value)
            found += [Region(county, known[county][0], 1) for county in counties]
        return found

    def _children(self, code: str, level: str) -> list[str]:
        rows = self._known().items()
        return sorted(own for own, (_, of, parent) in rows if of == level and (not code or parent == code))

    def _known(self) -> dict[str, tuple[str, str, str]]:
        if self._regions is None:
            at = regions.c
            with self._reading() as db:
                rows = db.execute(select(at.code, at.name, at.level, at.parent))
                self._regions = {row.code: (row.name, row.level, row.parent) for row in rows}
        return self._regions

    def _other(self, level: Level, code: str) -> str:
        if (level, code) not in self._others:
            table, key = (firms, firms.c.firm_code) if level is Level.FIRM else (projects, projects.c.project_code)
            with self._reading() as db:
                self._others[level, code] = db.scalar(select(table.c.name).where(key == code)) or code
        return self._others[level, code]
