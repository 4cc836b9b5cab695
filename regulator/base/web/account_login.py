"""Logging in and out, and the seat somebody acts in.

GET  /login?next=/hazards     the form
POST /login                   a new session, then the page that was asked for
POST /logout                  the session ends here, whatever the browser keeps
POST /seat                    act in another seat
"""

from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response

from kit.web.guarding import BROWSER_COOKIE
from regulator.base.accounts.directory import anyone
from regulator.base.accounts.model import Caller
from regulator.base.accounts.passwords import Passwords
from regulator.base.accounts.rows import has_second_factor
from regulator.base.accounts.sessions import end_session, log_in, take_seat
from regulator.base.desk import Desk
from regulator.base.model.refusals import RefusedError
from regulator.base.web.forms import Form
from regulator.base.web.pages import Pages
from regulator.base.web.session_cookie import give_token, take_token, token_in
from regulator.base.web.visitor import presence_of, visitor_of
from screens.addresses import local_path


def login_routes(desk: Desk, app: FastAPI, pages: Pages, passwords: Passwords) -> None:
    """The routes."""

    @app.get("/login")
    def login_form(request: Request) -> Response:
        going_on = local_path(request.query_params.get("next", "/"))
        if visitor_of(request).presence:
            return RedirectResponse(going_on, 303)
        expired = bool(token_in(request)) and "done" not in request.query_params
        return _page(desk, pages, request, going_on, expired=expired)

    @app.post("/login")
    def login(request: Request, form: Form) -> Response:
        going_on = local_path(form.get("next", "/"))
        typed = (form["login"], form["password"])
        try:
            caller = caller_of(request)
            account, token = log_in(desk.database, desk.ledger, passwords, typed, caller, desk.now_ns())
        except RefusedError as refused:
            return _page(desk, pages, request, going_on, refused, login=typed[0][:64])
        end_own(desk, request)
        answer = RedirectResponse("/me" if account.must_change else going_on, 303)
        with desk.database.reading() as db:
            if has_second_factor(db, account.user_id):
                answer = RedirectResponse(f"/login/code?next={quote(going_on)}", 303)
        give_token(request, answer, token)
        return answer

    @app.post("/logout")
    def logout(request: Request, form: Form) -> Response:  # noqa: ARG001 - reading it checks where it came from
        end_own(desk, request)
        answer = RedirectResponse("/login?done=logout", 303)
        take_token(request, answer)
        return answer

    @app.post("/seat")
    def seat(request: Request, form: Form) -> Response:
        with desk.database.transaction() as db:
            take_seat(db, desk.ledger, presence_of(request), form["seat"], desk.now_ns())
        return RedirectResponse(local_path(form.get("back", "/")), 303)


def caller_of(request: Request) -> Caller:
    """Where somebody comes from."""
    browser = request.cookies.get(BROWSER_COOKIE, "")
    return Caller(visitor_of(request).address, request.headers.get("user-agent", ""), browser)


def end_own(desk: Desk, request: Request) -> None:
    """End the login that the request itself brought, if any."""
    presence = visitor_of(request).login
    if presence is not None:
        with desk.database.transaction() as db:
            end_session(db, desk.ledger, presence.account, presence.session.session_id, desk.now_ns())


def _page(
    desk: Desk,
    pages: Pages,
    request: Request,
    going_on: str,
    refused: RefusedError | None = None,
    *,
    login: str = "",
    expired: bool = False,
) -> Response:
    with desk.database.reading() as db:
        known = anyone(db)
    status = refused.status if refused else 200
    values = {"going_on": going_on, "refused": refused, "login": login, "expired": expired, "anyone": known}
    sign_on = desk.settings.oidc is not None
    return pages.render(request, "account_login.html", status, sign_on=sign_on, **values)
