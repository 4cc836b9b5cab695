"""How far a round has come: counts and shares at each level, and what was not inspected."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Connection, Row, case, func, select

from regulator.base.kinds import ItemLevel
from regulator.base.model.actor import Scope
from regulator.base.percent import percent
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.registry import project_firms
from regulator.base.records.tables.rounds import round_items


@dataclass(frozen=True, slots=True)
class LevelCoverage:
    """Of one level: how many there are (without the dropped), and how many have all their sheets."""

    level: ItemLevel
    all: int
    checked: int
    dropped: int

    @property
    def percent(self) -> str:
        """Share inspected, two decimals, rounded down; 100.00 only when none is left, a dash where there is none."""
        return percent(self.checked, self.all)

    @property
    def complete(self) -> bool:
        """Whether nothing is left."""
        return self.checked == self.all


def items_in(scope: Scope) -> "ColumnElement[bool]":
    """Items of projects in the scope; a firm's own item through its projects there."""
    at = round_items.c
    firms_here = select(project_firms.c.firm_code).where(in_scope(scope, project_firms.c.project_code))
    return in_scope(scope, at.project_code) | ((at.project_code == "") & at.firm_code.in_(firms_here))


def coverage_of(db: Connection, round_id: str, scope: Scope) -> list[LevelCoverage]:
    """Firms, projects and devices, in this order; of the scope."""
    at = round_items.c
    things = (at.level, at.firm_code, at.project_code, at.device_code)
    left = func.sum(case(((at.check_id == "") & (at.dropped == ""), 1), else_=0)).label("left_over")
    gone = func.max(case((at.dropped != "", 1), else_=0)).label("gone")
    counted = select(at.level, left, gone).where(at.round_id == round_id, items_in(scope)).group_by(*things).subquery()
    found: dict[str, list[int]] = {level.value: [0, 0, 0] for level in ItemLevel}
    for row in db.execute(select(counted)):
        place = 2 if row.gone else 1 if row.left_over == 0 else 0
        found[row.level][place] += 1
    return [
        LevelCoverage(level, found[level.value][0] + found[level.value][1], *found[level.value][1:])
        for level in ItemLevel
    ]


def not_inspected(db: Connection, round_id: str, scope: Scope, limit: int = 500) -> "Sequence[Row[tuple[str, ...]]]":
    """Sheets that nobody filled in yet, by level and code; at most `limit`."""
    at = round_items.c
    left = select(round_items).where(at.round_id == round_id, items_in(scope), at.check_id == "", at.dropped == "")
    order = (at.level.desc(), at.firm_code, at.project_code, at.device_code, at.sheet)
    return db.execute(left.order_by(*order).limit(limit)).all()


def dropped_items(db: Connection, round_id: str, scope: Scope, limit: int = 500) -> "Sequence[Row[tuple[str, ...]]]":
    """What ended before anybody inspected it."""
    at = round_items.c
    gone = select(round_items).where(at.round_id == round_id, items_in(scope), at.dropped != "")
    return db.execute(gone.order_by(at.project_code, at.device_code).limit(limit)).all()


def days_left(due_on: str, today: date) -> int:
    """Days until the round is due; below 0 it is overdue."""
    return (date.fromisoformat(due_on) - today).days
