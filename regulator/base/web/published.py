"""The published API of the desk: `GET /api/openapi.json`, for whoever may read.

In: the application with its routes. Out: the schema of every operation that a person or a program of theirs may ask
for: JSON, pages, forms, files, the wall's feed. What boxes say to the desk (`/v1/`) is not in it: docs/contract.md is.
"""

from typing import Annotated, Any, Final

from fastapi import FastAPI
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from contract import __version__
from kit.web.guarding import MOST_TEXT
from kit.web.published_pages import declare_pages
from regulator.base.web.access_table import open_to_all
from regulator.base.web.page_table import PAGES
from regulator.base.web.pages import Pages
from regulator.base.web.permissions import body_limit
from regulator.base.web.session_cookie import SESSION
from screens.answers import json_answer
from screens.published import PublishedFace, operation, publish

SCHEMA_PATH: Final = "/api/openapi.json"
TAGS: Final = {
    "desk": "The desk itself: first page, health, findings about boxes, this schema",
    "people": "Logins, roles, accounts, who did what",
    "review": "Alarms that wait for a person's verdict",
    "hazards": "Hazards from finding to closing",
    "evidence": "Packages, papers, pictures, and how they are checked",
    "wall": "The wall of all projects with its feed, and live video",
    "registry": "Projects, firms, regions, devices, dangerous work",
    "coverage": "The set, how much of it is covered, rounds, key risks",
    "supervision": "Scores, draws, calendar, themes, safety logs, permits",
    "reports": "Statistics and signed reports",
    "fleet": "Boxes, their enrolment and rule packs, platforms above",
}
SCHEMES: Final[dict[str, dict[str, Any]]] = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": SESSION,
        "description": f"Somebody who has logged in. Over HTTPS the cookie is called __Host-{SESSION}.",
    },
}


class SchemaAnswer(BaseModel):
    """This document: OpenAPI 3.1."""

    model_config = ConfigDict(extra="allow")

    openapi: Annotated[str, Field(examples=["3.1.0"])]
    info: Annotated[dict[str, Any], Field(examples=[{"title": "Sitewarden desk", "version": "1"}])]
    paths: Annotated[dict[str, Any], Field(examples=[{}])]
    components: Annotated[dict[str, Any], Field(examples=[{}])]
    tags: Annotated[list[dict[str, Any]], Field(examples=[[{"name": "hazards"}]])]


def published_api(app: FastAPI, pages: Pages) -> None:
    """Add the schema's route and describe all pages. Call it when every other route is there."""

    @app.get(SCHEMA_PATH, **operation("desk", "This schema", SchemaAnswer))
    def schema(request: Request) -> Response:
        pages.actor(request)
        return json_answer(app.openapi())

    declare_pages(app, PAGES, lambda path: body_limit(path).types)
    face = PublishedFace(
        title="Sitewarden desk",
        version=__version__,
        description="The web face of the regulator's desk. Times are UTC, in nanoseconds since 1970.",
        tags=TAGS,
        schemes=SCHEMES,
        security=_security,
        most_text=MOST_TEXT,
    )
    publish(app, face)


def _security(method: str, path: str) -> list[dict[str, list[str]]]:
    """Which credentials let a request in; empty where anybody may ask."""
    return [] if open_to_all(method, path) else [{"session": []}]
