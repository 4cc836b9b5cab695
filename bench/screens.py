"""The screens in a real headless Chromium before a real gateway: how soon an alarm is painted, what a page weighs, what
it needs after many updates, and how it answers a hand while alarms pour in.

    python -m bench.screens                       # every figure as one JSON object; about 12 minutes
    python -m bench.screens --only latency flood
    python -m bench.screens --minutes 60          # memory after an hour at ten updates a second, in real time

An alarm's time is that of its record in the chain, stamped just before the commit; it is painted when the frame after
the one with its row has begun. Gateway, devices and browser share this machine and its clock.
"""

import argparse
import asyncio
import gzip
import json
import random
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from bench.screen_load import RULE, SWITCHES, LoadedBox
from tests.fakes.chromium import Outside, launch, throttle_cpu
from tests.fakes.waiting import wait_until

ALARMS = 200
EVERY_S = 0.25
SETTLE_S = 3.0
TABS = 10
FLOOD_S = 10
INPUT_EVERY_S = 0.1
HOUR_OF_UPDATES = 36_000
FAST_PER_S = 100
WINDOW = {"width": 1920, "height": 1080}
WATCH = """
globalThis.paintedAt = {}; globalThis.heard = []; globalThis.inputs = []; globalThis.longest = 0;
const now = () => performance.timeOrigin + performance.now();
const afterPaint = (then) => requestAnimationFrame(() => requestAnimationFrame(then));
const look = () => {
  const fresh = [...document.querySelectorAll("[id^=alarm-]")].filter((row) => !(row.id in paintedAt));
  for (const row of fresh) paintedAt[row.id] = 0;
  if (fresh.length) afterPaint(() => { for (const row of fresh) paintedAt[row.id] = now(); });
};
new MutationObserver(look).observe(document, {childList: true, subtree: true});
addEventListener("DOMContentLoaded", look);
document.addEventListener("feed-alarm", (event) => heard.push(event.detail.seq));
const hand = (event) => {
  const began = event.timeStamp;
  requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => inputs.push(performance.now() - began);
    channel.port2.postMessage(0);
  });
};
for (const kind of ["keydown", "mousedown"]) addEventListener(kind, hand, {capture: true, passive: true});
new PerformanceObserver((list) => {
  for (const task of list.getEntries()) longest = Math.max(longest, task.duration);
}).observe({type: "longtask"});
"""


class Screens:
    """One loaded box and one browser."""

    def __init__(self, box: LoadedBox, browser: Browser, outside: Outside) -> None:
        self.box = box
        self.browser = browser
        self._outside = outside

    async def context(self) -> BrowserContext:
        """One more browser, watched from its first line on."""
        context = await self.browser.new_context(
            viewport=WINDOW, proxy=self._outside.proxy, timezone_id="Asia/Shanghai"
        )
        await context.add_init_script(WATCH)
        return context

    async def overview(self, context: BrowserContext) -> Page:
        """S1, connected to the feed."""
        page = await context.new_page()
        await page.goto(f"{self.box.url}/")
        await page.locator("html[data-feed=live]").wait_for(state="attached")
        return page

    def committed(self, after: int = 0) -> dict[str, int]:
        """Each alarm of the cabinets and the UTC ns of its first record after that one."""
        first: dict[str, int] = {}
        for seq, alarm, at_ns in self.box.committed():
            if seq > after:
                first.setdefault(alarm, at_ns)
        return first

    def last_seq(self) -> int:
        """The last record about an alarm."""
        return max((seq for seq, _, _ in self.box.committed()), default=0)

    async def calm(self) -> None:
        """Every switch is off, and nobody need look at what was."""
        self.box.switch(range(SWITCHES), on=False)
        await asyncio.to_thread(wait_until, self._all_returned, "every alarm returned", 60)

    def _all_returned(self) -> bool:
        return not any(alarm.active for alarm in self.box.open_alarms() if alarm.rule.rule_id.startswith(RULE))


async def latency(screens: Screens, slower: float, first_switch: int) -> dict[str, Any]:
    """`ALARMS` new alarms one after the other; how long until each is painted, milliseconds."""
    context = await screens.context()
    page = await screens.overview(context)
    if slower > 1:
        await throttle_cpu(page, slower)
    before, rng = screens.last_seq(), random.Random(1)
    for number in range(first_switch, first_switch + ALARMS):
        screens.box.switch([number], on=True)
        await asyncio.sleep(EVERY_S + rng.uniform(-0.05, 0.05))
    await asyncio.sleep(SETTLE_S)
    painted = await page.evaluate("paintedAt")
    await context.close()
    committed = screens.committed(before)
    took = [painted[f"alarm-{a}"] - ns / 1e6 for a, ns in committed.items() if painted.get(f"alarm-{a}")]
    return {"cpu_slower": slower, "alarms": len(committed), "painted": len(took), **_spread(took)}


