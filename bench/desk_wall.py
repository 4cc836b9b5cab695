"""The wall and live video in a real headless Chromium before a real desk: what the page weighs, how smooth it is while
100 tiles change a second, whether all of them arrive, and how soon a live picture moves.

    python -m bench.desk_wall                  # one JSON object; about a minute
    python -m bench.desk_wall --seconds 30

Updates are alarms in the tables, made into tiles by the desk's own job once a second. The live picture comes from an
RTSP camera through a gateway process. All of it shares this machine. Headless Chromium measures the page's own thread,
no display. Frames a second depend on who else uses the machine; `page_ms_per_update` hardly does: it is processor time
of the page's own thread (script, style, layout, paint), counted in thread ticks, less what the same page costs at rest.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from playwright.async_api import Browser, CDPSession, Page, async_playwright
from sqlalchemy import insert

from regulator.base.days import day_of
from regulator.base.model.actor import Duty
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.schema import prepare
from regulator.base.records.tables.intake import alarms, alerts
from regulator.parts.wall.making import TileMaker
from regulator.parts.wall.reading import changes_after, head
from tests.fakes.chromium import Outside, launch
from tests.fakes.desk_face import DeskFace
from tests.fakes.live_site import CAMERA, LiveSite
from tests.fakes.wall_world import SET, code_of, plant_set

TILES = 500
PER_S = 100
WINDOW = {"width": 1920, "height": 1080}
SETTLE_S = 3.0
QUIET_S = 3
SPENT = {
    "TaskDuration": "all",
    "ScriptDuration": "script",
    "RecalcStyleDuration": "style",
    "LayoutDuration": "layout",
}
LIVE_PROJECT = "P-LIVE"
LIVE_VIEWS = 3
FRAMES = """seconds => new Promise(done => {
  const times = [];
  const look = now => {
    times.push(now);
    if (now - times[0] < seconds * 1000) requestAnimationFrame(look);
    else done(times);
  };
  requestAnimationFrame(look);
})"""
MOVING = """video => new Promise(done => {
  const look = () => video.currentTime > 0 && done(true);
  video.addEventListener("timeupdate", look);
  look();
})"""


class Wall:
    """A desk with the whole set in `folder`, its tiles made once."""

    def __init__(self, folder: Path) -> None:
        self.database = DeskDatabase(f"sqlite:///{folder / 'desk.db'}")
        prepare(self.database)
        now_ns = time.time_ns()
        plant_set(self.database, TILES, day_of(now_ns), now_ns)
        self.maker = TileMaker(self.database, SET, 10**6)
        self.maker.run(now_ns)
        self.made = 0

    def raise_hundred(self) -> float:
        """One alarm each in a hundred projects, then the job; how long the job took, ms."""
        now_ns = time.time_ns()
        rows: list[dict[str, Any]] = []
        for _ in range(PER_S):
            number, self.made = self.made % TILES, self.made + 1
            same = {"box_id": f"box-{number}", "alarm_id": f"a{self.made}", "project_code": code_of(number)}
            rows.append(same | {"rule_id": "r", "severity": ("P1", "P2", "P3")[self.made % 3]})
        with self.database.transaction() as db:
            db.execute(insert(alarms), [row | {"raised_at_ns": now_ns, "active": 1} for row in rows])
            said = [row | {"key": f"{row['alarm_id']}:raised", "transition": "raised"} for row in rows]
            db.execute(insert(alerts), [row | {"accepted_at_ns": now_ns} for row in said])
        began = time.perf_counter()
        self.maker.run(time.time_ns())
        return (time.perf_counter() - began) * 1000

    def seq(self) -> int:
        """The number of the last change."""
        with self.database.reading() as db:
            return head(db)


@contextmanager
def desk_of(wall: Wall, folder: Path) -> Iterator[DeskFace]:
    """A process's worth of desk over the wall."""
    with DeskFace(folder, time.time_ns, database=wall.database) as face:
        yield face


async def measure(seconds: int) -> dict[str, Any]:
    """Everything."""
    with tempfile.TemporaryDirectory() as name, Outside() as outside:
        folder = Path(name)
        wall = await asyncio.to_thread(Wall, folder)
        with desk_of(wall, folder) as face:
            async with async_playwright() as playwright:
                browser = await launch(playwright)
                options = {"proxy": outside.proxy, "viewport": WINDOW}
                found = await _wall(browser, options, face, wall, seconds)
                found |= await _live(browser, options, face, folder)
                await browser.close()
        wall.database.close()
    return found


