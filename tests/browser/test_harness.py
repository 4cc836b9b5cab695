"""The harness itself: what it must catch it catches, and the box does what tests ask of it."""

import pytest
from playwright.async_api import expect

from gateway.accounts.person import Role
from tests.browser.axe import axe_clean
from tests.browser.keyboard import tab_walk
from tests.browser.looks import PHONE, overflow_px
from tests.fakes.chromium import Troubles
from tests.fakes.screen_site import MOMENT, PIT, TILT, WALL, WIND

EMPTY = "<!doctype html><html lang='en'><title>t</title><main><h1>t</h1>{}</main></html>"


async def test_a_request_that_leaves_the_machine_is_refused_and_told(chromium, outside):
    troubles = Troubles(outside)
    context = await chromium.new_context(proxy=outside.proxy)
    troubles.watch(context)
    troubles.expect("outside", "example")
    page = await context.new_page()
    await page.set_content(EMPTY.format("<img src='http://example.invalid/x.png' alt=''>"))
    await page.evaluate("fetch('https://198.51.100.7/a').catch(() => 0)")
    await context.close()
    found = "\n".join(troubles.unexpected())
    assert "example.invalid" in found
    assert "198.51.100.7" in found
    assert any("CONNECT 198.51.100.7:443" in line for line in outside.asked)


async def test_a_shared_workers_request_that_leaves_the_machine_is_told(chromium, outside):
    """Playwright does not see what a SharedWorker asks for; the proxy does."""
    context = await chromium.new_context(proxy=outside.proxy)
    page = await context.new_page()
    await page.route("**/*", lambda route: route.fulfill(body=EMPTY, content_type="text/html"))
    await page.goto("http://127.0.0.1:9/")
    asked = "onconnect = e => fetch('https://worker.invalid/').catch(() => 0).then(() => e.ports[0].postMessage(1))"
    await page.evaluate(
        "text => new Promise(done => {"
        " const worker = new SharedWorker(URL.createObjectURL(new Blob([text])));"
        " worker.port.onmessage = () => done(1); })",
        asked,
    )
    await context.close()
    assert any("worker.invalid" in line for line in outside.asked)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("setTimeout(() => { throw new Error('thrown late'); })", "thrown late"),
        ("console.error('said loudly')", "said loudly"),
        ("Promise.reject(new Error('nobody caught it'))", "nobody caught it"),
    ],
)
async def test_errors_of_a_page_are_troubles(chromium, outside, script, said):
    troubles = Troubles(outside)
    context = await chromium.new_context(proxy=outside.proxy)
    troubles.watch(context)
    page = await context.new_page()
    await page.set_content(EMPTY.format(f"<script>{script}</script>"))
    await page.evaluate("new Promise(done => setTimeout(done))")
    await context.close()
    assert [said in text for text in troubles.unexpected()] == [True], troubles.unexpected()
    troubles.expect(said)
    assert troubles.unexpected() == []


async def test_axe_finds_what_is_wrong(chromium):
    page = await chromium.new_page()
    await page.set_content(EMPTY.format("<button></button>"))
    with pytest.raises(AssertionError, match="button-name"):
        await axe_clean(page)
    await page.set_content(EMPTY.format("<button>go</button>"))
    await axe_clean(page)
    await page.close()


async def test_axe_finds_colours_that_only_the_night_makes_unreadable(chromium):
    page = await chromium.new_page(color_scheme="light")
    night = "<style>@media (prefers-color-scheme: dark) { p { color: #777; background: #666; } }</style>"
    await page.set_content(EMPTY.format(f"{night}<main><h1>said</h1><p>said</p></main>"))
    await axe_clean(page)
    await page.emulate_media(color_scheme="dark")
    with pytest.raises(AssertionError, match="color-contrast"):
        await axe_clean(page, colours=True)
    await page.close()


async def test_the_tab_key_is_followed(chromium):
    page = await chromium.new_page()
    three = "<a href='#a'>A</a><button style='outline:none'>B</button><input aria-label=C>"
    await page.set_content(EMPTY.format(three))
    stops = await tab_walk(page)
    assert [(stop.tag, stop.text, stop.outlined) for stop in stops] == [
        ("a", "A", True),
        ("button", "B", False),
        ("input", "C", True),
    ]
    await page.close()


async def test_what_is_too_wide_is_measured(chromium):
    context = await chromium.new_context(**PHONE.options())
    page = await context.new_page()
    await page.set_content(EMPTY.format("<p>short</p>") + "<meta name=viewport content='width=device-width'>")
    assert await overflow_px(page) == 0
    await page.set_content(EMPTY.format("<div style='width:500px'>wide</div>"))
    assert await overflow_px(page) > 0
    await context.close()


async def test_every_rule_can_be_raised_and_returned(box):
    where = [(MOMENT, "crane-1"), (WIND, "crane-2"), (TILT, "crane-1"), (WALL, PIT)]
    raised = [box.raise_alarm(rule, asset) for rule, asset in where]
    assert [str(alarm.rule.severity) for alarm in raised] == ["P1", "P2", "P3", "P1"]
    for rule, asset in where:
        box.return_alarm(rule, asset)
    assert not [alarm for alarm in box.open_alarms() if alarm.active]


async def test_a_killed_box_comes_back_where_it_was(box):
    alarm = box.raise_alarm()
    box.kill()
    box.start()
    assert [found.alarm_id for found in box.open_alarms()] == [alarm.alarm_id]


async def test_the_boxs_clock_can_be_put_forward(shiftable_box):
    before = shiftable_box.raise_alarm()
    shiftable_box.put_forward(8 * 3600)
    after = shiftable_box.raise_alarm(WIND)
    assert after.raised_at_ns - before.raised_at_ns > 8 * 3600 * 1e9


async def test_people_log_in_by_role(box, open_page):
    officer = await open_page("/me", role=Role.SAFETY_OFFICER)
    await expect(officer.get_by_role("main")).to_contain_text("安全员")
    viewer = await open_page("/me", role=Role.VIEWER)
    await expect(viewer.get_by_role("main")).to_contain_text("值班看护")


async def test_a_page_opens(box, open_page):
    page = await open_page()
    await expect(page.get_by_role("main")).to_be_visible()
