"""S2 and S3 by hand and by keys: acknowledged on one browser and seen on the other, nothing typed or chosen is lost."""

import json
from collections.abc import Iterator

import pytest
from playwright.async_api import Page, expect

from contract.client import BoxClient
from gateway.model.alarm import Alarm
from tests.browser.axe import axe_clean
from tests.browser.looks import DESK, LANGUAGES, PHONE, THEMES, overflow_px
from tests.fakes.screen_box import ScreenBox
from tests.fakes.screen_site import MOMENT, PIT, TILT, WALL, WIND

LIVE = "html[data-feed=live]"


async def live(open_page, path: str, **options) -> Page:
    page = await open_page(path, **options)
    await expect(page.locator(LIVE)).to_be_attached()
    return page


def row(page: Page, alarm: Alarm):
    return page.locator(f'[data-alarm="{alarm.alarm_id}"]')


def sealed(box, alarm: Alarm) -> list[dict]:
    with BoxClient(box.url) as client:
        answer = client.ask("GET", f"/api/alarms/{alarm.alarm_id}")
    return [json.loads(record["record"])["content"] for record in answer["evidence"]]


def posted(box, alarm: Alarm, name: str, **body: object) -> None:
    """A command of somebody else, by the API."""
    with BoxClient(box.url) as client:
        client.ask("POST", f"/api/alarms/{alarm.alarm_id}/{name}", {"user": "王工", "reason": "看到"} | body)


async def name_once(page: Page, name: str = "李工") -> None:
    await page.evaluate("name => localStorage.setItem('sitewarden.user', name)", name)
    await page.reload()
    await expect(page.locator(LIVE)).to_be_attached()


async def test_one_tap_on_one_browser_is_seen_on_the_other(box, open_page):
    alarm = box.raise_alarm()
    mine, other = await live(open_page, "/alarms"), await live(open_page, "/alarms", look=PHONE)
    await name_once(mine)
    await row(mine, alarm).get_by_role("link", name="确认").click()
    await mine.get_by_role("dialog").get_by_role("button", name="已通知司机停机").click()
    await expect(mine.get_by_role("status").filter(has_text="已确认并存证")).to_be_visible()
    await expect(row(other, alarm)).to_have_count(0)
    await expect(other.locator("#tab-acknowledged .count")).to_have_text("1")
    assert (sealed(box, alarm)[-1]["user"], sealed(box, alarm)[-1]["reason"]) == ("李工", "已通知司机停机")


async def test_two_people_at_once_are_both_told_the_truth(box, open_page):
    alarm = box.raise_alarm()
    mine = await live(open_page, f"/alarms/{alarm.alarm_id}")
    late = await open_page(f"/alarms/{alarm.alarm_id}", java_script_enabled=False)  # a page that learns of nothing
    for page, name in ((mine, "李工"), (late, "王工")):
        await page.locator("#ack-user").fill(name)
        await page.locator("#acknowledge").get_by_role("button", name="正在核实").click()
    await expect(mine.get_by_text("已确认并存证")).to_be_visible()
    await expect(late.get_by_role("alert")).to_contain_text("该报警已被 李工 于")
    assert [content["transition"] for content in sealed(box, alarm)] == ["raised", "acknowledged"]


@pytest.fixture(scope="module")
def busy(tmp_path_factory) -> Iterator[ScreenBox]:
    """A box with alarms of each grave priority, for tests that change nothing of them."""
    with ScreenBox(tmp_path_factory.mktemp("alarms")) as box:
        box.raise_alarm(WIND, "crane-2")
        box.raise_alarm(WALL, PIT)
        box.return_alarm(WALL, PIT)
        posted(box, box.raise_alarm(), "note")
        yield box


def moment_of(box) -> Alarm:
    return next(alarm for alarm in box.open_alarms() if alarm.rule.rule_id == MOMENT)


@pytest.fixture(autouse=True)
def refusals_are_told_in_the_console(troubles):
    troubles.expect(r"status of 409", r"status of 422")


async def test_by_keyboard_alone_a_hundred_steps_and_an_acknowledgement(box, open_page):
    wind = box.raise_alarm(WIND, "crane-2")
    moment = box.raise_alarm(MOMENT, "crane-1")
    page = await live(open_page, "/alarms")
    await name_once(page)
    await page.keyboard.press("j")
    await expect(row(page, moment)).to_have_attribute("data-current", "")
    await page.keyboard.press("j")
    await expect(row(page, wind)).to_have_attribute("data-current", "")
    await page.keyboard.press("k")
    await page.keyboard.press("a")
    await expect(page.get_by_role("dialog")).to_contain_text("塔机超力矩")
    await page.keyboard.press("Enter")
    await expect(row(page, moment)).to_have_count(0)
    await page.keyboard.press("j")
    await expect(row(page, wind)).to_have_attribute("data-current", "")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(f"{box.url}/alarms/{wind.alarm_id}")
    await expect(page.locator(LIVE)).to_be_attached()
    await page.keyboard.press("s")
    await expect(page.locator("#shelve")).to_have_attribute("open", "")


