"""Calendar days of the site (Asia/Shanghai), as dates and as ISO texts that sort as they follow each other. Pure."""

import calendar
from datetime import UTC, date, datetime, time, timedelta

from regulator.base.model.refusals import RefusedError
from screens.days import typed_day
from screens.formats import SITE_ZONE, site_time

DAY_NS = 86_400_000_000_000


def day_of(at_ns: int) -> date:
    """The day on the site's calendar in which a moment (UTC ns) lies."""
    return site_time(at_ns).date()


def day_start_ns(day: date) -> int:
    """The day's first moment, UTC ns."""
    return int(datetime.combine(day, time(), SITE_ZONE).astimezone(UTC).timestamp()) * 1_000_000_000


def day_end_ns(day: date) -> int:
    """The first moment of the next day, UTC ns."""
    return day_start_ns(day + timedelta(days=1))


def month_end(day: date) -> date:
    """The last day of the day's month."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def read_day(text: str, field: str) -> date:
    """A day from YYYY-MM-DD. Raises RefusedError 422."""
    day = typed_day(text)
    if day is None or len(text.strip()) != 10:
        raise RefusedError(
            422, "not_a_day", f"“{text[:40]}”不是日期，应为 年-月-日", f"{text[:40]!r}: a day as YYYY-MM-DD", field
        )
    return day


def read_day_or_none(text: str, field: str) -> str:
    """An ISO day, or empty for none."""
    return read_day(text, field).isoformat() if text.strip() else ""
