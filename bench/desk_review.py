"""The review desk in a real headless Chromium before a real desk: from the key of a verdict to the next item painted.

    python -m bench.desk_review                 # 100 items, prints one JSON object
    python -m bench.desk_review --items 300 --database postgresql

Every item has a picture with boxes, facts and a lease of its own. An item is painted when the frame after the one with
its head, facts and decoded picture has begun. Desk, database and browser share this machine. Order and counts are what
tests/browser/test_desk_review.py asserts; here are times alone, and `judged` says how many verdicts the desk holds.
"""

import argparse
import asyncio
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from playwright.async_api import CDPSession, Page, async_playwright
from sqlalchemy import func, select

from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.schema import prepare
from regulator.base.records.tables.review import review_items
from tests.fakes.chromium import Outside, launch
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import DeskFace
from tests.fakes.postgresql import PostgreSQL, reachable_folder, remove
from tests.fakes.review_world import ReviewWorld

CITY = Scope(Level.CITY, "4401")
MINUTE_NS = 60_000_000_000
WINDOW = {"width": 1600, "height": 900}
THINK_MS = 150
"""Between two verdicts; a hand is slower. What is fetched ahead is fetched meanwhile."""
WATCH = """
globalThis.times = []; let began = 0, wanted = "";
const painted = (then) => requestAnimationFrame(() => requestAnimationFrame(then));
addEventListener("keydown", (event) => {
  began = event.timeStamp;
  wanted = document.getElementById("item").dataset.item;
}, true);
addEventListener("DOMContentLoaded", () => {
  const item = document.getElementById("item"), still = document.getElementById("still");
  new MutationObserver(async () => {
    const id = item.dataset.whole;
    if (!began || !id || id === wanted || id !== item.dataset.item) return;
    const since = began;
    began = 0;
    await still.decode().catch(() => {});
    painted(() => times.push(performance.now() - since));
  }).observe(item, {attributes: true, attributeFilter: ["data-whole"]});
});
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.desk_review", description=__doc__)
    parser.add_argument("--items", type=int, default=100)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, _database(given.database, Path(folder)) as database:
        figures = asyncio.run(_measured(Path(folder), database, given.items))
    print(json.dumps({"database": given.database, **figures}))


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[DeskDatabase]:
    if kind == "sqlite":
        database = DeskDatabase(f"sqlite:///{folder / 'desk.db'}")
        prepare(database)
        yield database
        database.close()
        return
    place = reachable_folder()
    server = PostgreSQL(place)
    server.start()
    try:
        database = DeskDatabase(server.url(server.create()))
        prepare(database)
        yield database
        database.close()
    finally:
        server.stop()
        remove(place)


async def _measured(folder: Path, database: DeskDatabase, count: int) -> dict[str, Any]:
    with DeskFace(folder, DeskClock(), database=database) as face, Outside() as outside:
        _fill(face, count)
        async with async_playwright() as playwright:
            browser = await launch(playwright)
            context = await browser.new_context(viewport=WINDOW, proxy=outside.proxy)
            await context.add_init_script(WATCH)
            await context.add_cookies([face.log_in(Duty.REVIEWER, CITY)])
            page = await context.new_page()
            await page.goto(f"{face.url}/review")
            await page.wait_for_selector("#review[data-ready] #item[data-whole]")
            session = await page.context.new_cdp_session(page)
            await session.send("Performance.enable")
            before_s = await _work_s(session)
            times = await _judge_all(page, count)
            work_ms = 1000 * (await _work_s(session) - before_s) / count
            trouble = await page.inner_text("#trouble")
            await browser.close()
        return _figures(times, count, _judged(face), trouble) | {"page_work_ms_per_item": round(work_ms, 1)}


async def _work_s(session: CDPSession) -> float:
    """Seconds of tasks on the page's main thread so far: what a busy machine stretches least."""
    found = await session.send("Performance.getMetrics")
    return float(next(metric["value"] for metric in found["metrics"] if metric["name"] == "TaskDuration"))


def _fill(face: DeskFace, count: int) -> None:
    clock = face.clock
    if not isinstance(clock, DeskClock):
        raise TypeError("the desk of a bench stands in time")
    world = ReviewWorld(face.database, face.desk.ledger, clock)
    for number in range(count):
        alarm, raised_at_ns = f"a{number:04}", clock() - (count - number) * MINUTE_NS
        world.queue_alarm(alarm, subject=f"cam-{number}.bare_head_1", raised_at_ns=raised_at_ns)
        world.thumbnail(alarm, number)
        world.picture(alarm, f"{number:064x}", [[40, 20, 80, 60, 1, 930, 4], [30, 15, 100, 200, 2, 800, 5]])


async def _judge_all(page: Page, count: int) -> list[float]:
    """Y, U, and N with a reason in turn; the time of N is that of its reason."""
    for number in range(count):
        before = int(await page.evaluate("times.length"))
        if number % 3 == 2:
            await page.keyboard.press("KeyN")
        await page.keyboard.press(("KeyY", "KeyU", "Digit1")[number % 3])
        if number < count - 1:
            await page.wait_for_function("n => times.length > n", arg=before)
        await page.wait_for_timeout(THINK_MS)
    return [float(each) for each in await page.evaluate("times")]


def _judged(face: DeskFace) -> int:
    at = review_items.c
    with face.database.reading() as db:
        return int(db.scalar(select(func.count()).select_from(review_items).where(at.verdict != "")) or 0)


def _figures(times: list[float], count: int, judged: int, trouble: str) -> dict[str, Any]:
    return {
        "items": count,
        "judged": judged,
        "painted": len(times),
        "key_to_next_painted_ms": {
            "p50": round(float(np.percentile(times, 50)), 1),
            "p95": round(float(np.percentile(times, 95)), 1),
            "max": round(max(times), 1),
        },
        "trouble": trouble,
    }


if __name__ == "__main__":
    main()
