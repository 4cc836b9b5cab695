"""The first page, where no area brings a better one: doors to what the visitor's seat may open."""

from fastapi import FastAPI, Request
from fastapi.responses import Response

from regulator.base.desk import Desk
from regulator.base.web.pages import Pages
from regulator.base.web.part import Part


def part(_desk: Desk) -> Part:
    """GET /"""
    return Part(_install)


def _install(app: FastAPI, pages: Pages) -> None:

    @app.get("/")
    async def first_page(request: Request) -> Response:
        pages.actor(request)
        return pages.render(request, "desk_home.html")
