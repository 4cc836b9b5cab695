"""The span that figures are made over, and how figures are made: told, or unknown with the reason."""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection, func, select, union

from kit.words import Words
from regulator.base.days import DAY_NS, day_end_ns, day_start_ns
from regulator.base.records.tables.coverage import asset_days
from regulator.base.records.tables.hazards import hazards
from regulator.base.records.tables.intake import boxes
from regulator.base.records.tables.registry import projects
from regulator.base.records.tables.reports import statistics_alarm_days
from regulator.base.records.tables.review import review_items
from regulator.parts.reports.statistics.definitions import DEFINITIONS
from regulator.parts.reports.statistics.figure import Figure, Window
from regulator.parts.reports.statistics.selection import Selection
from regulator.parts.review.judgement import ItemState


@dataclass(frozen=True, slots=True)
class Span:
    """Whole days, both included. `feed`, `review`, `desk`: the same days with how many of them have data of boxes, of
    verdicts, and of anything entered at the desk."""

    first_day: date
    last_day: date
    feed: Window
    review: Window
    desk: Window

    @property
    def first(self) -> str:
        """ISO."""
        return self.first_day.isoformat()

    @property
    def last(self) -> str:
        """ISO."""
        return self.last_day.isoformat()

    @property
    def from_ns(self) -> int:
        """The first moment, UTC ns."""
        return self.feed.from_ns

    @property
    def to_ns(self) -> int:
        """The first moment after the last day, UTC ns."""
        return self.feed.to_ns


def unknown(key: str, window: Window | None, why: Words, n: int = 0, note: Words | None = None) -> Figure:
    """A figure that nobody can tell."""
    return Figure(DEFINITIONS[key], None, n, window, why, note or Words())


def known(key: str, value: float, n: int, window: Window | None, note: Words | None = None) -> Figure:
    """A figure that is told."""
    return Figure(DEFINITIONS[key], value, n, window, note=note or Words())


def span_of(db: Connection, selection: Selection, first_day: date, last_day: date) -> Span:
    """The span with what there is of it. Raises ValueError when it ends before it begins."""
    if last_day < first_day:
        raise ValueError(f"the span ends on {last_day}, before {first_day}")
    from_ns, to_ns = day_start_ns(first_day), day_end_ns(last_day)
    at = review_items.c
    judged = db.scalar(select(func.min(at.judged_at_ns)).where(at.state == ItemState.FINAL.value, at.judged_at_ns > 0))
    return Span(
        first_day=first_day,
        last_day=last_day,
        feed=Window(from_ns, to_ns, _days_with_data(db, selection, first_day, last_day)),
        review=Window(from_ns, to_ns, _days_since(judged or 0, from_ns, to_ns)),
        desk=Window(from_ns, to_ns, _days_since(_begun_ns(db), from_ns, to_ns)),
    )


def days_between(first_day: date, last_day: date) -> list[date]:
    """Every day, both ends included."""
    return [first_day + timedelta(days=number) for number in range((last_day - first_day).days + 1)]


def _days_with_data(db: Connection, selection: Selection, first_day: date, last_day: date) -> int:
    """Days on which any box of the selection told anything."""
    minutes, counted = asset_days.c, statistics_alarm_days.c
    first, last = first_day.isoformat(), last_day.isoformat()
    of_boxes = select(minutes.day).where(
        minutes.day >= first, minutes.day <= last, minutes.minutes > 0, selection.covers(minutes.project_code)
    )
    of_alarms = select(counted.day).where(
        counted.day >= first, counted.day <= last, counted.p1 + counted.p2 + counted.p3 > 0,
        selection.covers(counted.project_code),
    )  # fmt: skip
    return int(db.scalar(select(func.count()).select_from(union(of_boxes, of_alarms).subquery())) or 0)


def _begun_ns(db: Connection) -> int:
    """When the desk was first told of anything: a project, a box or a hazard."""
    columns = (projects.c.registered_at_ns, boxes.c.enrolled_at_ns, hazards.c.opened_at_ns)
    firsts = [db.scalar(select(func.min(column)).where(column > 0)) for column in columns]
    return min((first for first in firsts if first), default=0)


def _days_since(first_ns: int, from_ns: int, to_ns: int) -> int:
    """Days of the span, begun ones included, that lie after the first moment; none without one."""
    return -(-(to_ns - max(first_ns, from_ns)) // DAY_NS) if 0 < first_ns < to_ns else 0
