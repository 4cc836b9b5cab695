"""Stock and flow of hazards by month (存量、增量): opening stock, new, closed, closing stock, and the ages of the open.

A hazard counts from its confirmation until it is closed; what was never confirmed is no stock (notice B, goal I).
"""

from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from sqlalchemy import Connection, select

from regulator.base.deadline_days import midnight_ns
from regulator.base.model.actor import Actor
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.hazards import hazards
from screens.formats import site_time

DAY_NS = 86_400_000_000_000
AGES = (30, 90, 180)
"""Bounds of the age buckets in days."""


@dataclass(frozen=True, slots=True)
class MonthFlow:
    """One month: `closing` = `opening` + `new` - `closed`."""

    month: date
    opening: int
    new: int
    closed: int
    closing: int


@dataclass(frozen=True, slots=True)
class Stock:
    """Months, oldest first; `ages`: how many open ones are up to 30, 90, 180 days old, and older."""

    months: tuple[MonthFlow, ...]
    ages: tuple[int, ...]


def stock_of(db: Connection, actor: Actor, months: int, now_ns: int, grade: str = "") -> Stock:
    """The last months up to the one that runs, in the actor's scope; one grade or all."""
    at = hazards.c
    clauses = [in_scope(actor.scope, at.project_code), at.confirmed_at_ns > 0]
    if grade:
        clauses.append(at.grade == grade)
    rows = db.execute(select(at.confirmed_at_ns, at.closed_at_ns).where(*clauses)).all()
    spans = [(row.confirmed_at_ns, row.closed_at_ns) for row in rows]
    first = _months_ago(site_time(now_ns).date(), months - 1)
    flows = tuple(_flow(spans, _months_ago(first, -number)) for number in range(months))
    return Stock(flows, _ages([start for start, end in spans if not end], now_ns))


def _flow(spans: list[tuple[int, int]], month: date) -> MonthFlow:
    start, end = midnight_ns(month), midnight_ns(_months_ago(month, -1))
    opening = sum(begun < start and (not ended or ended >= start) for begun, ended in spans)
    new = sum(start <= begun < end for begun, _ in spans)
    closed = sum(start <= ended < end for _, ended in spans)
    return MonthFlow(month, opening, new, closed, opening + new - closed)


def _ages(starts: list[int], now_ns: int) -> tuple[int, ...]:
    days = [(now_ns - start) // DAY_NS for start in starts]
    bounds = (0, *AGES, 1_000_000)
    return tuple(sum(low <= day < high for day in days) for low, high in pairwise(bounds))


def _months_ago(day: date, count: int) -> date:
    number = day.year * 12 + day.month - 1 - count
    return date(number // 12, number % 12 + 1, 1)
