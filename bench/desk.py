"""`make bench-desk`: simulated gateways, a storm of alarms with evidence, reviewers judging, all over loopback.

    desk (own process, or two on one PostgreSQL)  <--contract--  sites (own process)
                                                  <--pages-----  reviewers (this process)

`--quick`: 50 gateways, 1,000 alarms in 20 s, 5 reviewers, SQLite. Without it: 500 gateways, 10,000 alarms from 200
sites in 60 s, 20 reviewers, PostgreSQL, twice: with one desk, then with two of which one is killed (kill -9) in the
storm, after which PostgreSQL crashes and comes back. `--stored N`: the pages with so many alarms stored, as
`python -m bench.desk_large`. The last line is one JSON object. Lost and twice are counted in the desk's database
against what the sites say they raised; nothing is assumed. Exit 1: something was lost or kept twice, or a run failed.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from sqlalchemy import func, select

from bench.desk_processes import (
    READY_WITHIN_S,
    Process,
    children_of,
    cpu_s,
    family_cpu_s,
    line_of,
    peak_mb,
    postgresql,
    process,
    replica,
)
from bench.desk_processes import server_cpu_s as server_seconds
from bench.desk_reviewers import Times, log_in, review
from regulator.base.accounts.passwords import Passwords
from regulator.base.records.tables.intake import alarms, alerts
from regulator.base.settings import DeskSettings
from regulator.running import open_desk
from regulator.twins.founding import found_province, more_reviewers
from regulator.twins.province import PROVINCE_CODE, MadeProject, made_projects
from sitewarden.commands.desk import load_desk
from tests.fakes.postgresql import PostgreSQL

CALM_BEFORE_S = 5.0
KILL_AT, CRASH_AT = 0.4, 0.7
"""Parts of the storm after which a replica is killed, and PostgreSQL."""


@dataclass(frozen=True)
class Size:
    """How large the run is."""

    gateways: int
    alarms: int
    storm_s: float
    storm_sites: int
    reviewers: int
    processes: int = 2


QUICK = Size(50, 1_000, 20, 50, 5)
WHOLE = Size(500, 10_000, 60, 200, 20)


def main() -> None:
    """Measure and print; the last line is JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--postgresql", action="store_true", help="the quick run on PostgreSQL, too")
    parser.add_argument("--sqlite", action="store_true", help="the whole run on SQLite: one desk, nothing is killed")
    parser.add_argument("--replicas", action="store_true", help="only the run with two desks and the two crashes")
    parser.add_argument("--one", action="store_true", help="only the run with one desk")
    parser.add_argument("--processes", type=int, default=2, choices=(1, 2), help="of each desk, on PostgreSQL")
    parser.add_argument("--stored", type=int, default=0, metavar="N", help="pages with N alarms stored, and no storm")
    parser.add_argument("--folder", type=Path, default=None, help="where a filled database is kept, for --stored")
    given = parser.parse_args()
    if given.stored:
        from bench.desk_large import measure_stored  # noqa: PLC0415 - it builds on this module

        figures = measure_stored(given.stored, given.folder)
    else:
        size = replace(QUICK if given.quick else WHOLE, processes=given.processes)
        on_sqlite = given.sqlite or (given.quick and not given.postgresql)
        figures = _one(size, "sqlite:///desk.db") if on_sqlite and not given.replicas else _on_postgresql(size, given)
    print(json.dumps(figures))
    sys.exit(1 if _broken(figures) else 0)


def _on_postgresql(size: Size, given: argparse.Namespace) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    if not given.replicas:
        with postgresql() as server:
            figures = _one(size, server.url(server.create()), server)
    if given.replicas or not (given.one or given.quick):
        with postgresql() as server:
            crashed = _one(size, server.url(server.create()), server, replicas=2)
        figures = figures | {"replicas": crashed} if figures else crashed
    return figures


def _one(size: Size, url: str, server: PostgreSQL | None = None, replicas: int = 1) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(measure(Path(folder), url, size, server, replicas))


def _broken(figures: dict[str, Any]) -> bool:
    parts = [figures, figures.get("replicas", {})]
    return any(part.get(name) for part in parts for name in ("lost", "duplicated"))


