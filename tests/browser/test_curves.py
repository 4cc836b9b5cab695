"""S5 and the curve in an alarm: drawn, read with keys, unknown hatched, gaps broken, and the same without script."""

import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.axe import axe_clean
from tests.browser.looks import DESK, PHONE, ZOOMED, Look, overflow_px
from tests.fakes.waiting import wait_until

MOMENT = "/curves?asset=crane-1&point=crane-1.moment_pct&span=1h"
DRAWN = "canvas[aria-label*='力矩百分比']"
SERIES = """async (steps) => {
  const src = document.querySelector("script[src*='curve_panel.js']").src.replace("curve_panel.js", "curve_series.js");
  const { CurveSeries } = await import(src);
  const row = { point: "p", title_zh: "点", title_en: "p", unit: "t", decimals: 1, stale_after_s: 30, t_ms: [0, 1000],
    low: [1, 2], high: null, mean: null, starts: [0], unknown: [], limits: [], episodes: [], parts: [] };
  const series = new CurveSeries(row, 0, "en");
  for (const [ms, value, quality] of steps) series.append(ms, value, quality);
  return { t: series.t, mean: series.mean, starts: [...series.starts], unknown: series.unknown,
    kinds: [500, 2500, 40000].map((ms) => series.at(ms).kind) };
}"""


async def drawn(page: Page) -> None:
    """The curve is there, with its sentences."""
    await expect(page.locator(DRAWN)).to_be_visible()


async def ink(page: Page) -> int:
    """How many different colours the canvas shows in its plot: an empty one has few."""
    return int(
        await page.evaluate(
            """() => {
              const canvas = document.querySelector("figure.curve canvas");
              const pen = canvas.getContext("2d");
              const { data } = pen.getImageData(60, 22, canvas.width - 80, canvas.height - 60);
              return new Set(new Uint32Array(data.buffer)).size;
            }"""
        )
    )


async def test_a_curve_is_drawn_and_read_with_the_keyboard(box, open_page):
    page = await open_page(MOMENT)
    await drawn(page)
    assert await ink(page) > 3
    await page.locator("figure.curve canvas").focus()
    readout = page.locator("[data-curve-readout]")
    await expect(readout).to_contain_text("方向键")
    await page.keyboard.press("ArrowLeft")
    await expect(readout).to_contain_text("未知")
    await expect(readout).to_contain_text("无数据")
    for _ in range(60):
        await page.keyboard.press("ArrowRight")
    await expect(readout).to_contain_text(re.compile(r"力矩百分比: \d+\.\d %"))
    await page.keyboard.press("Escape")
    await expect(readout).to_contain_text("方向键")


async def test_zooming_asks_the_box_for_the_part_that_is_seen(box, open_page):
    page = await open_page(MOMENT)
    await drawn(page)
    await page.locator("figure.curve canvas").focus()
    async with page.expect_request(lambda request: "/api/curve" in request.url and "from_ns=" in request.url) as asked:
        await page.keyboard.press("+")
    query = (await asked.value).url
    assert "last_s" not in query
    first, last = (int(re.search(rf"{name}=(\d+)", query)[1]) for name in ("from_ns", "to_ns"))
    assert 0.75 * 3600e9 < last - first < 0.85 * 3600e9
    async with page.expect_request(lambda request: "last_s=3600" in request.url):
        await page.get_by_role("button", name="全部时段").click()


async def test_dragging_zooms_and_a_wheel_over_the_page_scrolls_it(box, open_page):
    page = await open_page(MOMENT, look=Look("low", 1280, 500))
    await drawn(page)
    canvas = await page.locator("figure.curve canvas").bounding_box()
    middle = canvas["y"] + 40
    await page.mouse.move(canvas["x"] + 300, middle)
    await page.mouse.wheel(0, 120)
    await expect(page.locator("header")).not_to_be_in_viewport(ratio=1)
    await page.evaluate("document.scrollingElement.scrollTo(0, 0)")
    async with page.expect_request(lambda request: "from_ns=" in request.url):
        await page.mouse.move(canvas["x"] + 300, middle)
        await page.mouse.down()
        await page.mouse.move(canvas["x"] + 500, middle, steps=4)
        await page.mouse.up()


async def test_silence_is_hatched_and_never_a_number(box, open_page):
    box.assets["crane-1"].fall_silent()
    page = await open_page(MOMENT)
    await drawn(page)
    await expect(page.locator("[data-curve-summary]")).to_contain_text("数据未知")
    await page.locator("figure.curve canvas").focus()
    for _ in range(60):
        await page.keyboard.press("ArrowRight")
    await expect(page.locator("[data-curve-readout]")).to_contain_text(re.compile("未知 .*最近一个值"), timeout=15_000)


