"""S4 in a browser: stills that say how old they are, boxes beside the pixels, live video that plays, who may look."""

import asyncio
import json
import sqlite3

import pytest
from playwright.async_api import expect

from gateway.accounts.person import Role
from tests.browser.axe import axe_clean
from tests.browser.looks import DESK, PHONE, overflow_px
from tests.fakes.screen_box import ScreenBox
from tests.fakes.screen_people import ScreenPeople

READY = "html[data-feed=live]"
PLAYED = """video => new Promise(done => {
  const look = () => video.currentTime > 0.4 && done(true);
  video.addEventListener("timeupdate", look);
  look();
})"""


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    with ScreenBox(tmp_path_factory.mktemp("cameras"), cameras=True) as box:
        yield box


@pytest.fixture(scope="module")
def people(box):
    return ScreenPeople(box)


def views(box):
    """What the chain holds of looks at pictures: event, who, which camera."""
    with sqlite3.connect(f"file:{box.folder / 'alerts.db'}?mode=ro", uri=True) as db:
        rows = db.execute("SELECT body FROM evidence WHERE kind = 'media_viewed' ORDER BY seq").fetchall()
    said = [json.loads(body)["content"] for (body,) in rows]
    return [(each["event"], each["user"], each["target"]) for each in said]


async def test_each_camera_says_how_it_is_and_what_it_shows(box, open_page):
    page = await open_page("/cameras", look=DESK.in_language("en"), role=Role.SUPERVISOR)
    await page.locator(READY).wait_for()
    well, other, gone = (page.locator(f"#camera-cam-{n}") for n in (1, 2, 3))
    await expect(well.locator("img")).to_be_visible()
    await expect(well).to_contain_text("judged 5.0 of 15.0 pictures a second")
    await expect(other).to_contain_text("picture is blurred")
    await expect(other).to_contain_text("The camera sends H.265")
    await expect(other.get_by_role("button", name="Live video")).to_have_count(0)
    await expect(gone).to_contain_text("offline")
    await expect(gone).to_contain_text("No camera watches the dangerous works now")
    await expect(gone).to_contain_text("no picture yet")
    await expect(gone.locator("img")).to_be_hidden()


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_a_line_over_the_picture_says_from_where_on_people_are_judged(box, open_page, language):
    for look in (DESK, PHONE):
        page = await open_page("/cameras/cam-1", look=look.in_language(language), role=Role.SUPERVISOR)
        await page.locator(READY).wait_for()
        await expect(page.locator(".picture img").first).to_be_visible()
        picture, line = page.locator("[data-picture]"), page.locator("svg.reach line.judged")
        around, drawn = await picture.bounding_box(), await line.bounding_box()
        assert (drawn["y"] + drawn["height"] / 2 - around["y"]) / around["height"] == pytest.approx(0.47, abs=0.01)
        await expect(page.locator(".sight-share")).to_contain_text("58 %")
        await page.get_by_text("By day" if language == "en" else "按日").click()
        await expect(page.locator(".sight details[open] tbody tr").first).to_be_visible()
        assert await overflow_px(page) <= 0
        await axe_clean(page)


async def test_live_video_plays_and_each_look_is_on_record(box, open_page):
    page = await open_page("/cameras", role=Role.SUPERVISOR)
    await page.locator(READY).wait_for()
    tile = page.locator("#camera-cam-1")
    await tile.locator("a[data-picture]").focus()
    await page.keyboard.press("Enter")
    await expect(tile.locator("video")).to_be_visible()
    await asyncio.wait_for(tile.locator("video").evaluate(PLAYED), 20)
    assert await tile.locator("video").evaluate("video => [video.videoWidth, video.videoHeight]") == [320, 180]
    assert views(box) == [("live", "主管 (zhu)", "cam-1")]
    await page.keyboard.press("Escape")
    await expect(tile.locator("video")).to_be_hidden()
    await expect(tile.locator("img")).to_be_visible()


async def test_boxes_are_drawn_beside_the_pixels_by_key_and_said_in_words(box, open_page):
    page = await open_page("/cameras/cam-1", look=DESK.in_language("en"), role=Role.VIEWER)
    await page.locator(READY).wait_for()
    await expect(page.locator("figure.camera img").first).to_be_visible()
    await expect(page.locator("svg.boxes")).to_be_hidden()
    await page.keyboard.press("b")
    await expect(page.locator("svg.boxes .box.head")).to_have_count(1)
    await expect(page.locator("[data-box-words]")).to_contain_text("bare head 88 %")
    await axe_clean(page)
    await page.keyboard.press("b")
    await expect(page.locator("svg.boxes")).to_be_hidden()


async def test_whoever_only_looks_gets_stills_and_no_video(box, open_page, troubles):
    troubles.expect("status of 403")
    before = views(box)
    page = await open_page("/cameras", look=PHONE, role=Role.VIEWER)
    await page.locator(READY).wait_for()
    await expect(page.locator("#camera-cam-1 img")).to_be_visible()
    await expect(page.get_by_role("button", name="实时视频")).to_have_count(0)
    assert await page.evaluate("fetch('/cameras/cam-1/live.mp4').then(answer => answer.status)") == 403
    assert views(box) == before
    assert await overflow_px(page) <= 0
    await axe_clean(page)


async def test_without_script_a_page_of_cameras_shows_pictures_all_the_same(box, open_page):
    page = await open_page("/cameras", java_script_enabled=False, role=Role.VIEWER)
    await expect(page.locator("#camera-cam-1 noscript img")).to_be_visible()
    assert await page.locator("#camera-cam-1 noscript img").evaluate("image => image.naturalWidth") == 640
