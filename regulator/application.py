"""The desk's one application: guard, shared routes, and the pages and API of every area.

    guard (regulator.base.web.guard) --> shared routes --> <area>_routes.install(desk, app, pages)

In: a desk. Out: a FastAPI application. `app.state.pages` holds the pages.
"""

from typing import Final

from fastapi import FastAPI

from regulator.base.accounts.passwords import Passwords
from regulator.base.desk import Desk
from regulator.base.web import account_routes, health_routes, shell_routes
from regulator.base.web.account_visitors import AccountVisitors
from regulator.base.web.guard import Guard
from regulator.base.web.pages import Pages, shared_routes
from regulator.base.web.published import published_api
from regulator.parts.docking.pages import docking_routes
from regulator.parts.evidence.pages import document_routes, media_routes, verify_routes
from regulator.parts.fleet.pages import fleet_routes, intake_routes
from regulator.parts.hazards.pages import hazard_routes
from regulator.parts.live.pages import live_routes
from regulator.parts.overview.pages import api_routes, home_routes
from regulator.parts.registry.pages import registry_routes
from regulator.parts.reports.pages import report_routes
from regulator.parts.review.pages import review_routes
from regulator.parts.site.pages import site_routes
from regulator.parts.supervision.pages import supervision_routes
from regulator.parts.wall.pages import wall_routes
from regulator.parts.witness.pages import witness_routes

AREAS: Final = (
    health_routes,
    intake_routes,
    account_routes,
    api_routes,
    registry_routes,
    hazard_routes,
    review_routes,
    site_routes,
    document_routes,
    media_routes,
    verify_routes,
    witness_routes,
    wall_routes,
    live_routes,
    supervision_routes,
    report_routes,
    fleet_routes,
    docking_routes,
    home_routes,
    shell_routes,
)
"""Modules of pages, each with `install(desk, app, pages)`. What stands first wins an address; the shell's
first page stands last, so that an area may bring a better one."""


def desk_app(desk: Desk, passwords: Passwords | None = None) -> FastAPI:
    """All pages and APIs of a desk. `passwords`: how they are hashed, when not as in the field."""
    pages = Pages(desk)
    app = FastAPI(title="Sitewarden desk", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.pages = pages
    app.state.passwords = passwords or Passwords()
    shared_routes(app, pages)
    for area in AREAS:
        area.install(desk, app, pages)
    published_api(app, pages)
    app.add_middleware(Guard, visitors=AccountVisitors(desk), refuse=pages.refuse)
    return app
