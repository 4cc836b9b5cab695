"""Sound in a real browser: when it begins and ends, that one tab sounds, and what is said when it cannot."""

import asyncio

import pytest
import pytest_asyncio
from playwright.async_api import Page, async_playwright, expect

from contract.client import BoxClient
from tests.browser.axe import axe_clean
from tests.browser.looks import PHONE, overflow_px
from tests.fakes.chromium import launch
from tests.fakes.http_replies import HttpReplies, Reply
from tests.fakes.screen_box import ScreenBox
from tests.fakes.screen_site import MOMENT, TILT, WIND

LIVE = "html[data-feed=live]"
HEAR = """
globalThis.started = [];
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (at) {
  globalThis.started.push({ now: performance.now(), hz: this.frequency.value });
  return start.call(this, at);
};
globalThis.raisedAt = 0;
document.addEventListener("feed-alarm", () => (globalThis.raisedAt ||= performance.now()));
globalThis.shaken = [];
Object.defineProperty(Navigator.prototype, "vibrate", { value: (pattern) => globalThis.shaken.push(pattern) });
"""
CANNOT = """
Object.defineProperty(BaseAudioContext.prototype, "state", { get: () => "suspended" });
AudioContext.prototype.resume = () => new Promise(() => undefined);
"""
WITHIN_S = 10.0
P1_HZ = [880, 1109, 1397]
P2_HZ = [740, 740]


@pytest_asyncio.fixture(loop_scope="session")
async def ears(box, open_browser):
    """A browser whose tones are written down."""
    context = await open_browser(url=box.url)
    await context.add_init_script(HEAR)
    return context


async def armed(open_page, ears, path: str = "/") -> Page:
    page = await open_page(path, within=ears)
    await expect(page.locator(LIVE)).to_be_attached()
    await page.locator("button[data-sound=arm]").first.click()
    await expect(page.locator("[data-sound=state]").first).to_have_text("声音已启用")
    return page


async def until(page: Page, condition: str, arg: object = None) -> None:
    """Until the page's script says so. Asked from outside: the page's own policy forbids what Playwright would do."""
    test = condition if "=>" in condition else f"() => {condition}"
    end = asyncio.get_running_loop().time() + WITHIN_S
    while not await page.evaluate(test, arg):
        assert asyncio.get_running_loop().time() < end, condition
        await asyncio.sleep(0.02)


async def tones(page: Page) -> list[int]:
    return [round(tone["hz"]) for tone in await page.evaluate("started")]


async def acknowledge(box, alarm) -> None:
    with BoxClient(box.url) as client:
        await asyncio.to_thread(client.acknowledge, alarm.alarm_id, "supervisor", "seen")


async def quiet_for(page: Page, ms: int) -> bool:
    """Whether no tone begins for a while from now on."""
    return bool(
        await page.evaluate(
            "ms => { const before = started.length;"
            " return new Promise(done => setTimeout(() => done(started.length === before), ms)); }",
            ms,
        )
    )


async def test_a_p1_sounds_at_once_and_again_until_it_is_acknowledged(box, ears, open_page):
    page = await armed(open_page, ears)
    alarm = box.raise_alarm(MOMENT)
    await until(page, "raisedAt > 0 && started.length >= 3")
    first = (await page.evaluate("started"))[0]
    assert first["now"] - await page.evaluate("raisedAt") < 300
    assert (await tones(page))[:3] == P1_HZ
    begun = len(await tones(page))
    await until(page, "begun => started.length > begun", arg=begun)
    await acknowledge(box, alarm)
    await until(page, "document.title.startsWith('■') === false")
    assert await quiet_for(page, 2500)


async def test_a_p2_sounds_once_and_a_p3_never(box, ears, open_page):
    page = await armed(open_page, ears)
    box.raise_alarm(TILT)
    box.raise_alarm(WIND)
    by_severity = {alarm.rule.rule_id: alarm.rule.severity.value for alarm in box.open_alarms()}
    await until(page, "started.length > 0")
    expected = P2_HZ if "P1" not in by_severity.values() else None
    assert expected is not None, by_severity
    assert await quiet_for(page, 2500)
    assert (await tones(page))[:2] == P2_HZ


async def test_of_two_tabs_one_sounds(box, ears, open_page, troubles):
    troubles.expect("AudioContext was not allowed to start")
    pages = [await armed(open_page, ears), await open_page("/", within=ears)]
    await expect(pages[1].locator(LIVE)).to_be_attached()
    await pages[1].mouse.click(5, 300)
    box.raise_alarm(MOMENT)
    for page in pages:
        await until(page, "raisedAt > 0")
    await asyncio.gather(*(quiet_for(page, 500) for page in pages))
    heard = [bool(await tones(page)) for page in pages]
    assert sorted(heard) == [False, True]
    sounding, other = pages if heard[0] else reversed(pages)
    await sounding.close()
    await until(other, "started.length > 0")


async def test_a_page_that_is_opened_during_an_alarm_says_that_it_waits_for_a_gesture_and_then_sounds(
    box, ears, open_page, troubles
):
    troubles.expect("AudioContext was not allowed to start")
    page = await armed(open_page, ears)
    await page.close()
    box.raise_alarm(MOMENT)
    late = await open_page("/", within=ears)
    await expect(late.locator("#sound-bar")).to_be_visible()
    assert await tones(late) == []
    await late.locator("#sound-bar button").click()
    await until(late, "started.length >= 3")
    assert (await tones(late))[:3] == P1_HZ
    await expect(late.locator("#sound-bar")).to_have_count(0)


