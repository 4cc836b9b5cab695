"""Checks plain data against a pydantic model and says what is wrong in a site engineer's words.

In: a part of a `Document` and a model. Out: the model's instance, or None and faults in the document. The values of
secrets and of whatever looks like one are never repeated in a fault.

Validation is strict and in JSON mode: `port: yes` is not the number 1, and "5" is not 5.
"""

import difflib
import json
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from gateway.model.id_numbers import mask_id_numbers
from gateway.settings.document import FULL_WIDTH, Document, KeyPath, Place
from gateway.settings.schema import NAME_PATTERN
from gateway.settings.wording import CATALOGUE
from kit.secret import Secret

M = TypeVar("M", bound=BaseModel)

_SENSITIVE = re.compile(r"token|passw|passphrase|secret|credential|private|enrol_code|api_?key|auth", re.IGNORECASE)
_USER_INFO = re.compile(r"//\S*@")
_PASSWORD = re.compile(r"((?:password|passwd|pwd|pass|token)=)(?!\{)[^&_/?\s]+", re.IGNORECASE)
_QUERY = re.compile(r"(//[^?\s]*\?)\S+")
_SHOWN_CHARACTERS = 60
RENAMED: dict[str | int, str] = {
    "low_wind_ms": "low_wind_m_s",
    "wind_prealarm_ms": "wind_prealarm_m_s",
    "wind_alarm_ms": "wind_alarm_m_s",
}
"""Keys of site files that were written before 1.3.0, and what they are called since: `_ms` is milliseconds alone."""


def check(schema: type[M], document: Document, path: KeyPath, value: Any) -> M | None:
    """The value as an instance of the model; None when there are faults, which the document then holds."""
    instance: M | None = check_type(schema, document, path, _with_new_names(document, path, value))
    document.cut_short |= instance is None
    return instance


def check_type(schema: Any, document: Document, path: KeyPath, value: Any) -> Any:
    """The same for any annotation that pydantic knows, such as a constrained text."""
    try:
        return _adapter(schema).validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        _note(error, schema, document, path, value)
        return None


def describe(document: Document, path: KeyPath, value: Any) -> str:
    """How a value is shown in a fault: short, as it was written, without anything that looks like a secret or
    an ID-card number."""
    if isinstance(value, dict):
        return "@mapping"
    if isinstance(value, list):
        return "@list"
    if value is None:
        return "@nothing"
    if sensitive(path):
        return "@hidden"
    written = document.text(path)
    text = mask_id_numbers(str(value) if written is None else written)
    text = _PASSWORD.sub(r"\1...", _QUERY.sub(r"\1...", _USER_INFO.sub("//...@", text)))
    short = text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 3] + "..."
    return repr(short) if isinstance(value, str) else short


def sensitive(path: KeyPath) -> bool:
    """Whether a value at this path could be a secret that somebody wrote where only a reference belongs."""
    return any(isinstance(part, str) and _SENSITIVE.search(part) for part in path)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return close[0] if close else None


def choice(document: Document, path: KeyPath, value: Any, choices: Iterable[str]) -> None:
    """Note that the value is none of the choices, naming the nearest one."""
    known = sorted(choices)
    found = describe(document, path, value)
    near = nearest(value, known) if isinstance(value, str) else None
    shown = ", ".join(known) or "-"
    if near:
        document.add(path, "choice.near", found=found, near=near, choices=shown)
    else:
        document.add(path, "choice", found=found, choices=shown)


def unknown_key(document: Document, path: KeyPath, known: Iterable[str]) -> None:
    """Note a key that nothing knows, naming the nearest one that something does."""
    names = sorted(known)
    near = nearest(str(path[-1]), names)
    line, shown = document.key_line(path), ", ".join(names)
    if FULL_WIDTH.search(str(path[-1])):
        document.add_at(line, path, "yaml.full_width")
    elif near:
        document.add_at(line, path, "key.unknown_near", near=near, known=shown)
    else:
        document.add_at(line, path, "key.unknown", known=shown)


def not_a_mapping(document: Document, path: KeyPath, value: Any) -> None:
    """Note that something else stands where a mapping belongs; `id：a` looks like one and is text."""
    document.cut_short = True
    if isinstance(value, str) and FULL_WIDTH.search(value):
        document.add(path, "yaml.full_width")
    else:
        document.add(path, "type.mapping", found=describe(document, path, value))


def _with_new_names(document: Document, path: KeyPath, value: Any) -> Any:
    """The value with today's names of its keys, and a warning for each old one. Where a key is given by both names, the
    old one stays, and is unknown."""
    if isinstance(value, list):
        return [_with_new_names(document, (*path, number), part) for number, part in enumerate(value)]
    if not isinstance(value, dict):
        return value
    named = {}
    for key, part in value.items():
        here: KeyPath = (*path, key)
        new = RENAMED.get(key) or key
        if new != key and new not in value:
            if (*path, new) not in document.places:
                document.warn(here, "warn.key_renamed", new=new)
            document.places[*path, new] = Place(document.key_line(here), document.line(here), document.text(here))
            key = new  # noqa: PLW2901 - by its new name from here on
        named[key] = _with_new_names(document, here, part)
    return named


