"""The one byte form of a record, so that a hash means the same on every machine.

Canonical JSON here is: UTF-8, keys sorted by code point, no spaces, and only objects, arrays, strings, booleans,
null and integers. A float has no single spelling across languages, so it may not appear: measured values are
written as decimal strings (`decimal_text`), times as integers (UTC ns).
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

Canonical = None | bool | int | str | Sequence["Canonical"] | Mapping[str, "Canonical"]


def canonical_bytes(value: Canonical) -> bytes:
    """The canonical form. Raises TypeError on a float, a non-string key or any other type."""
    try:
        written = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # too deep, an integer beyond 64 bits, a lone surrogate, or a type that there is not
        return _written_slowly(value)
    return written if _is_plain(value) else _written_slowly(value)


def _written_slowly(value: Canonical) -> bytes:
    """What the canonical form is, whatever the value; the same bytes wherever the fast way gives any."""
    _refuse_other_types(value, "$")
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


_PLAIN: Final = frozenset({str, int, bool, type(None)})


def _is_plain(value: Canonical) -> bool:
    """Whether it holds nothing but JSON's own types, exactly: then there is one way to write it. Not for what contains
    itself."""
    left: list[Any] = [value]
    for each in left:
        kind = type(each)
        if kind is dict:
            if any(type(key) is not str for key in each):
                return False
            left.extend(each.values())
        elif kind is list or kind is tuple:
            left.extend(each)
        elif kind not in _PLAIN:
            return False
    return True


def decimal_text(value: float) -> str | None:
    """The shortest decimal text that reads back as the same double; None when there is no number (NaN, infinity)."""
    return repr(float(value)) if math.isfinite(value) else None


def _refuse_other_types(value: Canonical, where: str) -> None:
    if value is None or isinstance(value, bool | int | str):
        return
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"{where}: key {key!r} is not a string")
            _refuse_other_types(item, f"{where}.{key}")
    elif isinstance(value, list | tuple):
        for i, item in enumerate(value):
            _refuse_other_types(item, f"{where}[{i}]")
    else:
        raise TypeError(f"{where}: {type(value).__name__} has no canonical form")
