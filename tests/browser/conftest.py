"""Fixtures of the browser tests: a real gateway in its own process, a real Chromium, and nothing from elsewhere.

    async def test_an_alarm_is_seen(box, open_page):
        page = await open_page(look=PHONE.in_language("en"))
        box.raise_alarm()
        await expect(page.get_by_role("row")).to_contain_text("Load moment too high")

Tests are coroutines on one event loop for the whole session, as one browser serves them all. `box` methods block that
loop for the tenths of a second they take: nothing else runs on it. Every test fails on an error in a script or in the
console, on a refusal by the Content-Security-Policy, and on any request that leaves this machine; `troubles.expect`
says which errors belong to the test.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from gateway.accounts.person import Role
from tests.browser.busy_site import BusySite
from tests.browser.looks import DESK, Look
from tests.fakes.chromium import Outside, Troubles, launch, told
from tests.fakes.screen_box import ScreenBox
from tests.fakes.screen_people import ScreenPeople

HERE = Path(__file__).parent
PATIENCE_MS = 10_000
OpenPage = Callable[..., Awaitable[Page]]
OpenBrowser = Callable[..., Awaitable[BrowserContext]]
expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One event loop for all browser tests: they share the browser."""
    marker = pytest.mark.asyncio(loop_scope="session")
    for item in items:
        if HERE in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(marker, append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """One browser program for all tests; each test's contexts are browsers of their own to the box."""
    async with async_playwright() as playwright:
        browser = await launch(playwright)
        yield browser
        await browser.close()


@pytest.fixture
def outside() -> Iterator[Outside]:
    """All that is not this machine."""
    with Outside() as outside:
        yield outside


@pytest.fixture
def troubles(outside: Outside) -> Troubles:
    """What the pages of this test caused. Looked at when the test ends."""
    return Troubles(outside)


@pytest.fixture
def box(tmp_path: Path) -> Iterator[ScreenBox]:
    """The test's own gateway, all quiet: two cranes and a pit that answer every 50 ms."""
    with ScreenBox(tmp_path) as box:
        yield box


@pytest.fixture
def shiftable_box(tmp_path: Path) -> Iterator[ScreenBox]:
    """As `box`, with a wall clock that `put_forward` moves."""
    with ScreenBox(tmp_path, shiftable=True) as box:
        yield box


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BusySite]:
    """One box for all pages of a module: alarms of each state, and somebody who is logged in."""
    with ScreenBox(tmp_path_factory.mktemp("busy"), cameras=True) as box:
        yield BusySite(box)


@pytest_asyncio.fixture(loop_scope="session")
async def open_browser(chromium: Browser, outside: Outside, troubles: Troubles) -> AsyncIterator[OpenBrowser]:
    """`await open_browser(look, url=box.url, **options)`: one more browser, with cookies and storage of its own."""
    contexts: list[BrowserContext] = []

    async def opened(look: Look = DESK, url: str = "", **options: Any) -> BrowserContext:
        context = await chromium.new_context(proxy=outside.proxy, **look.options(), **options)
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        troubles.watch(context)
        if url:
            await context.add_cookies(look.cookies(url))
        return context

    yield opened
    for context in contexts:
        await context.close()
    unexpected = troubles.unexpected()
    assert not unexpected, told(unexpected)


@pytest.fixture
def people(request: pytest.FixtureRequest) -> ScreenPeople:
    """The accounts of the test's box. Before the first `log_in` there are none, and everybody on the box may all."""
    return ScreenPeople(_box_of(request))


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(request: pytest.FixtureRequest, open_browser: OpenBrowser) -> AsyncIterator[OpenPage]:
    """`await open_page("/alarms", look=PHONE)`: a page of the test's box in one more browser. `within=context` opens
    it as a tab of that browser; `role` logs that person in first; `at` names another box's address."""

    async def opened(
        path: str = "/",
        *,
        look: Look = DESK,
        within: BrowserContext | None = None,
        role: Role | None = None,
        at: str = "",
        **options: Any,
    ) -> Page:
        url = at or _box_of(request).url
        context = within or await open_browser(look, url, **options)
        if role is not None:
            people: ScreenPeople = request.getfixturevalue("people")
            await context.add_cookies([people.log_in(role)])
        page = await context.new_page()
        await page.goto(f"{url}{path}")
        return page

    yield opened


def _box_of(request: pytest.FixtureRequest) -> ScreenBox:
    name = "shiftable_box" if "shiftable_box" in request.fixturenames else "box"
    found: ScreenBox = request.getfixturevalue(name)
    return found
