"""What every page of the desk needs: its templates, the visitor's language and theme, forms that nobody forged.

In: the desk and a request. Out: HTML answers, checked form values, refusals as a page or as JSON. A page module adds
its own routes and templates and knows nothing of cookies.
"""

from collections.abc import Awaitable, Callable
from dataclasses import astuple
from pathlib import Path
from typing import Final
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.requests import Request

from contract import __version__
from regulator.base.desk import Desk
from regulator.base.model.actor import Actor, Duty
from regulator.base.model.refusals import RefusedError
from regulator.base.web.forms import Form, FormValues, checked_form
from regulator.base.web.navigation import NavigationGroup, navigation_of
from regulator.base.web.place_names import PlaceNames
from regulator.base.web.visitor import actor_of, visitor_of
from screens.addresses import back_of, path_of
from screens.answers import error_answer
from screens.catalogue import LANGUAGES, Catalogue, Language
from screens.display import display_chosen, language_of, theme_of
from screens.guarding import RequestFault
from screens.refusing import framework_refusals
from screens.static_files import StaticFiles
from screens.static_routes import static_routes
from screens.templating import FOLDER as SCREENS
from screens.templating import STATIC, page_environment

FOLDER: Final = Path(__file__).parent


class Pages:
    """Renders pages. Shared by all areas."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.catalogue = Catalogue([SCREENS, FOLDER])
        self.files = StaticFiles({"screens": STATIC, "desk": FOLDER / "static"}, self.catalogue)
        self.environment = page_environment([FOLDER / "templates"], self.catalogue, self.files)
        self.ask_login: Callable[[Request], Awaitable[Response]] = _to_login
        self._version = __version__

    def now_ns(self) -> int:
        """UTC, ns."""
        return self.desk.now_ns()

    def language(self, request: Request) -> Language:
        """The browser's choice; Chinese until it chose."""
        return language_of(request)

    def text(self, request: Request, msgid: str, **values: object) -> str:
        """A text in the visitor's language, for messages made in code; list it in a .po file."""
        found = self.catalogue.text(self.language(request), msgid)
        return found % values if values else found

    def actor(self, request: Request, *duties: Duty) -> Actor:
        """Who acts; with `duties` one of them is needed. Raises RefusedError: 401 (leads to the login), 403."""
        return actor_of(request, *duties)

    async def form(self, request: Request) -> FormValues:
        """The checked form, for async routes; a route in a thread takes `form: Form` (regulator.base.web.forms)."""
        return await checked_form(request)

    def render(self, request: Request, template: str, status: int = 200, **values: object) -> HTMLResponse:
        """The page. A part (`x-part` header) is the same call with another template."""
        known = self._known(request) | values
        return HTMLResponse(self.environment.get_template(template).render(known), status)

    async def refuse(self, request: Request, refused: RefusedError) -> Response:
        """A refusal as JSON for programs, as the login or a page for people."""
        if path_of(request).startswith("/api/") or "text/html" not in request.headers.get("accept", ""):
            return error_answer(refused.status, refused.code, refused.message_zh, refused.message_en, refused.field)
        if refused.code == "login_needed":
            return await self.ask_login(request)
        if refused.code in ("code_needed", "second_factor_needed") and request.method == "GET":
            page = "/login/code" if refused.code == "code_needed" else "/me/second-factor"
            return RedirectResponse(f"{page}?next={quote(back_of(request))}", 303)
        if refused.code == "password_change_needed" and request.method == "GET":
            return RedirectResponse("/me", 303)
        return self.render(request, "desk_refused.html", refused.status, refused=refused)

    def _known(self, request: Request) -> dict[str, object]:
        visitor = visitor_of(request)
        settings = self.desk.settings
        return {
            "language": self.language(request),
            "theme": theme_of(request),
            "languages": LANGUAGES,
            "visitor": visitor,
            "actor": visitor.actor,
            "csrf": visitor.csrf,
            "Duty": Duty,
            "navigation": self._navigation(request),
            "path": path_of(request),
            "here": back_of(request),
            "desk_zh": settings.name_zh,
            "desk_en": settings.name_en,
            "version": self._version,
            "place_names": PlaceNames(self.desk.database.reading),
            "now_ns": self.now_ns(),
            "notice": "",
        }

    @staticmethod
    def _navigation(request: Request) -> list[NavigationGroup]:
        visitor = visitor_of(request)
        if visitor.actor is None:
            return []
        known = {getattr(route, "path", "") for route in request.app.routes}
        return navigation_of(known, visitor.has, path_of(request))


def shared_routes(app: FastAPI, pages: Pages) -> None:
    """The browser's files, the choice of language and appearance, and refusals."""
    static_routes(app, pages.files)

    @app.post("/preferences")
    async def preferences(request: Request, form: Form) -> Response:
        answer = display_chosen(request, form)
        if answer is None:
            raise RefusedError(422, "bad_preference", "没有这个选项", "no such choice")
        return answer

    @app.get("/favicon.ico")
    async def favicon() -> Response:
        return RedirectResponse(pages.files.url("screens/mark-normal.svg"), 307)

    @app.exception_handler(RefusedError)
    async def refused(request: Request, error: RefusedError) -> Response:
        return await pages.refuse(request, error)

    async def refuse(request: Request, fault: RequestFault) -> Response:
        return await pages.refuse(request, RefusedError(*astuple(fault)))

    framework_refusals(app, refuse)


async def _to_login(request: Request) -> Response:
    return RedirectResponse(f"/login?next={quote(back_of(request))}", 303)
