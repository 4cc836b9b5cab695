"""How numbers, times and ages are written, once for both web faces.

In: SI values, UTC nanoseconds. Out: text. The site's time zone is China's. Nothing here knows a clock: "now" is given.
"""

import math
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Final
from zoneinfo import ZoneInfo

SITE_ZONE: Final = ZoneInfo("Asia/Shanghai")
DECIMALS: Final = {"%": 1, "deg": 1, "m/s": 1, "mm": 1, "mm/d": 2, "kN": 0, "kPa": 1, "degC": 1, "s": 1, "h": 1, "d": 1}
UNIT_SIGNS: Final = {"deg": "°", "degC": "℃", "m3": "m³", "permille": "‰"}


def number(value: float | None, unit: str = "") -> str:
    """A value as a person reads it; a dash when there is none. The caller marks what is unknown."""
    if value is None or not math.isfinite(value):
        return "–"
    decimals = DECIMALS.get(unit, 2)
    if decimals and abs(value) >= 1000:
        decimals = 0
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def short_decimal(text: str) -> str:
    """An exact decimal text as a person reads it: at most three decimals. What is no number stays as it is."""
    try:
        exact = Decimal(text)
    except InvalidOperation:
        return text
    if not exact.is_finite() or int(exact.as_tuple().exponent) >= -3:
        return text
    rounded = exact.quantize(Decimal("0.001"))
    return f"{rounded.normalize():f}" if rounded else "0"


def unit_sign(unit: str) -> str:
    """The unit as it stands behind a number."""
    return UNIT_SIGNS.get(unit, unit)


def site_time(at_ns: int) -> datetime:
    """The moment on the site's clock, to the second."""
    return datetime.fromtimestamp(at_ns // 1_000_000_000, UTC).astimezone(SITE_ZONE)


def local_time(at_ns: int) -> str:
    """HH:MM:SS; a dash for a time that has not come (0)."""
    return site_time(at_ns).strftime("%H:%M:%S") if at_ns else "–"


def local_day_time(at_ns: int) -> str:
    """YYYY-MM-DD HH:MM:SS; a dash for a time that has not come (0)."""
    return site_time(at_ns).strftime("%Y-%m-%d %H:%M:%S") if at_ns else "–"


def local_day(at_ns: int) -> str:
    """The day on the site's calendar, written as YYYY-MM-DD."""
    return site_time(at_ns).strftime("%Y-%m-%d")


def age_parts(age_s: float) -> tuple[tuple[int, str], ...]:
    """An age as its two largest units: days and hours, hours and minutes, minutes and seconds, or seconds alone."""
    seconds = max(0, int(age_s))
    days, hours, minutes = seconds // 86_400, seconds // 3_600 % 24, seconds // 60 % 60
    if days:
        return (days, "d"), (hours, "h")
    if hours:
        return (hours, "h"), (minutes, "min")
    if minutes:
        return (minutes, "min"), (seconds % 60, "s")
    return ((seconds, "s"),)
