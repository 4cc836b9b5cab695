"""How one SMS gateway's HTTP interface is described in a site file, and filled in. Pure.

In: mappings with `{named fields}` in their texts, and the fields' values. Out: the request's bytes or query, and what
an answer means. The mapping is filled in first and written as JSON or as a form afterwards: no text can break out of
its place. Interfaces that sign every request in a way of their own cannot be described like this.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, JsonValue

FIELD = re.compile(r"\{([a-z][a-z0-9_]*)\}")
FIELDS = ("number", "numbers", "text", "key", "timestamp_s")
BodyForm = Literal["json", "form"]


class SuccessSettings(BaseModel):
    """How a gateway says yes: a 2xx, and where it always answers 2xx, one of these values at a place in its JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    path: Annotated[str, Field(pattern=r"^([A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*)?$")] = ""
    """Where in the answer: `code`, or `result.0.status`. Empty: the status alone says it."""
    accepted: tuple[str, ...] = ()
    """The values that mean yes, as text."""
    refused: tuple[str, ...] = ()
    """The values that mean never: a bad number, a forbidden word. Anything else is asked again."""


def unknown_fields(template: JsonValue, known: set[str]) -> list[str]:
    """The `{names}` in a template that nobody will fill in."""
    return sorted({name for text in _texts(template) for name in FIELD.findall(text)} - known)


def filled(template: JsonValue, values: Mapping[str, str]) -> Any:
    """The template with its fields filled in, everything else as it is."""
    if isinstance(template, str):
        return FIELD.sub(lambda found: values[found[1]], template)
    if isinstance(template, Mapping):
        return {key: filled(value, values) for key, value in template.items()}
    if isinstance(template, list):
        return [filled(value, values) for value in template]
    return template


def body_bytes(body: Mapping[str, Any], form: BodyForm) -> bytes:
    """A filled body as it is sent."""
    if form == "form":
        return urlencode(body).encode()
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def value_at(body: bytes, path: str) -> str | None:
    """The text, number or boolean at a place in a JSON answer, as text; None when there is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    for step in path.split("."):
        if isinstance(found, dict):
            found = found.get(step)
        elif isinstance(found, list) and step.isdigit() and int(step) < len(found):
            found = found[int(step)]
        else:
            return None
    if isinstance(found, bool):
        return "true" if found else "false"
    return str(found) if isinstance(found, str | int | float) else None


def _texts(template: JsonValue) -> Iterator[str]:
    if isinstance(template, str):
        yield template
    elif isinstance(template, Mapping):
        for value in template.values():
            yield from _texts(value)
    elif isinstance(template, list):
        for value in template:
            yield from _texts(value)
