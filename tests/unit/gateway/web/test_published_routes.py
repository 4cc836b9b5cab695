"""The schema against the routes of the whole box: each is in the schema, or named here as a page."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from gateway.settings import load
from gateway.web.alarm_answers import AlarmState
from gateway.web.plain_door import authority_route
from gateway.web.published import published_api
from screens.published import Answer, example_of, operation, page_routes, published_routes
from sitewarden.composition.box import DRIVERS, UPLINKS, Gateway
from sitewarden.composition.kinds import KINDS
from tests.fakes.mosquitto import free_port
from tests.fakes.published_schema import operations, schema_faults
from tests.fakes.screen_site import write_site

PAGES = [
    "GET /",
    "GET /alarms",
    "GET /alarms/service",
    "GET /alarms/{alarm_id}",
    "GET /alarms/{alarm_id}/sheet",
    "GET /audit",
    "GET /cameras",
    "GET /cameras/{camera}",
    "GET /cameras/{camera}/survey",
    "GET /cameras/{camera}/survey/moved",
    "GET /curves",
    "GET /curves/values",
    "GET /figures",
    "GET /handover",
    "GET /handover/{name}",
    "GET /health",
    "GET /log",
    "GET /login",
    "GET /login/code",
    "GET /me",
    "GET /me/second-factor",
    "GET /orders",
    "GET /orders/{seq}",
    "GET /packs",
    "GET /parts/alarm-tabs",
    "GET /parts/alarms",
    "GET /parts/alarms/{alarm_id}/facts",
    "GET /parts/alarms/{alarm_id}/pictures",
    "GET /parts/alarms/{alarm_id}/records",
    "GET /parts/alarms/{alarm_id}/state",
    "GET /parts/cameras",
    "GET /parts/cameras/{camera}/figures",
    "GET /parts/channels",
    "GET /parts/health",
    "GET /parts/overview-alarms",
    "GET /parts/overview-bars",
    "GET /parts/overview-plan",
    "GET /parts/topbar",
    "GET /people",
    "GET /permits",
    "GET /setup",
    "GET /sound",
    "GET /static/{digest}/{name:path}",
    "GET /tokens",
    "GET /wall",
    "GET /wall/pair",
    "GET /walls",
    "POST /alarms/acknowledge",
    "POST /alarms/service/{way}",
    "POST /alarms/{alarm_id}/case/{name}",
    "POST /alarms/{alarm_id}/{name}",
    "POST /cameras/{camera}/survey",
    "POST /cameras/{camera}/survey/moved",
    "POST /handover/hand",
    "POST /handover/save",
    "POST /handover/{name}/take",
    "POST /handover/{name}/withdraw",
    "POST /log/{name}/save",
    "POST /log/{name}/sign",
    "POST /log/{name}/supplement",
    "POST /login",
    "POST /logout",
    "POST /login/code",
    "POST /me/password",
    "POST /me/second-factor/begin",
    "POST /me/second-factor/codes",
    "POST /me/second-factor/confirm",
    "POST /me/second-factor/remove",
    "POST /me/sessions/{session_id}/end",
    "POST /orders/{seq}/answer",
    "POST /packs/{offer_id}/approve",
    "POST /packs/{offer_id}/decline",
    "POST /people",
    "POST /people/{name}/{order}",
    "POST /permits/check",
    "POST /permits/permit",
    "POST /permits/permit/{seq}/withdraw",
    "POST /permits/warning",
    "POST /permits/warning/{seq}/acknowledge",
    "POST /permits/warning/{seq}/withdraw",
    "POST /preferences",
    "POST /setup",
    "POST /sound/channels/{name}/test",
    "POST /tokens",
    "POST /tokens/{token_id}/revoke",
    "POST /wall/pair",
    "POST /walls",
    "POST /walls/{wall_id}/revoke",
]
"""HTML for people, their forms, parts of pages, and the browser's files."""


async def _box_app(folder: Path) -> FastAPI:
    """The application of a whole box that has come up and gone down again."""
    ports = {name: free_port() for name in ("crane-1", "crane-2", "pit-1")}
    gateway = Gateway(load(write_site(folder, ports, free_port()), DRIVERS, UPLINKS, KINDS))
    app = gateway.web.app
    assert isinstance(app, FastAPI)
    stop = asyncio.Event()
    stop.set()
    await gateway.run(stop)
    return app


async def test_each_route_is_in_the_schema_or_named_as_a_page(tmp_path: Path) -> None:
    app = await _box_app(tmp_path)
    schema = app.openapi()
    assert page_routes(app) == sorted(PAGES), "give a JSON or file route a tag (screens.published), name a page here"
    served = {f"{method} {path}" for method, path, _ in operations(schema)}
    routes = {f"{method} {route.path_format}" for route in published_routes(app) for method in route.methods}
    assert served == routes
    assert not [page for page in PAGES if page.split(" ")[1].startswith("/api/") or page.endswith((".csv", ".json"))]


def test_the_authoritys_certificate_is_published_too() -> None:
    app = FastAPI(openapi_url=None)
    authority_route(app, None)
    published_api(app)
    schema = app.openapi()
    assert schema_faults(schema, ("/ca.crt",)) == []
    assert "application/x-x509-ca-cert" in schema["paths"]["/ca.crt"]["get"]["responses"]["200"]["content"]


@pytest.mark.parametrize("fault", ["tag", "answer", "bound"])
def test_an_operation_that_says_too_little_is_found(fault: str) -> None:
    app = FastAPI(openapi_url=None)
    said: dict[str, Any] = operation("box", "An alarm", AlarmState)
    said |= {"tag": {"tags": ["nobody"]}, "answer": {"responses": {}}}.get(fault, {})

    @app.get("/api/alarm", **said)
    async def alarm(alarm_id: str = "") -> dict[str, str]:
        return {}

    published_api(app)
    words = {"tag": "one declared tag", "answer": "has no type", "bound": "has no bound"}
    assert any(words[fault] in each for each in schema_faults(app.openapi()) if "/api/alarm:" in each)


def test_a_text_without_an_example_is_a_fault_of_the_model() -> None:
    class Nameless(Answer):
        """A name."""

        name: str

    with pytest.raises(TypeError, match=r"Nameless.name: .* expected Field\(examples="):
        example_of(Nameless)