async def test_looking_with_keys_changes_nothing(busy, open_page):
    alarm = moment_of(busy)
    page = await live(open_page, "/alarms", at=busy.url)
    for key in ("j", "k", "j", "Escape", "k", "Shift+Slash", "Escape"):
        await page.keyboard.press(key)
    assert {content["transition"] for content in sealed(busy, alarm)} <= {"raised", "noted"}


async def test_keys_can_be_switched_off_and_stay_off(busy, open_page):
    page = await live(open_page, "/alarms", at=busy.url)
    await page.keyboard.press("Shift+Slash")
    await page.get_by_role("checkbox", name="在本浏览器启用快捷键").uncheck()
    await page.keyboard.press("Escape")
    await page.reload()
    await expect(page.locator(LIVE)).to_be_attached()
    await page.keyboard.press("j")
    await page.keyboard.press("a")
    await expect(page.locator("[data-current]")).to_have_count(0)
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.locator("#keys-switch")).to_have_attribute("aria-pressed", "false")


async def test_chinese_that_is_being_composed_is_no_command(busy, open_page):
    page = await live(open_page, "/alarms", at=busy.url)
    composing = "new KeyboardEvent('keydown', {code: 'KeyA', key: 'a', isComposing: true, bubbles: true})"
    await page.evaluate(f"document.body.dispatchEvent({composing})")
    for modifier in ("Control", "Alt", "Meta"):
        await page.keyboard.press(f"{modifier}+j")
    await expect(page.locator("[data-current], dialog[open]")).to_have_count(0)


async def test_letters_in_a_field_are_letters(busy, open_page):
    alarm = moment_of(busy)
    page = await live(open_page, f"/alarms/{alarm.alarm_id}", at=busy.url)
    await page.locator("#note > summary").click()
    await page.locator("#note-reason").press_sequentially("jkasc?")
    await expect(page.locator("#note-reason")).to_have_value("jkasc?")
    await expect(page).to_have_url(f"{busy.url}/alarms/{alarm.alarm_id}")


async def test_what_was_chosen_stays_chosen_when_alarms_come_and_goes_together_but_no_p1(box, open_page):
    winds = [box.raise_alarm(WIND, crane) for crane in ("crane-2", "crane-1")]
    page = await live(open_page, "/alarms")
    for wind in winds:
        await row(page, wind).get_by_role("checkbox").check()
    await page.locator("#together [name=user]").fill("李工")
    await page.locator("#together [name=reason]").fill("两台一起看过")
    moment = box.raise_alarm(MOMENT, "crane-2")
    await expect(row(page, moment)).to_be_visible()
    await expect(row(page, moment).get_by_role("checkbox")).to_have_count(0)
    await expect(page.locator("#together-count")).to_have_text("2")
    await expect(page.locator("#together [name=reason]")).to_have_value("两台一起看过")
    await page.get_by_role("button", name="批量确认").click()
    await expect(page.get_by_text("所选报警已确认并存证")).to_be_visible()
    said = "已到现场处理：两台一起看过（批量确认，共 2 条）"
    assert [sealed(box, wind)[-1]["reason"] for wind in winds] == [said, said]


async def test_a_half_typed_note_stays_when_the_alarm_changes(box, open_page):
    alarm = box.raise_alarm()
    page = await live(open_page, f"/alarms/{alarm.alarm_id}")
    await page.locator("#note > summary").click()
    await page.locator("#note-reason").fill("已安排")
    posted(box, alarm, "acknowledge")
    await expect(page.locator("#alarm-facts")).to_contain_text("王工")
    await expect(page.locator("#note-reason")).to_have_value("已安排")
    await expect(page.locator("#acknowledge")).to_be_hidden()
    await expect(page.locator("#alarm-records")).to_contain_text("看到")


async def test_an_alarm_goes_back_to_its_list_when_its_time_on_the_shelf_is_over(shiftable_box, open_page):
    box = shiftable_box
    alarm = box.raise_alarm(TILT)
    page = await live(open_page, f"/alarms/{alarm.alarm_id}#shelve")
    await page.locator("#shelve-user").fill("李工")
    await page.get_by_role("radio", name="8 小时").check()
    await page.locator("#shelve-reason").fill("传感器更换中")
    await page.get_by_role("button", name="搁置").click()
    await expect(page.locator("#alarm-state")).to_contain_text("已搁置")
    await page.goto(f"{box.url}/alarms?tab=shelved")
    await expect(row(page, alarm)).to_contain_text("传感器更换中")
    box.put_forward(8 * 3600)
    await expect(row(page, alarm)).to_have_count(0)
    await expect(page.locator("#tab-unacknowledged .count")).to_have_text("1")


