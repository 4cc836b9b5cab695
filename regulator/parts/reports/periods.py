"""Periods of reports on the calendar of Shanghai: a month, half a year, a year. Pure.

2026-03   2026-H1   2026-H2   2026
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum

from regulator.base.days import day_end_ns, day_of, month_end
from regulator.base.model.refusals import RefusedError


class PeriodKind(Enum):
    """What a report is about. The half-year and the year end on 30 June and 31 December."""

    MONTH = "month"
    HALF_YEAR = "half_year"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days, both included. `label` names it and sorts as the periods of a kind follow each other."""

    kind: PeriodKind
    label: str
    first_day: date
    last_day: date

    @property
    def end_ns(self) -> int:
        """The first moment after it, UTC ns."""
        return day_end_ns(self.last_day)

    @property
    def zh(self) -> str:
        """The period in Chinese: 2026年3月, 2026年上半年 or 2026年."""
        year = f"{self.first_day.year}年"
        if self.kind is PeriodKind.MONTH:
            return f"{year}{self.first_day.month}月"
        return year if self.kind is PeriodKind.YEAR else f"{year}{'上' if self.first_day.month == 1 else '下'}半年"

    @property
    def en(self) -> str:
        """March 2026, first half of 2026, 2026."""
        year = str(self.first_day.year)
        if self.kind is PeriodKind.MONTH:
            return f"{MONTHS[self.first_day.month - 1]} {year}"
        return year if self.kind is PeriodKind.YEAR else f"{HALVES[self.first_day.month != 1]} half of {year}"


HALVES = ("first", "second")
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
          "November", "December")  # fmt: skip
_MONTH = re.compile(r"(2[01]\d\d)-(0[1-9]|1[0-2])")
_HALF = re.compile(r"(2[01]\d\d)-H([12])")
_YEAR = re.compile(r"(2[01]\d\d)")


def read_period(label: str) -> Period:
    """The period of a label. Raises RefusedError 422."""
    if found := _MONTH.fullmatch(label):
        return month_of(date(int(found[1]), int(found[2]), 1))
    if found := _HALF.fullmatch(label):
        return _half(int(found[1]), int(found[2]))
    if found := _YEAR.fullmatch(label):
        return _year(int(found[1]))
    raise RefusedError(
        422,
        "no_such_period",
        "期间应为 2026-03、2026-H1 或 2026",
        "expected a period as 2026-03, 2026-H1 or 2026",
        "period",
    )


def month_of(day: date) -> Period:
    """The month that a day lies in."""
    first = day.replace(day=1)
    return Period(PeriodKind.MONTH, f"{first:%Y-%m}", first, month_end(first))


def ended_last(now_ns: int) -> list[Period]:
    """The month that ended last; and the half-year and the year, when they ended with it."""
    last = day_of(now_ns).replace(day=1) - timedelta(days=1)
    found = [month_of(last)]
    if last.month in (6, 12):
        found.append(_half(last.year, 1 if last.month == 6 else 2))
    if last.month == 12:
        found.append(_year(last.year))
    return found


def _half(year: int, number: int) -> Period:
    first, last = (date(year, 1, 1), date(year, 6, 30)) if number == 1 else (date(year, 7, 1), date(year, 12, 31))
    return Period(PeriodKind.HALF_YEAR, f"{year}-H{number}", first, last)


def _year(year: int) -> Period:
    return Period(PeriodKind.YEAR, f"{year:04}", date(year, 1, 1), date(year, 12, 31))
