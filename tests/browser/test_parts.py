"""Partial swaps, on pages of the test's own: what is fetched how often, and what stays where it was."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Page, Route, expect

from screens.templating import STATIC

HERE = "http://127.0.0.1:9"
PAGE = """<!doctype html><html lang="en"><title>t</title><body><main>
<section id="list" data-part="/parts/list" data-on="alarm live:10" data-first>{list}</section>
<section id="around" data-part="/parts/around" data-on="alarm">0</section>
</main><script type="module">import * as parts from "/parts.js"; globalThis.parts = parts;</script>"""


class Parts:
    """A page with two parts; `bodies` are what the box answers, `asked` counts how often it was asked."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.bodies: dict[str, Callable[[int], str]] = {"list": str, "around": str}
        self.asked = {"list": 0, "around": 0}
        self.order: list[str] = []
        self.status = 200
        self.hold = asyncio.Event()
        self.hold.set()

    async def open(self, first: str = "0") -> None:
        await self.page.route("**/*", self._answer)
        await self.page.goto(HERE + "/")
        await self.page.set_content(PAGE.format(list=first), wait_until="load")
        while not await self.page.evaluate("() => 'parts' in globalThis"):
            await asyncio.sleep(0.01)

    async def refresh(self, kind: str = "alarm", times: int = 1) -> None:
        script = "([kind, times]) => { for (let i = 0; i < times; i++) parts.refresh(kind); }"
        await self.page.evaluate(script, [kind, times])

    async def _answer(self, route: Route) -> None:
        path = route.request.url.removeprefix(HERE)
        name = path.removeprefix("/parts/")
        if name in self.asked:
            self.asked[name] += 1
            self.order.append(name)
            body = self.bodies[name](self.asked[name])
            await self.hold.wait()
            await route.fulfill(body=body, status=self.status, content_type="text/html")
        elif path.endswith(".js"):
            script = (STATIC / Path(path).name).read_text(encoding="utf-8")
            await route.fulfill(body=script, content_type="text/javascript")
        else:
            await route.fulfill(body="<!doctype html><title>t</title>", content_type="text/html")


@pytest_asyncio.fixture(loop_scope="session")
async def parts(open_browser):
    context = await open_browser()
    return Parts(await context.new_page())


async def test_of_many_events_while_one_answer_is_awaited_one_more_is_asked_for(parts):
    await parts.open()
    parts.hold.clear()
    await parts.refresh(times=50)
    await parts.refresh(times=50)
    parts.hold.set()
    await expect(parts.page.locator("#list")).to_have_text("2")
    assert parts.asked["list"] == 2


async def test_after_an_alarm_the_list_is_asked_for_before_what_stands_around_it(parts):
    await parts.open()
    await parts.refresh(times=20)
    await expect(parts.page.locator("#around")).to_have_text("1")
    assert parts.order[0] == "list"
    assert parts.asked["around"] == 1, "once for twenty alarms"


async def test_focus_opened_details_and_scroll_stay(parts):
    tall = "<div id='box' style='height:40px;overflow:auto'><p style='height:400px'>tall</p></div>"
    body = "<details id='more'><summary>more</summary>x</details><button id='go'>go {}</button>" + tall
    parts.bodies["list"] = body.format
    await parts.open(body.format(0))
    await parts.page.locator("#go").focus()
    await parts.page.evaluate("() => { more.open = true; box.scrollTop = 120; }")
    await parts.refresh()
    await expect(parts.page.locator("#go")).to_have_text("go 1")
    found = await parts.page.evaluate("() => [document.activeElement.id, more.open, box.scrollTop]")
    assert found == ["go", True, 120]


async def test_when_what_had_the_focus_is_gone_its_part_has_it(parts):
    await parts.open("<button id='go'>go</button>")
    await parts.page.locator("#go").focus()
    await parts.refresh()
    await expect(parts.page.locator("#list")).to_have_text("1")
    assert await parts.page.evaluate("() => document.activeElement.id") == "list"


async def test_what_somebody_is_typing_is_not_swapped_under_his_hands_and_not_lost_later(parts):
    body = "<input id='why' aria-label='why'><b id='n'>{}</b>"
    parts.bodies["list"] = body.format
    await parts.open(body.format(0))
    await parts.page.locator("#why").press_sequentially("seen")
    await parts.refresh()
    await expect(parts.page.locator("#around")).to_have_text("1")
    assert parts.asked["list"] == 0
    await parts.page.evaluate("() => document.activeElement.blur()")
    await expect(parts.page.locator("#n")).to_have_text("1")
    await expect(parts.page.locator("#why")).to_have_value("seen")


async def test_an_open_dialog_is_left_alone(parts):
    body = "<dialog id='ask'><button>yes</button></dialog><b id='n'>{}</b>"
    parts.bodies["list"] = body.format
    await parts.open(body.format(0))
    await parts.page.evaluate("() => ask.showModal()")
    await parts.refresh()
    await expect(parts.page.locator("#around")).to_have_text("1")
    assert await parts.page.evaluate("() => ask.open")
    assert parts.asked["list"] == 0


async def test_an_answer_that_says_the_same_changes_nothing(parts):
    parts.bodies["list"] = lambda n: "same"
    await parts.open()
    await parts.refresh()
    await expect(parts.page.locator("#list")).to_have_text("same")
    await parts.page.evaluate("() => { globalThis.node = list.firstChild; }")
    while parts.asked["list"] < 3:  # one is asked for after the other: the second answer has been dealt with
        await parts.refresh()
    assert await parts.page.evaluate("() => list.firstChild === node")


async def test_a_part_that_cannot_be_had_is_marked_and_asked_for_again(parts, troubles):
    troubles.expect("status of 503")
    await parts.open()
    parts.status = 503
    await parts.refresh()
    await expect(parts.page.locator("#list[data-failed='503']")).to_be_attached()
    parts.status = 200
    await expect(parts.page.locator("#list:not([data-failed])")).to_have_text("2")


async def test_words_of_the_box_are_no_script(parts):
    parts.bodies["list"] = lambda n: f"<b id='n'>{n}</b><script>globalThis.ran = true</script>"
    await parts.open()
    await parts.refresh()
    await expect(parts.page.locator("#n")).to_have_text("1")
    assert await parts.page.evaluate("() => 'ran' in globalThis") is False


async def test_a_page_that_nobody_sees_asks_for_nothing_until_it_is_looked_at(parts):
    await parts.page.clock.install()
    await parts.open()
    see = "seen => { Object.defineProperty(document, 'hidden', {configurable: true, get: () => !seen});"
    see += " document.dispatchEvent(new Event('visibilitychange')); }"
    await parts.page.evaluate(see, False)
    await parts.refresh(times=5)
    await parts.page.clock.run_for(5000)
    assert parts.asked == {"list": 0, "around": 0}
    await parts.page.evaluate(see, True)
    await expect(parts.page.locator("#list")).to_have_text("1")
    await expect(parts.page.locator("#around")).to_have_text("1")
