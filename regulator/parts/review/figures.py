"""The funnel in numbers, and what one person at the desk has to carry.

    alarms -> put before reviewers -> judged -> hazards            in a window, by priority

Load per operating position: people are counted, not sites. A position-hour is one person who judged at least one item
in one hour of the clock; the load is the items that were put into the queue, and judged, per position-hour. Without a
single position-hour there is no load to tell.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from regulator.base.model.actor import Scope
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.intake import alarms
from regulator.base.records.tables.review import review_items, review_verdicts
from regulator.parts.review.funnel import HOUR_NS
from regulator.parts.review.judgement import EntryKind, ItemState
from regulator.parts.review.rates import Window

SEVERITIES = ("P1", "P2", "P3", "log")


@dataclass(frozen=True, slots=True)
class FunnelCounts:
    """How many of one priority came how far in a window; `severity` empty is the sum."""

    severity: str
    alarms: int
    items: int
    judged: int
    true: int
    false: int
    doubtful: int
    hazards: int


@dataclass(frozen=True, slots=True)
class Load:
    """Items per position-hour; NaN without any. `peak` is the most that one person judged in one hour."""

    position_hours: int
    people: int
    queued: int
    judged: int
    queued_per_hour: float
    judged_per_hour: float
    peak: int


@dataclass(frozen=True, slots=True)
class TimeSpent:
    """How long items were looked at before their verdict, in the aggregate: no figure is about a person."""

    n: int
    median_s: float
    p95_s: float


def funnel_counts(db: Connection, scope: Scope, window: Window) -> list[FunnelCounts]:
    """A row a priority and the sum, by when the desk got the alarm, queued it, judged it."""
    at, seen = review_items.c, in_scope(scope, review_items.c.project_code)
    final = (at.state == ItemState.FINAL.value) & (at.round == 1) & (at.judged_at_ns >= window.from_ns)
    alarmed = _by(
        db, alarms.c.severity, alarms.c.accepted_at_ns >= window.from_ns, in_scope(scope, alarms.c.project_code)
    )
    queued = _by(db, at.severity, at.queued_at_ns >= window.from_ns, at.round == 1, seen)
    said = {
        verdict: _by(db, at.severity, final, at.verdict == verdict, seen) for verdict in ("true", "false", "doubtful")
    }
    hazards = _by(db, at.severity, final, at.hazard_id != "", seen)
    rows = [
        FunnelCounts(
            severity,
            alarmed.get(severity, 0),
            queued.get(severity, 0),
            sum(counts.get(severity, 0) for counts in said.values()),
            said["true"].get(severity, 0),
            said["false"].get(severity, 0),
            said["doubtful"].get(severity, 0),
            hazards.get(severity, 0),
        )
        for severity in SEVERITIES
    ]
    return [*rows, _sum(rows)]


def load_per_position(db: Connection, scope: Scope, window: Window) -> Load:
    """What a person at the desk carries."""
    at, said = review_items.c, review_verdicts.c
    by_hour = (
        select(said.user_id, (said.at_ns // HOUR_NS).label("hour"), func.count().label("n"))
        .join(review_items, at.item_id == said.item_id)
        .where(said.kind == EntryKind.JUDGED.value, said.at_ns >= window.from_ns, in_scope(scope, at.project_code))
        .group_by(said.user_id, "hour")
    )
    hours = db.execute(by_hour).all()
    judged = sum(int(row.n) for row in hours)
    queued = sum(_by(db, at.severity, at.queued_at_ns >= window.from_ns, in_scope(scope, at.project_code)).values())
    n = len(hours)
    return Load(
        position_hours=n,
        people=len({row.user_id for row in hours}),
        queued=queued,
        judged=judged,
        queued_per_hour=queued / n if n else math.nan,
        judged_per_hour=judged / n if n else math.nan,
        peak=max((int(row.n) for row in hours), default=0),
    )


def time_spent(db: Connection, scope: Scope, window: Window, limit: int = 5000) -> TimeSpent:
    """Of the newest verdicts that were given item by item."""
    at, said = review_items.c, review_verdicts.c
    alone = (said.kind == EntryKind.JUDGED.value) & (said.bulk == 0) & (said.took_ms > 0)
    query = (
        select(said.took_ms)
        .join(review_items, at.item_id == said.item_id)
        .where(alone, said.at_ns >= window.from_ns, in_scope(scope, at.project_code))
        .order_by(said.at_ns.desc())
        .limit(limit)
    )
    times = sorted(int(ms) / 1000 for ms in db.scalars(query))
    if not times:
        return TimeSpent(0, math.nan, math.nan)
    return TimeSpent(len(times), _quantile(times, 0.5), _quantile(times, 0.95))


def _quantile(ordered: list[float], share: float) -> float:
    """The smallest value that at least this share does not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _by(db: Connection, severity, *where) -> Mapping[str, int]:  # type: ignore[no-untyped-def]  # a column and clauses
    return {
        str(name): int(n) for name, n in db.execute(select(severity, func.count()).where(*where).group_by(severity))
    }


def _sum(rows: list[FunnelCounts]) -> FunnelCounts:
    names = ("alarms", "items", "judged", "true", "false", "doubtful", "hazards")
    return FunnelCounts("", *(sum(getattr(row, name) for row in rows) for name in names))
