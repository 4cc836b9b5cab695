"""The monthly report of who is on the key-risk list (notice A8): drafted from what the boxes sent, with words to it.

    month over --> draft (alarms, hazards opened and closed, hours without the box) --> words --> handed in, once
    not handed in by the 5th (the product's reading) --> a finding, closed when it comes

What is not known stands as null in the figures and as unknown on the page: hours offline, where there is no box.
Figures of a firm are those of its projects in the scope of whoever looks.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select
from sqlalchemy.dialects import postgresql, sqlite

from contract.canonical import canonical_bytes
from regulator.base.act import Act
from regulator.base.days import day_end_ns, day_of, day_start_ns, month_end
from regulator.base.intake.findings import Finding, FindingKind, close_finding, open_finding
from regulator.base.kinds import ItemLevel, Standing
from regulator.base.listed import Listed, require_seen
from regulator.base.model.actor import SYSTEM, Duty, Scope
from regulator.base.model.refusals import RefusedError
from regulator.base.records.ledger import Ledger
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.duties import key_risk_reports
from regulator.base.records.tables.hazards import hazards
from regulator.base.records.tables.intake import alarms, boxes, findings
from regulator.base.records.tables.registry import project_firms
from regulator.base.records.tables.rounds import key_risks
from regulator.base.texts import read_text

GRACE_DAYS: Final = 5
MOST_MONTHS: Final = 12
MISSING: Final = "key_risk_report_missing"
HOUR_NS: Final = 3_600_000_000_000
REPORTERS: Final = (Duty.RESPONDER, Duty.INSPECTOR, Duty.REVIEWER)
_CLOSED: Final = "closed"


@dataclass(frozen=True, slots=True)
class MonthFigures:
    """What a month brought. `offline_h`: hours in which a box was silent, None where there is no box to know it from;
    `closure_percent`: of the hazards opened in the month, None where none was."""

    p1: int
    p2: int
    p3: int
    opened: int
    closed: int
    overdue: int
    closure_percent: int | None
    offline_h: int | None


@dataclass(frozen=True, slots=True)
class RiskReport:
    """One that was handed in."""

    listed: Listed
    month: str
    figures: MonthFigures
    words: str
    submitted_name: str
    submitted_at_ns: int


def figures_of(db: Connection, listed: Listed, scope: Scope, month: str, now_ns: int) -> MonthFigures:
    """The draft's figures, as known now."""
    codes = _projects(db, listed, scope)
    from_ns, to_ns = _span(month)
    at, hazard = alarms.c, hazards.c
    raised = (at.project_code.in_(codes), at.raised_at_ns >= from_ns, at.raised_at_ns < to_ns)
    by_severity = select(at.severity, func.count()).where(*raised).group_by(at.severity)
    counted = {row[0]: row[1] for row in db.execute(by_severity)}
    here = hazard.project_code.in_(codes)
    opened = select(func.count()).where(here, hazard.opened_at_ns >= from_ns, hazard.opened_at_ns < to_ns)
    count, closed = (db.scalar(each) or 0 for each in (opened, opened.where(hazard.state == _CLOSED)))
    due = (hazard.due_at_ns > 0, hazard.due_at_ns < min(to_ns, now_ns), hazard.closed_at_ns == 0)
    return MonthFigures(
        p1=counted.get("P1", 0),
        p2=counted.get("P2", 0),
        p3=counted.get("P3", 0),
        opened=count,
        closed=closed,
        overdue=db.scalar(select(func.count()).where(here, hazard.opened_at_ns < to_ns, *due)) or 0,
        closure_percent=100 * closed // count if count else None,
        offline_h=_offline_h(db, codes, (from_ns, min(to_ns, now_ns))),
    )


def submit_report(act: Act, listed: Listed, month: str, words: str) -> RiskReport:
    """Hand it in. Raises RefusedError: 403, 404 not of the scope, 409 not owed or handed in, 422 no month or words."""
    if not act.actor.has(*REPORTERS):
        raise RefusedError(403, "not_your_duty", "您的职责不允许这样做", "your duty does not allow this")
    require_seen(act.db, act.actor, listed)
    _require_over(month, day_of(act.now_ns))
    if month not in owed_months(act.db, listed, day_of(act.now_ns)):
        raise RefusedError(409, "not_owed", "该月无须报告或已报告", "this month is not owed, or handed in", "month")
    figures = figures_of(act.db, listed, act.actor.scope, month, act.now_ns)
    said = read_text(words, "words", most=4000)
    row: dict[str, Any] = {"level": listed.level.value, "code": listed.code, "month": month}
    kept: dict[str, Any] = {"figures": _text(figures), "words": said, "submitted_by": act.actor.user_id}
    kept |= {"submitted_name": act.actor.name, "submitted_at_ns": act.now_ns}
    dialect = postgresql if act.db.dialect.name == "postgresql" else sqlite
    added = dialect.insert(key_risk_reports).values(**row, **kept).on_conflict_do_nothing()
    if act.db.scalar(added.returning(key_risk_reports.c.month)) is None:
        raise RefusedError(409, "not_owed", "该月无须报告或已报告", "this month is not owed, or handed in", "month")
    project = listed.code if listed.level is ItemLevel.PROJECT else ""
    told = {"month": month, "figures": kept["figures"], "words": said}
    chain = "" if project else f"firm:{listed.code}"
    act.because(said[:200]).write("key_risk_reported", listed.code, told, project, chain)
    _close(act, listed, month)
    return RiskReport(listed, month, figures, said, act.actor.name, act.now_ns)


