"""The floor moved up, on a phone: a new picture, the old lines, one handle, a tap for each line, a new version."""

import json
import time

import pytest
from playwright.async_api import Page, expect

from gateway.accounts.person import Role
from tests.browser.axe import axe_clean
from tests.browser.looks import Look, overflow_px
from tests.fakes.eyes import STOREY
from tests.fakes.screen_box import ScreenBox

PATH = "/cameras/cam-1/survey"
HAND = Look("hand", 390, 844, 2.0, touch=True)
EDGES = {"East": (5, 35), "Middle": (38, 62), "West": (65, 95)}
MOST_TAPS, MOST_S = 12, 120


@pytest.fixture
def box(tmp_path):
    with ScreenBox(tmp_path, cameras=True) as box:
        yield box


def kept(box):
    """The versions on the disk, oldest first."""
    files = sorted((box.folder / "surveys" / "cam-1").glob("v*.json"))
    return [json.loads(path.read_bytes()) for path in files]


async def with_edges(open_page, look: Look) -> Page:
    """The drawing page after three edges were drawn by numbers, in English."""
    page = await open_page(PATH, look=look, role=Role.SAFETY_OFFICER)
    for number, (name, ends) in enumerate(EDGES.items()):
        await page.get_by_role("button", name="New edge").click()
        edge = page.locator(f"#edge-{number}")
        await edge.get_by_label("Name").fill(name)
        await edge.get_by_label("Protection").select_option("steel_rail")
        await edge.get_by_label("Points").fill(f"{ends[0]}, 55\n{ends[1]}, 55")
        await edge.get_by_label("True length").fill("4")
        for mark, x in enumerate(ends):
            row = edge.locator(f"[data-mark='{mark}']")
            await row.get_by_label("Foot").fill(f"{x}, 55")
            await row.get_by_label("Top").fill(f"{x}, 48")
    await page.get_by_role("button", name="Save as a new version").click()
    await expect(page.get_by_role("link", name="Floor moved up")).to_be_visible()
    return page


class Finger:
    """Taps and drags of a real touch screen, counted."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.taps = 0

    async def tap(self, target) -> None:
        await target.scroll_into_view_if_needed()
        size = await target.bounding_box()
        assert size["height"] >= 48, f"{size} is too small for a gloved finger"
        await target.tap()
        self.taps += 1

    async def drag(self, target, dx: float, dy: float) -> None:
        await target.scroll_into_view_if_needed()
        size = await target.bounding_box()
        assert min(size["width"], size["height"]) >= 48
        x, y = size["x"] + size["width"] / 2, size["y"] + size["height"] / 2
        client = await self.page.context.new_cdp_session(self.page)
        for kind, part in (("touchStart", 0.0), ("touchMove", 0.5), ("touchMove", 1.0), ("touchEnd", None)):
            points = [] if part is None else [{"x": x + part * dx, "y": y + part * dy}]
            await client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        self.taps += 1


async def test_three_lines_are_at_the_new_height_in_under_two_minutes(box, open_page):
    page = await with_edges(open_page, HAND.in_language("en"))
    box.site_file.with_name("floor_up").touch()
    finger, began = Finger(page), time.monotonic()
    await finger.tap(page.get_by_role("link", name="Floor moved up"))
    await expect(page.get_by_text("Proposed: agrees with the old picture")).to_have_count(3)
    rise = page.locator("#move-0 [data-rise]")
    assert float(await rise.input_value()) == pytest.approx(3.0, abs=0.15)
    await page.locator("[data-drawing] img").evaluate("image => image.decode()")
    await expect(page.locator("[data-handle]")).to_be_visible()
    picture = await page.locator("[data-drawing] img").bounding_box()
    await finger.drag(page.locator("[data-handle]"), 0, -0.07 * picture["height"])
    assert float(await rise.input_value()) == pytest.approx(4.2, abs=0.25), "7 % of the picture are 1.2 m"
    await finger.drag(page.locator("[data-handle]"), 0, 0.07 * picture["height"])
    assert await page.get_by_role("button", name="Save as a new version").is_disabled()
    for number in range(3):
        await finger.tap(page.locator(f"#move-{number} .confirm"))
    await expect(page.get_by_text("3 of 3 lines confirmed")).to_be_visible()
    assert await overflow_px(page) <= 0
    await axe_clean(page)
    await finger.tap(page.get_by_role("button", name="Save as a new version"))
    await expect(page.get_by_role("status").first).to_contain_text("Saved as a new version at the new height")
    seconds = time.monotonic() - began
    print(f"three edges at the new height: {finger.taps} acts of a finger, {seconds:.1f} s")
    assert (finger.taps <= MOST_TAPS, seconds < MOST_S) == (True, True), (finger.taps, seconds)
    first, second = kept(box)
    for old, new in zip(first["edges"], second["edges"], strict=True):
        assert (old["title"], old["length_m"], old["protection"]) == (new["title"], new["length_m"], "steel_rail")
        for (x, y), (new_x, new_y) in zip(old["line"], new["line"], strict=True):
            assert (new_x, new_y) == (pytest.approx(x, abs=0.01), pytest.approx(y - STOREY, abs=0.015))
    assert second["reference_sha256"] != first["reference_sha256"]


async def test_what_nothing_proposes_is_moved_by_hand_and_an_edge_that_is_gone_is_left_out(box, open_page):
    page = await with_edges(open_page, HAND.in_language("en"))
    box.site_file.with_name("by_night").touch()
    finger = Finger(page)
    await finger.tap(page.get_by_role("link", name="Floor moved up"))
    middle = page.locator("#move-1")
    await middle.get_by_label("Up, m").fill("2.4")
    await finger.tap(page.locator("#move-0 .confirm"))
    await finger.tap(middle.locator(".confirm"))
    await middle.get_by_role("button", name="Middle up").tap()
    assert not await middle.get_by_label("The line lies on the edge").is_checked(), "a line that was moved again"
    await finger.tap(middle.locator(".confirm"))
    await finger.tap(page.locator("#move-2 .remove"))
    await finger.tap(page.get_by_role("button", name="Save as a new version"))
    await expect(page.get_by_role("status").first).to_contain_text("at the new height")
    second = kept(box)[1]
    assert [edge["title"] for edge in second["edges"]] == ["East", "Middle"]
    assert second["edges"][1]["line"][0][1] == pytest.approx(0.55 - 2.5 / 1.2 * 0.07, abs=1e-6)


async def test_without_script_a_line_that_nobody_confirmed_is_not_kept(box, open_page, troubles):
    troubles.expect("status of 422")
    await with_edges(open_page, HAND.in_language("en"))
    still = await open_page(f"{PATH}/moved", look=HAND, java_script_enabled=False, role=Role.SAFETY_OFFICER)
    await still.locator("#move-0 [data-rise]").fill("3")
    await still.locator("#move-0 .confirm").click()
    await still.get_by_role("button", name="保存为新版本").click()
    await expect(still.get_by_role("alert")).to_contain_text("未保存：请逐条确认")
    assert await still.locator("#move-0 [data-rise]").input_value() == "3.0"
    assert await still.locator("#move-0 [data-confirm]").is_checked()
    await still.locator("#move-0 [data-rise]").fill("25")
    for number in (1, 2):
        await still.locator(f"#move-{number} .remove").click()
    await still.get_by_role("button", name="保存为新版本").click()
    await expect(still.locator("#move-0 .field-error").first).to_contain_text("点应在画面内")
    assert len(kept(box)) == 1
