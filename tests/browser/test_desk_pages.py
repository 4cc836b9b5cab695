"""Every page that the desk's bar names, and the pages beside it: no barrier, no overflow, in both languages, by day and
night, as a wall and a phone show them."""

from collections.abc import Iterator

import pytest
from playwright.async_api import expect
from sqlalchemy import insert, update

from contract.packs import pack_sha256
from regulator.base.intake.findings import Finding, FindingKind, open_finding
from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.records.tables.fleet import pack_offers
from regulator.base.records.tables.intake import boxes
from regulator.base.records.tables.registry import projects
from regulator.base.web.navigation import NAVIGATION
from regulator.parts.witness.heads import publish_head
from tests.browser.axe import axe_clean
from tests.browser.conftest import OpenBrowser
from tests.browser.looks import DESK, PHONE, overflow_px
from tests.browser.test_desk_shell import opened
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import DeskFace

CITY = Scope(Level.CITY, "440100")
PACK_TEXT = "version: 1\npack: county\ntitle_zh: 县限值\ntitle_en: County limits\nrules: []\n" + "# 说明 remark\n" * 60
PACK = pack_sha256({"county.yaml": PACK_TEXT})
OUTCOMES = ("", "waiting", "active", "refused", "declined", "withdrawn")
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
    "/fleet/packs",
    f"/fleet/packs/{PACK}",
    "/fleet/enrolment",
    "/witness",
)
LATER: set[str] = set()
"""In the bar once the page exists."""
PAGES = [entry.path for entry in NAVIGATION if entry.path not in LATER] + list(BESIDE)
DUTIES = {
    "/people": Duty.ADMINISTRATOR,
    "/audit": Duty.ADMINISTRATOR,
    "/fleet/packs": Duty.ADMINISTRATOR,
    "/witness": Duty.AUDITOR,
    f"/fleet/packs/{PACK}": Duty.APPROVER,
    "/fleet/enrolment": Duty.ADMINISTRATOR,
}
LOOKS = [DESK, PHONE.by("dark").in_language("en")]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskFace]:
    with DeskFace(tmp_path_factory.mktemp("desk"), DeskClock()) as face:
        with face.database.transaction() as db:
            db.execute(insert(projects).values(project_code="GZ-1", name="一号工地", city_code="440100"))
            finding = Finding(FindingKind.SILENT_BOX, "box-1", "监控主机失联", "The box is silent", "GZ-1", "box-1")
            open_finding(db, face.desk.ledger, finding, face.clock())
        _offer_a_pack(face)
        _enrol(face)
        with face.database.transaction() as db:
            publish_head(db, face.desk.ledger, face.clock())
        yield face


def _offer_a_pack(face: DeskFace) -> None:
    """One pack, and a box for each thing that can come of an offer."""
    with face.database.transaction() as db:
        for number, _ in enumerate(OUTCOMES):
            row = {"box_id": f"box-{number}", "project_code": "GZ-1", "verified_sha256": "0" * 64}
            db.execute(insert(boxes).values(**row))
    files = {"files": ("county.yaml", PACK_TEXT.encode(), "application/yaml")}
    handed_in = face.client(Duty.ADMINISTRATOR).submit(
        "/fleet/packs", "/fleet/packs/import", files=files, note="县文件第1号，自下月1日起执行"
    )
    assert handed_in.headers["location"] == f"/fleet/packs/{PACK}"
    page, box_ids = f"/fleet/packs/{PACK}", [f"box-{number}" for number, _ in enumerate(OUTCOMES)]
    face.client(Duty.APPROVER).submit(page, f"{page}/offer", box=box_ids, reason="县规定")
    words = {
        "words_zh": "第 3 行：未知的测点",
        "words_en": "line 3: no such point",
        "answered_by": "甲",
        "evidence_seq": 7,
    }
    with face.database.transaction() as db:
        for number, outcome in enumerate(OUTCOMES):
            answered = {"answered_at_ns": face.clock(), **words} if outcome else {}
            mine = update(pack_offers).where(pack_offers.c.box_id == f"box-{number}")
            db.execute(mine.values(outcome=outcome, **answered))


def _enrol(face: DeskFace) -> None:
    """A box that waits, one that was revoked, a code that is open."""
    with face.database.transaction() as db:
        for box_id, state in (("box-waits", {"waiting": 1}), ("box-gone", {"revoked_at_ns": face.clock()})):
            row = {"box_id": box_id, "project_code": "GZ-1", "verified_sha256": "0" * 64}
            db.execute(insert(boxes).values(**row, **state, enrolled_at_ns=face.clock()))
    face.code_for("box-comes", "GZ-1")


@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_an_approver_opens_what_waits(desk: DeskFace, open_browser: OpenBrowser, look) -> None:
    page = await opened(desk, open_browser, look, Duty.APPROVER, "/fleet/enrolment")
    for summary in await page.locator("main details > summary").all():
        await summary.click()
    assert await page.locator('input[name="orders"]').count() == 2
    assert await overflow_px(page) <= 0
    await axe_clean(page)


@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_a_sheet_of_codes_is_read_on_every_screen(desk: DeskFace, open_browser: OpenBrowser, look) -> None:
    page = await opened(desk, open_browser, look, Duty.ADMINISTRATOR, "/fleet/enrolment")
    await page.locator("details.card > summary").click()
    lines = "".join(f"GZ-1,site-{number}\n" for number in range(12))
    file = {"name": "boxes.csv", "mimeType": "text/csv", "buffer": f"project_code,box_id\n{lines}".encode()}
    await page.locator("#i-file").set_input_files(file)
    await page.locator('button[value="sheet"]').click()
    await expect(page.locator(".code")).to_have_count(12)
    assert await overflow_px(page) <= 0
    await axe_clean(page)


@pytest.mark.parametrize("look", LOOKS, ids=str)
@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.replace(PACK, "pack"))
async def test_a_page_is_for_everybody(desk: DeskFace, open_browser: OpenBrowser, look, path: str) -> None:
    duty = DUTIES.get(path, Duty.REVIEWER)
    page = await opened(desk, open_browser, look, duty, path)
    assert await page.locator("h1").count() == 1, path
    assert await overflow_px(page) <= 0
    await axe_clean(page)


def test_every_page_that_the_bar_names_is_tested(desk: DeskFace) -> None:
    known = {getattr(route, "path", "") for route in desk.app.routes}
    assert {entry.path for entry in NAVIGATION} & known == {entry.path for entry in NAVIGATION} - LATER