async def _wall(browser: Browser, options: Any, face: DeskFace, wall: Wall, seconds: int) -> dict[str, Any]:
    context = await browser.new_context(**options)
    await context.add_cookies([face.log_in(Duty.REVIEWER)])  # type: ignore[list-item]
    page = await context.new_page()
    answers: list[Any] = []
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - a bound method of list is refused
    await page.goto(f"{face.url}/wall")
    await page.locator("html[data-feed=live]").wait_for()
    weight = sum([len(await each.body()) for each in answers if each.status == 200 and "/events" not in each.url])
    await asyncio.sleep(SETTLE_S)
    session = await context.new_cdp_session(page)
    await session.send("Performance.enable", {"timeDomain": "threadTicks"})
    quiet, at_rest_ms = await _frames(page, session, QUIET_S)
    changing = asyncio.create_task(_changing(wall, seconds))
    frames, busy_ms = await _frames(page, session, seconds)
    jobs_ms = await changing
    await page.locator(f'#wall[data-seq="{wall.seq()}"]').wait_for()
    wrong = await _wrong(page, wall)
    await context.close()
    return {
        "tiles": TILES,
        "page_bytes": weight,
        "updates_per_s": PER_S,
        "updates": wall.made,
        "tiles_wrong_at_the_end": wrong,
        "frames_per_s_without_updates": round(float(1000 / quiet.mean()), 1),
        "frames_per_s": round(float(1000 / frames.mean()), 1),
        "frame_p95_ms": round(float(np.percentile(frames, 95)), 1),
        "page_ms_per_s_without_updates": {name: round(took / QUIET_S, 1) for name, took in at_rest_ms.items()},
        "page_ms_per_update": {
            name: round((took / seconds - at_rest_ms[name] / QUIET_S) / PER_S, 3) for name, took in busy_ms.items()
        },
        "job_p95_ms": round(float(np.percentile(jobs_ms, 95)), 1),
    }


async def _frames(page: Page, session: CDPSession, seconds: int) -> tuple[Any, dict[str, float]]:
    """The time of each frame for so many seconds, ms, and what the page's thread did meanwhile, ms by kind of work."""
    before = await _spent_ms(session)
    frames = np.diff(np.array(await page.evaluate(FRAMES, seconds)))
    after = await _spent_ms(session)
    return frames, {name: after[name] - before[name] for name in after}


async def _spent_ms(session: CDPSession) -> dict[str, float]:
    found = await session.send("Performance.getMetrics")
    return {SPENT[each["name"]]: each["value"] * 1000 for each in found["metrics"] if each["name"] in SPENT}


async def _changing(wall: Wall, seconds: int) -> list[float]:
    """A hundred changes a second."""
    found = []
    for _ in range(seconds):
        began = time.perf_counter()
        found.append(await asyncio.to_thread(wall.raise_hundred))
        await asyncio.sleep(max(0.0, 1 - (time.perf_counter() - began)))
    return found


async def _wrong(page: Page, wall: Wall) -> int:
    """Tiles that do not say what the database says."""
    shown = await page.locator(".tile").evaluate_all(
        "all => Object.fromEntries(all.map(each => [each.dataset.code, each.querySelector('.said').textContent]))"
    )
    with wall.database.reading() as db:
        kept = {each.project_code: each.tile for each in changes_after(db, 0)}
    counts = {code: f"{tile.alarms_today}·{tile.hazards}·{tile.overdue}" for code, tile in kept.items()}
    return sum(shown[code] != text for code, text in counts.items())


async def _live(browser: Browser, options: Any, face: DeskFace, folder: Path) -> dict[str, Any]:
    with LiveSite(folder / "site", face, LIVE_PROJECT) as site:
        await asyncio.to_thread(site.wait_until_seen, CAMERA)
        times = [await _first_picture(browser, options, face) for _ in range(LIVE_VIEWS)]
    return {"first_picture_ms": [round(each) for each in times], "mailbox_wait": "the box asks again each second"}


async def _first_picture(browser: Browser, options: Any, face: DeskFace) -> float:
    """From the button to a picture that moves."""
    context = await browser.new_context(**options)
    await context.add_cookies([face.log_in(Duty.REVIEWER)])  # type: ignore[list-item]
    page = await context.new_page()
    await page.goto(f"{face.url}/live/{LIVE_PROJECT}/{CAMERA}")
    await page.locator("#reason").fill("bench")
    began = time.perf_counter()
    await page.locator("form.card button").click()
    await page.locator("video").evaluate(MOVING)
    took_ms = (time.perf_counter() - began) * 1000
    await page.locator("#live-stop").click()
    await page.locator("#live[data-over]").wait_for()
    await context.close()
    return took_ms


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=10, help="how long the tiles change")
    print(json.dumps(asyncio.run(measure(parser.parse_args().seconds))))


if __name__ == "__main__":
    main()
