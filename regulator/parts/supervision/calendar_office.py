"""The reporting calendar: what is open, due, overdue or done for a body and for those below it; marks; clocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection, case, func, select

from regulator.base.act import Act
from regulator.base.days import day_of
from regulator.base.intake.insertion import insert_once
from regulator.base.kinds import RegionLevel, Standing, Word
from regulator.base.model.actor import Actor, Duty, Level, Scope
from regulator.base.model.authority import require_duty
from regulator.base.model.refusals import RefusedError
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.hazards import hazard_deadlines
from regulator.base.records.tables.registry import regions
from regulator.base.records.tables.supervision import calendar_marks
from regulator.base.texts import read_text
from regulator.parts.supervision.calendar_done import Done, Occurrence, load_done, occurrences
from regulator.parts.supervision.calendar_file import CalendarFile

BACK_DAYS, AHEAD_DAYS = 92, 92
WEEKLY_DAYS = 14
MARKERS = (Duty.ADMINISTRATOR, Duty.APPROVER, Duty.REVIEWER, Duty.RESPONDER)
CLOCKS = ("accident_province", "accident_national", "listing", "rectify", "look_back")


class State(Word):
    """Where an occurrence stands."""

    OVERDUE = "overdue", "逾期", "overdue"
    DUE = "due", "即将到期", "due soon"
    OPEN = "open", "未到期", "open"
    DONE = "done", "已完成", "done"
    LATE = "late", "逾期完成", "done late"


@dataclass(frozen=True, slots=True)
class Below:
    """How many bodies of a lower level have done it."""

    level: RegionLevel
    done: int
    all: int


@dataclass(frozen=True, slots=True)
class Line:
    """An occurrence for a body. `state` None: no duty of its own level. `done_on`: when, where it is done."""

    what: Occurrence
    state: State | None
    done_on: date | None
    below: tuple[Below, ...]
    may_mark: bool


@dataclass(frozen=True, slots=True)
class Clock:
    """Deadlines that run from an event: how many run, how many are past, and when the next one is due (UTC ns, 0)."""

    what: str
    running: int
    overdue: int
    next_due_ns: int


def lines(db: Connection, file: CalendarFile, actor: Actor, today: date) -> list[Line]:
    """Everything near today that concerns the actor's body or those below it, by day."""
    lower = _lower(db, actor.scope)
    years = sorted({(today - timedelta(days=BACK_DAYS)).year, (today + timedelta(days=AHEAD_DAYS)).year})
    done = load_done(db, actor.scope, years)
    found: list[Line] = []
    for entry in file.entries:
        bodies = {level: codes for level, codes in lower.items() if codes and entry.concerns(Level(level.value))}
        if entry.concerns(actor.level) or bodies:
            near = [what for year in years for what in occurrences(entry, year) if _near(what, today)]
            found += [_line(file, actor, what, done, bodies, today) for what in near]
    return sorted(found, key=lambda line: (line.what.due, line.what.entry.id))


def state_of(done_on: date | None, due: date, today: date, warn_days: int) -> State:
    """Pure. On its own day it is not overdue yet."""
    if done_on is not None:
        return State.LATE if done_on > due else State.DONE
    if today > due:
        return State.OVERDUE
    return State.DUE if (due - today).days <= warn_days else State.OPEN


def mark_done(act: Act, file: CalendarFile, entry_id: str, due: date, words: str) -> None:
    """Say that the actor's body has done it, once. Raises RefusedError 403, 404 no such day, 409 marked before or known
    by the desk itself, 422."""
    entry, scope, today = file.entry(entry_id), act.actor.scope, day_of(act.now_ns)
    require_duty(act.actor, *MARKERS, levels=tuple(Level))
    if entry is None or not entry.concerns(act.actor.level) or due not in entry.when.due_days(due.year):
        raise RefusedError(404, "no_such_day", "日历中没有这一项", "no such day for your level", "due_on")
    if entry.shown_by != "mark":
        raise RefusedError(409, "known", "该项由系统按记录判定", "the desk knows this from its own records", "entry_id")
    row: dict[str, str | int] = {
        "entry_id": entry_id,
        "due_on": due.isoformat(),
        "level": scope.level.value,
        "scope_code": scope.code,
        "words": read_text(words, "words", most=2000),
        "late": int(today > due),
    }
    if not insert_once(act.db, calendar_marks, row | {"done_by": act.actor.user_id, "done_at_ns": act.now_ns}):
        raise RefusedError(409, "marked", "该项已标记完成", "it was marked before", "entry_id")
    act.write("calendar_done", entry_id, row, chain=f"calendar:{scope.level.value}:{scope.code}")


def clocks(db: Connection, actor: Actor, now_ns: int) -> list[Clock]:
    """Deadlines that run in the scope, by kind (notices A31, E7)."""
    at = hazard_deadlines.c
    late = func.sum(case((at.due_at_ns < now_ns, 1), else_=0))
    ahead = func.min(case((at.due_at_ns >= now_ns, at.due_at_ns)))
    running = (at.ended_at_ns == 0, at.what.in_(CLOCKS), in_scope(actor.scope, at.project_code))
    rows = {
        row[0]: row for row in db.execute(select(at.what, func.count(), late, ahead).where(*running).group_by(at.what))
    }
    return [Clock(what, *_counts(rows.get(what))) for what in CLOCKS]


def _counts(row: Sequence[int] | None) -> tuple[int, int, int]:
    return (row[1], int(row[2]), row[3] or 0) if row is not None else (0, 0, 0)


def _near(what: Occurrence, today: date) -> bool:
    weekly = what.entry.when.every == "week"
    back, ahead = (WEEKLY_DAYS, WEEKLY_DAYS) if weekly else (BACK_DAYS, AHEAD_DAYS)
    return -back <= (what.due - today).days <= ahead


def _line(
    file: CalendarFile, actor: Actor, what: Occurrence, done: Done, bodies: dict[RegionLevel, list[str]], today: date
) -> Line:
    own = what.entry.concerns(actor.level)
    done_on = done.when(what, actor.scope, today) if own else None
    state = state_of(done_on, what.due, today, file.warn_days) if own else None
    markable = own and what.entry.shown_by == "mark" and done_on is None and actor.has(*MARKERS)
    below = tuple(
        Below(
            level,
            sum(done.when(what, Scope(Level(level.value), code), today) is not None for code in codes),
            len(codes),
        )
        for level, codes in bodies.items()
    )
    return Line(what, state, done_on, below, markable)


def _lower(db: Connection, scope: Scope) -> dict[RegionLevel, list[str]]:
    """Codes of the active regions below a scope, by level."""
    at = regions.c
    active = at.status == Standing.ACTIVE.value
    if scope.level is Level.CITY:
        counties = db.scalars(
            select(at.code).where(active, at.level == RegionLevel.COUNTY.value, at.parent == scope.code)
        )
        return {RegionLevel.COUNTY: list(counties)}
    if scope.level is not Level.PROVINCE:
        return {}
    city_rows = select(at.code).where(active, at.level == RegionLevel.CITY.value)
    cities = list(db.scalars(city_rows.where(at.parent == scope.code) if scope.code else city_rows))
    counties = db.scalars(select(at.code).where(active, at.level == RegionLevel.COUNTY.value, at.parent.in_(cities)))
    return {RegionLevel.CITY: cities, RegionLevel.COUNTY: list(counties)}
