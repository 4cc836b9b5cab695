"""The published API of a web face: what each operation answers, and the OpenAPI that says so.

    @app.get("/api/points", **operation("points", "Every point now", PointsAnswer))     in the schema
    @app.get("/alarms.csv", **operation("files", "Alarms as a table", CSV))             in it, with its media type
    @app.get("/alarms")                                                                 no tag: a page, not in it

Pages and forms are declared by a table (`kit.web.published_pages`), where a face has them in its schema.

In: an application with its routes. Out: keyword arguments for a route, and the schema of all routes that have a tag.
A declared model costs no time when the route answers: the route returns a `Response` as before, and tests compare real
answers with the schema.
"""

import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

Json = dict[str, Any]
READING: Final = ("get", "head")
REFERENCE: Final = "#/components/schemas/{model}"


class Answer(BaseModel):
    """The base of every model that an operation answers with: no field beside the declared ones."""

    model_config = ConfigDict(extra="forbid")


class ErrorDetail(Answer):
    """What was wrong with a request, where, and what was expected."""

    code: Annotated[str, Field(description="What was wrong, for programs", examples=["bad_request"])]
    message_zh: Annotated[str, Field(description="What was found and expected, in Chinese", examples=["请求内容有误"])]
    message_en: Annotated[
        str, Field(description="The same in English", examples=["query.limit: expected at most 1000"])
    ]
    field: Annotated[str, Field(description="Where: the part of the request, or empty", examples=["query.limit"])]


class ErrorAnswer(Answer):
    """The answer to every request that is refused."""

    error: ErrorDetail


@dataclass(frozen=True, slots=True)
class Media:
    """An answer that is no JSON: its media types and what it holds."""

    types: tuple[str, ...]
    holds: str
    text: bool = True

    def content(self) -> Json:
        """The `content` of an OpenAPI response."""
        schema = {"type": "string"} if self.text else {"type": "string", "format": "binary"}
        return {kind: {"schema": schema} for kind in self.types}


CSV: Final = Media(("text/csv",), "A table: UTF-8, one line a row, the first line names the columns")
HTML: Final = Media(("text/html",), "A page")
JPEG: Final = Media(("image/jpeg",), "A picture", text=False)
MP4: Final = Media(("video/mp4",), "Video", text=False)
SVG: Final = Media(("image/svg+xml",), "A drawing")
PDF: Final = Media(("application/pdf",), "A paper", text=False)


def operation(
    tag: str,
    summary: str,
    answer: type[BaseModel] | Media,
    errors: Mapping[int, str] | None = None,
    *,
    example: object = None,
    also: Mapping[int, tuple[type[BaseModel], str]] | None = None,
) -> Json:
    """Keyword arguments of a route. `errors` says by status what else can go wrong (401, 403, 411, 413, 415 and 422 are
    added by `publish`); `also` names other models by status; `example` stands for one made from the model's fields.
    Of `errors`, those below 400 are answers without a body."""
    responses: dict[int, Json] = {
        status: {"description": text} | ({"model": ErrorAnswer} if status >= 400 else {})
        for status, text in (errors or {}).items()
    }
    for status, (model, text) in (also or {}).items():
        responses[status] = {"model": model, "description": text} | _with_example(example_of(model))
    if isinstance(answer, Media):
        responses[200] = {"description": answer.holds, "content": answer.content()}
    else:
        shown = example_of(answer) if example is None else example
        responses[200] = {"model": answer, "description": _first_line(answer)} | _with_example(shown)
    known: Json = {"tags": [tag], "summary": summary, "response_model": None, "responses": responses}
    return known if not isinstance(answer, Media) else known | {"response_class": Response}


@dataclass(frozen=True, slots=True)
class PublishedFace:
    """What the schema says of a whole face. `security(method, path)` lists what lets a request in; empty: anybody."""

    title: str
    version: str
    description: str
    tags: Mapping[str, str]
    schemes: Mapping[str, Json]
    security: Callable[[str, str], Sequence[Mapping[str, list[str]]]]
    errors: Mapping[int, str] = field(default_factory=dict)
    """What any operation may answer beside the usual refusals."""
    most_text: int = 0
    """The most characters of a parameter that says nothing of its length; 0: the face has no such limit."""


LOGIN_ERRORS: Final = {401: "Nobody is logged in, and no valid token came", 403: "The role does not allow this"}
BODY_ERRORS: Final = {
    411: "The request names no content-length",
    413: "The request is too large",
    415: "The request has another content type",
}
PARAMETER_ERRORS: Final = {422: "A part of the request is missing, malformed or out of bounds"}
FASTAPI_MODELS: Final = ("HTTPValidationError", "ValidationError")


def publish(app: FastAPI, face: PublishedFace) -> None:
    """Let `app.openapi()` answer with the schema. Made at the first question, from the routes that there are then."""
    made: list[Json] = []

    def schema() -> Json:
        if not made:
            made.append(schema_of(app, face))
        return made[0]

    app.openapi = schema  # type: ignore[method-assign]


