"""R2's one time axis (stills, clip, curve) and its two keys that judge nothing: A acknowledges, S shelves."""

import json
from typing import Any

from playwright.async_api import Page, expect
from sqlalchemy import insert, select

from regulator.base.records.tables.hazards import hazards
from regulator.base.records.tables.intake import alarm_media
from regulator.base.records.tables.review import review_acknowledgements, review_pictures, review_shelves
from tests.browser.axe import axe_clean
from tests.browser.looks import DESK, PHONE, overflow_px
from tests.browser.test_desk_review import ReviewDesk, desk, open_desk
from tests.fakes.desk_database import START_NS
from tests.fakes.eyes import SECOND_NS, film
from tests.fakes.review_world import BOX

__all__ = ["desk", "open_desk"]
RAISED = START_NS - 60 * SECOND_NS
CLIP_S = 12
STILLS = (-3.0, -2.0, -1.0, 0.0)


def filmed(desk: ReviewDesk) -> str:
    """An item with a strip of three, the frame that fired and a clip from six seconds before; its id."""
    item = desk.world.queue_alarm("a1", severity="P2", raised_at_ns=RAISED)
    shelf = desk.face.desk.shelf
    media = [("strip" if each else "frame", each, b"still %d" % -each, "image/jpeg", 0) for each in STILLS]
    media.append(("clip", -6.0, film(CLIP_S, fragmented=False), "video/mp4", CLIP_S * 1000))
    with desk.face.database.transaction() as db:
        for place, (kind, seconds, body, media_type, duration_ms) in enumerate(media):
            sha256, at_ns = shelf.put(body, media_type), RAISED + int(seconds * SECOND_NS)
            row = {"box_id": BOX, "alarm_id": "a1", "sha256": sha256, "media_type": media_type}
            known = {"event_id": "a1:raised", "item_key": f"a1:{place}", "kind": "segment", "camera_id": "cam-1"}
            db.execute(insert(alarm_media).values(**row, **known, started_at_ns=at_ns, duration_ms=duration_ms))
            said = {"media_class": kind, "place": place, "captured_at_ns": at_ns, "boxes": json.dumps([])}
            db.execute(
                insert(review_pictures).values(**row, **said, width_px=320, height_px=180, duration_ms=duration_ms)
            )
    return item


async def cursor(page: Page) -> float:
    """Where the line on the curve stands, as a share of the plot."""
    x = float(await page.locator("#curve-cursor line").get_attribute("x1") or "nan")
    return (x - 56) / (640 - 66)


async def test_one_cursor_moves_stills_clip_and_curve(desk: ReviewDesk, open_desk: Any) -> None:
    item = filmed(desk)
    page = await open_desk()
    await expect(page.locator("#item")).to_have_attribute("data-whole", item)
    said, strip = page.locator("#cursor-said"), page.locator("#strip button")
    await expect(said).to_have_text("+0.0 s")
    assert abs(await cursor(page) - 0.5) < 0.001
    await page.get_by_role("button", name="静帧 −2.0 s").click()
    await expect(said).to_have_text("−2.0 s")
    assert abs(await cursor(page) - 0.4) < 0.001
    await page.locator("#cursor").focus()
    await page.keyboard.press("ArrowLeft")
    await expect(said).to_have_text("−2.0 s")
    await page.keyboard.press("Home")
    await expect(said).to_have_text("−10.0 s")
    await expect(strip.locator("xpath=self::*[@aria-current]")).to_have_text("静帧 −3.0 s")
    await page.locator("#item-title").focus()
    await page.keyboard.press("Space")
    clip = page.locator("#clip")
    await expect(clip).to_be_visible()
    await page.keyboard.press("KeyC")
    await page.locator("#curve-frame").click(position={"x": await _at(page, 0.6), "y": 40})
    await expect(said).to_have_text("+2.0 s")
    await page.wait_for_function("Math.abs(document.getElementById('clip').currentTime - 8) < 0.1")
    await clip.evaluate("clip => { clip.currentTime = 5; }")
    await expect(said).to_have_text("−1.0 s")
    await expect(strip.locator("xpath=self::*[@aria-current]")).to_have_text("静帧 −1.0 s")
    assert abs(await cursor(page) - 0.45) < 0.001
    await axe_clean(page)


