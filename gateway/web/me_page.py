"""One's own account: another password, and one's logins on other machines.

GET  /me
POST /me/password
POST /me/sessions/{session_id}/end
"""

from fastapi import FastAPI
from fastapi.responses import Response
from starlette.requests import Request

from gateway.accounts.faults import AccountError, AccountFault
from gateway.accounts.people import Actor
from gateway.web.account_desk import AccountDesk, back_to, both, caller_of, kept
from gateway.web.account_visitors import SESSION, give_cookie, token_in
from gateway.web.visitor import RefusedError, Visitor, visitor_of


def me_routes(app: FastAPI, desk: AccountDesk) -> None:
    """The page and its forms."""

    @app.get("/me")
    async def me(request: Request) -> Response:
        return _page(request, desk, _person(request))

    @app.post("/me/password")
    async def change_password(request: Request) -> Response:
        visitor, fields = _person(request), await desk.pages.form(request)
        people, logins = desk.accounts.people, desk.accounts.logins
        try:
            password, old = both(fields), fields.get("old", "")
            await logins.check_password(visitor.login, old, caller_of(request), AccountFault.WRONG_PASSWORD)
            person = await kept(people.change_password(visitor.login, password, _actor(visitor)))
            token = await kept(logins.open(person, caller_of(request), shown=True))
        except AccountError as error:
            return _page(request, desk, visitor, error)
        answer = back_to("/me?done=password")
        give_cookie(request, answer, SESSION, token)
        return answer

    @app.post("/me/sessions/{session_id}/end")
    async def end_session(request: Request, session_id: str) -> Response:
        visitor = _person(request)
        await desk.pages.form(request)
        await kept(desk.accounts.logins.end(visitor.login, session_id, _actor(visitor)))
        return back_to("/me?done=ended")


def _person(request: Request) -> Visitor:
    """Whoever has logged in; a wall screen or a machine has no account of its own."""
    visitor = visitor_of(request)
    if not visitor.person:
        raise RefusedError(401, "login_needed", "请先登录", "log in first")
    return visitor


def _actor(visitor: Visitor) -> Actor:
    return Actor(visitor.name, visitor.address)


def _page(request: Request, desk: AccountDesk, visitor: Visitor, error: AccountError | None = None) -> Response:
    found = desk.accounts.logins.whose(token_in(request, SESSION))
    return desk.show(
        request,
        "account_me.html",
        error,
        person=desk.accounts.people.find(visitor.login),
        sessions=desk.accounts.logins.of(visitor.login),
        factor=desk.accounts.factors.of(visitor.login),
        this_session=found[0].session_id if found else "",
    )
