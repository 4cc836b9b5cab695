"""The desk's one application: guard, shared routes, and what every part brings.

    guard (regulator.base.web.guard) --> shared routes --> PARTS, each: build, hang on, install

In: a desk. Out: a FastAPI application. `app.state.pages` holds the pages.
"""

from typing import Final

from fastapi import FastAPI

from regulator.base.accounts.passwords import Passwords
from regulator.base.desk import Desk
from regulator.base.web.account_visitors import AccountVisitors
from regulator.base.web.guard import Guard
from regulator.base.web.health_routes import part as health
from regulator.base.web.pages import Pages, shared_routes
from regulator.base.web.part import BuildPart, hang_on
from regulator.base.web.published import published_api
from regulator.base.web.shell_routes import part as first_page
from regulator.parts.accounts.part import part as accounts
from regulator.parts.docking.part import part as docking
from regulator.parts.evidence.part import part as evidence
from regulator.parts.fleet.part import part as fleet
from regulator.parts.hazards.part import part as hazards
from regulator.parts.intake.part import part as intake
from regulator.parts.live.part import part as live
from regulator.parts.overview.part import part as overview
from regulator.parts.registry.part import part as registry
from regulator.parts.reports.part import part as reports
from regulator.parts.review.part import part as review
from regulator.parts.site.part import part as site
from regulator.parts.supervision.part import part as supervision
from regulator.parts.wall.part import part as wall
from regulator.parts.witness.part import part as witness

PARTS: Final[tuple[BuildPart, ...]] = (
    health,
    intake,
    accounts,
    overview,
    registry,
    hazards,
    review,
    site,
    evidence,
    witness,
    wall,
    live,
    supervision,
    reports,
    fleet,
    docking,
    first_page,
)
"""What stands first wins an address, and hears first; the shell's first page stands last, so that a part may bring a
better one. Hazards stand before the review, which opens them."""


def desk_app(desk: Desk, passwords: Passwords | None = None) -> FastAPI:
    """All pages and APIs of a desk. `passwords`: how they are hashed, when not as in the field."""
    pages = Pages(desk)
    app = FastAPI(title="Sitewarden desk", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.pages = pages
    app.state.passwords = passwords or Passwords()
    shared_routes(app, pages)
    for build in PARTS:
        part = build(desk)
        hang_on(desk, part)
        part.install(app, pages)
    published_api(app, pages)
    app.add_middleware(Guard, visitors=AccountVisitors(desk), refuse=pages.refuse)
    return app
