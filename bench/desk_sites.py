"""The sites of the desk's benchmark, as one process: real contract, real signatures, a storm with evidence.

`python -m bench.desk_sites PLAN`: PLAN is JSON with the replicas' addresses, the boxes and the load; commands come as
lines on standard input (`storm`, `stop`), results go as JSON lines to standard output. Sites only measure what they see
themselves: how long each sending took until its receipt, and how long each item was under way since it was made.
"""

import asyncio
import json
import os
import random
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.desk_wire import GatewayLink
from regulator.twins.box import BoxTwin
from regulator.twins.picture import drawn_picture
from regulator.twins.province import made_alarms

RETRY_S = 0.5
MINUTE_NS = 60_000_000_000
PICTURES = 512
"""Different pictures in a storm, drawn before it: drawing is no work of a desk."""


@dataclass(frozen=True)
class Load:
    """What the sites do, as the plan says; seconds and counts."""

    heartbeat_s: float
    summary_s: float
    summary_points: int
    storm_alarms: int
    storm_s: float
    storm_sites: int


@dataclass
class Site:
    """A box and the lock that keeps its deliveries in order. `waited_ms`: from an alarm's raise to its last receipt."""

    twin: BoxTwin
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)
    waited_ms: list[float] = field(default_factory=list)


async def run(plan: dict[str, Any]) -> None:
    load, urls = Load(**plan["load"]), plan["urls"]
    sites = [_site(box, urls[number:] + urls[:number]) for number, box in _spread(plan["boxes"], len(urls))]
    codes = [box["code"] for box in plan["boxes"]]
    for first in range(0, len(sites), 32):
        some = zip(sites[first : first + 32], codes[first : first + 32], strict=True)
        await asyncio.gather(*(_enrol(site.twin, code) for site, code in some))
    for seed in range(PICTURES):
        drawn_picture(seed)
    tell({"ready": len(sites)})
    calm = [asyncio.create_task(_calm(site, load, index / len(sites))) for index, site in enumerate(sites)]
    async for command in _commands():
        if command == "storm":
            tell(await _storm(sites, load))
        elif command == "stop":
            break
    for task in calm:
        task.cancel()
    await asyncio.gather(*calm, return_exceptions=True)
    await asyncio.gather(*(_drained(site) for site in sites))
    tell(_totals(sites))


def _spread(boxes: list[dict[str, Any]], replicas: int) -> list[tuple[int, dict[str, Any]]]:
    """Each box with the number of its first replica."""
    return [(index % replicas, box) for index, box in enumerate(boxes)]


def _site(box: dict[str, Any], urls: list[str]) -> Site:
    link: Any = GatewayLink(urls)
    return Site(BoxTwin(box["box_id"], box["project_code"], link, time.time_ns, time.perf_counter))


async def _enrol(twin: BoxTwin, code: str) -> None:
    await twin.enrol(code)
    await twin.heartbeat()


async def _calm(site: Site, load: Load, phase: float) -> None:
    """Heartbeats and one-minute summaries, spread by `phase` (0 to 1) over their period."""
    loop = asyncio.get_running_loop()
    beat_at = loop.time() + phase * load.heartbeat_s
    summary_at = loop.time() + phase * load.summary_s
    while True:
        await asyncio.sleep(max(0.0, min(beat_at, summary_at) - loop.time()))
        async with site.busy:
            if loop.time() >= beat_at:
                beat_at += load.heartbeat_s
                await site.twin.heartbeat()
            if loop.time() >= summary_at:
                summary_at += load.summary_s
                site.twin.minute("pit-1", load.summary_points, time.time_ns() // MINUTE_NS * MINUTE_NS)
            await site.twin.deliver()


async def _storm(sites: list[Site], load: Load) -> dict[str, Any]:
    """Alarms at an even pace from the first sites, each with record, transition and picture where a camera saw it."""
    chance, alarms = random.Random(7), made_alarms(7)
    began, cpu, sending = time.perf_counter(), time.process_time(), set()
    before = [len(site.twin.tally.receipt_ms) for site in sites]
    raised: list[str] = []
    for number in range(load.storm_alarms):
        await asyncio.sleep(max(0.0, began + number * load.storm_s / load.storm_alarms - time.perf_counter()))
        site = sites[chance.randrange(min(load.storm_sites, len(sites)))]
        raised.append(f"{site.twin.box_id}/{site.twin.alarm(next(alarms), number % PICTURES)}")
        task = asyncio.create_task(_told(site, time.perf_counter()))
        sending.add(task)
        task.add_done_callback(sending.discard)
    offered_s = time.perf_counter() - began
    await asyncio.gather(*sending)
    receipts = [ms for site, first in zip(sites, before, strict=True) for ms in site.twin.tally.receipt_ms[first:]]
    waited = [ms for site in sites for ms in site.waited_ms]
    drained_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu
    said = {"raised": raised, "offered_s": offered_s, "drained_s": drained_s, "cpu_s": cpu_s}
    return said | {"receipt_ms": receipts, "waited_ms": waited}


async def _told(site: Site, since: float) -> None:
    """Send what waits at a site until all of it is receipted, and note how long that took."""
    await _drained(site)
    site.waited_ms.append((time.perf_counter() - since) * 1000)


async def _drained(site: Site) -> None:
    async with site.busy:
        while not await site.twin.deliver():
            await asyncio.sleep(RETRY_S)


def _totals(sites: list[Site]) -> dict[str, Any]:
    return {
        "accepted": sum(len(site.twin.tally.accepted) for site in sites),
        "refused": [code for site in sites for code in site.twin.tally.refused],
        "retries": sum(site.twin.tally.retries for site in sites),
        "cpu_s": round(time.process_time(), 1),
        "pid": os.getpid(),
    }


async def _commands() -> AsyncIterator[str]:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield line.decode().strip()


def tell(said: dict[str, Any]) -> None:
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    asyncio.run(run(json.loads(Path(sys.argv[1]).read_bytes())))
