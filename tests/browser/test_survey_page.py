"""The drawing page in a browser: by pointer, keyboard or numbers alone; versions stay, faults stand beside rows."""

import json

import pytest
from playwright.async_api import expect

from gateway.accounts.person import Role
from tests.browser.axe import axe_clean
from tests.browser.looks import DESK, PHONE, overflow_px
from tests.fakes.screen_box import ScreenBox

PATH = "/cameras/cam-1/survey"
ZONE = "10, 20\n40, 20\n40, 60\n"


@pytest.fixture
def box(tmp_path):
    with ScreenBox(tmp_path, cameras=True) as box:
        yield box


def kept(box):
    """The versions on the disk, oldest first."""
    files = sorted((box.folder / "surveys" / "cam-1").glob("v*.json"))
    return [json.loads(path.read_bytes()) for path in files]


async def test_a_zone_is_drawn_by_pointer_and_moved_by_keys(box, open_page):
    page = await open_page(PATH, look=DESK.in_language("en"))
    await page.get_by_role("button", name="New zone").click()
    await page.get_by_label("Name", exact=True).fill("Gate")
    picture = page.locator("[data-drawing]")
    for x, y in ((0.1, 0.2), (0.4, 0.2), (0.4, 0.6)):
        size = await picture.bounding_box()
        await picture.click(position={"x": x * size["width"], "y": y * size["height"]})
    handle = page.get_by_role("button", name="Gate, point 3")
    await handle.focus()
    before = await page.locator("[data-points]").input_value()
    assert len(before.splitlines()) == 3
    await page.keyboard.press("ArrowDown")
    moved = await page.locator("[data-points]").input_value()
    assert float(moved.splitlines()[2].split(",")[1]) == pytest.approx(float(before.splitlines()[2].split(",")[1]) + 1)
    await page.get_by_role("button", name="Undo").click()
    assert await page.locator("[data-points]").input_value() == before
    await axe_clean(page)
    await page.get_by_role("button", name="Save as a new version").click()
    await expect(page.get_by_role("status").first).to_contain_text("Saved as a new version and sealed")
    (survey,) = kept(box)
    assert [zone["title"] for zone in survey["zones"]] == ["Gate"]
    assert survey["zones"][0]["outline"][0] == pytest.approx([0.1, 0.2], abs=0.01)


async def test_by_numbers_alone_without_script_versions_are_kept_and_taken_up_again(box, open_page, troubles):
    troubles.expect("status of 422")
    page = await open_page(PATH, java_script_enabled=False, role=Role.SAFETY_OFFICER)
    await page.get_by_role("button", name="新建区域").click()
    await page.get_by_label("名称").fill("大门")
    await page.get_by_label("点，每行一个").fill("10, 20\n40, 20\n400, 60")
    await page.get_by_role("button", name="保存为新版本").click()
    await expect(page.locator("#zone-0 .field-error")).to_contain_text("第 3 点：点应在画面内")
    assert kept(box) == []
    await page.get_by_label("点，每行一个").fill(ZONE)
    await page.get_by_role("button", name="保存为新版本").click()
    await page.get_by_role("button", name="新建临边").click()
    edge = page.locator("#edge-0")
    await edge.get_by_label("名称").fill("东侧")
    await edge.get_by_label("点，每行一个").fill("10, 80\n90, 80")
    await edge.get_by_label("实际长度").fill("12.5")
    for number, x in enumerate((15, 85)):
        mark = edge.locator(f"[data-mark='{number}']")
        await mark.get_by_label("下端").fill(f"{x}, 80")
        await mark.get_by_label("栏杆顶端").fill(f"{x}, 60")
    await page.get_by_role("button", name="保存为新版本").click()
    await expect(page.get_by_role("link", name="2", exact=True)).to_be_visible()
    await page.get_by_role("button", name="重新启用第 1 版").click()
    await expect(page.get_by_role("link", name="3", exact=True)).to_be_visible()
    first, second, third = kept(box)
    assert (second["edges"][0]["length_m"], second["made_by"]) == (12.5, "安全员 (an)")
    assert (third["zones"], third["edges"]) == (first["zones"], [])


