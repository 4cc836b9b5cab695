"""Which bodies have done what the calendar asks for: from the desk's own records, or from what people marked.

In: the years that are looked at, in one query a kind. Out: for an entry on one of its days, the bodies of a level that
have done it, with the day.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, select

from regulator.base.days import day_end_ns, day_of, day_start_ns
from regulator.base.kinds import ItemLevel
from regulator.base.model.actor import Level, Scope
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.registry import project_firms, projects
from regulator.base.records.tables.rounds import key_risk_checks, key_risks, rounds
from regulator.base.records.tables.supervision import calendar_marks, draws, round_targets, themes
from regulator.parts.supervision.calendar_file import Entry
from regulator.parts.supervision.draw_office import DrawState

Body = tuple[str, str]
"""The level and the code of a scope."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An entry on one of its days. `number` counts the days of that year from 1."""

    entry: Entry
    due: date
    number: int


@dataclass(frozen=True, slots=True)
class ListedOne:
    """A firm or project on the key-risk list: since when, where it counts, and the days of its checks (ISO)."""

    since: str
    bodies: frozenset[Body]
    checks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """Everything that tells what was done in some years. Days by body; `marks` and `themes` by key and body."""

    rounds: dict[Body, list[date]]
    draws: dict[Body, list[date]]
    themes: dict[tuple[str, Body], date]
    marks: dict[tuple[str, str, Body], date]
    listed: tuple[ListedOne, ...]

    def when(self, what: Occurrence, scope: Scope, today: date) -> date | None:
        """The day on which the body has done it; None while it has not."""
        body, kind = (scope.level.value, scope.code), what.entry.shown_by
        if kind == "rounds":
            return _enough(self.rounds.get(body, ()), what)
        if kind == "draws":
            return _enough(self.draws.get(body, ()), what)
        if kind == "theme":
            return self.themes.get((what.due.isoformat()[:7], body))
        if kind == "key_risk":
            return self._key_risk(what, body, today)
        return self.marks.get((what.entry.id, what.due.isoformat(), body))

    def _key_risk(self, what: Occurrence, body: Body, today: date) -> date | None:
        """The last check of the month once everybody on the list was checked. With nobody on it, once it is over."""
        iso = what.due.isoformat()
        ours = [each for each in self.listed if body in each.bodies and each.since <= iso]
        latest = [max((day for day in each.checks if day[:7] == iso[:7]), default="") for each in ours]
        if not all(latest):
            return None
        return date.fromisoformat(max(latest)) if latest else what.due if what.due < today else None


def occurrences(entry: Entry, year: int) -> list[Occurrence]:
    """The entry's days of a year."""
    return [Occurrence(entry, due, number) for number, due in enumerate(entry.when.due_days(year), 1)]


def load_done(db: Connection, scope: Scope, years: Sequence[int]) -> Done:
    """What was done in these years. The key-risk list is that of the scope."""
    first, last = date(min(years), 1, 1), date(max(years), 12, 31)
    mark, theme = calendar_marks.c, themes.c
    near = (mark.due_on >= first.isoformat(), mark.due_on <= last.isoformat())
    marks = select(mark.entry_id, mark.due_on, mark.level, mark.scope_code, mark.done_at_ns).where(*near)
    chosen = select(theme.month, theme.level, theme.scope_code, theme.made_at_ns)
    months = (theme.month >= first.isoformat()[:7], theme.month <= last.isoformat()[:7])
    return Done(
        rounds=_rounds(db, first, last),
        draws=_draws(db, first, last),
        themes={(row[0], (row[1], row[2])): day_of(row[3]) for row in db.execute(chosen.where(*months))},
        marks={(row[0], row[1], (row[2], row[3])): day_of(row[4]) for row in db.execute(marks)},
        listed=_listed(db, scope),
    )


def _enough(days: Iterable[date], what: Occurrence) -> date | None:
    """The second day of a year asks for two: the day of the second one."""
    ours = sorted(day for day in days if day.year == what.due.year)
    return ours[what.number - 1] if len(ours) >= what.number else None


def _rounds(db: Connection, first: date, last: date) -> dict[Body, list[date]]:
    """Rounds of full coverage that were closed. A round over drawn projects is none."""
    at = rounds.c
    whole = (at.state == "closed", at.round_id.not_in(select(round_targets.c.round_id)))
    window = (at.closed_at_ns >= day_start_ns(first), at.closed_at_ns < day_end_ns(last))
    rows = db.execute(select(at.level, at.scope_code, at.closed_at_ns).where(*whole, *window))
    return _by_body([((row[0], row[1]), day_of(row[2])) for row in rows])


def _draws(db: Connection, first: date, last: date) -> dict[Body, list[date]]:
    at = draws.c
    public = (at.state == DrawState.REVEALED.value, at.on_day >= first.isoformat(), at.on_day <= last.isoformat())
    rows = db.execute(select(at.level, at.scope_code, at.on_day).where(*public))
    return _by_body([((row[0], row[1]), date.fromisoformat(row[2])) for row in rows])


def _listed(db: Connection, scope: Scope) -> tuple[ListedOne, ...]:
    at, check = key_risks.c, key_risk_checks.c
    checks = defaultdict(list)
    for row in db.execute(select(check.level, check.code, check.on_day)):
        checks[row[0], row[1]].append(row[2])
    since: dict[tuple[str, str], str] = {}
    for row in db.execute(
        select(at.level, at.code, at.from_day).where(at.until_day == "").order_by(at.from_day.desc())
    ):
        since[row[0], row[1]] = row[2]
    where = _places(db, scope)
    return tuple(
        ListedOne(day, frozenset(where[thing]), tuple(checks[thing])) for thing, day in since.items() if where[thing]
    )


def _places(db: Connection, scope: Scope) -> "defaultdict[tuple[str, str], set[Body]]":
    """In which bodies each project and each firm of the scope counts."""
    at, firm = projects.c, project_firms.c
    found: defaultdict[tuple[str, str], set[Body]] = defaultdict(set)
    joined = projects.outerjoin(project_firms, firm.project_code == at.project_code)
    rows = select(at.project_code, firm.firm_code, at.city_code, at.county_code).select_from(joined)
    for code, firm_code, city, county in db.execute(rows.where(in_scope(scope, at.project_code))):
        bodies = {(scope.level.value, scope.code), (Level.CITY.value, city), (Level.COUNTY.value, county)}
        found[ItemLevel.PROJECT.value, code] |= bodies
        found[ItemLevel.FIRM.value, firm_code or ""] |= bodies
    return found


def _by_body(rows: Iterable[tuple[Body, date]]) -> dict[Body, list[date]]:
    found = defaultdict(list)
    for body, day in rows:
        found[body].append(day)
    return found
