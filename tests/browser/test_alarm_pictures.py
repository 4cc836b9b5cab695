"""S3's pictures in a browser: blurred unless a case is open, one cursor for all of them, each look on record."""

import asyncio
import json
import sqlite3

import pytest
from playwright.async_api import expect

from gateway.accounts.person import Role
from gateway.media.shelf import MediaShelf
from tests.browser.axe import axe_clean
from tests.browser.looks import DESK, PHONE, overflow_px
from tests.fakes.alarm_media import damage, keep_pictures
from tests.fakes.screen_box import ScreenBox
from tests.fakes.screen_people import ScreenPeople
from tests.fakes.screen_site import WIND

READY = "html[data-feed=live]"
SEEN = "async url => { const a = await fetch(url); return [a.status, (await a.arrayBuffer()).byteLength]; }"
SEEKED = """video => new Promise(done => {
  const look = () => Math.abs(video.currentTime - 9.9) < 0.1 && done(true);
  video.addEventListener("seeked", look);
  look();
})"""


class Pictured:
    """A box with one alarm and its pictures."""

    def __init__(self, box: ScreenBox) -> None:
        self.box = box
        alarm = box.raise_alarm()
        self.alarm_id = alarm.alarm_id
        self.items = keep_pictures(box.folder, alarm.alarm_id, alarm.raised_at_ns)

    @property
    def path(self) -> str:
        return f"/alarms/{self.alarm_id}"

    def picture(self, place: int = 0) -> str:
        return f"{self.path}/pictures/{self.items[place].sha256}"

    def body_bytes(self, place: int = 0) -> int:
        return len(MediaShelf(self.box.folder).read(self.items[place].sha256))

    def views(self):
        with sqlite3.connect(f"file:{self.box.folder / 'alerts.db'}?mode=ro", uri=True) as db:
            rows = db.execute("SELECT body FROM evidence WHERE kind = 'media_viewed' ORDER BY seq").fetchall()
        said = [json.loads(body)["content"] for (body,) in rows]
        return [(each["event"], each["user"], each["detail"]) for each in said]


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    with ScreenBox(tmp_path_factory.mktemp("pictures"), cameras=True) as box:
        yield box


@pytest.fixture(scope="module")
def people(box):
    return ScreenPeople(box)


@pytest.fixture(scope="module")
def pictured(box):
    return Pictured(box)


async def test_one_cursor_moves_still_clip_and_curve(pictured, open_page):
    page = await open_page(pictured.path, look=DESK.in_language("en"), role=Role.SUPERVISOR)
    await page.locator(READY).wait_for()
    pictures = page.locator("#pictures")
    await expect(pictures.locator(".picture img")).to_be_visible()
    await expect(pictures).to_contain_text("verified just now")
    await expect(pictures).to_contain_text("site_heads 1")
    await page.keyboard.press("b")
    await expect(pictures.locator("svg.boxes .box.head")).to_have_count(1)
    slider = page.get_by_label("Moment, seconds from the frame that fired")
    assert float(await slider.input_value()) == 0
    await pictures.get_by_role("link", name="Open the clip").click()
    await expect(page.locator("[data-clip-video]")).to_be_visible()
    await page.keyboard.press(",")
    await expect(slider).to_have_value("-0.1")
    await asyncio.wait_for(page.locator("[data-clip-video]").evaluate(SEEKED), 20)
    await expect(pictures.locator(".strip a[aria-current]")).to_contain_text("-1.0 s")
    await expect(page.locator("#curve-alarm canvas")).to_be_visible()
    await page.locator("#curve-alarm canvas").focus()
    await page.keyboard.press("ArrowRight")
    assert float(await slider.input_value()) > -0.1
    assert ("clip", "主管 (zhu)", pictured.alarm_id) in pictured.views()
    await axe_clean(page)


async def test_faces_are_blurred_until_a_case_is_open_and_then_each_look_is_on_record(pictured, open_page, troubles):
    troubles.expect("status of 403")
    page = await open_page(pictured.path, role=Role.SAFETY_OFFICER)
    whole = [200, pictured.body_bytes()]
    blurred = await page.evaluate(SEEN, pictured.picture())
    assert blurred[0] == 200
    assert blurred != whole
    assert (await page.evaluate(SEEN, pictured.picture() + "?faces=1"))[0] == 403
    await expect(page.get_by_role("link", name="查看未模糊画面")).to_have_count(0)
    await page.get_by_label("原因").last.fill("与工人核对现场情况")
    await page.get_by_role("button", name="立案", exact=True).click()
    await expect(page.locator("#pictures")).to_contain_text("已立案")
    await expect(page.locator("#pictures")).to_contain_text("与工人核对现场情况")
    assert await page.evaluate(SEEN, pictured.picture()) == blurred
    assert await page.evaluate(SEEN, pictured.picture() + "?faces=1") == whole
    assert pictured.views()[-1] == ("faces", "安全员 (an)", pictured.alarm_id)


async def test_whoever_only_looks_gets_no_clip_and_opens_no_case(pictured, open_page, troubles):
    troubles.expect("status of 403")
    before = pictured.views()
    page = await open_page(pictured.path, look=PHONE, role=Role.VIEWER)
    await expect(page.locator("#pictures")).to_contain_text("仅限值班员查看")
    await expect(page.get_by_role("button", name="立案")).to_have_count(0)
    clip = f"{pictured.path}/clips/{pictured.items[-1].sha256}"
    assert (await page.evaluate(SEEN, clip))[0] == 403
    assert (await page.evaluate(SEEN, pictured.picture() + "?faces=1"))[0] == 403
    assert pictured.views() == before
    assert await overflow_px(page) <= 0
    await axe_clean(page, "#pictures")


async def test_what_was_altered_on_the_disk_is_said_and_not_shown(pictured, open_page, troubles):
    troubles.expect("status of 410")
    other = pictured.box.raise_alarm(WIND, "crane-2")
    items = keep_pictures(pictured.box.folder, other.alarm_id, other.raised_at_ns + 10**9, clip=False)
    damage(pictured.box.folder, items[:1])
    page = await open_page(f"/alarms/{other.alarm_id}", role=Role.VIEWER)
    pictures = page.locator("#pictures")
    await expect(pictures).to_contain_text("磁盘上的内容与存证记录不符")
    await expect(pictures.locator(".picture img")).to_have_count(0)
    await expect(pictures).to_contain_text("no H.264")
    assert (await page.evaluate(SEEN, f"/alarms/{other.alarm_id}/pictures/{items[0].sha256}"))[0] == 410
    sheet = await open_page(f"{pictured.path}/sheet", within=page.context)
    await expect(sheet.locator("img.evidence")).to_be_visible()
