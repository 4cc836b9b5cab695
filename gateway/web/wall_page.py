"""The wall: S1 for a screen that is read from five metres and that nobody touches.

    GET /wall    also /?kiosk=1; `theme=dark` or `theme=light` and `lang=en` in the address, as a wall has no settings

In: the board of the first screen. Out: its route. No command and no navigation is on it. It never blanks: when its
permission ends or the box is away, the feed's scripts keep the last picture, hatched, with its age.
"""

from urllib.parse import quote

from fastapi import FastAPI
from fastapi.responses import RedirectResponse, Response
from starlette.requests import Request

from gateway.web.account_visitors import WALL, give_cookie, token_in
from gateway.web.pages import Pages
from gateway.web.visitor import Role, VisitorKind, require


def wall_routes(app: FastAPI, pages: Pages) -> None:
    """The wall screen; the parts it shows are those of `overview_routes`."""

    @app.get("/wall")
    async def wall(request: Request) -> Response:
        return wall_page(request, pages)


def wall_page(request: Request, pages: Pages) -> Response:
    """The page. A wall's permission is kept by its browser for as long as it looks."""
    visitor = require(request, Role.VIEWER)
    if token := request.query_params.get("token"):  # somebody is logged in where the screen shall be
        return RedirectResponse(f"/wall/pair?token={quote(token)}", 303)
    answer = pages.render(request, "wall.html", wall=True, part=False)
    if visitor.kind is VisitorKind.WALL:
        give_cookie(request, answer, WALL, token_in(request, WALL))
    return answer