async def measure(
    folder: Path, database: str, size: Size, server: PostgreSQL | None = None, replicas: int = 1
) -> dict[str, Any]:
    """One run; with two replicas one of them is killed, and PostgreSQL, while the storm lasts."""
    settings, projects = write_desk(folder, database, size.processes), boxed_projects(size.gateways)
    codes = await asyncio.to_thread(found, settings, projects, size.reviewers)
    say(f"founded {len(projects)} projects; database {settings.database.split(':')[0]}; {load_now()}")
    async with contextlib.AsyncExitStack() as stack:
        desks, urls = [], []
        for number in range(replicas):
            desks.append(await stack.enter_async_context(replica(folder / "desk.yaml", folder / f"desk-{number}.log")))
            urls.append(json.loads(await line_of(desks[-1], READY_WITHIN_S))["url"])
        plan = write_plan(folder, urls, projects, codes, size)
        command = [sys.executable, "-m", "bench.desk_sites", str(plan)]
        sites = await stack.enter_async_context(process(command, folder / "sites.log"))
        say(f"{json.loads(await line_of(sites))['ready']} gateways enrolled")
        before = _spent(desks, sites, server)
        begun = asyncio.Event()
        crashes = asyncio.create_task(_crash(desks, server, size, begun)) if replicas > 1 else None
        storm, times = await _storm(sites, urls, size, begun)
        told = await crashes if crashes else {}
        cpu = {name: round(spent - before[name], 1) for name, spent in _spent(desks, sites, server).items()}
        sites.stdin.write(b"stop\n")  # type: ignore[union-attr]
        totals = json.loads(await line_of(sites))
        used = {"rss_mb": max(peak_mb(desk.pid) for desk in desks if desk.returncode is None), "storm_cpu_s": cpu}
    counted = await asyncio.to_thread(_count, settings, storm["raised"])
    kind = {"database": settings.database.split(":")[0], "desks": replicas, "machine": load_now()}
    return figures_of(size, storm, totals, times, counted) | used | kind | told


def _spent(desks: list[Process], sites: Process, server: PostgreSQL | None) -> dict[str, float]:
    """CPU seconds so far, of whoever lives; `desk_n` with its process for pages, `desk_n_pages`. A server that crashes
    counts anew: it is left out where one does."""
    spent: dict[str, float] = {}
    for number, desk in enumerate(desks, 1):
        if desk.returncode is None:
            spent[f"desk_{number}"] = family_cpu_s(desk.pid)
            spent[f"desk_{number}_pages"] = sum(map(cpu_s, children_of(desk.pid)))
    spent |= {"sites": cpu_s(sites.pid), "reviewers": time.process_time()}
    return spent | ({"postgresql": server_seconds(server)} if server and len(desks) == 1 else {})


async def _crash(desks: list[Process], server: PostgreSQL | None, size: Size, begun: asyncio.Event) -> dict[str, Any]:
    """Kill one desk by its id, then the database; when, in seconds of the storm, and how long it was away."""
    await begun.wait()
    began = time.perf_counter()
    await asyncio.sleep(size.storm_s * KILL_AT)
    os.kill(desks[0].pid, signal.SIGKILL)
    await desks[0].wait()
    killed_s = time.perf_counter() - began
    say(f"desk {desks[0].pid} killed {killed_s:.1f} s into the storm")
    await asyncio.sleep(size.storm_s * (CRASH_AT - KILL_AT))
    assert server is not None
    crashed_at = time.perf_counter()
    await asyncio.to_thread(server.restart)
    away_s = time.perf_counter() - crashed_at
    say(f"PostgreSQL crashed {crashed_at - began:.1f} s into the storm, back after {away_s:.1f} s")
    return {"desk_killed_after_s": round(killed_s, 1), "database_away_s": round(away_s, 1)}


def write_desk(folder: Path, database: str, processes: int = 2) -> DeskSettings:
    """A desk file with everything in `folder`."""
    said: dict[str, object] = {
        "province_code": PROVINCE_CODE,
        "database": database,
        "blobs": "blobs",
        "key_file": "desk.key.pem",
    }
    said |= {"processes": processes}
    (folder / "desk.yaml").write_text(yaml.safe_dump(said), encoding="utf-8")
    return load_desk(folder / "desk.yaml")


def boxed_projects(count: int) -> list[MadeProject]:
    """So many made-up projects, each with a box that talks."""
    talking = [made for made in made_projects(count * 2) if made.box_id and not made.silent]
    return talking[:count]


