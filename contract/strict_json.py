"""Strict JSON of the contract. Text that two parsers could read differently is refused.

In: bytes from the wire. Out: an object of strings, integers, booleans, null, arrays and objects. Refused: floats and
NaN (no single spelling), a key given twice, bytes that are not UTF-8, lone surrogates, U+0000 (some databases cannot
hold it) and nesting without end. Everything wrong raises `Malformed`, nothing else.
"""

import json
from typing import Any, NoReturn

from contract.faults import Malformed


def parse_object(raw: bytes) -> dict[str, Any]:
    """The object that `raw` spells. Raises Malformed."""
    try:
        value = json.loads(
            raw.decode("utf-8"),
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
            object_pairs_hook=_object_of,
        )
        if b"\\u" in raw:
            _refuse_bad_text(value)
    except UnicodeError:
        raise Malformed(expected="UTF-8 without lone surrogates") from None
    except RecursionError:
        raise Malformed(expected="shallow nesting") from None
    except ValueError:
        raise Malformed(expected="JSON") from None
    if not isinstance(value, dict):
        raise Malformed(expected="a JSON object")
    return value


def _refuse_number(text: str) -> NoReturn:
    raise Malformed(expected=f"integers and decimal strings, not the number {text[:40]}")


def _object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise Malformed(expected="every key once in an object")
    return result


def _refuse_bad_text(value: Any) -> None:
    if isinstance(value, str):
        value.encode("utf-8")
        if "\0" in value:
            raise Malformed(expected="text without U+0000")
    elif isinstance(value, list):
        for item in value:
            _refuse_bad_text(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            _refuse_bad_text(key)
            _refuse_bad_text(item)