def published_routes(app: FastAPI) -> list[APIRoute]:
    """Routes that are in the schema: those with a tag."""
    return [route for route in app.routes if isinstance(route, APIRoute) and route.tags]


def page_routes(app: FastAPI) -> list[str]:
    """Every other route, as `GET /alarms`: pages and their forms."""
    return sorted(
        f"{method} {getattr(route, 'path', '')}"
        for route in app.routes
        if not (isinstance(route, APIRoute) and route.tags)
        for method in sorted(getattr(route, "methods", None) or ())
    )


def schema_of(app: FastAPI, face: PublishedFace) -> Json:
    """The OpenAPI document, version 3.1."""
    tags = [{"name": name, "description": text} for name, text in face.tags.items()]
    schema = get_openapi(
        title=face.title, version=face.version, description=face.description, routes=published_routes(app), tags=tags
    )
    components = schema.setdefault("components", {})
    models = components.setdefault("schemas", {})
    for name in FASTAPI_MODELS:
        models.pop(name, None)
    models |= _error_models()
    components["securitySchemes"] = dict(face.schemes)
    for path, item in schema["paths"].items():
        for method, described in item.items():
            _complete(face, method, path, described)
    return schema


def _complete(face: PublishedFace, method: str, path: str, described: Json) -> None:
    """Security and the refusals that every operation of its kind shares."""
    security = [dict(way) for way in face.security(method.upper(), path)]
    described["security"] = security
    for parameter in described.get("parameters", []) if face.most_text else []:
        _bound(parameter["schema"], face.most_text)
    shared = dict(face.errors) | (LOGIN_ERRORS if security else {})
    if method not in READING:
        shared |= BODY_ERRORS
    if "parameters" in described or "requestBody" in described:
        shared |= PARAMETER_ERRORS
    responses = described["responses"]
    declared = {status: text for status, text in shared.items() if not _declared(responses, status)}
    responses |= {str(status): refusal(text) for status, text in declared.items()}
    if answers_people(responses):
        for status in responses:
            if status.startswith(("4", "5")):
                responses[status]["content"] |= HTML.content()
    described["responses"] = dict(sorted(responses.items()))


def _declared(responses: Json, status: int) -> bool:
    """Whether the route itself has said what it answers; FastAPI's own 422 does not count."""
    return str(status) in responses and FASTAPI_MODELS[0] not in str(responses[str(status)])


def answers_people(responses: Json) -> bool:
    """Whether an operation answers with a page, or leads on to one: a browser gets its refusals as pages, too."""
    return "303" in responses or "text/html" in responses.get("200", {}).get("content", {})


def _bound(schema: Json, most: int) -> None:
    """Write down the face's own limit where a text names none."""
    for part in (schema, *schema.get("anyOf", ())):
        if part.get("type") == "string" and not {"maxLength", "enum", "const", "format"} & set(part):
            part["maxLength"] = most


def refusal(text: str) -> Json:
    """A response in the one shape of all refusals."""
    reference = {"$ref": REFERENCE.format(model=ErrorAnswer.__name__)}
    return {"description": text, "content": {"application/json": {"schema": reference}}}


def _error_models() -> Json:
    made = ErrorAnswer.model_json_schema(ref_template=REFERENCE, mode="serialization")
    return {**made.pop("$defs"), ErrorAnswer.__name__: made | {"examples": [example_of(ErrorAnswer)]}}


def _with_example(example: object) -> Json:
    return {"content": {"application/json": {"example": example}}}


def _first_line(model: type[BaseModel]) -> str:
    return (model.__doc__ or model.__name__).strip().splitlines()[0]


def example_of(model: type[BaseModel]) -> Json:
    """An example made of the examples of the fields. Raises TypeError for a text field without an example."""
    return {each.alias or name: _field_example(model, name, each) for name, each in model.model_fields.items()}


def _field_example(model: type[BaseModel], name: str, declared: FieldInfo) -> object:
    if declared.examples:
        return declared.examples[0]
    try:
        return _type_example(declared.annotation)
    except TypeError as error:
        raise TypeError(f"{model.__name__}.{name}: {error}; expected Field(examples=[...])") from None


def _type_example(kind: Any) -> object:
    """An example of a type. Raises TypeError where only a field can know one."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        named = [each for note in parts[1:] if isinstance(note, FieldInfo) for each in note.examples or ()]
        return named[0] if named else _type_example(parts[0])
    if origin in (Union, types.UnionType):
        return _type_example(next(part for part in parts if part is not types.NoneType))
    if origin is Literal:
        return parts[0]
    if origin in (list, Sequence):
        return [_type_example(parts[0])]
    if origin in (dict, Mapping):
        return {"name": _type_example(parts[1])}
    return _plain_example(kind)


def _plain_example(kind: Any) -> object:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return example_of(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind)).value
    plain: dict[Any, object] = {bool: False, int: 1, float: 1.5, types.NoneType: None}
    if kind not in plain:
        raise TypeError(f"no example of {kind}")
    return plain[kind]
