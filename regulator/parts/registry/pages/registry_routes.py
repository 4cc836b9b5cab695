"""The registry's pages, hung on the desk's application."""

from fastapi import FastAPI

from regulator.base.desk import Desk
from regulator.base.web.pages import Pages
from regulator.parts.registry.building import build_registry
from regulator.parts.registry.pages.registry_coverage import coverage_pages
from regulator.parts.registry.pages.registry_door import RegistryDoor
from regulator.parts.registry.pages.registry_duties import duty_pages
from regulator.parts.registry.pages.registry_imports import import_pages
from regulator.parts.registry.pages.registry_projects import project_pages
from regulator.parts.registry.pages.registry_regions import region_pages
from regulator.parts.registry.pages.registry_risks import risk_pages
from regulator.parts.registry.pages.registry_rounds import round_pages
from regulator.parts.registry.pages.registry_set import set_pages
from regulator.parts.registry.rounds.sheet_file import load_sheets


def install(desk: Desk, app: FastAPI, pages: Pages) -> None:
    """Add the registry's pages to the application."""
    door = RegistryDoor(desk, pages, build_registry(desk), load_sheets())
    for add in (
        project_pages,
        region_pages,
        set_pages,
        import_pages,
        coverage_pages,
        round_pages,
        risk_pages,
        duty_pages,
    ):
        add(app, door)
