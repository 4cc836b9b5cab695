"""The first page and the API for programs: what they count is kept fresh by a job."""

from fastapi import FastAPI

from regulator.base.desk import Desk, Job
from regulator.base.web.pages import Pages
from regulator.base.web.part import Part
from regulator.parts.overview.api_routes import program_api
from regulator.parts.overview.home_routes import home_page
from regulator.parts.overview.kept import EVERY_S, KeptStanding


def part(desk: Desk) -> Part:
    """The set's standing is looked at once for all who look."""
    kept = KeptStanding(desk.database, desk.set_code, desk.settings.silent_box_s)

    def install(app: FastAPI, pages: Pages) -> None:
        program_api(desk, app, pages)
        home_page(desk, kept, app, pages)

    return Part(install, jobs=(Job("standing", EVERY_S, kept.look),))
