"""The desk's one application: guard, shared routes, and the pages and API of every area.

    guard (regulator.web.guard) --> shared routes --> regulator.web.<area>_routes.install(desk, app, pages)

In: a desk. Out: a FastAPI application. `app.state.pages` holds the pages.
"""

from importlib import import_module
from typing import Final

from fastapi import FastAPI

from regulator.accounts.passwords import Passwords
from regulator.desk import Desk
from regulator.web.account_visitors import AccountVisitors
from regulator.web.guard import Guard
from regulator.web.pages import Pages, shared_routes
from regulator.web.published import published_api

AREAS: Final = (
    "health",
    "intake",
    "account",
    "api",
    "registry",
    "hazard",
    "review",
    "site",
    "document",
    "media",
    "verify",
    "witness",
    "wall",
    "live",
    "supervision",
    "report",
    "fleet",
    "docking",
    "home",
    "shell",
)
"""`regulator.web.<area>_routes`, each with `install(desk, app, pages)`. What stands first wins an address; the shell's
first page stands last, so that an area may bring a better one."""


def desk_app(desk: Desk, passwords: Passwords | None = None) -> FastAPI:
    """All pages and APIs of a desk. `passwords`: how they are hashed, when not as in the field."""
    pages = Pages(desk)
    app = FastAPI(title="Sitewarden desk", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.pages = pages
    app.state.passwords = passwords or Passwords()
    shared_routes(app, pages)
    for area in AREAS:
        import_module(f"regulator.web.{area}_routes").install(desk, app, pages)
    published_api(app, pages)
    app.add_middleware(Guard, visitors=AccountVisitors(desk), refuse=pages.refuse)
    return app