async def tabs(screens: Screens) -> dict[str, Any]:
    """Ten tabs of one browser: what each took to load, and whether each heard of every alarm once."""
    context = await screens.context()
    loop, load_ms, pages = asyncio.get_running_loop(), [], []
    for _ in range(TABS):
        began = loop.time()
        pages.append(await screens.overview(context))
        load_ms.append((loop.time() - began) * 1000)
    before = screens.last_seq()
    for number in range(ALARMS, ALARMS + 30):
        screens.box.switch([number], on=False)
        await asyncio.sleep(EVERY_S)
        screens.box.switch([number], on=True)
        await asyncio.sleep(EVERY_S)
    await asyncio.sleep(SETTLE_S)
    wanted = [seq for seq, _, _ in screens.box.committed() if seq > before]
    heard = [[seq for seq in await page.evaluate("heard") if seq > before] for page in pages]
    await context.close()
    complete = sum(sorted(each) == wanted for each in heard)
    return {
        "tabs": TABS,
        "events": len(wanted),
        "tabs_that_heard_each_once": complete,
        "load_ms_most": round(max(load_ms)),
    }


async def shell(screens: Screens) -> dict[str, Any]:
    """What S1 loads before it stands, compressed one by one (gzip 6), bytes."""
    context = await screens.context()
    page = await context.new_page()
    bodies: dict[str, int] = {}
    pending: list[Awaitable[None]] = []

    async def weigh(response: Any) -> None:
        kind = response.headers.get("content-type", "").split(";")[0]
        if (
            kind in ("text/html", "text/css", "text/javascript", "application/javascript")
            and "/parts/" not in response.url
        ):
            bodies[response.url.removeprefix(screens.box.url)] = len(gzip.compress(await response.body(), 6))

    page.on("response", lambda response: pending.append(asyncio.ensure_future(weigh(response))))
    await page.goto(f"{screens.box.url}/")
    await page.locator("html[data-feed=live]").wait_for(state="attached")
    await asyncio.gather(*pending)
    await context.close()
    return {
        "files": len(bodies),
        "gzip_bytes": sum(bodies.values()),
        "largest": dict(sorted(bodies.items(), key=lambda item: -item[1])[:5]),
    }