@lru_cache(maxsize=256)
def _adapter(schema: Any) -> TypeAdapter[Any]:
    return TypeAdapter(schema)


def _note(error: ValidationError, schema: Any, document: Document, base: KeyPath, value: Any) -> None:
    """Put pydantic's errors into the document's faults; a key that already has a fault gets no second one."""
    already = {fault.key for fault in document.faults}
    before = len(document.faults)
    choices: dict[KeyPath, tuple[Any, list[str]]] = {}
    for detail in error.errors(include_url=False):
        kind = detail["type"]
        path, part = _locate(base, value, detail["loc"], absent=kind == "missing")
        if kind == "extra_forbidden":
            unknown_key(document, path, _known_keys(schema, detail["loc"][:-1]))
        elif kind in ("enum", "literal_error"):
            choices.setdefault(path, (part, []))[1].extend(_choices(detail))
        else:
            code, params = _say(detail, document, path, part)
            document.add(path, code, **params)
    for path, (part, known) in choices.items():
        choice(document, path, part, known)
    fresh = [fault for fault in dict.fromkeys(document.faults[before:]) if fault.key not in already]
    document.faults[before:] = fresh


def _locate(base: KeyPath, value: Any, loc: Sequence[str | int], absent: bool) -> tuple[KeyPath, Any]:
    """Follow pydantic's location through the data, leaving out what names a branch of a union."""
    path, part = base, value
    for step in loc:
        in_mapping = isinstance(part, dict) and step in part
        in_list = isinstance(part, list) and isinstance(step, int) and step < len(part)
        if in_mapping or in_list:
            path, part = (*path, step), part[step]
    return ((*path, loc[-1]), None) if absent else (path, part)


def _known_keys(schema: Any, loc: Sequence[str | int]) -> set[str]:
    """What may stand at this location of the schema; of a union, what any of its branches allows."""
    models = _models_in(schema)
    for step in loc:
        fields = [model.model_fields[step] for model in models if step in model.model_fields]
        models = [model for field in fields for model in _models_in(field.annotation)] or models
    return {field.alias or name for model in models for name, field in model.model_fields.items()}


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in _models_in(part)]


def _choices(detail: ErrorDetails) -> list[str]:
    expected = str(detail.get("ctx", {}).get("expected", ""))
    return re.findall(r"'([^']*)'", expected) or [expected]


_TYPES = {
    "string_type": "type.text",
    "path_type": "type.text",
    "int_type": "type.whole_number",
    "int_parsing": "type.whole_number",
    "int_from_float": "type.whole_number",
    "float_type": "type.number",
    "float_parsing": "type.number",
    "finite_number": "range.finite",
    "bool_type": "type.yes_no",
    "bool_parsing": "type.yes_no",
    "model_type": "type.mapping",
    "model_attributes_type": "type.mapping",
    "dict_type": "type.mapping",
    "list_type": "type.list",
    "tuple_type": "type.list",
    "set_type": "type.list",
    "frozen_set_type": "type.list",
    "missing": "key.missing",
}
_BOUNDS = {
    "greater_than_equal": ("range.at_least", "ge"),
    "greater_than": ("range.above", "gt"),
    "less_than_equal": ("range.at_most", "le"),
    "less_than": ("range.below", "lt"),
    "string_too_short": ("length.at_least", "min_length"),
    "string_too_long": ("length.at_most", "max_length"),
    "too_short": ("list.at_least", "min_length"),
    "too_long": ("list.at_most", "max_length"),
}


def _say(detail: ErrorDetails, document: Document, path: KeyPath, part: Any) -> tuple[str, dict[str, object]]:
    """The wording for one of pydantic's errors, with its parameters."""
    kind, context = detail["type"], detail.get("ctx", {})
    found = describe(document, path, part)
    if kind in CATALOGUE:
        return kind, dict(context)
    if kind in ("model_type", "model_attributes_type") and context.get("class_name") == Secret.__name__:
        return "type.secret", {}
    if kind in _TYPES:
        return _TYPES[kind], {"found": found}
    if kind in _BOUNDS:
        code, bound = _BOUNDS[kind]
        return code, {"found": found, "count": context.get("actual_length", 0), "bound": context[bound]}
    if kind == "string_pattern_mismatch":
        pattern = context["pattern"]
        return ("pattern.name" if pattern == NAME_PATTERN else "pattern"), {"found": found, "pattern": pattern}
    message = str(context.get("error", "")) or detail["msg"]
    if isinstance(part, str) and part and sensitive(path):
        message = message.replace(part, "...")
    return "other", {"found": found, "message": message}
