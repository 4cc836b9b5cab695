"""Values given beside the file (a demo's free ports, a test's folder), put in after reading and before checking.

In: dotted keys, `storage.folder` or `links[0].port`; a list item may be named by its id instead, `links[crane-1].port`.
Out: the document with those values in place. Knows nothing of what they mean.
"""

import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from gateway.settings.document import Document, KeyPath, Place

_STEP = re.compile(r"\.?([^.\[\]]+)|\[([^\[\]]+)\]")


def replace_values(document: Document, values: Mapping[str, object]) -> None:
    """Put every value at its key. A key that the file has no room for is a fault."""
    for key, value in values.items():
        path = _locate(document.data, key)
        if path is None:
            document.add_at(0, (key,), "replace.path")
            continue
        parent = document.data
        for step in path[:-1]:
            parent = parent[step]
        parent[path[-1]] = _plain(value)
        _forget_places(document, path)


def _locate(data: Any, key: str) -> KeyPath | None:
    """The path that a dotted key means in this data; its last step may be a new key of a mapping."""
    steps = [match.group(1) or match.group(2) for match in _STEP.finditer(key)]
    path: list[str | int] = []
    part = data
    for i, step in enumerate(steps):
        last = i == len(steps) - 1
        if isinstance(part, dict) and (step in part or last):
            path.append(step)
            part = part.get(step)
        elif isinstance(part, list) and (index := _index(part, step)) is not None:
            path.append(index)
            part = part[index]
        else:
            return None
    return tuple(path) or None


def _index(items: list[Any], step: str) -> int | None:
    if step.isdecimal():
        return int(step) if int(step) < len(items) else None
    named = (i for i, item in enumerate(items) if isinstance(item, dict) and step in (item.get("id"), item.get("name")))
    return next(named, None)


def _plain(value: object) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, PurePath) else value


def _forget_places(document: Document, path: KeyPath) -> None:
    """What was written there is no longer what counts; its line still is the nearest that the file has."""
    kept = Place(document.key_line(path), document.line(path))
    for other in [place for place in document.places if place[: len(path)] == path]:
        del document.places[other]
    document.places[path] = kept
