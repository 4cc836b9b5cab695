"""How the pages of differentiated supervision act: one transaction with the actor, the clock and the form's reason."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Annotated

from fastapi import Path, Query
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Connection
from starlette.requests import Request

from regulator.desk import Desk
from regulator.registry.act import Act
from regulator.registry.days import day_of
from regulator.web.pages import Pages

Words = Annotated[str, Query(max_length=100, pattern=r"^[^\x00]*$")]
Code = Annotated[str, Path(max_length=64, pattern=r"^[0-9A-Za-z_.-]+$")]
Id = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


class SupervisionDoor:
    """Shared by the pages of supervision."""

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
