"""All figures of section C over some days, in the order of the page, and the days one by one for small curves."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from regulator.base.records.tables.coverage import asset_days
from regulator.base.records.tables.reports import statistics_alarm_days
from regulator.parts.reports.statistics.alarm_figures import alarm_figures
from regulator.parts.reports.statistics.definitions import DEFINITIONS
from regulator.parts.reports.statistics.feed_figures import feed_figures
from regulator.parts.reports.statistics.figure import Figure
from regulator.parts.reports.statistics.hazard_figures import hazard_figures
from regulator.parts.reports.statistics.making import Span, days_between
from regulator.parts.reports.statistics.review_figures import CameraRate, camera_rates, review_figures
from regulator.parts.reports.statistics.selection import Selection


@dataclass(frozen=True, slots=True)
class Statistics:
    """`figures` in the order of the definitions, every one of them. `daily`: by name, a value a day, None unknown."""

    span: Span
    figures: tuple[Figure, ...]
    rates: tuple[CameraRate, ...]
    daily: Mapping[str, tuple[float | None, ...]]


def statistics_of(db: Connection, selection: Selection, span: Span) -> Statistics:
    """Everything, in a few dozen set-based queries."""
    found = [
        *alarm_figures(db, selection, span),
        *hazard_figures(db, selection, span),
        *review_figures(db, selection, span),
        *feed_figures(db, selection, span),
    ]
    by_key = {figure.definition.key: figure for figure in found}
    return Statistics(
        span=span,
        figures=tuple(by_key[key] for key in DEFINITIONS),
        rates=tuple(camera_rates(db, selection, span)),
        daily={"alarms": _alarms_a_day(db, selection, span), "usable": _usable_a_day(db, selection, span)},
    )


def _alarms_a_day(db: Connection, selection: Selection, span: Span) -> tuple[float | None, ...]:
    """Alarms of each day; None on a day that nothing was heard of."""
    at, minutes = statistics_alarm_days.c, asset_days.c
    raised = func.sum(at.p1 + at.p2 + at.p3).label("raised")
    counted = select(at.day, raised).where(*_here(at, selection, span)).group_by(at.day)
    found = {row.day: int(row.raised) for row in db.execute(counted)}
    heard = set(db.scalars(select(minutes.day).where(*_here(minutes, selection, span)).distinct()))
    days = [day.isoformat() for day in days_between(span.first_day, span.last_day)]
    return tuple(float(found.get(day, 0)) if found.get(day) or day in heard else None for day in days)


def _usable_a_day(db: Connection, selection: Selection, span: Span) -> tuple[float | None, ...]:
    """Usable minutes in percent of the camera minutes that arrived; None on a day without any."""
    at = asset_days.c
    counted = (
        select(at.day, func.sum(at.usable_minutes).label("usable"), func.sum(at.minutes).label("told"))
        .where(at.camera == 1, *_here(at, selection, span))
        .group_by(at.day)
    )
    found = {row.day: 100 * int(row.usable) / int(row.told) for row in db.execute(counted) if row.told}
    return tuple(found.get(day.isoformat()) for day in days_between(span.first_day, span.last_day))


def _here(at, selection: Selection, span: Span):  # type: ignore[no-untyped-def]  # clauses on a table's columns
    return selection.covers(at.project_code), at.day >= span.first, at.day <= span.last
