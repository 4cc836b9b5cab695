"""Days as forms and queries send them, on the site's calendar (Beijing). In: text. Out: days, and when they begin."""

from datetime import date, datetime, time
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from screens.formats import SITE_ZONE


def typed_day(text: str) -> date | None:
    """`2026-03-01`; None for anything else."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def day_begins_ns(day: date) -> int:
    """Midnight in Beijing, UTC ns."""
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
