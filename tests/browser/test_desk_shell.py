"""The desk's shell as people meet it: log in, language, roles, a phone, no barrier, nothing asked from elsewhere."""

import re
from collections.abc import Iterator

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import insert

from regulator.base.documents.documents import issue_document
from regulator.base.documents.paper import DocumentKind, DocumentRequest
from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.records.tables.registry import projects
from tests.browser.axe import axe_clean
from tests.browser.conftest import OpenBrowser
from tests.browser.looks import DESK, PHONE, Look, overflow_px
from tests.browser.test_pages import TEXTS
from tests.fakes.chromium import Troubles
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import PASSWORD, PROVINCE, DeskFace

CITY, OTHER = Scope(Level.CITY, "440100"), Scope(Level.CITY, "440300")
LOOKS = [DESK, DESK.by("dark").in_language("en"), PHONE, PHONE.by("dark").in_language("en")]
CHINESE = re.compile(r"[\u3400-\u9fff]+")
ORDER = DocumentRequest(
    "h1", DocumentKind.RECTIFICATION, "440106", "GZ-1", "North site", "h1", "North site", "Moment", ("Rectify.",)
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskFace]:
    with DeskFace(tmp_path_factory.mktemp("desk"), DeskClock()) as face:
        actor = face.actor(Duty.REVIEWER)
        with face.database.transaction() as db:
            db.execute(insert(projects).values(project_code="GZ-1", name="GZ-1", city_code="440100"))
            issue_document(db, face.desk, ORDER, actor, face.clock())
        yield face


async def opened(desk: DeskFace, open_browser: OpenBrowser, look: Look, duty: Duty | None, path: str) -> Page:
    context = await open_browser(look, desk.url)
    if duty is not None:
        await context.add_cookies([desk.log_in(duty)])
    page = await context.new_page()
    await page.goto(f"{desk.url}{path}")
    return page


async def test_somebody_logs_in_reads_english_and_logs_out(
    desk: DeskFace, open_browser: OpenBrowser, troubles: Troubles
) -> None:
    login = desk.person(Duty.REVIEWER).login
    page = await opened(desk, open_browser, DESK, None, "/documents")
    await expect(page).to_have_url(re.compile(r"/login\?next=/documents$"))
    await page.get_by_label("登录名").fill(login)
    await page.get_by_label("密码", exact=True).fill("not the password")
    troubles.expect("401")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("登录名或密码不正确")
    await axe_clean(page)
    await page.get_by_label("密码", exact=True).fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(f"{desk.url}/documents")
    await expect(page.locator(".seat")).to_contain_text("省级 · 研判")
    await page.get_by_text("显示设置").click()
    await page.get_by_label("语言").select_option("en")
    await page.get_by_role("button", name="应用").click()
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await expect(page.locator(".seat")).to_contain_text("province · reviewer")
    await page.get_by_role("button", name="Log out").click()
    await expect(page).to_have_url(re.compile("/login"))


@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_every_page_of_the_shell_is_readable_for_everybody(
    desk: DeskFace, open_browser: OpenBrowser, look: Look, troubles: Troubles
) -> None:
    troubles.expect("status of 404", "status of 403")
    page = await opened(desk, open_browser, look, Duty.ADMINISTRATOR, "/people")
    await page.locator("td details summary").first.click()
    for path in ("", "/me", "/audit", "/documents", "/documents/ZG-440106-2026-0001", "/no/such/page"):
        if path:
            await page.goto(f"{desk.url}{path}")
        await axe_clean(page)
        assert await overflow_px(page) <= 0, path
        if look.language == "en":
            texts = [text for text in await page.evaluate(TEXTS) if CHINESE.search(text)]
            names = set(desk_names(desk))
            assert [text for text in texts if not any(name in text for name in names)] == [], path


def desk_names(desk: DeskFace) -> list[str]:
    """What is data on an English page."""
    return [desk.person(duty).name for duty in (Duty.ADMINISTRATOR, Duty.REVIEWER)]


async def test_a_second_person_agrees_to_an_approver(desk: DeskFace, open_browser: OpenBrowser) -> None:
    first = await opened(desk, open_browser, DESK, Duty.ADMINISTRATOR, "/people")
    await first.get_by_label("姓名（记录中显示）").fill("陈工")
    await first.locator("#add-login").fill("chen")
    await first.locator("#add-password").fill("a-first-password-1")
    await first.get_by_role("button", name="添加人员").click()
    await first.get_by_text("变更 陈工").click()
    row = first.get_by_role("row", name=re.compile("陈工"))
    await row.get_by_label("审批").check()
    await row.get_by_role("button", name="授权", exact=True).click()
    await expect(first.get_by_role("heading", name="待第二人批准")).to_be_visible()
    keeper = desk.add("second", "第二人", [(PROVINCE, [Duty.ADMINISTRATOR])])
    context = await open_browser(DESK, desk.url)
    await context.add_cookies([desk.session_of(keeper)])
    second = await context.new_page()
    await second.goto(f"{desk.url}/people")
    await second.get_by_role("button", name="批准 陈工").click()
    await expect(second.get_by_role("row", name=re.compile("陈工"))).to_contain_text("省级 · 审批")


async def test_a_role_is_changed_in_the_bar(desk: DeskFace, open_browser: OpenBrowser) -> None:
    held = [(CITY, [Duty.REVIEWER]), (OTHER, [Duty.AUDITOR])]
    context = await open_browser(PHONE, desk.url)
    await context.add_cookies([desk.session_of(desk.add("two", "两岗", held))])
    page = await context.new_page()
    await page.goto(f"{desk.url}/me")
    await page.locator(".seat summary").click()
    await page.get_by_label("切换岗位").select_option(label="市级 440300 · 审计员")
    await page.get_by_role("button", name="切换", exact=True).click()
    await expect(page.locator(".seat summary")).to_contain_text("市级 440300")
    await expect(page.get_by_role("link", name="审计").first).to_be_visible()


async def test_anybody_checks_a_document_on_a_phone(desk: DeskFace, open_browser: OpenBrowser) -> None:
    page = await opened(desk, open_browser, DESK, Duty.VIEWER, "/documents/ZG-440106-2026-0001")
    address = await page.get_by_role("link", name="公开核验").get_attribute("href")
    phone = await opened(desk, open_browser, PHONE, None, str(address))
    await expect(phone.get_by_role("status")).to_contain_text("本文书由本审查台签发")
    await axe_clean(phone)
    assert await overflow_px(phone) <= 0
