"""Whether this replica lives and whether it can work: for proxies and supervisors, open to all, saying nothing else.

GET /healthz    the program answers
GET /readyz     the database answers too; 503 when it does not
"""

import logging
from functools import partial

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, Response
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from regulator.base.desk import Desk
from regulator.base.web.pages import Pages
from regulator.base.web.part import Part

log = logging.getLogger(__name__)


def part(desk: Desk) -> Part:
    """The routes."""
    return Part(partial(_install, desk))


def _install(desk: Desk, app: FastAPI, _pages: Pages) -> None:
    @app.get("/healthz")
    async def healthz() -> Response:
        return PlainTextResponse("ok")

    @app.get("/readyz")
    def readyz() -> Response:
        try:
            with desk.database.reading() as db:
                db.execute(text("SELECT 1"))
        except (SQLAlchemyError, OSError) as error:
            log.warning("event=not_ready error=%s", type(error).__name__)
            return PlainTextResponse("database", 503)
        return PlainTextResponse("ok")