def found(settings: DeskSettings, projects: list[MadeProject], reviewers: int) -> dict[str, str]:
    """A made-up province with so many reviewers; enrolment codes by box."""
    with _opened(settings) as desk:
        return found_province(desk, projects, Passwords(), more_reviewers(reviewers))


@contextlib.contextmanager
def _opened(settings: DeskSettings) -> Iterator[Any]:
    desk = open_desk(settings)
    try:
        yield desk
    finally:
        desk.database.close()


def write_plan(folder: Path, urls: list[str], projects: list[MadeProject], codes: dict[str, str], size: Size) -> Path:
    """What the sites' process is told."""
    boxes = [{"box_id": p.box_id, "project_code": p.project_code, "code": codes[p.box_id]} for p in projects]
    load = {
        "heartbeat_s": 10,
        "summary_s": 60,
        "summary_points": 50,
        "storm_alarms": size.alarms,
        "storm_s": size.storm_s,
        "storm_sites": size.storm_sites,
    }
    path = folder / "plan.json"
    path.write_text(json.dumps({"urls": urls, "boxes": boxes, "load": load}), encoding="utf-8")
    return path


async def _storm(sites: Process, urls: list[str], size: Size, begun: asyncio.Event) -> tuple[dict[str, Any], Times]:
    """The storm, with reviewers at work from before its beginning to after its end."""
    times, stop, people = Times(), asyncio.Event(), more_reviewers(size.reviewers)
    turns = [urls[number % len(urls) :] + urls[: number % len(urls)] for number in range(len(people))]
    browsers = [await log_in(turn, person) for turn, person in zip(turns, people, strict=True)]
    late = [CALM_BEFORE_S * number / len(browsers) for number in range(len(browsers))]
    reviewing = [
        asyncio.create_task(review(browser, times, stop, late_s))
        for browser, late_s in zip(browsers, late, strict=True)
    ]
    await asyncio.sleep(CALM_BEFORE_S)
    sites.stdin.write(b"storm\n")  # type: ignore[union-attr]
    begun.set()
    storm = json.loads(await line_of(sites))
    stop.set()
    await asyncio.gather(*reviewing)
    for browser in browsers:
        await browser.aclose()
    say(f"storm: offered in {storm['offered_s']:.1f} s, all receipted after {storm['drained_s']:.1f} s")
    return storm, times


def _count(settings: DeskSettings, raised: list[str]) -> dict[str, int]:
    """What the desk's own database holds of the storm."""
    with _opened(settings) as desk, desk.database.reading() as db:
        rows = db.execute(select(alarms.c.box_id, alarms.c.alarm_id))
        held = [f"{row.box_id}/{row.alarm_id}" for row in rows]
        transitions = db.scalar(select(func.count()).select_from(alerts)) or 0
    return {
        "stored": len(held),
        "lost": len(set(raised) - set(held)),
        "duplicated": len(held) - len(set(held)) + max(0, transitions - len(set(raised))),
    }


def figures_of(
    size: Size, storm: dict[str, Any], totals: dict[str, Any], times: Times, counted: dict[str, int]
) -> dict[str, Any]:
    return {
        "gateways": size.gateways,
        "alarms_sent": len(storm["raised"]),
        "alarms_stored": counted["stored"],
        "lost": counted["lost"],
        "duplicated": counted["duplicated"],
        "receipts": len(storm["receipt_ms"]),
        "receipt_ms": spread(storm["receipt_ms"]),
        "alarm_to_last_receipt_ms": spread(storm["waited_ms"]),
        "page_ms": spread(times.page_ms),
        "storm_s": round(storm["offered_s"], 1),
        "drained_s": round(storm["drained_s"], 1),
        "retries": totals["retries"],
        "refused": totals["refused"],
        "reviewers": size.reviewers,
        "verdicts": times.verdicts,
        "pages": len(times.page_ms),
        "pages_failed": times.failed,
        "pages_unanswered": times.unanswered,
    }


def spread(values: list[float]) -> dict[str, float]:
    """Percentiles, in the unit of the values."""
    return {f"p{q}": round(float(np.percentile(values, q)), 1) for q in (50, 95, 99)} if values else {}


def load_now() -> str:
    """How busy the machine is: what else runs on it belongs beside every figure."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def say(words: str) -> None:
    """Progress; the figures come last."""
    print(words, flush=True)


if __name__ == "__main__":
    main()
