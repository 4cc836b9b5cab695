"""Tokens of programs, for administrators: each has scopes and an end, is shown once, and can be taken back.

GET  /tokens                     the list
POST /tokens                     a new one: its secret, shown once
POST /tokens/{token_id}/revoke
"""

from collections.abc import Mapping
from typing import Final

from fastapi import FastAPI
from fastapi.responses import Response
from starlette.requests import Request

from gateway.accounts.faults import AccountError, AccountFault
from gateway.accounts.person import Role
from gateway.accounts.tokens import MOST_DAYS, USUAL_DAYS, TokenScope, Wanted
from gateway.web.account_desk import AccountDesk, actor_of, back_to, kept
from gateway.web.visitor import require

SCOPES: Final[Mapping[str, str]] = {
    TokenScope.METRICS: "metrics for Prometheus",
    TokenScope.READ: "reads what a viewer sees",
    TokenScope.AUDIT: "reads the audit, for a collector of logs",
    TokenScope.READINGS: "brings readings of a pit",
    TokenScope.COMMAND: "gives commands on alarms and subjects, sets baselines",
    TokenScope.RELOAD: "loads the site file anew",
}
"""Scope -> what it is for."""


def token_routes(app: FastAPI, desk: AccountDesk) -> None:
    """The page and its forms."""
    tokens = desk.accounts.tokens

    @app.get("/tokens")
    async def all_tokens(request: Request) -> Response:
        require(request, Role.ADMINISTRATOR)
        return _page(request, desk)

    @app.post("/tokens")
    async def make(request: Request) -> Response:
        by, fields = actor_of(request, Role.ADMINISTRATOR), await desk.pages.form(request)
        chosen = [scope for scope in SCOPES if f"scope_{scope}" in fields]
        try:
            draft = await kept(tokens.make(Wanted(fields.get("title", ""), chosen, _days(fields)), by))
        except AccountError as error:
            typed = {"title": fields.get("title", "")[:64], "days": fields.get("days", "")[:8], "chosen": chosen}
            return _page(request, desk, error, **typed)
        return _page(request, desk, draft=draft)

    @app.post("/tokens/{token_id}/revoke")
    async def revoke(request: Request, token_id: str) -> Response:
        by = actor_of(request, Role.ADMINISTRATOR)
        await desk.pages.form(request)
        try:
            await kept(tokens.revoke(token_id, by))
        except AccountError as error:
            return _page(request, desk, error)
        return back_to("/tokens?done=token_revoked")


def _days(fields: Mapping[str, str]) -> int:
    typed = fields.get("days", "").strip()
    if typed.isascii() and typed.isdecimal() and len(typed) <= 4:
        return int(typed)
    raise AccountError(AccountFault.BAD_DAYS)


def _page(request: Request, desk: AccountDesk, error: AccountError | None = None, **values: object) -> Response:
    tokens = desk.accounts.tokens
    known: dict[str, object] = {
        "tokens": [(token, tokens.expired(token)) for token in tokens.all()],
        "scopes": SCOPES,
        "title": "",
        "days": str(USUAL_DAYS),
        "most_days": MOST_DAYS,
        "chosen": (),
        "draft": None,
    }
    return desk.show(request, "account_tokens.html", error, **(known | values))
