"""How the registry's pages act: as every area's, with the rules of the set and the check sheets at hand."""

from datetime import date

from starlette.requests import Request

from regulator.base.days import read_day
from regulator.base.desk import Desk
from regulator.base.web.act_door import ActDoor, back_to
from regulator.base.web.pages import Pages
from regulator.parts.registry.projects.set_office import SetRules
from regulator.parts.registry.rounds.sheets import SheetBook

__all__ = ["RegistryDoor", "back_to"]


class RegistryDoor(ActDoor):
    """What the pages of the registry share of rules and days."""

    def __init__(self, desk: Desk, pages: Pages, rules: SetRules, book: SheetBook) -> None:
        super().__init__(desk, pages)
        self.rules, self.book = rules, book

    def day_asked(self, request: Request) -> date:
        """`?day=`, or today. Raises RefusedError 422."""
        said = request.query_params.get("day", "")
        return read_day(said, "day") if said else self.today
