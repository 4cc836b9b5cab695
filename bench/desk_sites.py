"""The sites of the desk's benchmark, as one process: real contract, real signatures, a storm with evidence.

`python -m bench.desk_sites PLAN`: PLAN is JSON with the boxes and the load; commands come as lines on standard input
(`storm`, `stop`), results go as JSON lines to standard output. Sites only measure what they see themselves.
"""

import asyncio
import json
import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from regulator.twins.box import BoxTwin
from regulator.twins.province import made_alarms

RETRY_S = 0.5
MINUTE_NS = 60_000_000_000


@dataclass(frozen=True)
class Load:
    """What the sites do, as the plan says; seconds and counts."""

    heartbeat_s: float
    summary_s: float
    summary_points: int
    storm_alarms: int
    storm_s: float
    storm_sites: int
    connections: int


@dataclass
class Site:
    """A box and the lock that keeps its deliveries in order."""

    twin: BoxTwin
    busy: asyncio.Lock


async def run(plan: dict[str, Any]) -> None:
    load = Load(**plan["load"])
    limits = httpx.Limits(max_connections=load.connections, max_keepalive_connections=load.connections)
    async with httpx.AsyncClient(base_url=plan["url"], limits=limits, timeout=60, trust_env=False) as client:
        sites = [
            Site(BoxTwin(box["box_id"], box["project_code"], client, time.time_ns, time.perf_counter), asyncio.Lock())
            for box in plan["boxes"]
        ]
        codes = [box["code"] for box in plan["boxes"]]
        enrolling = [_enrol(site.twin, code) for site, code in zip(sites, codes, strict=True)]
        for first in range(0, len(enrolling), 32):
            await asyncio.gather(*enrolling[first : first + 32])
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
        left = [asyncio.create_task(_drained(site)) for site in sites]
        await asyncio.gather(*left)
        tell(_totals(sites))


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
    began, sending = time.perf_counter(), set()
    before = [len(site.twin.tally.receipt_ms) for site in sites]
    raised: list[str] = []
    for number in range(load.storm_alarms):
        await asyncio.sleep(max(0.0, began + number * load.storm_s / load.storm_alarms - time.perf_counter()))
        site = sites[chance.randrange(min(load.storm_sites, len(sites)))]
        raised.append(f"{site.twin.box_id}/{site.twin.alarm(next(alarms), number)}")
        task = asyncio.create_task(_drained(site))
        sending.add(task)
        task.add_done_callback(sending.discard)
    offered_s = time.perf_counter() - began
    await asyncio.gather(*sending)
    receipts = [ms for site, first in zip(sites, before, strict=True) for ms in site.twin.tally.receipt_ms[first:]]
    return {"raised": raised, "offered_s": offered_s, "drained_s": time.perf_counter() - began, "receipt_ms": receipts}


async def _drained(site: Site) -> None:
    async with site.busy:
        while not await site.twin.deliver():
            await asyncio.sleep(RETRY_S)


def _totals(sites: list[Site]) -> dict[str, Any]:
    return {
        "accepted": sum(len(site.twin.tally.accepted) for site in sites),
        "refused": [code for site in sites for code in site.twin.tally.refused],
        "retries": sum(site.twin.tally.retries for site in sites),
    }


async def _commands() -> Any:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield line.decode().strip()


def tell(said: dict[str, Any]) -> None:
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    asyncio.run(run(json.loads(Path(sys.argv[1]).read_bytes())))