async def test_whoever_drew_first_is_named_to_the_second(box, open_page, troubles):
    troubles.expect("status of 409")
    first = await open_page(PATH, look=PHONE.in_language("en"), role=Role.SAFETY_OFFICER)
    second = await open_page(PATH, within=first.context)
    for page in (first, second):
        await page.get_by_role("button", name="New zone").click()
        await page.get_by_label("Name", exact=True).fill("Gate")
        await page.locator("[data-points]").fill(ZONE)
        await page.get_by_role("button", name="Save as a new version").click()
    await expect(first.get_by_role("status").first).to_contain_text("Saved as a new version")
    await expect(second.get_by_role("alert")).to_contain_text("安全员 (an) saved version 1")
    assert await second.locator("[data-points]").input_value() == ZONE.strip()
    assert len(kept(box)) == 1
    assert await overflow_px(first) <= 0
    await axe_clean(first)


async def test_a_preset_is_drawn_given_up_and_where_the_camera_looks_is_said(box, open_page):
    page = await open_page(PATH, look=PHONE.in_language("en"), role=Role.SAFETY_OFFICER)
    await page.get_by_text("Presets of a camera that turns").click()
    await page.get_by_label("New preset").fill("大门")
    await page.get_by_role("button", name="Take its reference picture").click()
    await page.get_by_role("button", name="New edge").click()
    edge = page.locator("#edge-0")
    await edge.get_by_label("Name").fill("East")
    await edge.get_by_label("Protection").select_option("tape")
    await expect(edge.get_by_text("Not protected: tape warns and holds nobody")).to_be_visible()
    assert await edge.locator("option[value=cover]").get_attribute("hidden") is not None
    await edge.get_by_label("Points").fill("10, 55\n90, 55")
    await edge.get_by_label("True length").fill("12")
    for number, x in enumerate((10, 90)):
        mark = edge.locator(f"[data-mark='{number}']")
        await mark.get_by_label("Foot").fill(f"{x}, 55")
        await mark.get_by_label("Top").fill(f"{x}, 48")
    await page.get_by_role("button", name="Save as a new version").click()
    await expect(page.get_by_role("status").first).to_contain_text("Saved as a new version and sealed")
    await expect(page.locator(".survey-presets")).to_contain_text("not at a preset: edges are not judged")
    await axe_clean(page)
    assert await overflow_px(page) <= 0
    (survey,) = kept(box)
    assert (survey["preset"], survey["edges"][0]["protection"]) == ("大门", "tape")
    box.site_file.with_name("preset").write_text("大门")
    await page.goto(f"{box.url}/cameras/cam-1")
    await expect(page.get_by_text("at preset 大门", exact=True)).to_be_visible()
    await expect(page.get_by_text("tape only: not protected")).to_be_visible()
    await page.goto(f"{box.url}{PATH}")
    await page.get_by_role("button", name="Give up preset 大门").click()
    await expect(page.get_by_role("status").first).to_contain_text("The preset is given up")
    second = kept(box)[1]
    assert (second["preset"], second["reference_sha256"], second["edges"]) == ("大门", "", [])


async def test_a_ground_asks_for_the_places_of_its_points_and_another_zone_does_not(box, open_page):
    page = await open_page(PATH, look=DESK.in_language("en"), role=Role.SAFETY_OFFICER)
    await page.get_by_role("button", name="New zone").click()
    await page.get_by_label("Name", exact=True).fill("Yard")
    await page.locator("[data-points]").fill("10, 90\n90, 90\n65, 40\n35, 40")
    places = page.get_by_label("Only for ground")
    await expect(places).to_be_hidden()
    await page.get_by_label("Use", exact=True).select_option("ground")
    await places.fill("0, 0\n20, 0\n20, 60\n0, 60")
    await axe_clean(page)
    await page.get_by_role("button", name="Save as a new version").click()
    await expect(page.get_by_role("status").first).to_contain_text("Saved as a new version")
    (survey,) = kept(box)
    assert survey["zones"][0]["site_m"][2] == [20, 60]
