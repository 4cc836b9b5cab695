"""How a page of the desk acts: one transaction with the actor, the clock and the form's reason."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Connection
from starlette.requests import Request

from regulator.base.act import Act
from regulator.base.days import day_of
from regulator.base.desk import Desk
from regulator.base.web.pages import Pages


class ActDoor:
    """Shared by the pages of an area."""

    def __init__(self, desk: Desk, pages: Pages) -> None:
        self.desk, self.pages = desk, pages

    @contextmanager
    def act(self, request: Request, reason: str) -> Iterator[Act]:
        """All or nothing."""
        actor = self.pages.actor(request)
        with self.desk.database.transaction() as db:
            yield Act(db, self.desk.ledger, actor, self.pages.now_ns(), reason)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """What is committed."""
        with self.desk.database.reading() as db:
            yield db

    @property
    def today(self) -> date:
        """The day in Shanghai."""
        return day_of(self.pages.now_ns())


def back_to(path: str) -> Response:
    """After a form was carried out."""
    return RedirectResponse(path, 303)
