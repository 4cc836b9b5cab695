"""What every page of a face needs: its templates, the visitor's language and theme, refusals, the choice of display.

In: a face's folder of templates, messages and browser's files, and requests. Out: HTML answers; refusals as a page or
as JSON. Each face says beside it what its pages know and how its forms are checked.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.requests import Request

from contract import __version__
from kit.refusals import RefusedError
from kit.web.refusing import framework_refusals
from kit.words import NO_WORDS, Words
from screens.addresses import back_of, path_of
from screens.answers import error_answer
from screens.catalogue import LANGUAGES, Catalogue, Language
from screens.display import display_chosen, language_of, theme_of
from screens.static_files import StaticFiles
from screens.static_routes import static_routes
from screens.templating import FOLDER as SCREENS
from screens.templating import STATIC, page_environment

FORGED = (
    "表单已失效，未执行任何操作，请重新打开页面",
    "this form is out of date; nothing was done: open the page again",
)


class Shell(ABC):
    """Renders pages. `area`: what the face's own files are called, beside those of both; `refused`: the template of a
    refusal."""

    def __init__(self, folder: Path, area: str, refused: str) -> None:
        self.catalogue = Catalogue([SCREENS, folder])
        self.files = StaticFiles({"screens": STATIC, area: folder / "static"}, self.catalogue)
        self.environment = page_environment([folder / "templates"], self.catalogue, self.files)
        self.ask_login: Callable[[Request], Awaitable[Response]] = _to_login
        self._refused = refused

    @abstractmethod
    def now_ns(self) -> int:
        """UTC, ns."""

    @abstractmethod
    async def form(self, request: Request) -> Mapping[str, str]:
        """The form's values, after the check that this visitor's page made it. Raises RefusedError."""

    def language(self, request: Request) -> Language:
        """The browser's choice; Chinese until it chose. `?lang=en` shows one page in English."""
        return language_of(request)

    def text(self, request: Request, msgid: str, **values: object) -> str:
        """A text in the visitor's language, for messages made in code; list it in a .po file."""
        found = self.catalogue.text(self.language(request), msgid)
        return found % values if values else found

    def done(self, request: Request, notices: Mapping[str, Words]) -> str:
        """What the form before this page has done (`?done=`); only what the page knows, never what an address says."""
        return notices.get(request.query_params.get("done", ""), NO_WORDS).said(self.language(request))

    def render(self, request: Request, template: str, status: int = 200, **values: object) -> HTMLResponse:
        """The page. A part (`x-part` header) is the same call with another template."""
        known = self.known(request) | values
        return HTMLResponse(self.environment.get_template(template).render(known), status)

    async def refuse(self, request: Request, refused: RefusedError) -> Response:
        """A refusal as JSON for programs, as the login or a page for people."""
        if path_of(request).startswith("/api/") or "text/html" not in request.headers.get("accept", ""):
            return error_answer(refused.status, refused.code, refused.message_zh, refused.message_en, refused.field)
        led = await self.led_on(request, refused)
        return led or self.render(request, self._refused, refused.status, refused=refused)

    @abstractmethod
    async def led_on(self, request: Request, refused: RefusedError) -> Response | None:
        """Where a person goes who lacks a login or a part of it; None: they are told why not."""

    def known(self, request: Request) -> dict[str, object]:
        """What every template may name."""
        return {
            "language": self.language(request),
            "theme": theme_of(request),
            "languages": LANGUAGES,
            "path": path_of(request),
            "here": back_of(request),
            "version": __version__,
            "now_ns": self.now_ns(),
            "notice": "",
        }


def shell_routes(app: FastAPI, pages: Shell) -> None:
    """The browser's files, the choice of language and appearance, and refusals."""
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

    framework_refusals(app, pages.refuse)


async def _to_login(request: Request) -> Response:
    return RedirectResponse(f"/login?next={quote(back_of(request))}", 303)
