"""Every page as it is used: on a phone, and without a mouse."""

import pytest
from playwright.async_api import expect

from tests.browser.axe import axe_clean
from tests.browser.busy_site import AUTOPLAY
from tests.browser.keyboard import tab_walk
from tests.browser.looks import DESK, PHONE, overflow_px
from tests.fakes.screen_pages import PAGES


@pytest.fixture(autouse=True)
def what_is_told_in_the_console(troubles):
    troubles.expect(r"status of 404 .*no-such-alarm", AUTOPLAY)


HANDLED = [page for page in PAGES if page.hands]
every_page = pytest.mark.parametrize("page", HANDLED, ids=lambda page: page.name)


@every_page
async def test_a_phone_need_not_scroll_sideways(site, open_browser, page):
    opened = await site.page(open_browser, page, PHONE)
    assert await overflow_px(opened) <= 0
    await opened.context.add_cookies([{"name": "language", "value": "en", "url": site.box.url}])
    await opened.reload()
    assert await overflow_px(opened) <= 0
    await axe_clean(opened)


@every_page
async def test_the_keyboard_alone_reaches_all_that_can_be_used(site, open_browser, page):
    opened = await site.page(open_browser, page, DESK)
    stops = await tab_walk(opened)
    assert stops
    assert (stops[0].tag, stops[0].href) == ("a", "#main"), "the first stop leads past the bar"
    assert [stop for stop in stops if not stop.outlined] == [], "where the focus is must be seen"
    assert [stop for stop in stops if not stop.visible] == []
    await opened.locator("a[href='#main']").focus()
    await opened.keyboard.press("Enter")
    await expect(opened.locator("#main")).to_be_focused()


async def test_every_page_that_the_navigation_names_is_tested(site, open_browser):
    opened = await site.page(open_browser, PAGES[0], DESK)
    links = await opened.locator("header a[href^='/']").evaluate_all("all => all.map(a => a.getAttribute('href'))")
    assert links
    assert set(links) <= {page.path for page in PAGES}
