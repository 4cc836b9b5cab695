"""How the registry's pages act: one transaction with the actor, the clock and the form's reason."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Connection
from starlette.requests import Request

from regulator.desk import Desk
from regulator.registry.act import Act
from regulator.registry.days import day_of, read_day
from regulator.registry.rounds.sheets import SheetBook
from regulator.registry.set_office import SetRules
from regulator.web.pages import Pages


class RegistryDoor:
    """Shared by the registry's pages."""

    def __init__(self, desk: Desk, pages: Pages, rules: SetRules, book: SheetBook) -> None:
        self.desk, self.pages, self.rules, self.book = desk, pages, rules, book

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

    def day_asked(self, request: Request) -> date:
        """`?day=`, or today. Raises RefusedError 422."""
        said = request.query_params.get("day", "")
        return read_day(said, "day") if said else self.today


def back_to(path: str) -> Response:
    """After a form was carried out."""
    return RedirectResponse(path, 303)
