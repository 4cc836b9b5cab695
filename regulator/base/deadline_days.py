"""When a deadline passes, when it warns, and how it looks on a day. Pure arithmetic on the site's calendar.

A deadline of days passes at the midnight in Shanghai that ends its last day: on the last day itself it is 今天到期,
from midnight on 逾期. A deadline of hours passes to the nanosecond.
"""

import math
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum

from regulator.base.rules import DeadlineRule
from screens.formats import SITE_ZONE, site_time

SECOND_NS = 1_000_000_000
HOUR_NS = 3_600 * SECOND_NS
WEEK_DAYS = 7


class DueClass(Enum):
    """How the board sorts (今天到期 / 7 日内 / 逾期)."""

    OVERDUE = "overdue"
    TODAY = "today"
    WEEK = "week"
    LATER = "later"
    NONE = "none"


class Urgency(Enum):
    """How a clock is shown: a warning has passed, the last one has, or the deadline itself."""

    CALM = "calm"
    WARNED = "warned"
    RED = "red"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class Warned:
    """One warning of a deadline: `50%`, `T-6h`."""

    name: str
    at_ns: int


def midnight_ns(day: date) -> int:
    """The first moment of a day in Shanghai."""
    return int(datetime.combine(day, time(), SITE_ZONE).timestamp()) * SECOND_NS


def end_of_day_ns(day: date) -> int:
    """The midnight that ends a day: what is due on it is overdue from then on."""
    return midnight_ns(day + timedelta(days=1))


def due_at_ns(rule: DeadlineRule, start_ns: int) -> int:
    """When a deadline that starts now passes."""
    if rule.hours:
        return start_ns + rule.hours * HOUR_NS
    return end_of_day_ns(site_time(start_ns).date() + timedelta(days=rule.days))


def due_day(at_ns: int) -> date:
    """The last day on which it is not yet overdue."""
    return site_time(at_ns - 1).date()


def warnings(rule: DeadlineRule, start_ns: int, at_ns: int) -> tuple[Warned, ...]:
    """Its warnings, between the start and the end `at_ns` (an extended deadline has its own end)."""
    if rule.hours:
        return tuple(Warned(f"T-{hours}h", at_ns - hours * HOUR_NS) for hours in rule.warn_before_h)
    first = site_time(start_ns).date()
    days = (due_day(at_ns) - first).days
    return tuple(
        Warned(f"{percent}%", midnight_ns(first + timedelta(days=math.ceil(days * percent / 100))))
        for percent in rule.warn_percent
    )


def due_class(at_ns: int, now_ns: int) -> DueClass:
    """Which pile it lies in now. 0 is no deadline."""
    if not at_ns:
        return DueClass.NONE
    if now_ns >= at_ns:
        return DueClass.OVERDUE
    left = (due_day(at_ns) - site_time(now_ns).date()).days
    if left <= 0:
        return DueClass.TODAY
    return DueClass.WEEK if left <= WEEK_DAYS else DueClass.LATER


def urgency(at_ns: int, warned: tuple[Warned, ...], now_ns: int) -> Urgency:
    """How pressing a clock is at this moment."""
    if now_ns >= at_ns:
        return Urgency.OVERDUE
    passed = sum(now_ns >= each.at_ns for each in warned)
    if passed and passed == len(warned):
        return Urgency.RED
    return Urgency.WARNED if passed else Urgency.CALM