async def test_a_wall_sounds_without_a_gesture_where_the_browser_is_told_to(box, outside):
    async with async_playwright() as playwright:
        browser = await launch(playwright, "--autoplay-policy=no-user-gesture-required")
        context = await browser.new_context(proxy=outside.proxy)
        await context.add_init_script(HEAR)
        page = await context.new_page()
        await page.goto(box.url + "/wall")
        await expect(page.locator(LIVE)).to_be_attached()
        box.raise_alarm(MOMENT)
        await until(page, "started.length >= 3")
        assert (await tones(page))[:3] == P1_HZ
        await browser.close()


async def test_a_phone_shakes(box, open_browser, open_page):
    context = await open_browser(PHONE, box.url)
    await context.add_init_script(HEAR + "delete globalThis.SharedWorker;")
    page = await armed(open_page, context)
    box.raise_alarm(MOMENT)
    await until(page, "shaken.length > 0")
    assert (await page.evaluate("shaken"))[0] == [400, 150, 400, 150, 400]


async def test_a_red_bar_says_when_sound_cannot_be_played(box, open_browser, open_page):
    context = await open_browser(url=box.url)
    await context.add_init_script(CANNOT)
    page = await open_page("/sound", within=context)
    await expect(page.locator(LIVE)).to_be_attached()
    await expect(page.locator("#sound-bar")).to_have_count(0)
    await page.locator("main button[data-sound=arm]").click()
    bar = page.locator("#sound-bar[role=alert]")
    await expect(bar).to_contain_text("声音无法播放")
    await expect(bar.locator("button")).to_have_text("启用声音")
    await page.locator("[data-sound-test=P1]").click()
    await expect(page.locator("[data-sound=outcome]")).to_have_text("声音无法播放")
    await axe_clean(page)


async def test_a_mute_counts_down_and_ends_with_the_next_p1(box, ears, open_page):
    page = await armed(open_page, ears)
    box.raise_alarm(MOMENT)
    await until(page, "started.length >= 3")
    await page.locator("[data-sound=mute]").first.click()
    await expect(page.locator("[data-sound=state]").first).to_contain_text("静音中，剩余 1")
    assert await quiet_for(page, 2500)
    box.raise_alarm(MOMENT, "crane-2")
    begun = len(await tones(page))
    await until(page, "begun => started.length > begun", arg=begun)


async def test_while_a_p1_waits_sound_cannot_be_switched_off(box, ears, open_page):
    page = await armed(open_page, ears, "/sound")
    off = page.locator("[data-sound=off]")
    await expect(off).to_be_enabled()
    alarm = box.raise_alarm(MOMENT)
    await expect(off).to_be_disabled()
    await acknowledge(box, alarm)
    await expect(off).to_be_enabled()
    await off.click()
    await expect(page.locator("main [data-sound=state]")).to_have_text("声音未启用")


async def test_every_tone_can_be_tried_and_the_page_is_accessible(box, ears, open_page):
    page = await open_page("/sound", within=ears)
    await expect(page.locator(LIVE)).to_be_attached()
    for priority, hz in (("P1", P1_HZ), ("P2", P2_HZ), ("P3", [])):
        await page.evaluate("started.length = 0")
        await page.locator(f"[data-sound-test={priority}]").click()
        await expect(page.locator("[data-sound=outcome]")).not_to_be_empty()
        await until(page, "n => started.length === n", arg=len(hz))
        assert await tones(page) == hz
    for volume in ("0", "2"):
        await page.locator(f"[data-sound-volume='{volume}']").click()
        await expect(page.locator(f"[data-sound-volume='{volume}']")).to_have_attribute("aria-pressed", "true")
    await axe_clean(page)


async def test_the_title_and_the_mark_of_a_tab_say_how_many_wait(box, open_page):
    page = await open_page()
    await expect(page.locator(LIVE)).to_be_attached()
    quiet = await page.title()
    alarm = box.raise_alarm(MOMENT)
    await expect(page).to_have_title(f"■1 {quiet}")
    assert "mark-alarm.svg" in (await page.locator("link[rel=icon]").get_attribute("href") or "")
    await acknowledge(box, alarm)
    await expect(page).to_have_title(quiet)


@pytest.fixture
def receiver():
    with HttpReplies([Reply(200, body=b"ok")]) as replies:
        yield replies


@pytest.fixture
def telling_box(tmp_path, monkeypatch, receiver):
    """A box with a webhook that is told of what nobody answers."""
    monkeypatch.setenv("DUTY_SECRET", "a secret of the tests")
    hook = {"name": "duty", "kind": "webhook", "url": receiver.url + "/hook", "secret": {"env": "DUTY_SECRET"}}
    with ScreenBox(tmp_path, uplinks=[hook], escalation={"uplinks": ["duty"]}) as box:
        yield box


async def test_a_channel_is_tested_by_its_button_and_says_what_its_receiver_said(telling_box, receiver, open_page):
    page = await open_page("/sound", at=telling_box.url)
    row = page.locator("#channel-duty")
    await expect(row).to_contain_text("从未成功送达")
    await page.locator("#test-duty").click()
    await expect(row).to_contain_text("接收方已受理")
    (request,) = receiver.requests
    assert request.headers["X-Sitewarden-Kind"] == "test"
    assert "测试消息，不是报警" in request.body.decode()
    await expect(page.locator("#test-duty")).to_be_disabled()
    assert not telling_box.open_alarms()
    await axe_clean(page)
    phone = await open_page("/sound", look=PHONE, at=telling_box.url)
    assert await overflow_px(phone) == 0
    await axe_clean(phone)
