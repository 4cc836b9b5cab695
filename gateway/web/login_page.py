"""Logging in and out.

    GET  /login?next=/alarms      the form; says so when a login has run out, and what was not carried out
    POST /login                   a new session, then the page that was asked for
    POST /logout                  the session ends here, whatever the browser keeps

In: a name and a password. Out: a session cookie, or why not. A path to go on to is one of this box, never elsewhere.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.responses import RedirectResponse, Response
from starlette.requests import Request
from starlette.routing import Match

from gateway.accounts.faults import AccountError
from gateway.web.account_desk import AccountDesk, back_to, caller_of, kept
from gateway.web.account_visitors import SESSION, address_of, give_cookie, take_cookie, token_in
from gateway.web.visitor import visitor_of
from kit.web.guarding import FORM_TYPE
from screens.addresses import back_of, local_path, path_of
from screens.second_factor import Owes

NOT_TEXT: Final = frozenset({"csrf", "password", "again", "old", "code", "next", "back"})
MOST_TYPED: Final = 10


def login_routes(app: FastAPI, desk: AccountDesk) -> None:
    """The routes, and the question for a login wherever one is needed."""
    desk.pages.ask_login = lambda request: _asked(request, desk)

    @app.get("/login")
    async def login_form(request: Request) -> Response:
        going_on = local_path(request.query_params.get("next", "/"))
        if visitor_of(request).person:
            return back_to(going_on)
        if not desk.accounts.people.exist():
            return back_to("/setup")
        return _page(request, desk, going_on)

    @app.post("/login")
    async def login(request: Request) -> Response:
        fields = await desk.pages.form(request)
        going_on = local_path(fields.get("next", "/"))
        before = token_in(request, SESSION)
        try:
            doing = desk.accounts.logins.login(fields.get("name", ""), fields.get("password", ""), caller_of(request))
            person, token = await kept(doing)
        except AccountError as error:
            return _page(request, desk, going_on, error, name=fields.get("name", "")[:64])
        if before:
            await kept(desk.accounts.logins.logout(before, address_of(request)))
        answer = back_to("/me" if person.must_change else going_on)
        if desk.accounts.factors.of(person.name).confirmed_at_ns:
            answer = back_to(f"/login/code?next={quote(going_on)}")
        give_cookie(request, answer, SESSION, token)
        return answer

    @app.post("/logout")
    async def logout(request: Request) -> Response:
        await desk.pages.form(request)
        await kept(desk.accounts.logins.logout(token_in(request, SESSION), address_of(request)))
        answer = back_to("/login?done=logout")
        take_cookie(request, answer, SESSION)
        return answer


def _page(
    request: Request, desk: AccountDesk, going_on: str, error: AccountError | None = None, **values: object
) -> Response:
    """The form. A session cookie that opens nothing any more means that the login has run out."""
    expired = bool(token_in(request, SESSION)) and not visitor_of(request).person and error is None
    known: dict[str, object] = {
        "going_on": going_on,
        "expired": expired,
        "undone": False,
        "typed": [],
        "name": "",
        "private": desk.visitors.private(request),
        "sending_allowed": desk.visitors.sending_allowed(request),
    }
    return desk.show(request, "account_login.html", error, **(known | values))


async def _asked(request: Request, desk: AccountDesk) -> Response:
    """Somebody must log in first. What a form would have done is not done, and what was typed is shown to be copied."""
    if not desk.accounts.people.exist():
        return RedirectResponse("/setup", 303)
    owing = visitor_of(request).owing
    if owing is not None:
        page = "/login/code" if owing is Owes.CODE else "/me/second-factor"
        return RedirectResponse(f"{page}?next={quote(back_of(request) if request.method != 'POST' else '/')}", 303)
    token = request.query_params.get("token", "")
    if path_of(request) == "/wall" and token:
        return RedirectResponse(f"/wall/pair?token={quote(token)}", 303)
    if request.method != "POST":
        here = path_of(request) + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/login?next={quote(here)}", 303)
    answer = _page(request, desk, _page_above(request), undone=True, typed=await _typed(request))
    answer.status_code = 401
    return answer


async def _typed(request: Request) -> list[str]:
    """The texts of a form that was not carried out."""
    if not request.headers.get("content-type", "").startswith(FORM_TYPE):
        return []
    fields: Mapping[str, object] = await request.form()
    texts = [value for name, value in fields.items() if name not in NOT_TEXT and isinstance(value, str)]
    return [text for text in texts if text.strip()][:MOST_TYPED]


def _page_above(request: Request) -> str:
    """The page that a form's address belongs to: `/alarms/7` for `/alarms/7/acknowledge`."""
    path = path_of(request)
    while path.strip("/"):
        scope = dict(request.scope) | {"method": "GET", "path": path}
        if any(route.matches(scope)[0] is Match.FULL for route in request.app.routes):
            return path
        path = path.rsplit("/", 1)[0]
    return "/"
