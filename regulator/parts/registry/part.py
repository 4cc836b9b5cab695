"""The registry as a part of a desk: what it hears, and what it does with time."""

from typing import Final

from fastapi import FastAPI

from regulator.base.coverage.standings import freeze
from regulator.base.desk import Desk, Job
from regulator.base.model.heard import SetListener
from regulator.base.web.pages import Pages
from regulator.base.web.part import Part
from regulator.parts.registry.arrivals import note_minutes, note_stills
from regulator.parts.registry.projects.set_office import SetRules
from regulator.parts.registry.registry_coverage import coverage_pages
from regulator.parts.registry.registry_door import RegistryDoor
from regulator.parts.registry.registry_duties import duty_pages
from regulator.parts.registry.registry_imports import import_pages
from regulator.parts.registry.registry_projects import project_pages
from regulator.parts.registry.registry_regions import region_pages
from regulator.parts.registry.registry_risks import risk_pages
from regulator.parts.registry.registry_rounds import round_pages
from regulator.parts.registry.registry_set import set_pages
from regulator.parts.registry.rounds.from_hazards import note_cause
from regulator.parts.registry.rounds.key_risk import list_by_rules
from regulator.parts.registry.rounds.risk_reports import open_missing
from regulator.parts.registry.rounds.sheet_file import load_sheets

FREEZE_S: Final = 60.0
RISKS_S: Final = 600.0
PAGES: Final = (
    project_pages,
    region_pages,
    set_pages,
    import_pages,
    coverage_pages,
    round_pages,
    risk_pages,
    duty_pages,
)


def set_rules(desk: Desk) -> SetRules:
    """The rules of the desk's set."""
    chosen = desk.settings.project_set
    return SetRules(desk.set_code, chosen.size, chosen.quotas)


def part(desk: Desk) -> Part:
    """Raises PackError for check sheets that cannot be read."""
    sheets = load_sheets()

    def end_of_day(now_ns: int) -> None:
        with desk.database.transaction() as db:
            freeze(db, desk.set_code, now_ns, desk.settings.silent_box_s)

    def key_risks(now_ns: int) -> None:
        with desk.database.transaction() as db:
            list_by_rules(db, desk.ledger, now_ns)
            open_missing(db, desk.ledger, now_ns)

    def install(app: FastAPI, pages: Pages) -> None:
        door = RegistryDoor(desk, pages, set_rules(desk), sheets)
        for add in PAGES:
            add(app, door)

    return Part(
        install,
        jobs=(Job("coverage-day", FREEZE_S, end_of_day), Job("key-risks", RISKS_S, key_risks)),
        listeners={
            "minute_summary": SetListener(note_minutes),
            "thumbnail": SetListener(note_stills),
        },
        cause_listeners=(note_cause,),
    )
