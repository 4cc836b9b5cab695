"""Which bodies have done what the calendar asks for: from the desk's own records, or from what people marked.

In: an entry, and one of its due days. Out: the codes of the bodies of a level that have done it, with the day.
"""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, select

from regulator.model.actor import Level, Scope
from regulator.records.tables.rounds import rounds
from regulator.records.tables.supervision import calendar_marks, draws, round_targets, themes
from regulator.registry.days import day_end_ns, day_of, day_start_ns
from regulator.registry.rounds.monthly import MonthState, monthly_tasks
from regulator.supervision.calendar_file import Entry
from regulator.supervision.draw_office import DrawState


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An entry on one of its days. `number` counts the days of that year from 1."""

    entry: Entry
    due: date
    number: int


def occurrences(entry: Entry, year: int) -> list[Occurrence]:
    """The entry's days of a year."""
    return [Occurrence(entry, due, number) for number, due in enumerate(entry.when.due_days(year), 1)]


def done_bodies(db: Connection, what: Occurrence, level: Level) -> dict[str, date]:
    """Codes of the bodies of a level that have done it, and when."""
    if what.entry.shown_by == "rounds":
        return _counted(_rounds(db, what, level), what.number)
    if what.entry.shown_by == "draws":
        return _counted(_draws(db, what, level), what.number)
    if what.entry.shown_by == "theme":
        return _themes(db, what, level)
    return _marked(db, what, level)


def key_risk_done(db: Connection, scope: Scope, what: Occurrence, today: date) -> date | None:
    """The day of the last check when everybody who was on the key-risk list of the scope was checked in that month.
    With nobody on the list a month is done once it is over."""
    tasks = [task for task in monthly_tasks(db, scope, what.due) if task.since <= what.due.isoformat()]
    if any(task.state is not MonthState.DONE for task in tasks):
        return None
    days = [date.fromisoformat(task.last_check) for task in tasks]
    return max(days) if days else what.due if what.due < today else None


def _counted(found: dict[str, list[date]], needed: int) -> dict[str, date]:
    """Who has as many as are due by then: the second day of the year asks for two."""
    return {code: sorted(days)[needed - 1] for code, days in found.items() if len(days) >= needed}


def _rounds(db: Connection, what: Occurrence, level: Level) -> dict[str, list[date]]:
    """Rounds of full coverage that were closed in the year. A round over drawn projects is none."""
    at, year = rounds.c, what.due.year
    drawn = select(round_targets.c.round_id)
    closed = (at.level == level.value, at.state == "closed", at.round_id.not_in(drawn))
    window = (at.closed_at_ns >= day_start_ns(date(year, 1, 1)), at.closed_at_ns < day_end_ns(date(year, 12, 31)))
    rows = db.execute(select(at.scope_code, at.closed_at_ns).where(*closed, *window))
    return _by_body([(row[0], day_of(row[1])) for row in rows])


def _draws(db: Connection, what: Occurrence, level: Level) -> dict[str, list[date]]:
    at, year = draws.c, str(what.due.year)
    public = (at.level == level.value, at.state == DrawState.REVEALED.value, at.on_day.startswith(year))
    rows = db.execute(select(at.scope_code, at.on_day).where(*public))
    return _by_body([(row[0], date.fromisoformat(row[1])) for row in rows])


def _themes(db: Connection, what: Occurrence, level: Level) -> dict[str, date]:
    at, month = themes.c, what.due.isoformat()[:7]
    rows = db.execute(select(at.scope_code, at.made_at_ns).where(at.month == month, at.level == level.value))
    return {row[0]: day_of(row[1]) for row in rows}


def _marked(db: Connection, what: Occurrence, level: Level) -> dict[str, date]:
    at = calendar_marks.c
    ours = (at.entry_id == what.entry.id, at.due_on == what.due.isoformat(), at.level == level.value)
    return {row[0]: day_of(row[1]) for row in db.execute(select(at.scope_code, at.done_at_ns).where(*ours))}


def _by_body(rows: list[tuple[str, date]]) -> dict[str, list[date]]:
    found: dict[str, list[date]] = {}
    for code, day in rows:
        found.setdefault(code, []).append(day)
    return found
