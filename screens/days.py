"""Days as forms and queries send them, on the site's calendar (Beijing). In: text. Out: days, and when they begin."""

from datetime import date, datetime, time
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from screens.formats import SITE_ZONE

FIRST_YEAR, LAST_YEAR = 1971, 2199
"""Years that a form may name: their nanoseconds fit a database's column."""


def typed_day(text: str) -> date | None:
    """`2026-03-01`; None for anything else, and for a year that nobody means."""
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None


def typed_moment_ns(text: str) -> int | None:
    """`2026-03-01T08:00` as a browser's field gives it, on the site's clock; UTC ns. None as in `typed_day`."""
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        return None
    return int((at if at.tzinfo else at.replace(tzinfo=SITE_ZONE)).timestamp()) * 1_000_000_000


def day_begins_ns(day: date) -> int:
    """The moment at which a day begins in Beijing, UTC ns."""
    return int(datetime.combine(day, time(), SITE_ZONE).timestamp()) * 1_000_000_000


def _day(text: str) -> str:
    if text and (len(text) != len("2026-01-31") or date.fromisoformat(text).isoformat() != text):
        raise ValueError("expected a day such as 2026-01-31, or nothing")
    return text


Day = Annotated[
    str,
    AfterValidator(_day),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "maxLength": 0}]}),
]
"""A day of the site that a query may name."""
