"""A wall screen that nobody touches: it loads itself anew when it hangs and at night, and never leaves its picture."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.fakes.screen_box import ScreenBox
from tests.fakes.screen_site import MOMENT

LIVE = "html[data-feed=live]"
SITE_OFFSET_S = 8 * 3600
DAY_S = 86_400
NO_JITTER = "Math.random = () => 0;"
OLD_MS = 3_700_000
PATIENCE = 20
HEAR = "() => new Promise(heard => document.addEventListener('feed-live', heard, {once: true}))"
AGE = """ms => {
  const now = performance.now.bind(performance);
  performance.now = () => now() + ms;
}"""
HIDE = '() => Object.defineProperty(document, "hidden", { configurable: true, get: () => true })'


class Wall:
    """A wall whose clock the test moves; `loads` counts how often the page was loaded."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.loads = 0
        page.on("load", self._loaded)

    def _loaded(self, _page: Page) -> None:
        self.loads += 1

    async def loaded_anew(self) -> bool:
        """Whether it loads itself anew within a moment of our time; its own time goes on."""
        for _ in range(PATIENCE):
            await self.pass_ms(1000)
            if self.loads:
                return True
        return False

    async def hear(self) -> None:
        """Until the next live picture."""
        await self.page.evaluate(HEAR)

    async def grow_old(self) -> None:
        """The page is an hour old at once, and from now on one that nobody looks at.

        While its clock stands still no timer of the page runs: it has heard its box in its new age before it looks at
        itself for the first time, and a hidden page has missed no frame. Hidden before that, it would be sent no
        picture to hear.
        """
        await self.page.clock.pause_at(await self.page.evaluate("() => Date.now() / 1000 + 1"))
        await self.page.evaluate(AGE, OLD_MS)
        await self.hear()
        await self.page.evaluate(HIDE)
        await self.page.clock.resume()

    async def pass_ms(self, ms: int) -> None:
        """Time passes for the page, and then as much of ours as an answer of the box takes.

        That a page does not load itself anew has no event to wait for: this is the window in which it would have.
        """
        await self.page.clock.run_for(ms)
        await asyncio.sleep(0.5)


@pytest_asyncio.fixture(loop_scope="session")
async def hang(request, open_browser, troubles) -> AsyncIterator[Callable[..., Awaitable[Wall]]]:
    """Hang a wall up before a box."""
    troubles.expect("AudioContext was not allowed to start")

    async def hung(box: ScreenBox) -> Wall:
        context = await open_browser(url=box.url)
        await context.add_init_script(NO_JITTER)
        page = await context.new_page()
        await page.clock.install()
        await page.goto(box.url + "/wall")
        await expect(page.locator(LIVE)).to_be_attached()
        return Wall(page)

    yield hung


def seconds_to(hour: float) -> float:
    """From now to this hour of the site's clock."""
    return (hour * 3600 - (time.time() + SITE_OFFSET_S)) % DAY_S


async def test_a_wall_that_hangs_loads_itself_anew(box, hang):
    wall = await hang(box)
    await wall.page.clock.fast_forward(90_000)
    assert await wall.loaded_anew()
    await expect(wall.page.locator(LIVE)).to_be_attached()


async def test_a_wall_without_its_box_keeps_what_it_shows_and_says_so(box, hang, troubles):
    troubles.server_goes_away()
    wall = await hang(box)
    box.raise_alarm(MOMENT)
    seen = wall.page.locator("#overview-alarms .chip.P1").first
    await expect(seen).to_be_visible()
    box.kill()
    await wall.page.clock.fast_forward(90_000)
    await wall.pass_ms(10_000)
    await expect(wall.page.locator("#connection-bar")).to_contain_text("连接中断")
    await expect(seen).to_be_visible()
    assert wall.loads == 0


@pytest.mark.parametrize("calm", [True, False])
async def test_at_four_in_the_morning_a_wall_loads_itself_anew_unless_an_alarm_waits(shiftable_box, hang, calm):
    wall = await hang(shiftable_box)
    if not calm:
        shiftable_box.raise_alarm(MOMENT)
        await expect(wall.page.locator("#overview-alarms .chip.P1").first).to_be_visible()
    shiftable_box.put_forward(seconds_to(4.05))
    await wall.hear()
    await wall.pass_ms(6_000)
    assert wall.loads == 0, "a page that is young stays"
    await wall.grow_old()
    assert await wall.loaded_anew() is calm
