"""Pages and forms of a web face in its schema: a table with a row for each, put upon the routes.

    Page("GET", "/hazards", "hazards", "The list", query="state grade")
    Page("POST", "/set/proposals", "registry", "Propose a change", form="change category? reason")

In: an application with its routes, and rows. Out: the routes have a tag, a summary, what they answer and take.
A page answers with HTML; a form leads on to a page (303). Whoever asks for no HTML gets refusals as JSON.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, Response
from fastapi.routing import APIRoute

from kit.web.guarding import FORM_TYPE
from screens.published import HTML, Json, Media, refusal

MULTIPART: Final = "multipart/form-data"
MOST_FIELD: Final = 4000
MOST_VALUES: Final = 500
LEADS_ON: Final = {"description": "Done; `Location` names the page that shows it"}
NOT_THERE: Final = "There is no such thing, or not within the scope of whoever asks"
NOT_ALLOWED: Final = "The role does not allow this, or the form is out of date"
NOT_NOW: Final = "How the thing stands does not allow this"
CSRF: Final = "What the page that holds the form has put into it; proof that the form was not forged"


@dataclass(frozen=True, slots=True)
class Page:
    """One operation. `query`: names of parameters. `form`: names of fields; `?` behind one that may be missing, `*`
    behind one that may come several times, `@` behind files, `...` for others that depend on the page.
    `answer`: what it answers instead of HTML (GET) or beside leading on (POST). `also`: other refusals by status."""

    method: str
    path: str
    tag: str
    summary: str
    query: str = ""
    form: str = ""
    answer: Media | None = None
    also: tuple[tuple[int, str], ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """Method and path, by which pages are sorted and found."""
        return self.method, self.path


def declare_pages(app: FastAPI, rows: Iterable[Page], body_types: Callable[[str], tuple[str, ...]]) -> None:
    """Describe the routes that rows name; a row without a route is left out. `body_types(path)`: what a form may be."""
    known = {row.key: row for row in rows}
    for route in app.routes:
        if isinstance(route, APIRoute) and (row := known.pop((*(route.methods or ()), route.path), None)) is not None:
            route.tags, route.summary = [row.tag], row.summary
            route.response_class = HTMLResponse if row.method == "GET" and row.answer is None else Response
            route.status_code = 200 if row.answer or row.method == "GET" else 303
            route.responses = dict(_each_response(row))
            route.openapi_extra = {"parameters": _parameters(row)} | _body(row, body_types(row.path))


def takes_form(form: str) -> Json:
    """Keyword arguments of a route that answers with JSON and takes a form with these fields (`Page.form`)."""
    return {"openapi_extra": {"requestBody": form_body(form)}}


def form_body(form: str, types: Iterable[str] = (FORM_TYPE,)) -> Json:
    """The `requestBody` of a form with these fields (`Page.form`) and its token."""
    words = form.split()
    fields = {word.rstrip("?*@"): _field(word) for word in words if word != "..."}
    token = {"type": "string", "maxLength": 64, "description": CSRF}
    schema: Json = {"type": "object", "properties": {"csrf": token} | fields}
    schema["required"] = ["csrf", *(word for word in words if word.isidentifier())]
    schema["additionalProperties"] = _text()  # a form may hold fields that nobody reads
    return {"required": True, "content": {kind: {"schema": schema} for kind in types}}


def _body(row: Page, types: tuple[str, ...]) -> Json:
    if row.method != "POST":
        return {}
    with_files = "@" in row.form
    fitting = [kind for kind in types if (kind == MULTIPART) or not with_files]
    return {"requestBody": form_body(row.form, fitting)}


def _field(word: str) -> Json:
    if word.endswith("@"):
        return {"type": "array", "items": {"type": "string", "format": "binary"}, "maxItems": 20}
    return {"type": "array", "items": _text(), "maxItems": MOST_VALUES} if word.endswith("*") else _text()


def _text() -> Json:
    return {"type": "string", "maxLength": MOST_FIELD}


def _parameters(row: Page) -> list[Json]:
    return [
        {"name": name, "in": "query", "required": False, "schema": {"type": "string"}} for name in row.query.split()
    ]


def _each_response(row: Page) -> Iterator[tuple[int, Json]]:
    if row.method == "POST":
        yield 303, LEADS_ON
        yield 403, refusal(NOT_ALLOWED)
        yield 409, refusal(NOT_NOW)
    if row.method == "GET" or row.answer:
        answer = row.answer or HTML
        yield 200, {"description": answer.holds, "content": answer.content()}
    if "{" in row.path or row.method == "POST":
        yield 404, refusal(NOT_THERE)
    for status, text in row.also:
        yield status, refusal(text) if status >= 400 else {"description": text}
