"""Days as forms send them, on the site's calendar (Beijing). In: text. Out: days, and when they begin."""

from datetime import date, datetime, time

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
