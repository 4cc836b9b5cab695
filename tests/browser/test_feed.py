"""The live feed in real browsers: at once, in every tab, through kills and pauses, nothing lost and nothing doubled."""

import asyncio
import shutil
import signal
import time

import httpx
import pytest
import yaml
from playwright.async_api import Page, expect

from gateway.accounts.person import Role
from tests.fakes.screen_site import MOMENT, TILT, WIND

pytestmark = pytest.mark.alone  # how soon is asserted

LIVE = "html[data-feed=live]"
STALE = "html[data-feed=stale]"
LISTEN = """
globalThis.seqs = [];
document.addEventListener("feed-alarm", (event) => globalThis.seqs.push(event.detail.seq));
"""
NO_WORKER = "delete globalThis.SharedWorker;"
BROKEN_WORKER = "globalThis.SharedWorker = class { constructor() { throw new Error('not here'); } };"
OFFLINE_WITHIN_S = 5.0
TABS = 10
WITHIN_S = 10.0


async def listening(open_page, **options) -> Page:
    page = await open_page(**options)
    await expect(page.locator(LIVE)).to_be_attached()
    await page.evaluate(LISTEN)
    return page


def known(box) -> list[int]:
    return [seq for seq, _, _ in box.committed()]


async def heard(page: Page, wanted: list[int]) -> list[int]:
    """What the page has heard, once it has heard the last of `wanted`."""
    end = time.monotonic() + WITHIN_S
    while (seqs := await page.evaluate("seqs"))[-1:] != wanted[-1:]:
        assert time.monotonic() < end, f"heard {seqs}, not yet {wanted[-1]}"
        await asyncio.sleep(0.02)
    return list(seqs)


def feed_clients(box) -> int:
    return int(httpx.get(f"{box.url}/api/health").json()["feed"]["clients"])


@pytest.mark.parametrize("worker", ["", NO_WORKER, BROKEN_WORKER], ids=["shared", "missing", "failing"])
async def test_an_alarm_is_seen_within_a_second(box, open_page, open_browser, worker):
    context = await open_browser(url=box.url)
    if worker:
        await context.add_init_script(worker)
    page = await listening(open_page, within=context)
    box.raise_alarm()
    began = time.monotonic()
    await expect(page.locator("#overview-alarms .chip.P1").first).to_be_visible()
    assert time.monotonic() - began < 1.0
    assert await heard(page, known(box)) == known(box)


async def test_ten_tabs_share_one_connection_and_all_hear_every_alarm(box, open_page, open_browser):
    context = await open_browser(url=box.url)
    pages = [await listening(open_page, within=context) for _ in range(TABS)]
    assert feed_clients(box) == 1
    for rule in (MOMENT, WIND, TILT):
        box.raise_alarm(rule)
    for page in pages:
        assert await heard(page, known(box)) == known(box)
        await expect(page.locator("#overview-alarms .chip").first).to_be_visible()
    for page in pages[1:]:
        await page.close()
    box.return_alarm(WIND)
    assert await heard(pages[0], known(box)) == known(box), "those that stay go on"


async def test_the_feed_is_connected_before_any_picture_is_asked_for(box, open_page, open_browser):
    context = await open_browser(url=box.url)
    page = await context.new_page()
    order: list[str] = []
    page.on("request", lambda request: order.append(request.resource_type))
    await page.goto(box.url)
    await expect(page.locator(LIVE)).to_be_attached()
    script = next(i for i, kind in enumerate(order) if kind == "script")
    assert "image" not in order[:script]


async def test_a_killed_box_that_starts_again_loses_and_doubles_no_alarm(box, open_page, troubles):
    troubles.server_goes_away()
    page = await listening(open_page)
    before = len(known(box))
    box.raise_alarm(MOMENT)
    box.kill()
    box.assets["crane-2"].say(wind_ms=24.0)
    await expect(page.locator(STALE)).to_be_attached()
    box.start()
    await expect(page.locator(LIVE)).to_be_attached()
    box.raise_alarm(TILT)
    wanted = known(box)[before:]
    assert len(wanted) >= 3
    assert await heard(page, wanted) == wanted
    await expect(page.locator("#overview-alarms a[id^=alarm-]")).to_have_count(len(box.open_alarms()))


