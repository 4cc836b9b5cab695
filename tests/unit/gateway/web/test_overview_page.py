import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.model.alarm import Severity
from gateway.model.quantity import Point, PointTable
from gateway.model.reading import Quality
from gateway.rules.window import Window
from gateway.web.read_model import AssetView
from gateway.web.site_plan import Drawing, DrawnCrane
from tests.fakes.site import info, poll, threshold, until
from tests.fakes.web_face import LAYOUT, Face

CRANE = DrawnCrane("crane-1", 1, 200.0, 300.0, 100.0, 110.0, 30.0, 2.5, 55.0, 0.0, True, False, None, 0.0)
PLAN = Drawing(400.0, 600.0, 2.0, 50, 100.0, cranes=(CRANE,))
HTML = {"accept": "text/html"}
PARTS = ("/parts/overview-alarms", "/parts/overview-plan", "/parts/overview-bars", "/parts/topbar")


@pytest.fixture
async def face(tmp_path: Path) -> AsyncIterator[Face]:
    face = Face(tmp_path)
    face.site.start()
    keys = ("slew_deg", "radius_m", "q2", "q3")
    made = (Point(f"crane-1.{key}", "crane-1", key, "m", "host-1", key, key) for key in keys)
    face.view.parts = replace(face.view.parts, points=PointTable(tuple(made)), drawing=PLAN)
    yield face
    await face.close()


async def page(face: Face, path: str = "/") -> str:
    reply = await face.client.get(path, headers=HTML)
    assert reply.status_code == 200, reply.text
    return reply.text


