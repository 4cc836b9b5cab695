"""The published API of the box: `GET /api/openapi.json`, for whoever may read.

In: the application with its routes. Out: the schema of every operation that has a tag: JSON, CSV, metrics, media, the
live feed. A route without a tag is a page; pages and their forms are not in the schema. See docs/api.md.
"""

from typing import Annotated, Any, Final

from fastapi import FastAPI
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from contract import __version__
from gateway.web.access_table import READING, TABLE, open_to_all
from gateway.web.token_scopes import scopes_for
from screens.answers import json_answer
from screens.published import PublishedFace, operation, publish

SCHEMA_PATH: Final = "/api/openapi.json"
TAGS: Final = {
    "alarms": "Alarms, and the commands on them. Every command is sealed before it is answered.",
    "readings": "Points, values, history, curves",
    "live": "What changes by itself, once or as a stream",
    "cranes": "Working cycles, the ledger of drivers, the tilt baseline",
    "pits": "Readings by hand, baselines, daily reports",
    "cameras": "Stills and live video",
    "orders": "Photos of the site's answers to the regulator's orders",
    "papers": "Files: the safety log, the alarm figures, the audit",
    "box": "The box itself: health, metrics, settings, this schema",
}
SCHEMES: Final[dict[str, dict[str, Any]]] = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "session",
        "description": "A person who has logged in at /login. Over HTTPS the cookie is called __Host-session.",
    },
    "wall": {
        "type": "apiKey",
        "in": "cookie",
        "name": "wall",
        "description": "A wall screen; it may read only. Over HTTPS the cookie is called __Host-wall.",
    },
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "A program's token, made on the page /tokens; its scopes say what it may ask for",
    },
    "token_as_password": {"type": "http", "scheme": "basic", "description": "The same token as password, any name"},
}
FACE_ERRORS: Final = {421: "The box listens on this machine only, and the request names another host"}


class SchemaAnswer(BaseModel):
    """This document: OpenAPI 3.1."""

    model_config = ConfigDict(extra="allow")

    openapi: Annotated[str, Field(examples=["3.1.0"])]
    info: Annotated[dict[str, Any], Field(examples=[{"title": "Sitewarden", "version": "1"}])]
    paths: Annotated[dict[str, Any], Field(examples=[{}])]
    components: Annotated[dict[str, Any], Field(examples=[{}])]
    tags: Annotated[list[dict[str, Any]], Field(examples=[[{"name": "alarms"}]])]


def published_api(app: FastAPI) -> None:
    """Add the schema's route. What is in the schema is decided when it is first asked for."""
    face = PublishedFace(
        title="Sitewarden box",
        version=__version__,
        description="The web face of a site's box. Times are UTC, in nanoseconds since 1970; null is unknown.",
        tags=TAGS,
        schemes=SCHEMES,
        security=_security,
        errors=FACE_ERRORS,
    )
    publish(app, face)

    @app.get(SCHEMA_PATH, **operation("box", "This schema", SchemaAnswer))
    async def schema() -> Response:
        return json_answer(app.openapi())


def _security(method: str, path: str) -> list[dict[str, list[str]]]:
    """Which credentials let a request in, of a token with which scopes; empty where anybody may ask."""
    if open_to_all(method, path):
        return []
    ways: list[dict[str, list[str]]] = [{"session": []}]
    row = TABLE.get((method, path))
    scopes = scopes_for(method, path, row.role) if row is not None else []
    if scopes:
        ways = [{"token": scopes}, {"token_as_password": scopes}, *ways]
    return [*ways, {"wall": []}] if method in READING else ways
