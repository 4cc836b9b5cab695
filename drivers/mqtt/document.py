"""One JSON document out of the bytes of a message, strictly.

In: bytes. Out: what they say as plain Python values; DecodeError with the reason. A key of the table that stands twice
in one object makes a message ambiguous: refused, because readers differ in which one they believe. Pure.
"""

import json
from collections.abc import Sequence
from typing import Any

import orjson

from drivers.mqtt.json_path import Steps, is_open, keys_of
from gateway.model.errors import DecodeError


class DocumentReader:
    """Reads the messages of one table, whose paths it knows: the quick reader does where no key of theirs can be
    repeated."""

    def __init__(self, paths: Sequence[Steps]) -> None:
        self._quoted_keys = tuple(
            f'"{key}"'.encode() for key in sorted({key for each in paths for key in keys_of(each)})
        )
        self._any_key = any(is_open(steps) for steps in paths)

    def read(self, payload: bytes) -> Any:
        """The document. NaN, Infinity and 1e400 are let through; no point believes them."""
        if self._any_key or b"\\" in payload or any(payload.count(key) > 1 for key in self._quoted_keys):
            return _strictly(payload)
        try:
            return orjson.loads(payload)
        except orjson.JSONDecodeError:
            return _strictly(payload)


def _strictly(payload: bytes) -> Any:
    """The slower reader, which sees repeated keys."""
    try:
        return json.loads(payload.decode("utf-8"), object_pairs_hook=_object)
    except RecursionError:
        raise DecodeError("not JSON: nested too deep") from None
    except ValueError as error:
        raise DecodeError(f"not JSON: {error}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {repeated!r} stands twice in one object")
    return found
