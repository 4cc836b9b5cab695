"""What must hold for the published schema of a web face, and the model that a real answer must fit.

faults = schema_faults(schema)       every operation: tag, summary, security, typed 2xx, example, error shapes, bounds
faults = answer_faults(schema, "GET", "/api/alarms/{alarm_id}", reply.status_code, reply.headers, reply.content)
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema

Json = dict[str, Any]
BARE = ("204", "206", "303")
"""Answers without a body, or with a part of one."""
ERROR = {"code", "message_zh", "message_en", "field"}
BOUNDED = {"string": ("maxLength", "enum", "const", "format"), "integer": ("maximum", "enum", "const")}
BOUNDED["number"], BOUNDED["array"] = ("maximum", "exclusiveMaximum"), ("maxItems",)


def operations(schema: Json) -> Iterator[tuple[str, str, Json]]:
    """Method (upper case), path, operation."""
    for path, item in schema["paths"].items():
        for method, described in item.items():
            yield method.upper(), path, described


def schema_faults(schema: Json, open_paths: tuple[str, ...] = ()) -> list[str]:
    """What an operation lacks, a line each. Paths in `open_paths` need no login."""
    tags = {tag["name"] for tag in schema["tags"]}
    schemes = schema["components"]["securitySchemes"]
    return [
        f"{method} {path}: {fault}"
        for method, path, described in operations(schema)
        for fault in (
            *_head_faults(described, tags),
            *_security_faults(described, schemes, path in open_paths),
            *_answer_faults(schema, described),
            *_error_faults(schema, method, described, path in open_paths),
            *_unbounded(schema, described),
        )
    ]


def _head_faults(described: Json, tags: set[str]) -> Iterator[str]:
    if len(described.get("tags", [])) != 1 or not set(described["tags"]) <= tags:
        yield f"expected one declared tag, found {described.get('tags')}"
    if not described.get("summary"):
        yield "no summary"


def _security_faults(described: Json, schemes: Json, is_open: bool) -> Iterator[str]:
    named = {name for way in described["security"] for name in way}
    if not named and not is_open:
        yield "no security"
    if named - set(schemes):
        yield f"security schemes that nobody declared: {sorted(named - set(schemes))}"


def _answer_faults(schema: Json, described: Json) -> Iterator[str]:
    good = {status: each for status, each in described["responses"].items() if status.startswith(("2", "303"))}
    if not good:
        yield "no 2xx answer, and it leads nowhere"
    for status, each in good.items():
        for kind, content in each.get("content", {}).items():
            if not content.get("schema"):
                yield f"{status} {kind} has no type"
            elif kind == "application/json" and "example" not in content:
                yield f"{status} {kind} has no example"
            elif kind == "application/json" and not _fits(schema, content["schema"], content["example"]):
                yield f"{status} {kind}: the example does not fit the type"
        if not each.get("content") and status not in BARE:
            yield f"{status} has no content"


def _error_faults(schema: Json, method: str, described: Json, is_open: bool) -> Iterator[str]:
    expected = set() if is_open else {"401", "403"}
    expected |= {"411", "413", "415"} if method == "POST" else set()
    expected |= {"422"} if "parameters" in described or "requestBody" in described else set()
    if missing := expected - set(described["responses"]):
        yield f"no error shape for {sorted(missing)}"
    for status, each in described["responses"].items():
        if status.startswith("4") and not _is_error(schema, each):
            yield f"{status} is not the one error model, nor one that extends it"


def _is_error(schema: Json, answer: Json) -> bool:
    model = _followed(schema, answer["content"].get("application/json", {}).get("schema", {}))
    return set(_followed(schema, model.get("properties", {}).get("error", {})).get("required", ())) >= ERROR


def _unbounded(schema: Json, described: Json) -> Iterator[str]:
    for parameter in described.get("parameters", []):
        yield from _open_ends(schema, parameter["schema"], parameter["name"])
    for content in described.get("requestBody", {}).get("content", {}).values():
        yield from _open_ends(schema, content["schema"], "body")


def _open_ends(schema: Json, part: Json, name: str) -> Iterator[str]:
    part = _followed(schema, part)
    for each in (*part.get("anyOf", ()), *part.get("allOf", ()), *part.get("oneOf", ())):
        yield from _open_ends(schema, each, name)
    for inner, each in part.get("properties", {}).items():
        yield from _open_ends(schema, each, f"{name}.{inner}")
    if "items" in part:
        yield from _open_ends(schema, part["items"], f"{name}[]")
    needed = BOUNDED.get(part.get("type", ""), ())
    if needed and not set(needed) & set(part) and part.get("format") != "binary":
        yield f"{name} has no bound"


def _followed(schema: Json, part: Json) -> Json:
    if "$ref" not in part:
        return part
    found: Json = schema["components"]["schemas"][part["$ref"].rpartition("/")[2]]
    return found


def _fits(schema: Json, part: Json, value: object) -> bool:
    return not _mismatches(schema, part, value)


def _mismatches(schema: Json, part: Json, value: object) -> list[str]:
    validator = jsonschema.Draft202012Validator(part | {"components": schema["components"]})
    return [f"{'/'.join(map(str, each.absolute_path))}: {each.message[:200]}" for each in validator.iter_errors(value)]


def answer_faults(
    schema: Json, method: str, path: str, status: int, headers: Mapping[str, str], content: bytes
) -> list[str]:
    """How a real answer differs from what the schema says of it; `path` is the template, such as `/api/alarms/{id}`."""
    responses = schema["paths"][path][method.lower()]["responses"]
    where = f"{method} {path} {status}"
    if str(status) not in responses:
        return [f"{where} is not in the schema: {content[:200]!r}"]
    kind = headers.get("content-type", "").partition(";")[0]
    declared = responses[str(status)]["content"]
    if kind not in declared:
        return [f"{where}: {kind} is not in the schema, which has {sorted(declared)}"]
    if kind != "application/json":
        return []
    return [f"{where}: {each}" for each in _mismatches(schema, declared[kind]["schema"], json.loads(content))]
