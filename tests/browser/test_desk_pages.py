"""Every page that the desk's bar names, and the pages beside it: no barrier, no overflow, in both languages, by day and
night, as a wall and a phone show them."""

from collections.abc import Iterator

import pytest
from sqlalchemy import insert

from regulator.intake.findings import Finding, FindingKind, open_finding
from regulator.model.actor import Duty, Level, Scope
from regulator.records.tables.registry import projects
from regulator.web.navigation import NAVIGATION
from tests.browser.axe import axe_clean
from tests.browser.conftest import OpenBrowser
from tests.browser.looks import DESK, PHONE, overflow_px
from tests.browser.test_desk_shell import opened
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import DeskFace

CITY = Scope(Level.CITY, "440100")
BESIDE = (
    "/accidents",
    "/hazards/stock",
    "/hazards/new",
    "/review/judged",
    "/review/figures",
    "/review/checks",
    "/review/shelf",
    "/samples",
    "/regions",
    "/guarantors",
    "/key-risks",
    "/themes",
    "/safety-logs",
)
LATER: set[str] = set()
"""In the bar once the page exists."""
PAGES = [entry.path for entry in NAVIGATION if entry.path not in LATER] + list(BESIDE)
LOOKS = [DESK, PHONE.by("dark").in_language("en")]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskFace]:
    with DeskFace(tmp_path_factory.mktemp("desk"), DeskClock()) as face:
        with face.database.transaction() as db:
            db.execute(insert(projects).values(project_code="GZ-1", name="一号工地", city_code="440100"))
            finding = Finding(FindingKind.SILENT_BOX, "box-1", "盒子失联", "The box is silent", "GZ-1", "box-1")
            open_finding(db, face.desk.ledger, finding, face.clock())
        yield face


@pytest.mark.parametrize("look", LOOKS, ids=str)
@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_for_everybody(desk: DeskFace, open_browser: OpenBrowser, look, path: str) -> None:
    duty = Duty.ADMINISTRATOR if path in ("/people", "/audit") else Duty.REVIEWER
    page = await opened(desk, open_browser, look, duty, path)
    assert await page.locator("h1").count() == 1, path
    assert await overflow_px(page) <= 0
    await axe_clean(page)


def test_every_page_that_the_bar_names_is_tested(desk: DeskFace) -> None:
    known = {getattr(route, "path", "") for route in desk.app.routes}
    assert {entry.path for entry in NAVIGATION} & known == {entry.path for entry in NAVIGATION} - LATER
