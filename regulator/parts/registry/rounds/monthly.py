"""The monthly duty towards whoever is on the key-risk list (notice A8): who was inspected, who is due, who was missed.

    1st ........ last day - 5 ........ last day | next month
        open            due (listed)              missed, if nobody went

Pure but for two queries. Days are those of Shanghai.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum

from sqlalchemy import Connection, select

from regulator.base.days import month_end
from regulator.base.kinds import ItemLevel, RiskKind
from regulator.base.listed import Listed
from regulator.base.model.actor import Scope
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.registry import project_firms
from regulator.base.records.tables.rounds import key_risk_checks, key_risks

DUE_DAYS_BEFORE = 5
MISSED_MONTHS = 12
"""How far back missed months are told."""


class MonthState(Enum):
    """Where this month's check stands."""

    DONE = "done"
    OPEN = "open"
    DUE = "due"


@dataclass(frozen=True, slots=True)
class MonthlyTask:
    """One firm or project on the list. `last_check`: ISO day or empty. `missed`: past months without a check, ISO."""

    listed: Listed
    grounds: tuple[RiskKind, ...]
    since: str
    last_check: str
    state: MonthState
    missed: tuple[str, ...]
    report_sha256: str
    exit_proposer: str

    @property
    def overdue(self) -> bool:
        """Whether a past month went by without a check."""
        return bool(self.missed)


def monthly_tasks(db: Connection, scope: Scope, today: date) -> list[MonthlyTask]:
    """Everybody on the list in the scope, firms first, by code."""
    at = key_risks.c
    firms_here = select(project_firms.c.firm_code).where(in_scope(scope, project_firms.c.project_code))
    seen = ((at.level == ItemLevel.PROJECT.value) & in_scope(scope, at.code)) | (
        (at.level == ItemLevel.FIRM.value) & at.code.in_(firms_here)
    )
    rows = defaultdict(list)
    for row in db.execute(select(key_risks).where(at.until_day == "", seen).order_by(at.level, at.code, at.from_day)):
        rows[Listed(ItemLevel.of(row.level), row.code)].append(row)
    checks = _checks(db)
    return [
        _task(
            listed, [(row.ground, row.from_day, row.report_sha256, row.exit_proposer) for row in found], checks, today
        )
        for listed, found in rows.items()
    ]


def due_list(db: Connection, scope: Scope, today: date) -> list[MonthlyTask]:
    """Who has to be inspected now: not this month, and its end is near; or a past month was missed."""
    return [task for task in monthly_tasks(db, scope, today) if task.state is MonthState.DUE or task.overdue]


def month_state(checks: set[str], today: date) -> MonthState:
    """Of the month that is going on, from the days (ISO) of its checks."""
    if any(day[:7] == today.isoformat()[:7] for day in checks):
        return MonthState.DONE
    near = today >= month_end(today) - timedelta(days=DUE_DAYS_BEFORE)
    return MonthState.DUE if near else MonthState.OPEN


def missed_months(checks: set[str], since: date, today: date) -> tuple[str, ...]:
    """Whole months that are over since the listing, without a check, newest last. A month that only its last days were
    left of (see `DUE_DAYS_BEFORE`) when it was listed counts as none."""
    found: list[str] = []
    end = month_end(today.replace(day=1) - timedelta(days=1))
    while len(found) < MISSED_MONTHS and since <= end - timedelta(days=DUE_DAYS_BEFORE):
        month = end.isoformat()[:7]
        if not any(day[:7] == month for day in checks):
            found.append(month)
        end = end.replace(day=1) - timedelta(days=1)
    return tuple(reversed(found))


def _task(
    listed: Listed, found: list[tuple[str, str, str, str]], checks: dict[Listed, set[str]], today: date
) -> MonthlyTask:
    since, done = found[0][1], checks.get(listed, set())
    return MonthlyTask(
        listed=listed,
        grounds=tuple(kind for kind in RiskKind if kind.value in {ground for ground, *_ in found}),
        since=since,
        last_check=max(done, default=""),
        state=month_state(done, today),
        missed=missed_months(done, date.fromisoformat(since), today),
        report_sha256=found[0][2],
        exit_proposer=found[0][3],
    )


def _checks(db: Connection) -> dict[Listed, set[str]]:
    at = key_risk_checks.c
    found = defaultdict(set)
    for row in db.execute(select(at.level, at.code, at.on_day)):
        found[Listed(ItemLevel.of(row[0]), row[1])].add(row[2])
    return found
