"""What every page of the box needs: its templates, the visitor's language and theme, forms that nobody forged.

In: the view over the box and a request. Out: HTML answers, checked form values, refusals as a page or as JSON. A page
module adds its own routes and templates and knows nothing of cookies.
"""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.requests import Request

from contract import __version__
from gateway.web.read_model import BoxView
from gateway.web.visitor import RefusedError, Role, visitor_of
from screens.addresses import back_of, path_of
from screens.answers import error_answer
from screens.catalogue import LANGUAGES, Catalogue, Language
from screens.display import display_chosen, language_of, theme_of
from screens.guarding import fits
from screens.static_files import StaticFiles
from screens.static_routes import static_routes
from screens.templating import FOLDER as SCREENS
from screens.templating import STATIC, page_environment

FOLDER: Final = Path(__file__).parent
FORGED: Final = (
    "表单已失效，未执行任何操作，请重新打开页面",
    "this form is out of date; nothing was done: open the page again",
)
NAV: Final = (
    ("/", "Site", Role.VIEWER),
    ("/alarms", "Alarms", Role.VIEWER),
    ("/cameras", "Cameras", Role.VIEWER),
    ("/curves", "Curves", Role.VIEWER),
    ("/orders", "Orders", Role.VIEWER),
    ("/permits", "Permits and warnings", Role.VIEWER),
    ("/health", "Health", Role.VIEWER),
    ("/figures", "Figures", Role.VIEWER),
    ("/log", "Safety log", Role.VIEWER),
    ("/handover", "Shift handover", Role.VIEWER),
)
"""Path, text, role. A page appears once its route exists."""


class Pages:
    """Renders pages. `clock` is the view's."""

    def __init__(self, view: BoxView) -> None:
        self.view = view
        self.catalogue = Catalogue([SCREENS, FOLDER])
        self.files = StaticFiles({"screens": STATIC, "site": FOLDER / "static"}, self.catalogue)
        self.environment = page_environment([FOLDER / "templates"], self.catalogue, self.files)
        self.ask_login: Callable[[Request], Awaitable[Response]] = _to_login

    def now_ns(self) -> int:
        """UTC, ns."""
        return self.view.parts.clock.now_ns()

    def language(self, request: Request) -> Language:
        """The browser's choice; Chinese until it chose. `?lang=en` shows one page in English."""
        return language_of(request)

    def text(self, request: Request, msgid: str, **values: object) -> str:
        """A text in the visitor's language, for messages made in code; list it in a .po file."""
        found = self.catalogue.text(self.language(request), msgid)
        return found % values if values else found

    def render(self, request: Request, template: str, status: int = 200, **values: object) -> HTMLResponse:
        """The page. A part (`x-part` header) is the same call with another template."""
        known = self._known(request) | values
        return HTMLResponse(self.environment.get_template(template).render(known), status)

    async def form(self, request: Request) -> Mapping[str, str]:
        """The form's values, each once, after the check that this visitor's page made it. Raises RefusedError."""
        values = await request.form()
        fields = {name: value for name, value in values.items() if isinstance(value, str)}
        if not fits(fields.get("csrf", ""), visitor_of(request).csrf):
            raise RefusedError(403, "forged_form", *FORGED, "csrf")
        return fields

    async def refuse(self, request: Request, refused: RefusedError) -> Response:
        """A refusal as JSON for programs, as the login or a page for people."""
        if path_of(request).startswith("/api/") or not self._wants_html(request):
            answer = error_answer(refused.status, refused.code, refused.message_zh, refused.message_en, refused.field)
            if refused.code == "token_needed":
                answer.headers["www-authenticate"] = 'Basic realm="Sitewarden"'
            return answer
        if refused.status == 401 and refused.code != "token_needed":
            return await self.ask_login(request)
        page = self.render(request, "refused.html", refused.status, refused=refused)
        if refused.code == "token_needed":
            page.headers["www-authenticate"] = 'Basic realm="Sitewarden"'
        return page

    def _known(self, request: Request) -> dict[str, object]:
        parts = self.view.parts
        return {
            "language": self.language(request),
            "theme": theme_of(request),
            "languages": LANGUAGES,
            "visitor": visitor_of(request),
            "Role": Role,
            "nav": NAV,
            "page_paths": {getattr(route, "path", "") for route in request.app.routes},
            "path": path_of(request),
            "here": back_of(request),
            "site_zh": parts.site_zh,
            "site_en": parts.site_en,
            "box_id": parts.box_id,
            "config_digest": parts.config.digest,
            "version": __version__,
            "now_ns": self.now_ns(),
            "notice": "",
        }

    @staticmethod
    def _wants_html(request: Request) -> bool:
        return "text/html" in request.headers.get("accept", "")


def shared_routes(app: FastAPI, pages: Pages) -> None:
    """The browser's files, and the choice of language and appearance."""

    static_routes(app, pages.files)

    @app.post("/preferences")
    async def preferences(request: Request) -> Response:
        answer = display_chosen(request, await pages.form(request))
        if answer is None:
            raise RefusedError(422, "bad_preference", "没有这个选项", "no such choice")
        return answer

    @app.exception_handler(RefusedError)
    async def refused(request: Request, error: RefusedError) -> Response:
        return await pages.refuse(request, error)


async def _to_login(request: Request) -> Response:
    return RedirectResponse(f"/login?next={quote(back_of(request))}", 303)
