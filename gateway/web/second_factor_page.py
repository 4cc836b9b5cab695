"""The second factor of a login: shown after the password, and one's own set-up.

GET, POST /login/code                    the code that a login owes
GET       /me/second-factor              the state, or the picture to scan
POST      /me/second-factor/begin | confirm | codes | remove
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.responses import Response
from starlette.requests import Request

from gateway.accounts.account_rows import Session
from gateway.accounts.faults import AccountError
from gateway.accounts.people import Actor
from gateway.accounts.person import Person
from gateway.web.account_desk import AccountDesk, back_to, caller_of, kept
from gateway.web.account_visitors import SESSION, token_in
from gateway.web.visitor import RefusedError, visitor_of
from screens.addresses import local_path
from screens.second_factor import Owes, app_address, qr_picture, said_in_groups

PAGE: Final = "/me/second-factor"


def second_factor_routes(app: FastAPI, desk: AccountDesk) -> None:
    """The pages and their forms."""
    _showing(app, desk)
    _own(app, desk)


def _showing(app: FastAPI, desk: AccountDesk) -> None:
    @app.get("/login/code")
    async def code_form(request: Request) -> Response:
        going_on = local_path(request.query_params.get("next", "/"))
        if visitor_of(request).owing is not Owes.CODE:
            return back_to(going_on)
        return desk.show(request, "account_code.html", going_on=going_on)

    @app.post("/login/code")
    async def shown(request: Request) -> Response:
        fields = await desk.pages.form(request)
        going_on = local_path(fields.get("next", "/"))
        if visitor_of(request).owing is not Owes.CODE:
            return back_to(going_on)
        session, person = _login(request, desk)
        try:
            typed, factors = fields.get("code", ""), desk.accounts.factors
            await kept(factors.show(person.name, session.session_id, typed, _by(request), caller_of(request)))
        except AccountError as error:
            return desk.show(request, "account_code.html", error, going_on=going_on)
        return back_to("/me" if person.must_change else going_on)


def _own(app: FastAPI, desk: AccountDesk) -> None:
    factors = desk.accounts.factors

    @app.get(PAGE)
    async def own(request: Request) -> Response:
        return _page(request, desk)

    @app.post(f"{PAGE}/begin")
    async def begun(request: Request) -> Response:
        (_, person), fields = _login(request, desk), await desk.pages.form(request)
        try:
            await kept(factors.begin(person.name, fields.get("code", ""), _by(request)))
        except AccountError as error:
            return _page(request, desk, error)
        return back_to(f"{PAGE}?next={quote(_going_on(fields))}")

    @app.post(f"{PAGE}/confirm")
    async def confirmed(request: Request) -> Response:
        (session, person), fields = _login(request, desk), await desk.pages.form(request)
        try:
            code = fields.get("code", "")
            codes = await kept(factors.confirm(person.name, session.session_id, code, _by(request)))
        except AccountError as error:
            return _page(request, desk, error, _going_on(fields))
        return _codes(request, desk, codes, "/me" if person.must_change else _going_on(fields))

    @app.post(f"{PAGE}/codes")
    async def anew(request: Request) -> Response:
        (_, person), fields = _login(request, desk), await desk.pages.form(request)
        try:
            codes = await kept(factors.fresh_codes(person.name, fields.get("code", ""), _by(request)))
        except AccountError as error:
            return _page(request, desk, error)
        return _codes(request, desk, codes, PAGE)

    @app.post(f"{PAGE}/remove")
    async def gone(request: Request) -> Response:
        (_, person), fields = _login(request, desk), await desk.pages.form(request)
        try:
            await kept(factors.remove(person.name, fields.get("code", ""), _by(request)))
        except AccountError as error:
            return _page(request, desk, error)
        return back_to(PAGE)


def _login(request: Request, desk: AccountDesk) -> tuple[Session, Person]:
    """Whose login it is; a wall screen or a machine has no account of its own."""
    visitor = visitor_of(request)
    found = desk.accounts.logins.whose(token_in(request, SESSION)) if visitor.person or visitor.owing else None
    if found is None:
        raise RefusedError(401, "login_needed", "请先登录", "log in first")
    return found


def _by(request: Request) -> Actor:
    visitor = visitor_of(request)
    return Actor(visitor.name, visitor.address)


def _going_on(fields: Mapping[str, str]) -> str:
    return local_path(fields.get("next", "/me"))


def _codes(request: Request, desk: AccountDesk, codes: list[str], going_on: str) -> Response:
    return desk.show(request, "account_second_factor.html", codes=codes, going_on=going_on)


def _page(request: Request, desk: AccountDesk, error: AccountError | None = None, going_on: str = "") -> Response:
    _, person = _login(request, desk)
    factor, parts = desk.accounts.factors.of(person.name), desk.pages.view.parts
    address = app_address(factor.pending, person.name, f"{parts.site_zh} {parts.box_id}") if factor.pending else ""
    return desk.show(
        request,
        "account_second_factor.html",
        error,
        codes=[],
        factor=factor,
        required=desk.accounts.factors.required(person),
        picture=qr_picture(address) if address else "",
        secret=said_in_groups(factor.pending),
        going_on=going_on or local_path(request.query_params.get("next", "/me")),
    )
