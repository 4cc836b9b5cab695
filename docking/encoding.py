"""A record in a platform's names, units, codes and forms of time. Pure.

In: a record, its map, the platform's time zone. Out: the payload, in the map's order of fields, and what was left out.
What is unknown is left out, or stands as the map's `missing`; a required field without either means that the record
cannot be sent. A number that does not fit its type is unknown to them: it is never cut to fit.
"""

import base64
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from docking.platform import Code, FieldMap, RecordMap, TimeForm
from docking.quantities import ValueKind
from docking.record import DockingRecord, Value

_FORMS = {TimeForm.DATE: "%Y-%m-%d", TimeForm.TIME: "%H:%M:%S", TimeForm.DATETIME: "%Y-%m-%d %H:%M:%S"}


class CannotEncodeError(Exception):
    """A required field has no value, or one that does not fit. Says which; holds no value of a person."""


@dataclass(frozen=True, slots=True)
class Payload:
    """`fields` as they go into JSON. `left_out`: names of fields that a value was unknown for or did not fit."""

    record_id: str
    observed_at_ns: int
    fields: Mapping[str, Code]
    left_out: tuple[str, ...] = ()


def encode(record: DockingRecord, map_: RecordMap, time_zone: str, personal: bool = False) -> Payload:
    """The record's payload. `personal` permits fields of persons. Raises CannotEncodeError."""
    fields: dict[str, Code] = {}
    left_out = []
    for field in map_.fields:
        code = None if field.personal and not personal else _code(field, record.values, time_zone)
        if code is None:
            left_out.append(field.name)
            code = field.missing
        if code is None and field.required:
            raise CannotEncodeError(f"{field.name} is required and not known, or does not fit")
        if code is not None:
            fields[field.name] = code
    return Payload(record.record_id, record.observed_at_ns, fields, tuple(left_out))


def _code(field: FieldMap, values: Mapping[str, Value], time_zone: str) -> Code | None:
    if field.none_of:
        return _none_of(field, values)
    value = values.get(field.quantity.name) if field.quantity is not None else None
    return field.constant if value is None else _of_value(field, value, time_zone)


def _of_value(field: FieldMap, value: Value, time_zone: str) -> Code | None:
    match field.quantity.kind if field.quantity is not None else None:
        case ValueKind.FLAG | ValueKind.CHOICE:
            return field.values.get(str(value).lower() if isinstance(value, bool) else str(value))
        case ValueKind.NUMBER:
            return _number(field, float(value))
        case ValueKind.INSTANT:
            return _fitting(field, _instant(int(value), field.form, time_zone))
        case ValueKind.BYTES:
            return base64.b64encode(value).decode() if isinstance(value, bytes) else None
    return _fitting(field, str(value))


def _none_of(field: FieldMap, values: Mapping[str, Value]) -> Code | None:
    """False as soon as one flag is set; true only when every one is known to be clear."""
    flags = [values.get(name) for name in field.none_of]
    if any(flag is True for flag in flags):
        return field.values["false"]
    return None if None in flags else field.values["true"]


def _number(field: FieldMap, value: float) -> Code | None:
    type_ = field.type
    if not math.isfinite(value):
        return None
    text = f"{value * field.factor:.{type_.decimals}f}"
    if type_.letter == "C":
        shortened = text.rstrip("0").rstrip(".") if "." in text else text
        return _fitting(field, shortened)
    whole = text.lstrip("-").split(".")[0].lstrip("0")
    if type_.size and len(whole) > type_.size - type_.decimals:
        return None
    return float(text) if type_.decimals else int(text)


def _instant(at_ns: int, form: TimeForm, time_zone: str) -> str:
    if form is TimeForm.MS:
        return str(at_ns // 1_000_000)
    if form is TimeForm.S:
        return str(at_ns // 1_000_000_000)
    local = datetime.fromtimestamp(at_ns // 1_000_000_000, ZoneInfo(time_zone))
    return local.isoformat() if form is TimeForm.ISO else local.strftime(_FORMS[form])


def _fitting(field: FieldMap, text: str) -> Code | None:
    """The text when it fits; cut where the map says `cut: true`; as a number where the type is one."""
    type_ = field.type
    if type_.letter == "N":
        digits = text.removeprefix("-")
        fits = digits.isascii() and digits.isdigit() and (not type_.size or len(digits) <= type_.size)
        return int(text) if fits else None
    if type_.size and len(text) > type_.size:
        return text[: type_.size] if field.cut else None
    return text
