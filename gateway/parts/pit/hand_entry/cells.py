"""What a cell of a surveyor's table means: a number, a unit, a moment. Nothing is guessed.

In: a cell's content. Out: a value, or the code of why there is none. Full-width digits, the Unicode minus and units in
either language are read; a decimal comma, a day-month date and a two-digit year are not, because they can be something
else.
"""

import math
import re
import unicodedata
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

from gateway.parts.pit.hand_entry.faults import FaultCode
from gateway.parts.pit.hand_entry.tables import Content

_UNITS = {
    "mm": "mm",
    "毫米": "mm",
    "cm": "cm",
    "厘米": "cm",
    "m": "m",
    "米": "m",
    "kn": "kN",
    "千牛": "kN",
    "kpa": "kPa",
    "千帕": "kPa",
    "mpa": "MPa",
    "兆帕": "MPa",
    "‰": "‰",
    "%": "%",
    "deg": "deg",
    "°": "deg",
    "度": "deg",
}
_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*([^\d.].*)?", re.IGNORECASE)
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:(?=$)|[T\s]+|(?=\d{1,2}[:时]))(.*)")
_TWO_WAYS = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}\b.*")
_TIME = re.compile(r"(\d{1,2})[:时](\d{1,2})(?:分|(?:[:分](\d{1,2})(?:\.\d+)?秒?))?\s*(Z|[+-]\d{2}:?\d{2})?")
_EXCEL_DAYS = (36_526.0, 73_051.0)
"""2000 to 2100 as Excel counts days."""
_EXCEL_ZERO = datetime(1899, 12, 30, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def plain(content: Content) -> str:
    """A cell as text: half-width, without spaces around it, the usual minus."""
    if content is None:
        return ""
    if isinstance(content, float) and content.is_integer():
        return str(int(content))
    text = unicodedata.normalize("NFKC", str(content)).replace("−", "-").replace("－", "-")
    return " ".join(text.split())


def unit_of(text: str) -> str:
    """The unit as the box writes it; what is not known stays as it is."""
    return _UNITS.get(plain(text).lower(), plain(text))


def read_number(content: Content) -> tuple[float, str] | None:
    """A number and the unit written behind it (empty: none); None when it is no number."""
    if isinstance(content, float):
        return (content, "") if math.isfinite(content) else None
    match = _NUMBER.fullmatch(plain(content))
    if match is None or not isinstance(content, str) or not math.isfinite(float(match[1])):
        return None
    unit = unit_of(match[2] or "")
    return None if unit and unit not in _UNITS.values() else (float(match[1]), unit)


def read_moment(day: Content, hour: Content, zone: tzinfo, serial_dates: bool) -> datetime | FaultCode:
    """A moment from one cell (`hour` None), or from a date and a time of day; without an offset it is `zone`'s."""
    moment = _read_one(day, zone, serial_dates)
    if isinstance(moment, FaultCode) or hour is None:
        return FaultCode.NO_TIME_OF_DAY if isinstance(moment, date) and not isinstance(moment, datetime) else moment
    clock = _read_clock(hour)
    if isinstance(moment, datetime) or clock is None:
        return FaultCode.BAD_TIME
    return datetime.combine(moment, clock, clock.tzinfo or zone)


def moment_ns(moment: datetime) -> int:
    """UTC ns, exact to the microsecond."""
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def _read_one(content: Content, zone: tzinfo, serial_dates: bool) -> datetime | date | FaultCode:
    if isinstance(content, datetime):
        return content.replace(tzinfo=content.tzinfo or zone)
    if isinstance(content, date):
        return content
    if isinstance(content, float) and serial_dates and _EXCEL_DAYS[0] <= content < _EXCEL_DAYS[1]:
        moment = _EXCEL_ZERO + timedelta(seconds=round(content * 86_400))
        return moment.date() if content.is_integer() else moment.replace(tzinfo=zone)
    return _read_written(plain(content), zone)


def _read_written(text: str, zone: tzinfo) -> datetime | date | FaultCode:
    """Year, month, day, and perhaps a time of day."""
    match = _DATE.fullmatch(text)
    if match is None:
        return FaultCode.AMBIGUOUS_TIME if _TWO_WAYS.fullmatch(text) else FaultCode.BAD_TIME
    clock = _read_clock(match[4]) if match[4] else None
    try:
        day = date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return FaultCode.BAD_TIME
    if clock is None:
        return FaultCode.BAD_TIME if match[4] else day
    return datetime.combine(day, clock, clock.tzinfo or zone)


def _read_clock(content: Content) -> time | None:
    """A time of day on the 24-hour clock."""
    if isinstance(content, time):
        return content
    if isinstance(content, float):
        seconds = round(content * 86_400)
        return (datetime.min + timedelta(seconds=seconds)).time() if 0 <= seconds < 86_400 else None
    match = _TIME.fullmatch(plain(content))
    if match is None:
        return None
    try:
        return time(int(match[1]), int(match[2]), int(match[3] or 0), tzinfo=_offset(match[4]))
    except ValueError:
        return None


def _offset(written: str | None) -> tzinfo | None:
    if written is None:
        return None
    if written == "Z":
        return UTC
    sign = -1 if written[0] == "-" else 1
    digits = written[1:].replace(":", "")
    return timezone(sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:])))
