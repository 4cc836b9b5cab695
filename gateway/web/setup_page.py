"""The first set-up: whoever reads the code on the box's console makes the first administrator.

GET, POST /setup              while there is no account; afterwards the login
"""

from fastapi import FastAPI
from fastapi.responses import Response
from starlette.requests import Request

from gateway.accounts.faults import AccountError
from gateway.accounts.person import Newcomer, Role
from gateway.web.account_desk import AccountDesk, back_to, both, caller_of, kept
from gateway.web.account_visitors import SESSION, give_cookie


def setup_routes(app: FastAPI, desk: AccountDesk) -> None:
    """The page and its form."""

    @app.get("/setup")
    async def setup_form(request: Request) -> Response:
        if desk.accounts.people.exist() and not desk.accounts.recoverable:
            return back_to("/login")
        return _page(request, desk)

    @app.post("/setup")
    async def setup(request: Request) -> Response:
        fields = await desk.pages.form(request)
        try:
            newcomer = Newcomer(fields.get("name", ""), fields.get("title", ""), Role.ADMINISTRATOR, both(fields))
            _, token = await kept(desk.accounts.set_up(fields.get("code", ""), newcomer, caller_of(request)))
        except AccountError as error:
            typed = {name: fields.get(name, "")[:64] for name in ("code", "name", "title")}
            return _page(request, desk, error, **typed)
        answer = back_to("/")
        give_cookie(request, answer, SESSION, token)
        return answer


def _page(request: Request, desk: AccountDesk, error: AccountError | None = None, **typed: object) -> Response:
    known: dict[str, object] = {
        "code": "",
        "name": "",
        "title": "",
        "first": not desk.accounts.people.exist(),
        "private": desk.visitors.private(request),
        "sending_allowed": desk.visitors.sending_allowed(request),
    }
    return desk.show(request, "account_setup.html", error, **(known | typed))
