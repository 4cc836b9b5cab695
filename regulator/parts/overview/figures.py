"""What is open, late and silent in a scope: one query a figure, whatever the number of projects.

A figure counts exactly what the list behind it shows. What nothing is known of is counted as unknown, never as zero.
In: a reading, who looks, now (UTC ns). Out: counts, and since when the oldest has waited.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import Connection, case, func, select

from regulator.base.coverage.ladder import Footing, Rung
from regulator.base.coverage.standings import Standing, is_unknown
from regulator.base.deadline_days import DueClass
from regulator.base.model.actor import Actor, Level, Scope
from regulator.base.model.hazard import Grade
from regulator.base.model.hazard_states import HazardState
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.hazards import hazards
from regulator.base.records.tables.intake import findings
from regulator.base.records.tables.review import review_items
from regulator.parts.hazards.board import COLUMNS, due_clause
from regulator.parts.registry.rounds.monthly import MonthState, monthly_tasks
from regulator.parts.review.shelf import waiting

SEVERITIES: Final = ("P1", "P2", "P3", "log")


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many, and since when the oldest of them (UTC ns; 0 for none)."""

    count: int = 0
    since_ns: int = 0


@dataclass(frozen=True, slots=True)
class HazardPile:
    """Open hazards of one state, and how many of them are late or nearly so. `major`: of the grade, whatever is due."""

    state: HazardState
    total: int
    overdue: int
    today: int
    week: int
    major: int


@dataclass(frozen=True, slots=True)
class RungCount:
    """One rung: how many members reach it, and how many go no further than the one below because of it."""

    rung: Rung
    reached: int
    stopped: int


@dataclass(frozen=True, slots=True)
class SetFigure:
    """The set today. `headline`: percent on the last rung, a dash while the set is empty. `silent`: boxes that fell
    silent; `unknown`: projects of which nobody can say how far they reach, the silent ones among them."""

    members: int
    covered: int
    headline: str
    rungs: tuple[RungCount, ...]
    silent: int
    unknown: int


@dataclass(frozen=True, slots=True)
class KeyRiskFigure:
    """The key-risk list: everybody on it, who has no check this month, whose month is nearly over, who missed one."""

    listed: int
    unchecked: int
    due: int
    missed: int


def to_review(db: Connection, actor: Actor, now_ns: int) -> Mapping[str, Waiting]:
    """Items that wait (not on the shelf) by priority (`P1` to `log`), with the oldest alarm of each."""
    at = review_items.c
    counted = select(at.severity, func.count(), func.min(at.raised_at_ns))
    rows = db.execute(counted.where(waiting(actor, now_ns)).group_by(at.severity))
    found = {row[0]: Waiting(row[1], row[2]) for row in rows}
    return {severity: found.get(severity, Waiting()) for severity in SEVERITIES}


def hazard_piles(db: Connection, actor: Actor, now_ns: int) -> tuple[HazardPile, ...]:
    """Open hazards by state, in the order of the board; a state without any stands with zeros."""
    at, piles = hazards.c, (DueClass.OVERDUE, DueClass.TODAY, DueClass.WEEK)
    sums = [func.sum(case((due_clause(pile, now_ns), 1), else_=0)) for pile in piles]
    major = func.sum(case((at.grade == Grade.MAJOR.value, 1), else_=0))
    opened = (at.state.in_([state.value for state in COLUMNS]), in_scope(actor.scope, at.project_code))
    rows = db.execute(select(at.state, func.count(), *sums, major).where(*opened).group_by(at.state))
    found = {row[0]: tuple(int(value or 0) for value in row[1:]) for row in rows}
    return tuple(HazardPile(state, *found.get(state.value, (0, 0, 0, 0, 0))) for state in COLUMNS)


def set_figure(standing: Standing) -> SetFigure:
    """From the ladders of the members in the scope."""
    stops = [stop for ladder in standing.ladders.values() if (stop := ladder.stopped_at) is not None]
    rungs = tuple(
        RungCount(rung, reached, sum(stop.rung is rung for stop in stops)) for rung, reached in standing.on_rung.items()
    )
    return SetFigure(
        members=len(standing.ladders),
        covered=standing.covered,
        headline=standing.headline,
        rungs=rungs,
        silent=sum(stop.rung is Rung.HEARTBEAT and stop.footing is Footing.NO for stop in stops),
        unknown=sum(is_unknown(ladder) for ladder in standing.ladders.values()),
    )


def open_findings(db: Connection, actor: Actor) -> Mapping[str, Waiting]:
    """Open findings by kind, the most frequent first. The province sees those of no project too."""
    at = findings.c
    mine = in_scope(actor.scope, at.project_code)
    if actor.level is Level.PROVINCE:
        mine = mine | (at.project_code == "")
    counted = select(at.kind, func.count(), func.min(at.opened_at_ns)).where(at.closed_at_ns == 0, mine)
    rows = db.execute(counted.group_by(at.kind).order_by(func.count().desc(), at.kind))
    return {row[0]: Waiting(row[1], row[2]) for row in rows}


def key_risk_figure(db: Connection, scope: Scope, today: date) -> KeyRiskFigure:
    """Of whoever is on the list in the scope today."""
    tasks = monthly_tasks(db, scope, today)
    return KeyRiskFigure(
        listed=len(tasks),
        unchecked=sum(task.state is not MonthState.DONE for task in tasks),
        due=sum(task.state is MonthState.DUE for task in tasks),
        missed=sum(task.overdue for task in tasks),
    )