@pytest.mark.parametrize("words", ["👷‍♂️🏗️⚠️", "字" * 4000, "<img src=x onerror=alert(1)>"])
async def test_any_words_are_taken_and_shown_as_text(busy, open_page, words):
    alarm = moment_of(busy)
    page = await live(open_page, f"/alarms/{alarm.alarm_id}", at=busy.url)
    await page.locator("#note > summary").click()
    await page.locator("#note-user").fill("李工")
    await page.locator("#note-reason").fill(words)
    await page.get_by_role("button", name="保存记录").click()
    await expect(page.locator("#alarm-records")).to_contain_text(words)
    assert await overflow_px(page) <= 0


async def test_too_many_words_come_back_with_what_was_typed(busy, open_page):
    alarm = moment_of(busy)
    page = await live(open_page, f"/alarms/{alarm.alarm_id}", at=busy.url)
    await page.locator("#note > summary").click()
    await page.locator("#note-user").fill("李工")
    await page.locator("#note-reason").fill("字" * 4001)
    await page.get_by_role("button", name="保存记录").click()
    await expect(page.get_by_role("alert")).to_contain_text("最多 4000 个字，现有 4001 个字")
    await expect(page.locator("#note-reason")).to_have_value("字" * 4001)


async def test_without_script_everything_can_be_done(box, open_page):
    alarm = box.raise_alarm()
    page = await open_page("/alarms", java_script_enabled=False)
    await row(page, alarm).get_by_role("link", name="确认").click()
    await page.locator("#ack-user").fill("李工")
    await page.get_by_role("button", name="已到现场处理").click()
    await expect(page.get_by_text("已确认并存证")).to_be_visible()
    assert sealed(box, alarm)[-1]["transition"] == "acknowledged"


async def test_the_value_of_now_is_unknown_when_the_crane_falls_silent(box, open_page):
    alarm = box.raise_alarm()
    page = await live(open_page, f"/alarms/{alarm.alarm_id}")
    await expect(page.locator(f'[data-cell="{alarm.subject}"]')).to_have_text("117.0")
    box.assets["crane-1"].fall_silent()
    await expect(page.locator("#alarm-state")).to_contain_text("数据未知", timeout=30_000)
    await expect(page.locator(".facts")).to_contain_text("未知")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("language", LANGUAGES)
async def test_lists_and_dialogs_are_free_of_barriers(busy, open_page, language, theme):
    alarm = moment_of(busy)
    page = await live(open_page, "/alarms", at=busy.url, look=DESK.in_language(language).by(theme))
    await page.locator("input[name=alarm_id]").first.check()
    await axe_clean(page)
    await page.keyboard.press("Escape")
    await page.locator(".alarm-do a").first.click()
    await axe_clean(page)
    await page.goto(f"{busy.url}/alarms/{alarm.alarm_id}")
    for summary in await page.locator("details.action:visible > summary").all():
        await summary.click()
    await axe_clean(page)
    for path in (f"/alarms/{alarm.alarm_id}/sheet", "/alarms?tab=history", "/alarms/service", "/alarms?tab=suppressed"):
        await page.goto(busy.url + path)
        await axe_clean(page)


@pytest.mark.parametrize(
    "path", ["/alarms", "/alarms?tab=history", "/alarms/service", "/alarms/{}", "/alarms/{}/sheet"]
)
async def test_a_phone_never_scrolls_sideways(busy, open_page, path):
    alarm = moment_of(busy)
    page = await open_page(path.format(alarm.alarm_id), look=PHONE, at=busy.url)
    assert await overflow_px(page) <= 0


async def test_every_target_of_a_row_is_large_enough_for_gloves(busy, open_page):
    page = await live(open_page, "/alarms", at=busy.url, look=PHONE)
    heights = "all => all.map(each => document.querySelector(each).getBoundingClientRect().height)"
    assert min(await page.evaluate(heights, [".alarm-do a", ".pick", ".tabs a"])) >= 48
    await page.locator(".alarm-do a").first.click()
    smallest = "[...document.querySelectorAll('dialog[open] button')].map(b => Math.min(b.offsetHeight, b.offsetWidth))"
    sizes = await page.evaluate(smallest)
    assert len(sizes) == 6
    assert min(sizes) >= 48
