"""The office's pages in a real browser: health, figures, a log that is signed, a shift that changes hands."""

from playwright.async_api import expect

from gateway.accounts.person import Role
from tests.browser.axe import axe_clean
from tests.browser.looks import DESK, PHONE, ZOOMED, overflow_px

PAGES = ("/health", "/figures", "/log", "/handover")
LOOKS = (DESK.by("dark"), PHONE.in_language("en"), ZOOMED)


async def test_every_page_fits_its_window_and_axe_finds_nothing(box, open_page) -> None:
    box.raise_alarm()
    for look in LOOKS:
        page = await open_page("/health", look=look, role=Role.SAFETY_OFFICER)
        for path in PAGES:
            await page.goto(f"{box.url}{path}")
            await page.locator("details.card").evaluate_all("all => all.forEach((each) => { each.open = true; })")
            await axe_clean(page)
            assert await overflow_px(page) <= 0, f"{path} {look}"


async def test_a_crane_that_falls_silent_stands_on_top_of_the_health_page_by_itself(box, open_page) -> None:
    page = await open_page("/health", role=Role.VIEWER)
    await expect(page.locator("#health-links")).to_contain_text("crane-1-host")
    box.assets["crane-1"].fall_silent()
    problem = page.locator(".problems li.unknown", has_text="crane-1-host")
    await expect(problem).to_contain_text("最后有效数据", timeout=45_000)


async def test_an_officer_signs_the_log_without_any_script(box, open_page) -> None:
    page = await open_page("/log", role=Role.SAFETY_OFFICER, java_script_enabled=False)
    await page.get_by_label("安全检查情况").fill("已巡查临边防护 🦺 <b>合格</b>")
    await page.get_by_role("button", name="保存草稿").click()
    await expect(page.get_by_role("status")).to_contain_text("草稿已保存并存证")
    await page.get_by_role("button", name="签字").click()
    await expect(page.get_by_role("status")).to_contain_text("已签字并存证")
    await expect(page.locator(".written").first).to_be_visible()
    await expect(page.get_by_text("已巡查临边防护 🦺 <b>合格</b>")).to_be_visible()
    await expect(page.get_by_text("SHA-256").first).to_be_visible()
    await expect(page.get_by_role("button", name="保存草稿")).to_have_count(0)


async def test_a_text_of_five_thousand_characters_is_refused_and_still_there(box, open_page, troubles) -> None:
    troubles.expect("422")
    page = await open_page("/log", look=PHONE, role=Role.SAFETY_OFFICER)
    await page.get_by_label("其他事项").fill("记" * 5000)
    await page.get_by_role("button", name="保存草稿").click()
    await expect(page.get_by_role("alert")).to_contain_text("5000")
    assert len(await page.get_by_label("其他事项").input_value()) == 5000


async def test_one_hands_over_and_another_takes_over_on_another_screen(box, open_page) -> None:
    going = await open_page("/handover", role=Role.SUPERVISOR)
    await going.get_by_label("下一班须知事项").fill("2 号塔机限位待复查")
    await going.get_by_role("button", name="签字交班").click()
    await expect(going.get_by_role("status")).to_contain_text("等待接班人确认")
    await expect(going.get_by_role("button", name="确认接班")).to_have_count(0)
    coming = await open_page("/handover", look=PHONE, role=Role.SAFETY_OFFICER)
    await expect(coming.get_by_text("2 号塔机限位待复查")).to_be_visible()
    await coming.get_by_label("接班人意见").fill("已到现场核对")
    await coming.get_by_role("button", name="确认接班").click()
    await expect(coming.get_by_role("status")).to_contain_text("已接班并存证")
    await coming.get_by_role("link", name="第 1 号").click()
    await expect(coming.get_by_text("已到现场核对")).to_be_visible()


async def test_figures_are_asked_for_two_days_with_the_keyboard_alone(box, open_page) -> None:
    box.raise_alarm()
    page = await open_page("/figures", look=DESK.in_language("en"), role=Role.VIEWER)
    await page.get_by_role("link", name="1 day").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("n = 1 alarms")).to_be_visible()
    await expect(page.get_by_text("indicative", exact=True)).to_be_visible()
    row = page.get_by_role("row", name="Detection to screen")
    await expect(row).to_contain_text("unknown")
