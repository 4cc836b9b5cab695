"""The device's own time out of a message, in whole nanoseconds, and whether it can be believed.

In: the JSON value and the table's `MessageTime`. Out: UTC ns. Knows no clock: the time of receipt is an argument.
"""

import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from drivers.mqtt.settings import MessageTime
from gateway.model.errors import DecodeError

YEAR_2000_NS = 946_684_800_000_000_000
_NS_PER_UNIT = {"s": 1_000_000_000, "ms": 1_000_000, "ns": 1}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def time_ns(value: Any, settings: MessageTime) -> int:
    """UTC nanoseconds since 1970. Raises DecodeError when `value` is no time in the configured format."""
    if settings.format == "iso8601":
        return _iso_ns(value, settings)
    unit_ns = _NS_PER_UNIT[settings.format]
    if isinstance(value, int) and not isinstance(value, bool):
        return value * unit_ns
    if isinstance(value, float) and math.isfinite(value):
        whole = math.floor(value)  # apart, or a double would blur the last hundred nanoseconds
        return whole * unit_ns + round((value - whole) * unit_ns)
    raise DecodeError(f"time at {settings.path}: expected a number of {settings.format}, found {type(value).__name__}")


def believable(observed_at_ns: int, received_at_ns: int, settings: MessageTime) -> bool:
    """Whether the device's clock is set and not further ahead of ours than tolerated."""
    return YEAR_2000_NS <= observed_at_ns <= received_at_ns + int(settings.future_tolerance_s * 1e9)


def _iso_ns(value: Any, settings: MessageTime) -> int:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise DecodeError(f"time at {settings.path}: expected ISO 8601 text") from None
    if moment.tzinfo is None:
        if settings.utc_offset_minutes is None:
            raise DecodeError(f"time at {settings.path} has no UTC offset; set time.utc_offset_minutes in the table")
        moment = moment.replace(tzinfo=timezone(timedelta(minutes=settings.utc_offset_minutes)))
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1_000