def words(html: str) -> str:
    """What is read on the page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


async def test_before_anything_was_heard_nothing_is_normal(face: Face) -> None:
    html = await page(face, "/parts/overview-plan?lang=en")
    assert "no data" in words(html)
    assert "normal" not in words(html)
    assert 'data-turn="crane-1/jib"' not in html, "no direction is invented"
    assert "2 rules cannot be judged (unknown is not normal)" in words(
        await page(face, "/parts/overview-alarms?lang=en")
    )


async def test_an_alarm_is_on_the_list_with_its_measure_limit_and_the_way_to_acknowledge_it(face: Face) -> None:
    alarm_id = await face.raised()
    html = await page(face, "/?lang=en")
    assert f'href="/alarms/{alarm_id}#acknowledge"' in html
    assert "120.00 / 100.00 m" in words(html)
    assert "2 alarms" in words(html), "beside the plan, in words"


async def test_what_is_acknowledged_offers_no_button_and_stays(face: Face) -> None:
    alarm_id = await face.raised()
    await face.acknowledge(alarm_id, {"user": "duty", "reason": "seen"})
    html = await page(face, "/parts/overview-alarms")
    assert f'id="alarm-{alarm_id}"' in html
    assert f'id="ack-{alarm_id}"' not in html


async def test_titles_from_settings_are_shown_as_text(face: Face) -> None:
    hostile = AssetView("crane-1", "tower-crane", "<script>alert(1)</script>", "<img src=x onerror=1>")
    face.view.parts = replace(face.view.parts, assets=(hostile,))
    await face.raised()
    for path in ("/", *PARTS):
        html = await page(face, path)
        assert "<script>alert" not in html
        assert "<img" not in html


async def test_the_wall_has_neither_commands_nor_navigation(face: Face) -> None:
    await face.raised()
    for path in ("/wall", "/?kiosk=1", "/parts/overview-alarms?wall=1"):
        html = await page(face, path)
        assert "<form" not in html
        assert "data-acknowledge" not in html
        assert "<nav" not in html


async def test_a_wall_says_its_colours_in_its_address(face: Face) -> None:
    assert 'data-theme="dark"' in await page(face, "/wall?theme=dark")
    assert "data-theme" not in await page(face, "/wall?theme=<script>")


async def test_a_failing_store_is_on_top_of_every_page(face: Face) -> None:
    face.site.alerts._writer._connection.execute("PRAGMA query_only=1")
    face.site.intake.offer(poll(LAYOUT, 120.0))
    await until(lambda: bool(face.site.recorder.failing_since_ns))
    assert "The disk takes no records" in await page(face, "/parts/topbar?lang=en")
    assert "120.00 / 100.00" in words(await page(face, "/parts/overview-alarms")), "shown all the same"
    face.site.alerts._writer._connection.execute("PRAGMA query_only=0")
    await until(lambda: bool(face.site.clock._sleepers))
    await face.site.clock.advance(1.0)
    await until(lambda: face.site.recorder.last_in_line() is None)


async def test_the_link_to_the_regulator_says_since_when_it_is_down_and_what_waits(face: Face) -> None:
    await face.raised()
    top = words(await page(face, "/parts/topbar?lang=en"))
    assert "Regulator ✔ up" in top
    face.delivery.down_since_ns = 1_700_000_000_000_000_000
    assert "down since 06:13:20" in words(await page(face, "/parts/topbar?lang=en"))


async def test_a_page_and_the_feed_say_the_same(face: Face) -> None:
    await face.value(45.0)
    html, cells = await page(face, "/parts/overview-plan"), face.feed.picture.row()["cells"]
    jib = cells["crane-1/jib"]
    assert (jib["s"], jib["b"], jib["r"]) == ("ok", 45.0, 90.0)
    assert f'transform="rotate({jib["b"]})"' in html
    assert f'transform="translate({jib["x"]} {jib["y"]})"' in html


async def test_a_slew_that_nobody_knows_any_more_is_said_to_be_unknown(face: Face) -> None:
    await face.value(45.0)
    await face.value(45.0, 1.0, Quality.BAD)
    cells = face.feed.picture.row()["cells"]
    assert (cells["crane-1/jib"]["s"], cells["crane-1/jib"]["b"]) == ("unknown", 45.0)
    html = await page(face, "/parts/overview-plan")
    assert "未知" in words(html)
    assert 'data-turn="crane-1/jib" data-state="unknown" transform="rotate(45.0)"' in html, "dashed, where it was last"


async def test_other_settings_bring_other_bars_at_once(face: Face) -> None:
    assert "crane-1.moment_pct" not in face.feed.picture.row()["cells"]
    made = (
        Point(f"crane-1.{key}", "crane-1", key, "%", "host-1", key, key) for key in ("moment_pct", "q1", "q2", "q3")
    )
    face.view.parts = replace(face.view.parts, points=PointTable(tuple(made)))
    await face.value(95.0)
    bar = face.feed.picture.row()["cells"]["crane-1.moment_pct"]
    assert (bar["t"], bar["s"]) == ("95.0", "ok"), "100 is the limit"
    assert "crane-1.moment_pct" in await page(face, "/parts/overview-bars")


async def test_an_alarm_of_an_asset_that_is_gone_is_listed_by_its_id(face: Face) -> None:
    face.view.parts = replace(face.view.parts, assets=())
    await face.raised()
    assert "crane-1" in words(await page(face, "/parts/overview-alarms"))


async def test_many_alarms_are_a_short_page(tmp_path: Path) -> None:
    rules = [threshold(number % 4, rule=info(f"rule-{number}", Severity.P3)) for number in range(200)]
    face = Face(tmp_path, rules=rules)
    face.site.start()
    await face.value(120.0)
    html = await page(face, "/parts/overview-alarms?lang=en")
    assert html.count('<li class="s1-row') == 12
    assert "+188 more" in html
    await face.close()


@pytest.mark.parametrize(("cranes", "bars", "rows"), [(6, 12, 8), (7, 7, 10), (14, 14, 8), (16, 16, 6), (64, 64, 2)])
async def test_many_cranes_keep_their_first_bar_and_leave_the_wall_fewer_rows(
    face: Face, cranes: int, bars: int, rows: int
) -> None:
    names = [f"crane-{number}" for number in range(1, cranes + 1)]
    keys = [(name, key) for name in names for key in ("moment_pct", "load_pct")]
    table = PointTable(tuple(Point(f"{name}.{key}", name, key, "%", "host-1", key, key) for name, key in keys))
    assets = tuple(AssetView(name, "tower-crane", name, name) for name in names)
    window = Window(table, face.site.clock.monotonic_ns())
    face.view.parts = replace(face.view.parts, assets=assets, points=table, window=window, drawing=Drawing())
    html = await page(face, "/parts/overview-bars")
    assert html.count('class="bar-row"') == bars
    assert html.count("未知</span>") >= bars, "nothing was heard of any"
    board = face.app.state.pages.environment.globals["board"]
    assert board.wall_rows == rows
