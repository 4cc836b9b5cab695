"""The reference by night in a browser: taken, seen under the drawn lines, confirmed by a person, kept, left out."""

import json

import pytest
from playwright.async_api import expect

from gateway.accounts.person import Role
from tests.browser.axe import axe_clean
from tests.browser.looks import DESK, PHONE, overflow_px
from tests.fakes.screen_box import ScreenBox

PATH = "/cameras/cam-1/survey"


@pytest.fixture
def box(tmp_path):
    with ScreenBox(tmp_path, cameras=True) as box:
        yield box


def kept(box):
    """The versions on the disk, oldest first."""
    files = sorted((box.folder / "surveys" / "cam-1").glob("v*.json"))
    return [json.loads(path.read_bytes()) for path in files]


async def with_an_edge(open_page, **asked):
    """The page after an edge was drawn by numbers, in English."""
    page = await open_page(PATH, role=Role.SAFETY_OFFICER, **asked)
    await page.get_by_role("button", name="New edge").click()
    edge = page.locator("#edge-0")
    await edge.get_by_label("Name").fill("East")
    await edge.get_by_label("Points").fill("5, 56\n95, 56")
    await edge.get_by_label("True length").fill("12")
    for number, x in enumerate((5, 95)):
        mark = edge.locator(f"[data-mark='{number}']")
        await mark.get_by_label("Foot").fill(f"{x}, 56")
        await mark.get_by_label("Top").fill(f"{x}, 49")
    await page.get_by_role("button", name="Save as a new version").click()
    await expect(page.get_by_role("heading", name="Night reference")).to_be_visible()
    return page


async def test_a_picture_by_night_is_looked_at_confirmed_and_kept(box, open_page, troubles):
    troubles.expect("status of 422")
    page = await with_an_edge(open_page, look=DESK.in_language("en"))
    box.site_file.with_name("by_night").touch()
    await page.get_by_role("link", name="Take a night picture").click()
    night = page.locator("#night")
    await expect(night.locator("svg.drawing polyline").first).to_be_attached()
    await expect(night.get_by_role("listitem")).to_contain_text("East: lines are visible along")
    await page.get_by_role("button", name="Save as the night reference").click()
    await expect(page.get_by_role("alert")).to_contain_text("first confirm that the protection stands")
    assert len(kept(box)) == 1
    await page.get_by_label("In this picture the protection stands along every drawn line").check()
    await page.get_by_role("button", name="Save as the night reference").click()
    await expect(page.get_by_role("status").first).to_contain_text("Saved as a new version and sealed")
    await expect(night).to_contain_text("Version 2 has a night reference")
    first, second = kept(box)
    assert "night_sha256" not in first
    assert (second["edges"], second["made_by"]) == (first["edges"], "安全员 (an)")
    assert (box.folder / "surveys" / "cam-1" / f"{second['night_sha256']}.jpg").exists()
    await axe_clean(page)
    await page.get_by_role("button", name="Leave the night reference out").click()
    await expect(night).to_contain_text("There is none")
    assert "night_sha256" not in kept(box)[2]


async def test_a_picture_by_day_is_refused_with_the_reason(box, open_page):
    page = await with_an_edge(open_page, look=PHONE.in_language("en"))
    await page.get_by_role("link", name="Take a night picture").click()
    await expect(page.locator("#night .field-error")).to_contain_text("The light is that of the reference by day")
    await expect(page.get_by_role("button", name="Save as the night reference")).to_have_count(0)
    assert await overflow_px(page) <= 0
    await axe_clean(page)


async def test_a_line_that_is_moved_takes_the_reference_by_night_with_it(box, open_page):
    page = await with_an_edge(open_page, look=DESK.in_language("en"))
    box.site_file.with_name("by_night").touch()
    await page.get_by_role("link", name="Take a night picture").click()
    await page.get_by_label("In this picture the protection stands").check()
    await page.get_by_role("button", name="Save as the night reference").click()
    await expect(page.locator("#night")).to_contain_text("Version 2 has a night reference")
    await page.locator("#edge-0").get_by_label("True length").fill("12.4")
    await page.get_by_role("button", name="Save as a new version").click()
    await expect(page.locator("#night")).to_contain_text("Version 3 has a night reference")
    await page.locator("#edge-0").get_by_label("Points").fill("5, 56\n90, 56")
    await page.get_by_role("button", name="Save as a new version").click()
    await expect(page.get_by_role("status").first).to_contain_text("without the night reference")
    await expect(page.locator("#night")).to_contain_text("There is none")
    assert ["night_sha256" in survey for survey in kept(box)] == [False, True, True, False]
