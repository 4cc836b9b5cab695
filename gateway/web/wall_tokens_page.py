"""Wall screens, for administrators: each has a token of its own, which may look, can be taken back and may end.

GET  /walls                    the list
POST /walls                    a new one: its link and its short code, shown once
POST /walls/{wall_id}/revoke
GET  /wall/pair?token=...      on the screen itself: keeps the token and goes to /wall
GET, POST /wall/pair           the same with the short code
"""

from fastapi import FastAPI
from fastapi.responses import Response
from starlette.requests import Request

from gateway.accounts.faults import AccountError, AccountFault
from gateway.accounts.person import Role
from gateway.web.account_desk import AccountDesk, actor_of, back_to, kept
from gateway.web.account_visitors import WALL, address_of, give_cookie
from gateway.web.visitor import require


def wall_routes(app: FastAPI, desk: AccountDesk) -> None:
    """The pages and their forms."""
    walls = desk.accounts.walls

    @app.get("/walls")
    async def all_walls(request: Request) -> Response:
        require(request, Role.ADMINISTRATOR)
        return _page(request, desk)

    @app.post("/walls")
    async def give(request: Request) -> Response:
        by, fields = actor_of(request, Role.ADMINISTRATOR), await desk.pages.form(request)
        title, days = fields.get("title", ""), fields.get("days", "").strip()
        try:
            wall, token = await kept(walls.give(title, by, _days(days)))
        except AccountError as error:
            return _page(request, desk, error, title=title[:64], days=days[:8])
        link = f"{str(request.base_url).rstrip('/')}/wall?token={token}"
        return _page(request, desk, new_wall=wall, link=link, pairing_code=walls.pairing_code(token))

    @app.post("/walls/{wall_id}/revoke")
    async def revoke(request: Request, wall_id: str) -> Response:
        by = actor_of(request, Role.ADMINISTRATOR)
        await desk.pages.form(request)
        try:
            await kept(walls.revoke(wall_id, by))
        except AccountError as error:
            return _page(request, desk, error)
        return back_to("/walls?done=revoked")

    _pairing_routes(app, desk)


def _pairing_routes(app: FastAPI, desk: AccountDesk) -> None:
    walls = desk.accounts.walls

    @app.get("/wall/pair")
    async def pair_form(request: Request) -> Response:
        token = request.query_params.get("token", "")
        if walls.whose(token) is not None:
            return _paired(request, token)
        error = AccountError(AccountFault.NO_SUCH_WALL) if token else None
        return desk.show(request, "account_pair.html", error)

    @app.post("/wall/pair")
    async def pair(request: Request) -> Response:
        fields = await desk.pages.form(request)
        try:
            return _paired(request, walls.paired(fields.get("code", ""), address_of(request)))
        except AccountError as error:
            return desk.show(request, "account_pair.html", error)


def _days(typed: str) -> int:
    """0 for an empty field."""
    if not typed:
        return 0
    days = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) <= 4 else 0
    if not days:
        raise AccountError(AccountFault.BAD_WALL_DAYS)
    return days


def _paired(request: Request, token: str) -> Response:
    answer = back_to("/wall")
    give_cookie(request, answer, WALL, token)
    return answer


def _page(request: Request, desk: AccountDesk, error: AccountError | None = None, **values: object) -> Response:
    known: dict[str, object] = {
        "walls": desk.accounts.walls.all(),
        "title": "",
        "days": "",
        "new_wall": None,
        "link": "",
        "pairing_code": "",
    }
    return desk.show(request, "account_walls.html", error, **(known | values))