@pytest.mark.parametrize("way", ["killed", "hung"])
async def test_a_dead_box_is_said_within_five_seconds_and_its_values_are_not_known(box, open_page, troubles, way):
    troubles.server_goes_away()
    page = await listening(open_page)
    cells = page.locator("[data-cell]")
    box.kill() if way == "killed" else box.pause()
    began = time.monotonic()
    await expect(page.locator("#connection-bar[role=alert]")).to_be_visible()
    assert time.monotonic() - began < OFFLINE_WITHIN_S
    await expect(page.locator("#connection-bar")).to_contain_text("连接中断")
    await expect(page.locator("#connection-bar .age")).to_contain_text("秒")
    assert (await page.title()).startswith("? ")
    for i in range(await cells.count()):
        await expect(cells.nth(i)).to_have_attribute("data-state", "unknown")
    assert "正常" not in await page.locator("main").inner_text()
    assert "无报警" not in await page.locator("main").inner_text()
    box.start() if way == "killed" else box.resume()
    await expect(page.locator(LIVE)).to_be_attached(timeout=15_000)
    await expect(page.locator("#connection-bar")).to_have_count(0)
    await expect(page.locator("main")).to_contain_text("正常")


async def test_a_box_with_other_records_is_said_and_everything_is_fetched_again(box, open_page, troubles):
    troubles.server_goes_away()
    page = await listening(open_page)
    box.raise_alarm(MOMENT)
    assert await heard(page, known(box)) == known(box)
    for _ in range(3):
        box.return_alarm(MOMENT)
        box.raise_alarm(MOMENT)
    box.kill()
    shutil.rmtree(box.folder)
    box.assets["crane-1"].rest()
    box.start()
    await expect(page.locator("#gap-bar")).to_contain_text("画面已重新载入")
    await expect(page.locator("#overview-alarms a[id^=alarm-]")).to_have_count(len(box.open_alarms()))
    await page.locator("#gap-bar button").click()
    await expect(page.locator("#gap-bar")).to_have_count(0)


async def test_an_alarm_between_two_pages_of_one_tab_is_heard(box, open_page):
    page = await listening(open_page)
    box.raise_alarm(MOMENT)
    await heard(page, known(box))
    await page.goto("about:blank")
    box.raise_alarm(WIND)
    await page.goto(box.url)
    await page.evaluate(LISTEN)
    await expect(page.locator(LIVE)).to_be_attached()
    box.raise_alarm(TILT)
    await heard(page, known(box))
    await expect(page.locator("#overview-alarms a[id^=alarm-]")).to_have_count(len(box.open_alarms()))


async def test_without_scripts_the_page_shows_what_was_known_when_it_was_made(box, open_page):
    box.raise_alarm()
    page = await open_page(java_script_enabled=False)
    await expect(page.locator("#overview-alarms .chip.P1").first).to_be_visible()


async def test_an_acknowledgement_elsewhere_is_seen_here(box, open_page):
    alarm = box.raise_alarm()
    first, second = await listening(open_page), await listening(open_page)
    await expect(second.locator("#overview-alarms .unacknowledged").first).to_be_visible()
    said = {"user": "supervisor", "reason": "seen"}
    command = "([id, said]) => fetch(`/api/alarms/${id}/acknowledge`, {method: 'POST', body: JSON.stringify(said),"
    command += " headers: {'content-type': 'application/json'}}).then(answer => answer.status)"
    assert await first.evaluate(command, [alarm.alarm_id, said]) == 200
    await expect(second.locator("#overview-alarms .unacknowledged")).to_have_count(0, timeout=1000)


async def test_a_login_that_ends_is_said_with_the_way_back_and_the_page_stays(shiftable_box, open_page, troubles):
    troubles.expect("status of 401")
    troubles.server_goes_away()
    page = await listening(open_page, role=Role.VIEWER)
    shiftable_box.put_forward(9 * 3600)
    bar = page.locator("#connection-bar")
    await expect(bar).to_contain_text("登录已失效")
    assert await bar.locator("a").get_attribute("href") == "/login?next=%2F"
    await expect(page.locator("#overview-alarms")).to_be_visible()


async def test_new_settings_are_said_with_a_way_to_load_the_page_anew(box, open_page):
    page = await listening(open_page)
    site = yaml.safe_load(box.site_file.read_text(encoding="utf-8"))
    site["assets"][0]["title_zh"] = "甲塔机"
    box.site_file.write_text(yaml.safe_dump(site, allow_unicode=True), encoding="utf-8")
    box.gateway.signal(signal.SIGHUP)
    bar = page.locator("#changed-bar")
    await expect(bar).to_be_visible()
    await bar.locator("button").click()
    await expect(page.locator(LIVE)).to_be_attached()
    await expect(page.locator("main")).to_contain_text("甲塔机")
    await expect(bar).to_have_count(0)
