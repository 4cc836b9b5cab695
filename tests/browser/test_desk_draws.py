"""A random draw by keyboard alone, from the freeze to the public targets, and no barrier on any of its pages."""

import re
from collections.abc import Iterator

import pytest
from playwright.async_api import Page, expect

from regulator.base.model.actor import Duty
from tests.browser.axe import axe_clean
from tests.browser.conftest import OpenBrowser
from tests.browser.looks import DESK, PHONE, overflow_px
from tests.browser.test_desk_shell import opened
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import PROVINCE, DeskFace
from tests.fakes.registry_desk import RegistryDesk

MOST_TABS = 80


@pytest.fixture
def clock() -> DeskClock:
    return DeskClock()


@pytest.fixture
def desk(tmp_path_factory: pytest.TempPathFactory, clock: DeskClock) -> Iterator[DeskFace]:
    with DeskFace(tmp_path_factory.mktemp("desk"), clock) as face:
        RegistryDesk(face.database, face.desk.ledger, clock).plant(4)
        for number in range(2):
            face.add(f"in-{number}", f"检查员{number}", [(PROVINCE, [Duty.INSPECTOR])])
        yield face


async def tab_to(page: Page, wanted: str) -> None:
    """Press Tab until the focus rests on the element with this id, or with this text."""
    for _ in range(MOST_TABS):
        await page.keyboard.press("Tab")
        at = "[document.activeElement.id, document.activeElement.innerText]"
        if wanted in await page.evaluate(at):
            return
    pytest.fail(f"Tab never came to {wanted}")


async def test_frozen_drawn_and_public_by_keyboard(desk: DeskFace, clock: DeskClock, open_browser: OpenBrowser) -> None:
    page = await opened(desk, open_browser, DESK, Duty.APPROVER, "/draws")
    await tab_to(page, "n-name")
    await page.keyboard.type("第一次双随机")
    await tab_to(page, "n-reason")
    await page.keyboard.type("年度计划")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(r"/draws/[0-9a-f]{32}$"))
    clock.move(hours=1)
    await tab_to(page, "d-value")
    await page.keyboard.type("3141.59")
    await tab_to(page, "d-source")
    await page.keyboard.type("指数收盘")
    await page.get_by_label("公布时间（北京时间）").fill("2026-03-01T08:30")  # the field's own order is the system's
    await tab_to(page, "抽取")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("已抽取，待公开")).to_be_visible()
    for job in desk.desk.jobs:
        job.run(clock())
    await page.reload()
    await expect(page.get_by_text("已公开")).to_be_visible()
    targets = page.get_by_role("region", name="抽取结果").locator("tbody tr")
    assert await targets.count() == 2, "nobody has a score yet, which counts as high: half of four"
    await expect(targets.first).to_contain_text("检查员0")
    await expect(targets.first).to_contain_text("检查员1")
    await axe_clean(page)
    phone = await opened(desk, open_browser, PHONE.by("dark").in_language("en"), Duty.VIEWER, page.url[len(desk.url) :])
    assert await overflow_px(phone) <= 0
    await axe_clean(phone)