async def _at(page: Page, share: float) -> float:
    """Pixels from the left of the curve at a share of its plot."""
    box = await page.locator("#curve-frame").bounding_box()
    assert box is not None
    return float((56 + share * (640 - 66)) / 640 * box["width"])


async def test_the_half_hour_before_is_one_button_away(desk: ReviewDesk, open_desk: Any) -> None:
    filmed(desk)
    page = await open_desk(look=PHONE)
    await page.get_by_role("button", name="显示前半小时").click()
    assert abs(await cursor(page) - 0.75) < 0.001
    assert (await page.locator("#curve").get_attribute("src") or "").endswith("/curve.svg?span=wide")
    await page.get_by_role("button", name="显示前后数秒").click()
    assert abs(await cursor(page) - 0.5) < 0.001
    assert await overflow_px(page) <= 0


async def test_a_acknowledges_and_judges_nothing(desk: ReviewDesk, open_desk: Any) -> None:
    items = desk.alarms(2)
    page = await open_desk()
    await expect(page.locator("#item")).to_have_attribute("data-whole", items[0])
    await page.keyboard.press("KeyA")
    await expect(page.locator("#acknowledged")).to_contain_text("已确认：研判员4401")
    await page.keyboard.press("KeyA")
    await expect(page.locator("#said")).to_have_text("已确认")
    await expect(page.locator("#item")).to_have_attribute("data-item", items[0])
    assert {verdict for _, verdict, _ in desk.verdicts()} == {""}
    with desk.face.database.reading() as db:
        assert [row.item_id for row in db.execute(select(review_acknowledgements))] == [items[0]]
        assert db.execute(select(hazards)).first() is None


async def test_s_shelves_with_a_reason_and_never_a_p1(desk: ReviewDesk, open_desk: Any) -> None:
    gravest = desk.world.queue_alarm("p1", severity="P1")
    items = desk.alarms(2)
    page = await open_desk()
    item = page.locator("#item")
    await expect(item).to_have_attribute("data-whole", gravest)
    await page.keyboard.press("KeyS")
    await expect(page.locator("#trouble")).to_contain_text("不得搁置")
    await expect(page.locator("#shelve")).to_be_hidden()
    await page.keyboard.press("KeyJ")
    await page.keyboard.press("KeyS")
    await expect(page.locator("#shelve-reason")).to_be_focused()
    await axe_clean(page)
    await page.keyboard.press("Enter")
    await expect(page.locator("#shelve")).to_be_visible()
    await page.keyboard.type("scaffold being fixed")
    await page.keyboard.press("Enter")
    await expect(item).to_have_attribute("data-item", items[1])
    await expect(page.locator("#count-P2")).to_have_text("1")
    with desk.face.database.reading() as db:
        (row,) = db.execute(select(review_shelves))
    assert (row.item_id, row.reason, row.until_ns - row.at_ns) == (items[0], "scaffold being fixed", 3600 * SECOND_NS)
    await page.goto(f"{desk.face.url}/review/shelf")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("1")
    await axe_clean(page)
    await page.get_by_role("button", name="取回队列").click()
    await expect(page.locator(".card")).to_have_text("目前没有搁置。")


async def test_english_and_night(desk: ReviewDesk, open_desk: Any) -> None:
    filmed(desk)
    page = await open_desk(look=DESK.in_language("en").by("dark"))
    await expect(page.get_by_role("button", name="Still −3.0 s")).to_be_visible()
    await page.keyboard.press("KeyC")
    await axe_clean(page)
