"""The second factor of a login: shown after the password, and one's own set-up.

GET, POST /login/code                    the code that a login owes
GET       /me/second-factor              the state, or the picture to scan
POST      /me/second-factor/begin | confirm | codes | remove
"""

from contextlib import AbstractContextManager
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Connection

from regulator.base.accounts.model import Account
from regulator.base.accounts.second_factor import (
    SecondFactor,
    begin,
    confirm,
    factor_of,
    fresh_codes,
    remove,
    show,
    trying,
)
from regulator.base.desk import Desk
from regulator.base.model.refusals import RefusedError
from regulator.base.web.account_login import caller_of
from regulator.base.web.forms import Form, FormValues
from regulator.base.web.pages import Pages
from regulator.base.web.visitor import presence_of, setting_up, visitor_of
from screens.addresses import local_path
from screens.second_factor import app_address, qr_picture, said_in_groups

PAGE = "/me/second-factor"


def second_factor_routes(desk: Desk, app: FastAPI, pages: Pages) -> None:
    """The pages and their forms."""
    _showing(desk, app, pages)
    _own(desk, app, pages)


def _showing(desk: Desk, app: FastAPI, pages: Pages) -> None:
    @app.get("/login/code")
    def code_form(request: Request) -> Response:
        going_on = local_path(request.query_params.get("next", "/"))
        if visitor_of(request).owing is None:
            return RedirectResponse(going_on, 303)
        return pages.render(request, "account_code.html", refused=None, going_on=going_on)

    @app.post("/login/code")
    def shown(request: Request, form: Form) -> Response:
        going_on, visitor = local_path(form.get("next", "/")), visitor_of(request)
        if visitor.owing is None:
            return RedirectResponse(going_on, 303)
        try:
            show(desk.database, desk.ledger, visitor.owing, form["code"], caller_of(request), desk.now_ns())
        except RefusedError as refused:
            known = {"refused": refused, "going_on": going_on}
            return pages.render(request, "account_code.html", refused.status, **known)
        return RedirectResponse("/me" if visitor.owing.account.must_change else going_on, 303)


def _own(desk: Desk, app: FastAPI, pages: Pages) -> None:
    @app.get(PAGE)
    def own(request: Request) -> Response:
        return _page(desk, pages, request)

    @app.post(f"{PAGE}/begin")
    def begun(request: Request, form: Form) -> Response:
        account = setting_up(request).account
        try:
            with _trying(desk, request, account) as db:
                begin(db, account, form.get("code"), desk.now_ns())
        except RefusedError as refused:
            return _page(desk, pages, request, refused)
        return RedirectResponse(f"{PAGE}?next={quote(_going_on(form))}", 303)

    @app.post(f"{PAGE}/confirm")
    def confirmed(request: Request, form: Form) -> Response:
        presence = setting_up(request)
        try:
            with desk.database.transaction() as db:
                codes = confirm(db, desk.ledger, presence, form["code"], desk.now_ns())
        except RefusedError as refused:
            return _page(desk, pages, request, refused, _going_on(form))
        return _codes(pages, request, codes, "/me" if presence.account.must_change else _going_on(form))

    @app.post(f"{PAGE}/codes")
    def anew(request: Request, form: Form) -> Response:
        account = presence_of(request).account
        try:
            with _trying(desk, request, account) as db:
                codes = fresh_codes(db, desk.ledger, account, form["code"], desk.now_ns())
        except RefusedError as refused:
            return _page(desk, pages, request, refused)
        return _codes(pages, request, codes, PAGE)

    @app.post(f"{PAGE}/remove")
    def gone(request: Request, form: Form) -> Response:
        account = presence_of(request).account
        try:
            with _trying(desk, request, account) as db:
                remove(db, desk.ledger, account, form["code"], desk.now_ns())
        except RefusedError as refused:
            return _page(desk, pages, request, refused)
        return RedirectResponse(PAGE, 303)


def _trying(desk: Desk, request: Request, account: Account) -> AbstractContextManager[Connection]:
    return trying(desk.database, desk.ledger, account, caller_of(request), desk.now_ns())


def _going_on(form: FormValues) -> str:
    return local_path(form.get("next", "/me"))


def _codes(pages: Pages, request: Request, codes: list[str], going_on: str) -> Response:
    return pages.render(request, "account_second_factor.html", codes=codes, going_on=going_on)


def _page(
    desk: Desk, pages: Pages, request: Request, refused: RefusedError | None = None, going_on: str = ""
) -> Response:
    presence = setting_up(request)
    with desk.database.reading() as db:
        factor = factor_of(db, presence.account.user_id, desk.now_ns())
    asked_of = frozenset(desk.settings.second_factor_for)
    required = any(seat.actor.duties & asked_of for seat in presence.seats)
    return pages.render(
        request,
        "account_second_factor.html",
        refused.status if refused else 200,
        refused=refused,
        codes=[],
        factor=factor,
        required=required,
        going_on=going_on or local_path(request.query_params.get("next", "/me")),
        **_to_scan(desk, factor, presence.account.login),
    )


def _to_scan(desk: Desk, factor: SecondFactor, login: str) -> dict[str, str]:
    """The picture and the key of a set-up that was begun."""
    if not factor.pending:
        return {"picture": "", "secret": ""}
    address = app_address(factor.pending, login, desk.settings.name_zh)
    return {"picture": qr_picture(address), "secret": said_in_groups(factor.pending)}
