"""S1, the site overview: what is wrong now, seen in a second.

    GET /                            the page; with ?kiosk=1 the wall
    GET /parts/overview-alarms ...   its parts, from the same templates, for partial swaps
    GET /parts/topbar                the bar at the top of every page

In: the view over the box. Out: the pages' routes, and the board whose cells the feed carries.
"""

from collections.abc import Callable, Mapping
from typing import Final

from fastapi import FastAPI
from fastapi.responses import Response
from starlette.requests import Request

from gateway.line.clock_state import ClockState, clock_state
from gateway.web.live_cells import OverviewBoard
from gateway.web.pages import Pages
from gateway.web.visitor import Role, require
from gateway.web.wall_page import wall_page, wall_routes

PARTS: Final[Mapping[str, str]] = {
    "overview-alarms": "overview_alarms.html",
    "overview-plan": "overview_plan.html",
    "overview-bars": "overview_bars.html",
    "topbar": "topbar_state.html",
}
"""Parts of the first screen and the templates that make them."""


def overview_routes(app: FastAPI, pages: Pages, clock_asked: Callable[[], ClockState] = clock_state) -> OverviewBoard:
    """The first page, and the bar that stands on all pages. Returns what the feed's cells come from."""
    board = OverviewBoard(pages.view, clock_asked)
    pages.environment.globals["board"] = board

    @app.get("/")
    async def overview(request: Request) -> Response:
        if request.query_params.get("kiosk") == "1":
            return wall_page(request, pages)
        require(request, Role.VIEWER)
        return pages.render(request, "overview.html", wall=False, part=False)

    wall_routes(app, pages)
    for name, template in PARTS.items():
        _part(app, pages, name, template)
    return board


def _part(app: FastAPI, pages: Pages, name: str, template: str) -> None:
    @app.get(f"/parts/{name}")
    async def part(request: Request) -> Response:
        require(request, Role.VIEWER)
        return pages.render(request, template, wall=request.query_params.get("wall") == "1", part=True)
