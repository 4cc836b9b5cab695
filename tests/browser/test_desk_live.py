"""Live video on request, all the way: a real camera, a real gateway that only calls out, the desk, a browser.

Real time, bounded: nothing here waits for a fixed while.
"""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import select

from regulator.base.model.actor import Duty
from regulator.base.records.tables.ledger import ledger_entries
from tests.browser.axe import axe_clean
from tests.browser.conftest import OpenBrowser
from tests.browser.looks import DESK, PHONE, Look, overflow_px
from tests.fakes.desk_face import DeskFace
from tests.fakes.live_site import CAMERA, OTHER, LiveSite

PROJECT = "P-1"
PLAYED = """video => new Promise(done => {
  const look = () => video.currentTime > 0.3 && done(true);
  video.addEventListener("timeupdate", look);
  look();
})"""


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskFace]:
    with DeskFace(tmp_path_factory.mktemp("desk"), time.time_ns) as running:
        yield running


@pytest.fixture(scope="module")
def site(face: DeskFace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSite]:
    folder: Path = tmp_path_factory.mktemp("site")
    with LiveSite(folder, face, PROJECT, ("h264", "h265")) as running:
        running.wait_until_seen(CAMERA)
        running.wait_until_seen(OTHER)
        yield running


async def ask(face: DeskFace, open_browser: OpenBrowser, camera: str, look: Look = DESK) -> Page:
    """A reviewer asks, with a reason; the page of the view."""
    context = await open_browser(look, face.url)
    await context.add_cookies([face.log_in(Duty.REVIEWER)])
    page = await context.new_page()
    await page.goto(f"{face.url}/live/{PROJECT}/{camera}")
    await page.locator("#reason").fill("复核临边防护")
    await page.locator("form.card button").click()
    await page.wait_for_url("**/live/views/*")
    return page


def deeds(face: DeskFace) -> list[tuple[str, dict[str, Any]]]:
    """What the ledger says of live views, in order."""
    at = ledger_entries.c
    with face.database.reading() as db:
        rows = db.execute(select(at.kind, at.body).where(at.kind.like("live%")).order_by(at.at_ns, at.seq))
        return [(row.kind, json.loads(row.body)) for row in rows]


async def test_live_video_plays_on_request_and_the_view_is_in_the_audit_from_when_to_when(
    face: DeskFace, site: LiveSite, open_browser: OpenBrowser
) -> None:
    assert site.gateway.pid
    page = await ask(face, open_browser, CAMERA)
    await expect(page.locator("#live")).to_have_attribute("data-stage", "playing", timeout=20_000)
    await asyncio.wait_for(page.locator("video").evaluate(PLAYED), 20)
    assert await page.locator("video").evaluate("video => [video.videoWidth, video.videoHeight]") == [640, 360]
    await expect(page.locator("#live-said")).to_have_text("实时画面，本次查看已记录。")
    await axe_clean(page)
    await page.get_by_role("button", name="停止").click()
    await expect(page.locator("#live-said")).to_contain_text("观看已结束")
    found = deeds(face)
    assert [kind for kind, _ in found] == ["live_view_asked", "live_viewed", "live_view_ended"]
    content = found[2][1]["content"]
    assert content["camera"] == CAMERA
    assert content["seen"] is True
    assert found[1][1]["content"]["from_ns"] == content["from_ns"] < content["to_ns"]
    assert {body["actor"]["name"] for _, body in found} == {"研判员"}


async def test_a_camera_of_another_codec_says_why_there_is_no_live_video(
    face: DeskFace, site: LiveSite, open_browser: OpenBrowser
) -> None:
    assert site.gateway.pid
    page = await ask(face, open_browser, OTHER, PHONE.in_language("en"))
    await expect(page.locator("#live-said")).to_contain_text("no browser plays it", timeout=20_000)
    await expect(page.locator("#live-said")).to_contain_text("H.265")
    await expect(page.locator("video")).to_be_hidden()
    assert await overflow_px(page) <= 0
    await axe_clean(page)
    assert deeds(face)[-1][1]["content"]["seen"] is False


async def test_a_page_that_is_gone_ends_the_view_and_the_box_stops_sending(
    face: DeskFace, site: LiveSite, open_browser: OpenBrowser
) -> None:
    assert site.gateway.pid
    page = await ask(face, open_browser, CAMERA)
    await asyncio.wait_for(page.locator("video").evaluate(PLAYED), 30)
    await page.close()
    (sweep,) = (job for job in face.desk.jobs if job.name == "live")
    async with asyncio.timeout(20):
        while "event=live_view_ends" not in site.gateway.log.read_text().rpartition("event=live_view_begins")[2]:
            await asyncio.to_thread(sweep.run, time.time_ns())
            await asyncio.sleep(0.2)
    assert deeds(face)[-1][0] == "live_view_ended"


async def test_who_only_looks_gets_no_live_video(face: DeskFace, site: LiveSite) -> None:
    assert site.gateway.pid
    for duty in (Duty.VIEWER, Duty.AUDITOR, Duty.ADMINISTRATOR):
        assert face.client(duty).get(f"/live/{PROJECT}/{CAMERA}").status_code == 403
