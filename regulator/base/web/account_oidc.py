"""Signing on with the office's account, where the desk's settings name a provider.

GET /oidc/start?next=/hazards     to the provider
GET /oidc/callback?code=&state=   back: a login like any other, or why not

What ties the answer to the browser that asked is a cookie of its own (SameSite=Lax: the provider sends the browser
here from another site). The login's cookie is strict, so the page goes on by itself instead of redirecting.
"""

from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response

from regulator.base.accounts.bindings import signed_on
from regulator.base.accounts.oidc import REFUSED, Returned, SignOn
from regulator.base.accounts.sessions import open_session
from regulator.base.desk import Desk
from regulator.base.web.account_login import caller_of
from regulator.base.web.pages import Pages
from regulator.base.web.session_cookie import give_token
from screens.addresses import local_path

COOKIE: Final = "sign_on"
COOKIE_S: Final = 600
PATH: Final = "/oidc"


def oidc_routes(desk: Desk, app: FastAPI, pages: Pages) -> None:
    """The routes; none without a provider."""
    if desk.settings.oidc is None:
        return
    sign_on = SignOn(desk.settings.oidc, desk.database)

    @app.get("/oidc/start")
    def start(request: Request) -> Response:
        going_on = local_path(request.query_params.get("next", "/"))
        begun = sign_on.begin(_callback(desk, request), going_on, caller_of(request).address, desk.now_ns())
        answer = RedirectResponse(begun.address, 303)
        secure = request.scope["scheme"] == "https"
        answer.set_cookie(COOKIE, begun.browser, COOKIE_S, path=PATH, httponly=True, samesite="lax", secure=secure)
        return answer

    @app.get("/oidc/callback")
    def callback(request: Request) -> Response:
        asked = request.query_params
        if "code" not in asked or "state" not in asked:
            raise REFUSED
        returned = Returned(asked["code"], asked["state"], request.cookies.get(COOKIE, ""))
        who, going_on = sign_on.finish(returned, _callback(desk, request), desk.now_ns())
        account = signed_on(desk.database, desk.ledger, who, desk.now_ns())
        with desk.database.transaction() as db:
            token = open_session(db, desk.ledger, account, caller_of(request), desk.now_ns(), "oidc")
        answer = pages.render(request, "account_signed_on.html", going_on=going_on)
        give_token(request, answer, token)
        answer.delete_cookie(COOKIE, path=PATH)
        return answer


def _callback(desk: Desk, request: Request) -> str:
    """The address that the provider knows. Without `public_url` it is made from the request, for a desk on loopback."""
    base = desk.settings.public_url.rstrip("/") or str(request.base_url).rstrip("/")
    return f"{base}/oidc/callback"
