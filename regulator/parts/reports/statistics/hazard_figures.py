"""Figures of hazards: how long they take, what is overdue and where, what is done in time, at once, and again.

What is owed is asked of the deadlines as they stood at the end of the span; whoever held a hazard then is asked of the
row of its holders. A deadline that was extended counts by its successor; one that became void counts nowhere.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, exists, func, or_, select

from kit.words import Words
from regulator.base.days import DAY_NS
from regulator.base.model.hazard import Channel, HazardKind
from regulator.base.records.tables.hazards import hazard_deadlines, hazard_holders, hazards
from regulator.parts.hazards.deadlines import DeadlineKind, Outcome
from regulator.parts.reports.statistics.figure import Figure, quantile
from regulator.parts.reports.statistics.making import Span, known, unknown
from regulator.parts.reports.statistics.selection import Selection

REPEATED_WITHIN_NS = 30 * DAY_NS
LEVELS = ("county", "city", "province")
OWED = (DeadlineKind.RECTIFY.value, DeadlineKind.LISTING.value)
NO_DESK = Words("本期平台尚未启用", "the desk was not in use in this period")


@dataclass(frozen=True, slots=True)
class Overdue:
    """One hazard with the deadline that is overdue for longest. `level` holds it."""

    hazard_id: str
    level: str
    days: int


def hazard_figures(db: Connection, selection: Selection, span: Span) -> list[Figure]:
    """All of them."""
    if not span.desk.covered_days:
        shares = ("on_time", "first_pass", "repeated", "missed")
        keys = ("mttr_p50", "mttr_p95", "overdue", *(f"overdue_{level}" for level in LEVELS), "overdue_days", *shares)
        return [unknown(key, span.desk, NO_DESK) for key in keys]
    return [
        *_times_to_close(db, selection, span),
        *_overdue_figures(overdue_at(db, selection, span.to_ns)),
        _on_time(db, selection, span),
        _first_pass(db, selection, span),
        _repeated(db, selection, span),
        _missed(db, selection, span),
    ]


def overdue_at(db: Connection, selection: Selection, at_ns: int) -> list[Overdue]:
    """What was overdue at a moment, the longest first."""
    at = hazard_deadlines.c
    owed = (
        select(at.hazard_id, func.min(at.due_at_ns).label("due_at_ns"))
        .where(at.what.in_(OWED), at.due_at_ns <= at_ns, or_(at.ended_at_ns == 0, at.ended_at_ns > at_ns))
        .where(selection.covers(at.project_code))
        .group_by(at.hazard_id)
    )
    rows = db.execute(owed).all()
    held = _holders(db, selection, at_ns)
    found = [
        Overdue(row.hazard_id, held.get(row.hazard_id, "county"), -(-(at_ns - row.due_at_ns) // DAY_NS)) for row in rows
    ]
    return sorted(found, key=lambda each: (-each.days, each.hazard_id))


def _holders(db: Connection, selection: Selection, at_ns: int) -> dict[str, str]:
    """Who held each hazard at a moment."""
    at = hazard_holders.c
    held = select(at.hazard_id, at.level).where(at.since_ns <= at_ns, selection.covers(at.project_code))
    return {row.hazard_id: row.level for row in db.execute(held.order_by(at.hazard_id, at.number))}


def _times_to_close(db: Connection, selection: Selection, span: Span) -> list[Figure]:
    at = hazards.c
    closed = select(at.closed_at_ns - at.confirmed_at_ns).where(
        _within(at.closed_at_ns, span), at.confirmed_at_ns > 0, selection.covers(at.project_code)
    )
    counts = sorted(Counter(int(spent) for spent in db.scalars(closed)).items())
    n = sum(count for _, count in counts)
    figures = []
    for share in (50, 95):
        found = quantile(counts, share / 100)
        why = Words("本期没有销号的隐患", "no hazard was closed in this period")
        key = f"mttr_p{share}"
        figures.append(unknown(key, span.desk, why) if found is None else known(key, found / DAY_NS, n, span.desk))
    return figures


def _overdue_figures(found: list[Overdue]) -> list[Figure]:
    by_level, n = Counter(each.level for each in found), len(found)
    return [
        known("overdue", n, n, None),
        *(known(f"overdue_{level}", by_level[level], n, None) for level in LEVELS),
        known("overdue_days", max((each.days for each in found), default=0), n, None),
    ]


def _on_time(db: Connection, selection: Selection, span: Span) -> Figure:
    at = hazard_deadlines.c
    left_out = (Outcome.EXTENDED.value, Outcome.VOID.value)
    due = select(at.due_at_ns, at.ended_at_ns, at.outcome).where(
        at.what == DeadlineKind.RECTIFY.value, _within(at.due_at_ns, span), selection.covers(at.project_code),
        at.outcome.not_in(left_out),
    )  # fmt: skip
    rows = db.execute(due).all()
    met = sum(0 < row.ended_at_ns <= row.due_at_ns for row in rows)
    return _share(
        "on_time", met, len(rows), span, Words("本期没有到期的整改", "no rectification was due in this period")
    )


def _first_pass(db: Connection, selection: Selection, span: Span) -> Figure:
    at = hazards.c
    closed = select(at.round).where(_within(at.closed_at_ns, span), selection.covers(at.project_code))
    rounds = [int(number) for number in db.scalars(closed)]
    passed = sum(number <= 1 for number in rounds)
    return _share(
        "first_pass", passed, len(rounds), span, Words("本期没有销号的隐患", "no hazard was closed in this period")
    )


def _repeated(db: Connection, selection: Selection, span: Span) -> Figure:
    at, before = hazards.c, hazards.alias("earlier")
    same_kind = or_(
        and_(at.rule_id != "", before.c.rule_id == at.rule_id),
        and_(at.rule_id == "", at.catalogue_code != "", before.c.catalogue_code == at.catalogue_code),
        and_(at.rule_id == "", at.catalogue_code == "", before.c.title_zh == at.title_zh),
    )
    again = exists().where(
        before.c.project_code == at.project_code,
        before.c.place_id == at.place_id,
        before.c.hazard_id != at.hazard_id,
        before.c.closed_at_ns > 0,
        before.c.closed_at_ns <= at.observed_at_ns,
        before.c.closed_at_ns >= at.observed_at_ns - REPEATED_WITHIN_NS,
        same_kind,
    )
    confirmed = (_within(at.confirmed_at_ns, span), selection.covers(at.project_code))
    n = db.scalar(select(func.count()).select_from(hazards).where(*confirmed)) or 0
    found = db.scalar(select(func.count()).select_from(hazards).where(*confirmed, again)) or 0
    return _share("repeated", found, n, span, NONE_CONFIRMED)


def _missed(db: Connection, selection: Selection, span: Span) -> Figure:
    at = hazards.c
    counted = (
        select(at.channel, func.count().label("n"))
        .where(_within(at.confirmed_at_ns, span), at.kind == HazardKind.HAZARD.value, selection.covers(at.project_code))
        .group_by(at.channel)
    )
    by_channel = {row.channel: int(row.n) for row in db.execute(counted)}
    n = sum(by_channel.values())
    note = Words(
        "含设备无法看到的隐患，系统只能看到装有设备处",
        "hazards that no device could see are in it: it is an upper bound",
    )
    return _share("missed", n - by_channel.get(Channel.DEVICE.value, 0), n, span, NONE_CONFIRMED, note)


NONE_CONFIRMED = Words("本期没有认定属实的隐患", "no hazard was confirmed in this period")


def _within(column: Any, span: Span) -> Any:
    return and_(column >= span.from_ns, column < span.to_ns)


def _share(key: str, hits: int, n: int, span: Span, why: Words, note: Words | None = None) -> Figure:
    return known(key, 100 * hits / n, n, span.desk, note) if n else unknown(key, span.desk, why)
