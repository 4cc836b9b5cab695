"""What every page of the desk needs: its templates, the visitor's language and theme, forms that nobody forged.

In: the desk and a request. Out: HTML answers, checked form values, refusals as a page or as JSON. A page module adds
its own routes and templates and knows nothing of cookies.
"""

from pathlib import Path
from typing import Final
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.responses import RedirectResponse, Response
from starlette.requests import Request

from kit.web.shell import Shell, shell_routes
from regulator.base.desk import Desk
from regulator.base.model.actor import Actor, Duty
from regulator.base.model.refusals import RefusedError
from regulator.base.web.forms import FormValues, checked_form
from regulator.base.web.navigation import NavigationGroup, navigation_of
from regulator.base.web.place_names import PlaceNames
from regulator.base.web.visitor import actor_of, visitor_of
from screens.addresses import back_of, path_of

FOLDER: Final = Path(__file__).parent


class Pages(Shell):
    """Renders the desk's pages. Shared by all areas."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        super().__init__(FOLDER, "desk", "desk_refused.html")

    def now_ns(self) -> int:
        """UTC, ns."""
        return self.desk.now_ns()

    def actor(self, request: Request, *duties: Duty) -> Actor:
        """Who acts; with `duties` one of them is needed. Raises RefusedError: 401 (leads to the login), 403."""
        return actor_of(request, *duties)

    async def form(self, request: Request) -> FormValues:
        """The checked form, for async routes; a route in a thread takes `form: Form` (regulator.base.web.forms)."""
        return await checked_form(request)

    async def led_on(self, request: Request, refused: RefusedError) -> Response | None:
        """See `Shell.led_on`."""
        if refused.code == "login_needed":
            return await self.ask_login(request)
        if refused.code in ("code_needed", "second_factor_needed") and request.method == "GET":
            page = "/login/code" if refused.code == "code_needed" else "/me/second-factor"
            return RedirectResponse(f"{page}?next={quote(back_of(request))}", 303)
        if refused.code == "password_change_needed" and request.method == "GET":
            return RedirectResponse("/me", 303)
        return None

    def known(self, request: Request) -> dict[str, object]:
        """See `Shell.known`."""
        visitor = visitor_of(request)
        settings = self.desk.settings
        return super().known(request) | {
            "visitor": visitor,
            "actor": visitor.actor,
            "csrf": visitor.csrf,
            "Duty": Duty,
            "navigation": self._navigation(request),
            "desk_zh": settings.name_zh,
            "desk_en": settings.name_en,
            "place_names": PlaceNames(self.desk.database.reading),
        }

    @staticmethod
    def _navigation(request: Request) -> list[NavigationGroup]:
        visitor = visitor_of(request)
        if visitor.actor is None:
            return []
        known = {getattr(route, "path", "") for route in request.app.routes}
        return navigation_of(known, visitor.has, path_of(request))


def shared_routes(app: FastAPI, pages: Pages) -> None:
    """What every face has, and the desk's sign for browsers that look for one."""
    shell_routes(app, pages)

    @app.get("/favicon.ico")
    async def favicon() -> Response:
        return RedirectResponse(pages.files.url("screens/mark-normal.svg"), 307)
