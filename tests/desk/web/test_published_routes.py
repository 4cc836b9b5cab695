"""The desk's schema against its routes: each is in it with all that it takes and answers, or is named here."""

import ast
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from kit.web.published_pages import declare_pages
from regulator.base.web.page_table import PAGES
from regulator.base.web.permissions import body_limit
from regulator.parts.hazards import hazard_forms
from regulator.parts.site.site_routes import PERMIT_FIELDS, WARNING_FIELDS
from screens.published import page_routes, published_routes
from tests.fakes.desk_face import DeskFace
from tests.fakes.published_schema import operations, schema_faults

OPEN = (
    *("/healthz", "/readyz", "/login", "/logout", "/api/login", "/api/logout", "/preferences"),
    *("/documents/check/{number}", "/oidc/start", "/oidc/callback"),
)
NOT_PUBLISHED = [
    *("DELETE /v1/{rest:path}", "GET /v1/{rest:path}", "HEAD /v1/{rest:path}", "PATCH /v1/{rest:path}"),
    *("POST /v1/{rest:path}", "PUT /v1/{rest:path}", "POST /v1/enrol", "POST /v1/mailbox", "POST /v1/messages"),
    *("GET /v1/blobs/{sha256}", "PUT /v1/blobs/{sha256}", "PUT /v1/live/{sha256}"),
    *("GET /", "GET /favicon.ico", "GET /static/{digest}/{name:path}"),
]
"""What boxes say (docs/contract.md), a browser's files, and the first page's stand-in behind the real one."""
ELSEWHERE: dict[str, tuple[set[str], ModuleType | None]] = {
    "regulator.parts.hazards.hazard_routes": ({"step", "photo"}, hazard_forms),
    "regulator.parts.registry.registry_projects": ({"serial", "registration", "asset"}, None),
    "kit.web.shell": ({"language", "theme", "back"}, None),
    "regulator.parts.evidence.verify_routes": ({"package"}, None),
    "regulator.parts.site.site_routes": ({*PERMIT_FIELDS, *WARNING_FIELDS, "valid_from", "valid_until"}, None),
    "regulator.parts.supervision.supervision_calendar": ({"category", "works_type", "band"}, None),
}
"""Fields that a module's forms have and that it reads by another module, or by a loop over names."""
FOR_OTHERS = {"kit.web.shell": {"done"}}
"""What a module reads of the address for the pages of other modules, whose rows say it."""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    with DeskFace(tmp_path_factory.mktemp("desk")) as face:
        yield face.app


@pytest.fixture(scope="module")
def schema(app: FastAPI) -> dict[str, Any]:
    return app.openapi()


def test_each_route_is_in_the_schema_or_named_as_none_for_people(app: FastAPI, schema: dict[str, Any]) -> None:
    assert page_routes(app) == sorted(NOT_PUBLISHED), "give a JSON route `operation`, a page a row in page_table"
    served = {f"{method} {path}" for method, path, _ in operations(schema)}
    assert served == {f"{method} {route.path_format}" for route in published_routes(app) for method in route.methods}
    assert len(served) > 170


def test_every_operation_says_what_it_needs_takes_and_answers(schema: dict[str, Any]) -> None:
    assert schema_faults(schema, OPEN) == []


def test_a_row_of_the_table_names_a_route(app: FastAPI) -> None:
    routes = {(method, getattr(route, "path", "")) for route in app.routes for method in getattr(route, "methods", ())}
    missing = {row.key for row in PAGES} - routes
    assert missing == {("GET", "/oidc/start"), ("GET", "/oidc/callback")}, "they are there with a provider alone"
    assert len({row.key for row in PAGES}) == len(PAGES)


def test_a_page_that_nobody_described_is_found(app: FastAPI) -> None:
    fresh = FastAPI(openapi_url=None)

    @fresh.get("/hazards")
    def hazards() -> None: ...

    @fresh.get("/new-page")
    def new_page() -> None: ...

    declare_pages(fresh, PAGES, lambda path: body_limit(path).types)
    assert page_routes(fresh) == ["GET /new-page"]


@pytest.mark.parametrize("lacks", ["tag", "answer", "security", "refusals"])
def test_an_operation_that_says_too_little_is_found(schema: dict[str, Any], lacks: str) -> None:
    told = dict(schema["paths"]["/hazards"]["get"])
    spoilt: dict[str, Any] = {
        "tag": {"tags": ["nobody"]},
        "answer": {"responses": {status: each for status, each in told["responses"].items() if status != "200"}},
        "security": {"security": []},
        "refusals": {"responses": {"200": told["responses"]["200"]}},
    }
    words = {"tag": "one declared tag", "answer": "no 2xx", "security": "no security", "refusals": "no error shape"}
    faults = schema_faults(schema | {"paths": {"/hazards": {"get": told | spoilt[lacks]}}})
    assert any(words[lacks] in fault for fault in faults)


def test_the_fields_of_forms_and_queries_are_those_that_the_modules_read(app: FastAPI) -> None:
    told: dict[str, tuple[set[str], set[str]]] = {}
    for module, route in _modules(app):
        fields, asked = told.setdefault(module, (set(), set()))
        described = route.openapi_extra or {}
        asked |= {each["name"] for each in described.get("parameters", ())}
        for content in described.get("requestBody", {}).get("content", {}).values():
            fields |= set(content["schema"]["properties"]) - {"csrf"}
    faults = []
    for module, (fields, asked) in sorted(told.items()):
        more, helper = ELSEWHERE.get(module, (set(), None))
        read = _names_read(module, "form") | more | (_names_read(helper.__name__, "form") if helper else set())
        faults += [f"{module}: form: {name}" for name in sorted(fields ^ read)]
        faults += [
            f"{module}: query: {name}"
            for name in sorted(_names_read(module, "query_params") - FOR_OTHERS.get(module, set()) - asked)
        ]
    assert faults == []


def _modules(app: FastAPI) -> Iterator[tuple[str, APIRoute]]:
    for route in app.routes:
        if isinstance(route, APIRoute) and route.tags:
            yield route.endpoint.__module__, route


def _names_read(module: str, what: str) -> set[str]:
    """Names that a module's source takes from `form` or from a query, as literals."""
    tree = ast.parse(Path(*module.split(".")).with_suffix(".py").read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and _is(node.value, what) and isinstance(node.slice, ast.Constant):
            found.add(str(node.slice.value))
        elif isinstance(node, ast.Call):
            found |= _names_of_call(node, what)
    return found


def _names_of_call(node: ast.Call, what: str) -> set[str]:
    """`form.get("x")`, and `text(form, "x", 200)` of the hazards' forms."""
    method = isinstance(node.func, ast.Attribute) and _is(node.func.value, what)
    helper = isinstance(node.func, ast.Name) and len(node.args) > 1 and _is(node.args[0], what)
    named = node.args[0 if method else 1 :] if method or helper else []
    return {each.value for each in named[:1] if isinstance(each, ast.Constant) and isinstance(each.value, str)}


def _is(node: ast.expr, what: str) -> bool:
    """Whether an expression is the form, or the query of a request."""
    if what == "form":
        return isinstance(node, ast.Name) and node.id == "form"
    return isinstance(node, ast.Attribute) and node.attr == "query_params"