async def test_an_alarms_curve_shows_its_sealed_limit_and_its_moments(box, open_page):
    alarm = box.raise_alarm()
    box.return_alarm()
    page = await open_page(f"/alarms/{alarm.alarm_id}")
    await drawn(page)
    await expect(page.locator("table.curve-limits caption")).to_contain_text("存证记录")
    await expect(page.locator("table.curve-limits")).to_contain_text("≥ 100.0 %")
    answer: dict[str, Any] = await page.evaluate(
        "fetch(document.querySelector('figure.curve').dataset.curve).then((answer) => answer.json())"
    )
    assert [mark["kind"] for mark in answer["marks"]] == ["raised", "returned"]
    assert answer["series"][0]["episodes"][0]["alarm_id"] == alarm.alarm_id


async def test_another_span_needs_no_other_page(box, open_page):
    page = await open_page(MOMENT)
    await drawn(page)
    await page.evaluate("window.same = true")
    await page.get_by_role("link", name="最近 90 天").click()
    await expect(page.locator("[data-curve-resolution]")).to_contain_text("一分钟值")
    assert await page.evaluate("window.same && location.search.includes('span=90d')")
    await expect(page.get_by_role("link", name="最近 90 天")).to_have_attribute("aria-current", "true")
    href = await page.get_by_role("link", name="下载 CSV").get_attribute("href")
    assert "last_s=7776000" in href


async def test_the_newest_readings_join_while_one_looks(box, open_page):
    page = await open_page(MOMENT)
    await drawn(page)
    newest = """async () => {
      const { curveOf } = await import(document.querySelector("script[src*='curve_panel.js']").src);
      return curveOf(document.querySelector("figure.curve")).newest;
    }"""
    before = await page.evaluate(newest)
    for _ in range(2):  # the second question comes after the first answer has been drawn
        await page.wait_for_event("request", lambda asked: "/api/curve" in asked.url and "from_ns=" in asked.url)
    assert await page.evaluate(newest) > before


async def test_readings_of_the_feed_extend_the_line_and_break_it(box, open_page):
    page = await open_page(MOMENT)
    await drawn(page)
    steps = [[2000, 3.0, 0], [3000, None, 2], [4000, 5.0, 0], [1500, 99.0, 0], [45_000, 6.0, 0]]
    found = await page.evaluate(SERIES, steps)
    assert found["t"] == [0, 1000, 2000, 4000, 45_000], "what is older than the newest is no news"
    assert found["mean"] == [1, 2, 3.0, 5.0, 6.0]
    assert found["starts"] == [0, 3, 4]
    assert [(gap["from"], gap["to"], gap["kind"]) for gap in found["unknown"]] == [
        (2000, 4000, "bad"),
        (4000, 45_000, "missing"),
    ]
    assert found["kinds"] == ["", "bad", "missing"]


async def test_the_values_are_a_table_too(box, open_page):
    page = await open_page(MOMENT)
    await drawn(page)
    await page.locator("details[data-values] summary").click()
    table = page.locator("[data-values-place] table")
    await expect(table).to_be_visible()
    assert 1 < await table.locator("tr").count() <= 201
    await expect(table.locator("tr.unknown").first).to_contain_text("未知")


async def test_without_script_there_is_a_picture_and_a_page_of_values(box, open_page):
    page = await open_page(MOMENT, java_script_enabled=False)
    picture = page.locator("figure.curve img")
    await expect(picture).to_be_visible()
    assert (await picture.bounding_box())["height"] > 100
    await expect(page.locator("figure.curve canvas")).to_be_hidden()
    await page.get_by_role("link", name="数值页").click()
    await expect(page.locator("table tr.unknown").first).to_contain_text("无数据")


async def test_a_box_that_is_gone_is_said_and_the_old_curve_marked(box, open_page, troubles):
    troubles.server_goes_away()
    page = await open_page(MOMENT)
    await drawn(page)
    box.kill()
    await expect(page.locator("[data-curve-problem]")).to_contain_text("旧数据", timeout=15_000)
    await expect(page.locator("figure.curve")).to_have_class(re.compile("outdated"))
    box.start()
    await expect(page.locator("[data-curve-problem]")).to_be_hidden(timeout=20_000)


@pytest.mark.parametrize("look", [PHONE, ZOOMED, DESK.by("dark"), DESK.in_language("en")], ids=str)
async def test_everybody_can_use_it(box, open_page, look):
    box.raise_alarm()
    wait_until(lambda: len(box.open_alarms()) == 1, "one alarm")
    page = await open_page(MOMENT, look=look)
    await expect(page.locator("figure.curve canvas")).to_be_visible()
    await expect(page.locator("[data-curve-summary] p")).to_have_count(1)
    assert await overflow_px(page) == 0
    await page.locator("details.card > summary").click()
    await axe_clean(page, "main")
