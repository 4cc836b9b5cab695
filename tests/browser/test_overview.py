"""S1 and the wall: one screen, alarms first, what moves moves, what is not known says so."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from playwright.async_api import Page, expect

from tests.browser.axe import axe_clean
from tests.browser.looks import PHONE, THEMES, WALL, ZOOMED, Look, Theme, overflow_px
from tests.fakes.chromium import Troubles
from tests.fakes.screen_box import ScreenBox
from tests.fakes.screen_site import CRANES, MOMENT, PIT, TILT, WIND

OpenPage = Callable[..., Awaitable[Page]]
LAPTOP = Look("laptop", 1366, 768)
BIG_WALL = Look("big-wall", 3840, 2160)
BEEP = r"AudioContext was not allowed to start"


async def fits(page: Page) -> bool:
    """Whether the window shows all of the page, and each panel all of its own."""
    return bool(
        await page.evaluate(
            """() => {
              const root = document.scrollingElement;
              const whole = (each) => each.scrollHeight <= each.clientHeight + 1;
              return root.scrollHeight <= innerHeight && root.scrollWidth <= innerWidth
                && [...document.querySelectorAll(".bars-panel, .asset-list")].every(whole);
            }"""
        )
    )


async def turned_deg(page: Page, crane: str) -> float:
    """How far the jib on the plan is turned."""
    transform = await page.locator(f'[data-turn="{crane}/jib"]').get_attribute("transform")
    assert transform is not None
    return float(transform.removeprefix("rotate(").removesuffix(")"))


@pytest.mark.parametrize("look", [WALL, LAPTOP], ids=str)
async def test_the_first_screen_fits_without_scrolling(box: ScreenBox, open_page: OpenPage, look: Look) -> None:
    for rule in (MOMENT, WIND, TILT):
        for crane in CRANES:
            box.raise_alarm(rule, crane)
    page = await open_page(look=look)
    await expect(page.locator(".s1-row")).to_have_count(6)
    assert await fits(page)


async def test_a_phone_keeps_its_window_for_the_alarms(box: ScreenBox, open_page: OpenPage) -> None:
    """While sound is off the button alone says so; the bar stays in four rows."""
    page = await open_page(look=PHONE)
    await expect(page.locator(".site-bar button[data-sound=arm]")).to_be_visible()
    await expect(page.locator(".site-bar [data-sound=state]")).to_be_hidden()
    bar = await page.locator(".site-bar").bounding_box()
    assert bar is not None
    assert bar["height"] < PHONE.height * 0.3


@pytest.mark.parametrize("look", [PHONE, PHONE.in_language("en")], ids=str)
async def test_a_phones_bar_is_calm_in_both_languages(box: ScreenBox, open_page: OpenPage, look: Look) -> None:
    """Name, sound, display settings and account in one row; shorter words, read out in full."""
    for rule in (MOMENT, WIND, TILT):
        for crane in CRANES:
            box.raise_alarm(rule, crane)
    page = await open_page(look=look)
    await expect(page.locator(".s1-row").first).to_be_visible()
    await expect(page.locator(".site-bar button[data-sound=arm]")).to_be_visible()
    tops = await page.evaluate(
        """() => [".site-title", "[data-sound=arm]", ".display.push > summary", "#account-menu > summary"]
          .map((each) => document.querySelector(".site-bar " + each).getBoundingClientRect())
          .map((box) => (box.top + box.bottom) / 2)"""
    )
    assert max(tops) - min(tops) < 22, "one row"
    short = "10 分钟报警" if look.language == "zh-CN" else "In 10 min"
    await expect(page.locator(".rate .in-short")).to_have_text(short)
    assert await page.locator(".rate .in-short").is_visible()
    full = "10 分钟报警" if look.language == "zh-CN" else "Alarms in 10 min"
    await expect(page.locator(".rate a")).to_have_accessible_name(re.compile(full))
    settings = page.locator(".site-bar details.display > summary").first
    spot = await settings.bounding_box()
    assert spot is not None
    assert min(spot["width"], spot["height"]) >= 44
    await expect(settings).to_have_accessible_name("显示设置" if look.language == "zh-CN" else "Display settings")
    await settings.click()
    await expect(page.locator(".site-bar details.display select").first).to_be_visible()
    assert await overflow_px(page) == 0


@pytest.mark.parametrize("look", [WALL, LAPTOP, BIG_WALL], ids=str)
async def test_the_wall_fits_any_screen(box: ScreenBox, open_page: OpenPage, troubles: Troubles, look: Look) -> None:
    troubles.expect(BEEP)
    box.raise_alarm()
    page = await open_page("/wall", look=look)
    await expect(page.locator(".s1-row")).to_have_count(1)
    assert await fits(page)
    reached = await page.evaluate(
        """() => [...document.querySelectorAll("header a, main a")]
          .filter((each) => getComputedStyle(each).pointerEvents !== "none").map((each) => each.outerHTML)"""
    )
    assert reached == [], "nobody touches a wall"


async def test_an_alarm_appears_by_itself_in_list_plan_and_counts(box: ScreenBox, open_page: OpenPage) -> None:
    page = await open_page(look=WALL.in_language("en"))
    await expect(page.locator(".calm")).to_have_text("No alarm")
    await expect(page.locator("#asset-crane-1")).to_contain_text("normal")
    box.raise_alarm()
    await expect(page.locator(".s1-row")).to_contain_text("Load moment too high")
    await expect(page.locator("#asset-crane-1")).to_contain_text("1 alarm")
    await expect(page.locator("#plan-crane-1 .plan-chip")).to_have_text("■1")
    await expect(page.locator(".top-count b").first).to_have_text("1")
    await expect(page.locator("#asset-crane-2")).to_contain_text("normal")


async def test_a_jib_turns_on_the_plan_and_a_bar_grows_without_a_swap(box: ScreenBox, open_page: OpenPage) -> None:
    page = await open_page(look=WALL)
    box.assets["crane-1"].say(slew_deg=200.0, moment_pct=62.5)
    value = page.locator('[data-cell="crane-1.moment_pct"]')
    await expect(value).to_have_text("62.5")
    await expect(value).to_have_attribute("data-state", "ok")
    await expect(page.locator('[data-turn="crane-1/jib"]')).to_have_attribute("transform", re.compile(r"rotate\(2\d\d"))
    box.assets["crane-1"].say(moment_pct=117.0)
    await expect(value).to_have_attribute("data-state", "P1")


async def test_a_crane_that_falls_silent_is_hatched_and_said_to_be_unknown(
    shiftable_box: ScreenBox, open_page: OpenPage
) -> None:
    page = await open_page(look=WALL)
    value = page.locator('[data-cell="crane-2.moment_pct"]')
    await expect(value).not_to_have_text("未知")
    shiftable_box.assets["crane-2"].fall_silent()
    await expect(value).to_have_text("未知", timeout=45_000)
    assert "repeating-linear-gradient" in str(await value.evaluate("each => getComputedStyle(each).backgroundImage"))
    await expect(page.locator('[data-age="crane-2.moment_pct"]')).to_have_text(re.compile(r"\d+ 秒"))
    await expect(page.locator('[data-turn="crane-2/jib"]')).to_have_attribute("data-state", "unknown")
    await expect(page.locator('.jib-unknown[data-cell="crane-2/jib"]')).to_have_text("未知")
    await expect(page.locator('[data-cell="crane-1.moment_pct"]')).not_to_have_text("未知")


async def test_on_a_phone_the_alarms_come_first_and_one_thumb_acknowledges(box: ScreenBox, open_page: OpenPage) -> None:
    box.raise_alarm(TILT)
    box.raise_alarm(MOMENT)
    page = await open_page(look=PHONE)
    assert await overflow_px(page) <= 0
    alarms, plan = page.locator("#overview-alarms"), page.locator("#plan-details")
    first, second = await alarms.bounding_box(), await plan.bounding_box()
    assert first is not None
    assert second is not None
    assert first["y"] < second["y"]
    await expect(plan).not_to_have_attribute("open", "")
    sticky = page.locator("#ack-first")
    await expect(sticky).to_contain_text("超力矩")
    button = await sticky.bounding_box()
    assert button is not None
    assert button["height"] >= 48
    assert button["y"] + button["height"] <= PHONE.height, "at the bottom of the window, wherever the list is"
    await sticky.tap()
    await expect(page.locator("#acknowledge-dialog")).to_be_visible()


async def test_a_page_at_200_percent_asks_for_no_scrolling_sideways(box: ScreenBox, open_page: OpenPage) -> None:
    box.raise_alarm()
    page = await open_page(look=ZOOMED)
    assert await overflow_px(page) <= 0


async def test_without_scripts_the_page_shows_the_same_and_offers_a_refresh(
    box: ScreenBox, open_page: OpenPage
) -> None:
    alarm = box.raise_alarm()
    page = await open_page(look=WALL, java_script_enabled=False)
    await expect(page.locator(".s1-row")).to_contain_text("超力矩")
    await expect(page.locator("noscript a")).to_have_attribute("href", "/")
    await page.locator(f"#ack-{alarm.alarm_id}").click()
    await expect(page).to_have_url(re.compile(f"/alarms/{alarm.alarm_id}#acknowledge"))


async def test_an_asset_is_reached_with_the_keyboard(box: ScreenBox, open_page: OpenPage) -> None:
    page = await open_page(look=WALL)
    await page.locator("#plan-crane-2").focus()
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(r"/curves\?asset=crane-2"))


async def test_a_wall_keeps_its_picture_hatched_when_the_box_is_away(
    box: ScreenBox, open_page: OpenPage, troubles: Troubles
) -> None:
    troubles.expect(BEEP)
    troubles.server_goes_away()
    box.raise_alarm()
    page = await open_page("/wall", look=WALL)
    await expect(page.locator(".s1-row")).to_contain_text("超力矩")
    await expect(page.locator("html")).to_have_attribute("data-feed", "live")
    box.kill()
    await expect(page.locator("html")).to_have_attribute("data-feed", "stale")
    await expect(page.locator(".s1-row")).to_contain_text("超力矩")
    await expect(page.locator('[data-cell="crane-1.moment_pct"]')).to_have_text("未知")
    box.start()
    await expect(page.locator("html")).to_have_attribute("data-feed", "live")


@pytest.mark.parametrize("path", ["/", "/wall"])
@pytest.mark.parametrize("theme", THEMES)
async def test_nothing_that_axe_finds_is_wrong(
    box: ScreenBox, open_page: OpenPage, troubles: Troubles, path: str, theme: Theme
) -> None:
    troubles.expect(BEEP)
    box.raise_alarm()
    box.raise_alarm(TILT, "crane-2")
    box.assets[PIT].fall_silent()
    page = await open_page(path, look=replace(WALL, theme=theme, reduced_motion=True))
    await expect(page.locator(".s1-row")).to_have_count(2)
    await axe_clean(page)
