"""The registry as a part of a desk: its ears, its jobs, its pages."""

from typing import Final

from fastapi import FastAPI

from regulator.desk import Desk, Job
from regulator.registry.coverage.arrivals import note_minute, note_still
from regulator.registry.coverage.standings import freeze
from regulator.registry.rounds.key_risk import list_by_rules
from regulator.web.pages import Pages
from regulator.web.registry_coverage import coverage_pages
from regulator.web.registry_door import RegistryDoor
from regulator.web.registry_imports import import_pages
from regulator.web.registry_projects import project_pages
from regulator.web.registry_risks import risk_pages
from regulator.web.registry_rounds import round_pages
from regulator.web.registry_set import set_pages

FREEZE_S: Final = 60.0
RISKS_S: Final = 600.0


def install(desk: Desk, app: FastAPI, pages: Pages) -> None:
    """Hang everything on."""
    door = RegistryDoor(desk, pages)
    _hear(desk, door)
    for add in (project_pages, set_pages, import_pages, coverage_pages, round_pages, risk_pages):
        add(app, door)


def _hear(desk: Desk, door: RegistryDoor) -> None:
    desk.listen("minute_summary", note_minute)
    desk.listen("thumbnail", note_still)

    def end_of_day(now_ns: int) -> None:
        with desk.database.transaction() as db:
            freeze(db, door.rules.set_code, now_ns, desk.settings.silent_box_s)

    def key_risks(now_ns: int) -> None:
        with desk.database.transaction() as db:
            list_by_rules(db, desk.ledger, now_ns)

    desk.jobs += [Job("coverage-day", FREEZE_S, end_of_day), Job("key-risks", RISKS_S, key_risks)]
