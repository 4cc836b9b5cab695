"""R2 by keyboard alone: a hundred items in order, undo, another's lease, keys off, Chinese input, axe, a phone."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect
from sqlalchemy import select

from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.records.tables.review import review_items
from regulator.parts.review.leases import take_lease
from tests.browser.axe import axe_clean
from tests.browser.looks import DESK, PHONE, Look, overflow_px
from tests.fakes.chromium import Troubles
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import DeskFace
from tests.fakes.review_world import ReviewWorld

CITY = Scope(Level.CITY, "4401")
MINUTE_NS = 60_000_000_000
HEAD = [[40, 20, 80, 60, 1, 930, 4]]


class ReviewDesk:
    """A running desk with a world of its own. Times stand still until a test moves the clock."""

    def __init__(self, face: DeskFace) -> None:
        assert isinstance(face.clock, DeskClock)
        self.face, self.world = face, ReviewWorld(face.database, face.desk.ledger, face.clock)

    def alarms(self, count: int, **values: Any) -> list[str]:
        """Items from the oldest to the newest, each of a camera of its own."""
        now_ns = self.face.clock()
        usual = {"severity": "P2"} | values
        made = []
        for number in range(count):
            alarm = f"a{number:03}"
            own = {"subject": f"cam-{number}.bare_head_1", "title_zh": f"报警 {number}", "title_en": f"Alarm {number}"}
            raised = now_ns - (count - number) * MINUTE_NS
            made.append(self.world.queue_alarm(alarm, **({"raised_at_ns": raised} | own | usual)))
            self.world.thumbnail(alarm, number)
            self.world.picture(alarm, f"{number:064x}", HEAD)
        return made

    def verdicts(self) -> list[tuple[str, str, int]]:
        """What was judged, in the order in which it was queued for review."""
        at = review_items.c
        with self.face.database.reading() as db:
            rows = db.execute(select(at.item_id, at.verdict, at.false_reason).order_by(at.raised_at_ns))
            return [(row.item_id, row.verdict, row.false_reason) for row in rows]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[ReviewDesk]:
    with DeskFace(tmp_path, DeskClock()) as face:
        yield ReviewDesk(face)


@pytest_asyncio.fixture(loop_scope="session")
async def open_desk(desk: ReviewDesk, open_browser: Any) -> AsyncIterator[Any]:
    """`await open_desk("/review", look=PHONE)`: a reviewer's page of the test's desk."""

    async def opened(path: str = "/review", look: Look = DESK, duty: Duty = Duty.REVIEWER) -> Page:
        context = await open_browser(look, desk.face.url)
        await context.add_cookies([desk.face.log_in(duty, CITY)])
        page = await context.new_page()
        await page.goto(f"{desk.face.url}{path}")
        if path == "/review":
            await expect(page.locator("#review[data-ready]")).to_be_attached()
        return page

    yield opened


async def test_a_hundred_items_by_keyboard_in_order(desk: ReviewDesk, open_desk: Any) -> None:
    items = desk.alarms(100)
    page = await open_desk()
    await expect(page.locator("#count-P2")).to_have_text("100")
    said = ["KeyY", "KeyU", "KeyN"]
    seen = []
    for number, item in enumerate(items):
        await expect(page.locator("#item")).to_have_attribute("data-whole", item)
        seen.append(await page.locator("#item-title").inner_text())
        await page.keyboard.press(said[number % 3])
        if number % 3 == 2:
            await expect(page.locator("#reasons")).to_be_visible()
            await page.keyboard.press(f"Digit{number % 9 + 1}")
    await expect(page.locator("#nothing")).to_be_visible()
    await expect(page.locator("#count-P2")).to_have_text("0")
    assert seen == [f"报警 {number}" for number in range(100)]
    expected = ["true", "doubtful", "false"]
    for number, (item, verdict, reason) in enumerate(await _settled(page, desk, 100)):
        assert (item, verdict) == (items[number], expected[number % 3])
        assert reason == (number % 9 + 1 if number % 3 == 2 else 0)
    assert await page.locator("#trouble").is_hidden()


async def _settled(page: Page, desk: ReviewDesk, count: int) -> list[tuple[str, str, int]]:
    """The verdicts once the server has all of them: a lease of nothing is asked for after them."""
    for _ in range(100):
        found = desk.verdicts()
        if sum(bool(verdict) for _, verdict, _ in found) == count:
            return found
        await page.evaluate("fetch('/review/queue')")
    raise AssertionError(f"not all of {count} verdicts arrived: {found}")


async def test_looking_changes_nothing_and_undo_brings_back(desk: ReviewDesk, open_desk: Any) -> None:
    items = desk.alarms(3)
    page = await open_desk()
    item = page.locator("#item")
    for key, place in (("KeyJ", 1), ("KeyJ", 2), ("KeyJ", 2), ("KeyK", 1), ("KeyK", 0)):
        await page.keyboard.press(key)
        await expect(item).to_have_attribute("data-item", items[place])
    await page.keyboard.press("Digit5")
    assert {verdict for _, verdict, _ in desk.verdicts()} == {""}
    await page.keyboard.press("KeyY")
    await expect(item).to_have_attribute("data-item", items[1])
    await expect(page.locator("#said")).to_contain_text("下一项: 报警 1")
    assert (await _settled(page, desk, 1))[0][1] == "true"
    await page.keyboard.press("KeyZ")
    await expect(item).to_have_attribute("data-item", items[0])
    assert [verdict for _, verdict, _ in desk.verdicts()] == ["", "", ""]
    await page.keyboard.press("KeyN")
    await page.keyboard.press("Escape")
    await expect(page.locator("#reasons")).to_be_hidden()
    await page.keyboard.press("KeyU")
    await _settled(page, desk, 1)


async def test_too_late_to_undo_is_said(desk: ReviewDesk, open_desk: Any, troubles: Troubles) -> None:
    troubles.expect("status of 409")
    desk.alarms(2)
    page = await open_desk()
    await page.keyboard.press("KeyY")
    await _settled(page, desk, 1)
    desk.world.clock.move(seconds=10)
    await page.keyboard.press("KeyZ")
    await expect(page.locator("#trouble")).to_contain_text("10 秒")
    assert desk.verdicts()[0][1] == "true"


async def test_anothers_lease_is_named_passed_over_and_respected(
    desk: ReviewDesk, open_desk: Any, troubles: Troubles
) -> None:
    troubles.expect("status of 409")
    items = desk.alarms(3)
    world = desk.world
    world.lease(world.zhao, items[1])
    page = await open_desk()
    await expect(page.locator(f"[data-row='{items[1]}']")).to_contain_text("赵二 研判中")
    await page.keyboard.press("KeyY")
    await expect(page.locator("#item")).to_have_attribute("data-item", items[2])
    await page.keyboard.press("KeyK")
    await expect(page.locator("#held")).to_have_text("赵二 正在研判该项")
    await page.keyboard.press("KeyY")
    await expect(page.locator("#trouble")).to_have_text("赵二 正在研判该项")
    assert [verdict for _, verdict, _ in await _settled(page, desk, 1)] == ["true", "", ""]


async def test_a_verdict_that_the_server_refuses_comes_back(
    desk: ReviewDesk, open_desk: Any, troubles: Troubles
) -> None:
    troubles.expect("status of 409")
    items = desk.alarms(2)
    page = await open_desk()
    await expect(page.locator("#item")).to_have_attribute("data-whole", items[0])
    desk.world.clock.move(seconds=61)
    with desk.face.database.transaction() as db:
        take_lease(db, desk.face.desk.ledger, desk.world.zhao, items[0], desk.face.clock())
    await page.keyboard.press("KeyY")
    await expect(page.locator("#trouble")).to_contain_text("未保存：报警 0。赵二 正在研判该项")
    await expect(page.locator(f"[data-row='{items[0]}']")).to_be_visible()
    assert {verdict for _, verdict, _ in desk.verdicts()} == {""}


async def test_keys_keep_out_of_typing_and_chinese_input_and_can_be_switched_off(
    desk: ReviewDesk, open_desk: Any
) -> None:
    items = desk.alarms(2)
    page = await open_desk()
    await page.keyboard.press("Slash")
    await expect(page.locator("#search-words")).to_be_focused()
    await page.keyboard.type("yun")
    await expect(page.locator("#search-words")).to_have_value("yun")
    await page.keyboard.press("Escape")
    await page.evaluate(
        """() => { for (const more of [{isComposing: true}, {keyCode: 229}, {altKey: true}])
          document.body.dispatchEvent(new KeyboardEvent("keydown", {code: "KeyY", bubbles: true, ...more})); }"""
    )
    await expect(page.locator("#item")).to_have_attribute("data-item", items[0])
    await page.keyboard.press("Shift+Slash")
    await page.get_by_label("在本浏览器启用快捷键").uncheck()
    await page.locator("#keys-help [data-close]").click()
    await page.reload()
    await expect(page.locator("#review[data-ready]")).to_be_attached()
    for key in ("KeyY", "KeyJ", "KeyU"):
        await page.keyboard.press(key)
    await expect(page.locator("#item")).to_have_attribute("data-item", items[0])
    assert {verdict for _, verdict, _ in desk.verdicts()} == {""}
    await page.get_by_role("button", name="存疑").first.click()
    assert [verdict for _, verdict, _ in await _settled(page, desk, 1)] == ["doubtful", ""]


async def test_a_group_is_judged_on_its_sheet_and_taken_back(desk: ReviewDesk, open_desk: Any) -> None:
    same = {"subject": "cam-7.bare_head_1", "raised_at_ns": desk.face.clock()}
    items = desk.alarms(6, **same)
    page = await open_desk()
    await page.keyboard.press("KeyG")
    await expect(page.locator("#sheet-grid button")).to_have_count(6)
    await page.keyboard.press("KeyN")
    await page.keyboard.press("Digit1")
    await expect(page.locator("#sheet-said")).to_contain_text("请先选择")
    await expect(page.locator("#sheet")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("KeyX")
    await page.keyboard.press("KeyJ")
    await page.keyboard.press("KeyX")
    await expect(page.locator("#sheet-said")).to_have_text("已选 2 / 6")
    await page.keyboard.press("Control+KeyA")
    await expect(page.locator("#sheet-said")).to_have_text("已选 6 / 6")
    await axe_clean(page)
    await page.keyboard.press("KeyN")
    await page.keyboard.press("Digit1")
    found = await _settled(page, desk, 6)
    assert {(verdict, reason) for _, verdict, reason in found} == {("false", 1)}
    await expect(page.locator("#nothing")).to_be_visible()
    await page.keyboard.press("KeyZ")
    await expect(page.locator("#queue li")).to_have_count(6)
    assert {verdict for _, verdict, _ in desk.verdicts()} == {""}
    assert set(items) == {item for item, _, _ in desk.verdicts()}


async def test_boxes_evidence_and_curve_by_key(desk: ReviewDesk, open_desk: Any, troubles: Troubles) -> None:
    troubles.expect("status of 404")
    desk.alarms(1)
    page = await open_desk()
    await expect(page.locator("#still")).to_have_js_property("complete", True)
    await expect(page.locator("#boxes g")).to_have_count(1)
    await expect(page.locator("#picture-words")).to_contain_text("未戴安全帽 93 %")
    await page.keyboard.press("KeyB")
    await expect(page.locator("#boxes")).to_be_hidden()
    await page.keyboard.press("KeyC")
    await expect(page.locator("#curve-figure")).to_be_visible()
    await page.keyboard.press("KeyV")
    await expect(page.locator("#still")).to_have_attribute("src", f"/media/{0:064x}")
    await expect(page.locator("#picture-words")).to_contain_text("本次查看已记录")
    await page.keyboard.press("ArrowLeft")
    await expect(page.locator("#still")).to_have_attribute("alt", "缩略图（人脸已模糊）, 2026-03-01 08:00:00")


async def test_a_desk_that_is_away_is_said_and_its_return_too(
    desk: ReviewDesk, open_desk: Any, troubles: Troubles
) -> None:
    troubles.expect("net::ERR_")
    desk.alarms(1)
    page = await open_desk()
    await page.context.set_offline(True)
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await expect(page.locator("#trouble")).to_contain_text("没有应答")
    await expect(page.locator("#item-title")).to_have_text("报警 0")
    await page.context.set_offline(False)
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await expect(page.locator("#trouble")).to_be_hidden()


async def test_true_and_order_leads_to_the_hazard_at_once(desk: ReviewDesk, open_desk: Any) -> None:
    (item,) = desk.alarms(1)
    page = await open_desk()
    await page.keyboard.press("KeyE")
    await expect(page.locator("#trouble")).to_contain_text("证据包")
    await page.keyboard.press("KeyD")
    await expect(page.locator("#order-now")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.locator("#order")).to_be_hidden()
    assert desk.world.item(item).state == "open"
    await page.keyboard.press("KeyD")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/hazards/hz-*")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("报警 0")
    assert desk.world.item(item).state == "final"


@pytest.mark.parametrize("look", [DESK, DESK.in_language("en").by("dark"), PHONE], ids=str)
async def test_pages_are_accessible_and_fit(desk: ReviewDesk, open_desk: Any, look: Look) -> None:
    items = desk.alarms(4)
    desk.world.judge(desk.world.ling, items[3], "doubtful")
    desk.world.settle()
    page = await open_desk(look=look)
    title = "Alarm 0" if look.language == "en" else "报警 0"
    await expect(page.locator("#item-title")).to_have_text(title)
    await expect(page.locator("#item")).to_have_attribute("data-whole", items[0])
    await axe_clean(page)
    assert await overflow_px(page) <= 0
    await page.locator("#verdicts [data-verdict=false]").click()
    await axe_clean(page)
    for path in ("/review/judged", "/review/checks", "/review/figures", "/samples", f"/review/items/{items[0]}"):
        await page.goto(f"{desk.face.url}{path}")
        await axe_clean(page)
        assert await overflow_px(page) <= 0