async def memory(screens: Screens, updates: int, per_s: float) -> dict[str, Any]:
    """S1 through so many alarm events; heap after a collection and the page's process, MB, before and after."""
    context = await screens.context()
    page = await screens.overview(context)
    before, at_start = screens.last_seq(), await _weight(screens.browser, page)
    step_s = 0.1 if per_s >= 10 else 1 / per_s
    batch = max(1, round(per_s * step_s))
    loop = asyncio.get_running_loop()
    began, sent = loop.time(), 0
    while sent < updates:
        turn, place = divmod(sent, SWITCHES // 2)
        screens.box.switch(range(SWITCHES // 2 + place, SWITCHES // 2 + place + batch), on=turn % 2 == 0)
        sent += batch
        await asyncio.sleep(max(0.0, began + sent / per_s - loop.time()))
    seconds = loop.time() - began
    await asyncio.sleep(SETTLE_S)
    wanted = sum(seq > before for seq, _, _ in screens.box.committed())
    heard = int(await page.evaluate("heard.length"))
    at_end = await _weight(screens.browser, page)
    await context.close()
    run = {"events": wanted, "heard": heard, "seconds": round(seconds), "events_per_s": round(wanted / seconds, 1)}
    return run | {f"{name}_before": value for name, value in at_start.items()} | at_end


async def flood(screens: Screens) -> dict[str, Any]:
    """A thousand alarms in ten seconds, and a hand that presses a key or clicks ten times a second."""
    context = await screens.context()
    page = await screens.overview(context)
    await asyncio.sleep(SETTLE_S)
    session = await context.new_cdp_session(page)
    before, loop = screens.last_seq(), asyncio.get_running_loop()
    began, numbers = loop.time(), list(range(SWITCHES))
    random.Random(2).shuffle(numbers)
    hands = asyncio.create_task(_hands(session, FLOOD_S))
    for step in range(FLOOD_S * 10):
        screens.box.switch(numbers[step * 10 : step * 10 + 10], on=True)
        await asyncio.sleep(max(0.0, began + (step + 1) / 10 - loop.time()))
    await hands
    await asyncio.sleep(SETTLE_S)
    inputs, longest = await page.evaluate("[inputs, longest]")
    heard = [seq for seq in await page.evaluate("heard") if seq > before]
    wanted = [seq for seq, _, _ in screens.box.committed() if seq > before]
    await context.close()
    told = {"alarms": len(wanted), "heard": len(set(heard) & set(wanted)), "inputs": len(inputs)}
    return told | {"input": _spread(inputs), "longest_task_ms": round(longest)}


async def _hands(session: Any, seconds: float) -> None:
    place = {"x": 5, "y": 1070, "button": "left", "clickCount": 1}
    for i in range(round(seconds / INPUT_EVERY_S)):
        if i % 2:
            for kind in ("mousePressed", "mouseReleased"):
                await session.send("Input.dispatchMouseEvent", {"type": kind, **place})
        else:
            for kind in ("rawKeyDown", "keyUp"):
                await session.send("Input.dispatchKeyEvent", {"type": kind, "key": "Shift", "code": "ShiftLeft"})
        await asyncio.sleep(INPUT_EVERY_S)


async def _weight(browser: Browser, page: Page) -> dict[str, float]:
    """The page's script heap after a collection, and the largest renderer's resident memory, MB."""
    session = await page.context.new_cdp_session(page)
    await session.send("HeapProfiler.collectGarbage")
    await session.send("Performance.enable")
    metrics = {m["name"]: m["value"] for m in (await session.send("Performance.getMetrics"))["metrics"]}
    whole = await browser.new_browser_cdp_session()
    processes = (await whole.send("SystemInfo.getProcessInfo"))["processInfo"]
    pages = [int(each["id"]) for each in processes if each["type"] == "renderer" and _shows_a_page(int(each["id"]))]
    await whole.detach()
    return {
        "heap_mb": round(metrics["JSHeapUsedSize"] / 2**20, 1),
        "nodes": metrics["Nodes"],
        "renderer_rss_mb": max(_held_mb(pid, "VmRSS:") for pid in pages),
        "renderer_private_mb": max(_held_mb(pid, "RssAnon:") for pid in pages),
    }


def _shows_a_page(pid: int) -> bool:
    """The browser draws its own tabs and menus in renderers too."""
    return b"--top-chrome-webui" not in Path(f"/proc/{pid}/cmdline").read_bytes()


def _held_mb(pid: int, name: str) -> float:
    """`VmRSS:` with the program's own code, which all processes of the browser share; `RssAnon:` without it."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name):
            return round(int(line.split()[1]) / 1024, 1)
    return 0.0


def _spread(values_ms: list[float]) -> dict[str, float]:
    if not values_ms:
        return {}
    p50, p95 = np.percentile(values_ms, (50, 95))
    return {"p50_ms": round(p50, 1), "p95_ms": round(p95, 1), "most_ms": round(max(values_ms), 1)}


async def _measure(only: list[str], minutes: float) -> dict[str, Any]:
    updates, per_s = (round(minutes * 600), 10.0) if minutes else (HOUR_OF_UPDATES, float(FAST_PER_S))
    figures: dict[str, Callable[[Screens], Awaitable[dict[str, Any]]]] = {
        "shell": shell,
        "latency": lambda screens: latency(screens, 1, 0),
        "latency_slow": lambda screens: latency(screens, 6, ALARMS),
        "tabs": tabs,
        "flood": flood,
        "memory": lambda screens: memory(screens, updates, per_s),
    }
    found: dict[str, Any] = {}
    async with async_playwright() as playwright:
        browser = await launch(playwright)
        for name in only or figures:
            with tempfile.TemporaryDirectory() as folder, Outside() as outside, LoadedBox(Path(folder)) as box:
                found[name] = await figures[name](Screens(box, browser, outside))
                found[name]["asked_outside"] = len(outside.asked)
        await browser.close()
    return found


def measure(only: list[str] | None = None, minutes: float = 0.0) -> dict[str, Any]:
    """The figures by name; `minutes` of real time for the memory, 0 for an hour's updates ten times as fast."""
    return asyncio.run(_measure(only or [], minutes))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=[], help="shell latency latency_slow tabs flood memory")
    parser.add_argument("--minutes", type=float, default=0.0, help="of the memory run at 10 updates/s in real time")
    options = parser.parse_args()
    print(json.dumps(measure(options.only, options.minutes), indent=1))
