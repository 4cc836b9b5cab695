"""Accounts as people meet them: the code from the console, a password, a wall screen, a form sent too late."""

import re

import pytest
from playwright.async_api import Page, expect

from gateway.accounts.person import Role
from tests.browser.axe import axe_clean
from tests.browser.conftest import OpenBrowser, OpenPage
from tests.browser.looks import DESK, PHONE, Look, overflow_px
from tests.fakes.chromium import Troubles
from tests.fakes.screen_box import ScreenBox
from tests.fakes.screen_people import NAMES, PASSWORD, ScreenPeople

CODE = re.compile(r"event=first_setup .*code=([A-Z0-9-]+)")
LOOKS = [DESK, PHONE.by("dark").in_language("en")]


async def test_a_new_box_is_set_up_with_the_keyboard_alone(box: ScreenBox, open_page: OpenPage) -> None:
    page = await open_page("/setup")
    code = CODE.findall(box.gateway.log.read_text())[-1]
    await page.get_by_label("控制台上的代码").focus()
    for typed in (code.lower(), "wang", "王工", "a short sentence", "a short sentence"):
        await page.keyboard.insert_text(typed)
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{box.url}/")
    await page.goto(f"{box.url}/me")
    await expect(page.get_by_text("王工 · wang · 系统管理员")).to_be_visible()


@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_the_login_is_readable_for_everybody(
    box: ScreenBox, open_page: OpenPage, people: ScreenPeople, look: Look, troubles: Troubles
) -> None:
    people.add(Role.ADMINISTRATOR)
    page = await open_page("/people", look=look)
    await expect(page).to_have_url(re.compile(r"/login\?next=/people$"))
    await axe_clean(page)
    troubles.expect("401")
    await page.locator("#login-name").fill("guan")
    await page.locator("#login-password").fill("not the password")
    await page.locator("main button.primary").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(page.locator("#login-name")).to_have_value("guan")
    await axe_clean(page)
    assert await overflow_px(page) <= 0


@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_the_pages_about_accounts_are_readable_for_everybody(
    box: ScreenBox, open_page: OpenPage, people: ScreenPeople, look: Look
) -> None:
    people.add(Role.SUPERVISOR)
    page = await open_page("/people", look=look, role=Role.ADMINISTRATOR)
    await page.locator("td details summary").first.click()
    await axe_clean(page)
    await page.goto(f"{box.url}/walls")
    await page.locator("#give-name").fill("门卫室电视")
    await page.locator("main button.primary").click()
    await expect(page.locator(".account-code")).to_be_visible()
    for path in ("", "/me", "/audit", "/wall/pair"):
        if path:
            await page.goto(f"{box.url}{path}")
        await axe_clean(page)
        assert await overflow_px(page) <= 0, path


async def test_a_television_is_paired_looks_and_goes_dark_when_it_is_revoked(
    box: ScreenBox, open_page: OpenPage, troubles: Troubles
) -> None:
    boss = await open_page("/walls", role=Role.ADMINISTRATOR)
    await boss.get_by_label("安装位置").fill("门卫室电视")
    await boss.get_by_role("button", name="添加大屏").click()
    code = await boss.locator(".account-code").inner_text()
    television = await open_page("/wall/pair")
    await television.get_by_label("本大屏的代码").fill(code)
    troubles.expect("404|401|403")
    await television.get_by_role("button", name="配对").click()
    await television.goto(f"{box.url}/alarms")
    await expect(television.locator("main")).to_be_visible()
    await boss.goto(f"{box.url}/walls")
    await boss.get_by_role("button", name="撤销 门卫室电视").click()
    await expect(boss.get_by_role("status")).to_contain_text("不能再查看")
    await television.goto(f"{box.url}/alarms")
    await expect(television).to_have_url(re.compile("/login"))


async def test_a_form_sent_after_the_login_has_ended_says_so_and_gives_the_text_back(
    box: ScreenBox, open_page: OpenPage, open_browser: OpenBrowser, troubles: Troubles
) -> None:
    boss = await open_page("/walls", role=Role.ADMINISTRATOR)
    await boss.get_by_label("安装位置").fill("二号门电视")
    elsewhere = await open_page("/me", role=Role.ADMINISTRATOR)
    await _end_other_logins(elsewhere)
    troubles.expect("401")
    await boss.get_by_role("button", name="添加大屏").click()
    await expect(boss.get_by_role("alert")).to_contain_text("刚才的操作没有执行")
    await expect(boss.locator("textarea")).to_have_value("二号门电视")
    await boss.get_by_label("登录名").fill(NAMES[Role.ADMINISTRATOR][0])
    await boss.get_by_label("密码", exact=True).fill(PASSWORD)
    await boss.get_by_role("button", name="登录", exact=True).click()
    await expect(boss).to_have_url(f"{box.url}/walls")
    await expect(boss.get_by_text("还没有大屏。")).to_be_visible()


async def _end_other_logins(page: Page) -> None:
    ends = page.get_by_role("button", name=re.compile("^结束 "))
    while await ends.count():
        await ends.first.click()
        await expect(page.get_by_role("status")).to_be_visible()
