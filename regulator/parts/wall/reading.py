"""What a page of the wall shows: the set in its fixed order, the tiles as they stand, and what changed after a number.

The order is by city, then by project code: a project that comes or goes leaves all others where they were. Everything
is read within the scope of whoever looks.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, select

from regulator.base.coverage.set_membership import Membership, members_on
from regulator.base.kinds import Category, WorkType
from regulator.base.model.actor import Scope
from regulator.base.records.tables.registry import projects, regions
from regulator.base.records.tables.wall import wall_heads, wall_tiles
from regulator.parts.wall.making import HEAD
from regulator.parts.wall.tile import Tile, tile_of

CATEGORIES: Final = tuple(Category)
WORKS: Final = tuple(WorkType)
Row = list[str | int]
"""Code, number of the change, then `Tile.numbers`."""


@dataclass(frozen=True, slots=True)
class Place:
    """One project's place on the wall, with what it may be filtered by. `works`: a bit for each of `WORKS`."""

    project_code: str
    city_code: str
    category: Category
    stage: str
    works: int


@dataclass(frozen=True, slots=True)
class Change:
    """A tile after the change with this number."""

    seq: int
    project_code: str
    tile: Tile

    def row(self) -> Row:
        """As a page gets it."""
        return [self.project_code, self.seq, *self.tile.numbers()]


def places(db: Connection, set_code: str, scope: Scope, day: date) -> list[Place]:
    """The set's projects within the scope, in their order."""
    stays = members_on(db, set_code, day, scope)
    at = projects.c
    known = select(at.project_code, at.stage, at.dangerous_works).where(
        at.project_code.in_([stay.project_code for stay in stays])
    )
    more = {row.project_code: row for row in db.execute(known)}
    found = [_place(stay, more.get(stay.project_code)) for stay in stays]
    return sorted(found, key=lambda place: (place.city_code, place.project_code))


def mark_of(wall: Iterable[Place]) -> str:
    """Changes when the set, its order or what it is filtered by does."""
    said = [[p.project_code, p.city_code, p.category.value, p.stage, p.works] for p in wall]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:12]


def head(db: Connection) -> int:
    """The number of the last change; 0 before the first."""
    return db.scalar(select(wall_heads.c.seq).where(wall_heads.c.name == HEAD)) or 0


def changes_after(db: Connection, seq: int) -> list[Change]:
    """Tiles that changed after a number, each as it stands, by the number of its last change."""
    newer = select(wall_tiles).where(wall_tiles.c.seq > seq).order_by(wall_tiles.c.seq)
    return [Change(row.seq, row.project_code, tile_of(row)) for row in db.execute(newer)]


def wall_data(db: Connection, wall: Sequence[Place]) -> dict[str, Any]:
    """All that a page needs at once: `seq`, `mark`, `kinds` (what projects are filtered by: category, stage, works'
    bits), and `cities` in their order: code, name, rows. A row: code, place among `kinds`, then the tile's numbers.
    Compact: there are 500 of them."""
    seq = head(db)
    kept = {change.project_code: change for change in changes_after(db, 0)}
    cities = _names(db, sorted({place.city_code for place in wall}))
    kinds = sorted({_kind(place) for place in wall})
    return {
        "seq": seq,
        "mark": mark_of(wall),
        "kinds": kinds,
        "cities": [
            [code, name, [_row(place, kinds, kept) for place in wall if place.city_code == code]]
            for code, name in cities.items()
        ],
    }


def _kind(place: Place) -> tuple[int, str, int]:
    return CATEGORIES.index(place.category), place.stage, place.works


def _row(place: Place, kinds: Sequence[tuple[int, str, int]], kept: Mapping[str, Change]) -> Row:
    tile = kept[place.project_code].tile if place.project_code in kept else Tile()
    return [place.project_code, kinds.index(_kind(place)), *tile.numbers()]


def _names(db: Connection, cities: Sequence[str]) -> dict[str, str]:
    """By code, in order; a city that nobody registered by its code."""
    at = regions.c
    known = {row.code: row.name for row in db.execute(select(at.code, at.name).where(at.code.in_(cities)))}
    return {code: known.get(code, code) for code in cities}


def _place(stay: Membership, project: Any) -> Place:
    works = json.loads(project.dangerous_works) if project is not None else []
    bits = sum(1 << number for number, work in enumerate(WORKS) if work.value in works)
    stage = project.stage if project is not None else ""
    return Place(stay.project_code, stay.city_code, stay.category, stage, bits)