def reports_of(db: Connection, listed: Listed) -> list[RiskReport]:
    """All that are kept, the newest first."""
    at = key_risk_reports.c
    mine = select(key_risk_reports).where(at.level == listed.level.value, at.code == listed.code)
    return [_report(listed, row) for row in db.execute(mine.order_by(at.month.desc()))]


def owed_months(db: Connection, listed: Listed, today: date) -> tuple[str, ...]:
    """Months that are over since the listing and were not reported, oldest first; at most a year of them."""
    at, own = key_risks.c, key_risk_reports.c
    first = db.scalar(
        select(func.min(at.from_day)).where(at.level == listed.level.value, at.code == listed.code, at.until_day == "")
    )
    if first is None:
        return ()
    mine = (own.level == listed.level.value, own.code == listed.code)
    done = set(db.scalars(select(own.month).where(*mine)))
    found: list[str] = []
    day = today.replace(day=1) - timedelta(days=1)
    while len(found) < MOST_MONTHS and day.isoformat()[:7] >= first[:7]:
        found.append(day.isoformat()[:7])
        day = day.replace(day=1) - timedelta(days=1)
    return tuple(month for month in reversed(found) if month not in done)


def open_missing(db: Connection, ledger: Ledger, now_ns: int) -> int:
    """A finding for each month before the last five days that nobody handed in; how many are open for it."""
    today, at, count = day_of(now_ns), key_risks.c, 0
    active = select(at.level, at.code).where(at.until_day == "").distinct().order_by(at.level, at.code)
    for row in db.execute(active).all():
        listed = Listed(ItemLevel.of(row.level), row.code)
        for month in owed_months(db, listed, today):
            if today <= _last_day(month) + timedelta(days=GRACE_DAYS):
                continue
            project = listed.code if listed.level is ItemLevel.PROJECT else ""
            zh, en = f"{listed.code} 未报送 {month} 安全隐患月报", f"{listed.code}: no monthly report of {month}"
            open_finding(db, ledger, Finding(MISSING, _subject(listed, month), zh, en, project), now_ns)
            count += 1
    return count


def _close(act: Act, listed: Listed, month: str) -> None:
    at = findings.c
    mine = select(at.finding_id).where(at.kind == MISSING, at.subject == _subject(listed, month), at.closed_at_ns == 0)
    for finding_id in act.db.scalars(mine).all():
        close_finding(act.db, act.ledger, finding_id, "报告已报送", act.now_ns, SYSTEM)


def _offline_h(db: Connection, codes: Sequence[str], span_ns: tuple[int, int]) -> int | None:
    """From the findings of silent boxes, cut to the month."""
    if db.scalar(select(func.count()).where(boxes.c.project_code.in_(codes))) == 0:
        return None
    at, (from_ns, to_ns) = findings.c, span_ns
    silent = (at.kind == FindingKind.SILENT_BOX.value, at.project_code.in_(codes), at.opened_at_ns < to_ns)
    rows = db.execute(select(at.opened_at_ns, at.closed_at_ns).where(*silent))
    lasted = (min(row.closed_at_ns or to_ns, to_ns) - max(row.opened_at_ns, from_ns) for row in rows)
    return int(sum(max(0, each) for each in lasted) // HOUR_NS)


def _projects(db: Connection, listed: Listed, scope: Scope) -> list[str]:
    if listed.level is ItemLevel.PROJECT:
        return [listed.code]
    at = project_firms.c
    mine = (at.firm_code == listed.code, at.status == Standing.ACTIVE.value, in_scope(scope, at.project_code))
    return sorted(set(db.scalars(select(at.project_code).where(*mine))))


def _span(month: str) -> tuple[int, int]:
    return day_start_ns(date.fromisoformat(f"{month}-01")), day_end_ns(_last_day(month))


def _last_day(month: str) -> date:
    return month_end(date.fromisoformat(f"{month}-01"))


def _require_over(month: str, today: date) -> None:
    try:
        over = len(month) == len("2026-01") and _last_day(month) < today
    except ValueError:
        over = False
    if not over:
        zh, en = f"“{month[:20]}”不是已结束的月份，应为 年-月", f"{month[:20]!r}: a month that is over, as YYYY-MM"
        raise RefusedError(422, "not_a_month", zh, en, "month")


def _subject(listed: Listed, month: str) -> str:
    return f"{listed.level.value}/{listed.code}/{month}"


def _text(figures: MonthFigures) -> str:
    return canonical_bytes({name: getattr(figures, name) for name in MonthFigures.__slots__}).decode()


def _report(listed: Listed, row: "Row[Any]") -> RiskReport:
    figures = MonthFigures(**json.loads(row.figures))
    return RiskReport(listed, row.month, figures, row.words, row.submitted_name, row.submitted_at_ns)
