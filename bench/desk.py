"""`make bench-desk`: simulated gateways, a storm of alarms with evidence, reviewers judging, all over loopback.

    desk (own process, or two on one PostgreSQL)  <--contract--  sites (own process)
                                                  <--pages-----  reviewers (this process)

`--quick`: 50 gateways, 1,000 alarms in 20 s, 5 reviewers, SQLite. Without it: 500 gateways, 10,000 alarms from 200
sites in 60 s, 20 reviewers, PostgreSQL. The last line is one JSON object. Lost and twice are counted in the desk's
database against what the sites say they raised; nothing is assumed.
"""

import argparse
import asyncio
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from sqlalchemy import func, select

from bench.desk_reviewers import Times, log_in, review
from gateway.desk_arguments import load_desk
from regulator.accounts.passwords import Passwords
from regulator.records.tables.intake import alarms, alerts
from regulator.running import open_desk
from regulator.settings import DeskSettings
from regulator.twins.founding import found_province, more_reviewers
from regulator.twins.province import PROVINCE_CODE, MadeProject, made_projects
from tests.fakes.postgresql import PostgreSQL, reachable_folder, remove

READY_WITHIN_S = 120.0
CALM_BEFORE_S = 5.0


@dataclass(frozen=True)
class Size:
    """How large the run is."""

    gateways: int
    alarms: int
    storm_s: float
    storm_sites: int
    reviewers: int


QUICK = Size(50, 1_000, 20, 50, 5)
WHOLE = Size(500, 10_000, 60, 200, 20)


def main() -> None:
    """Measure and print; the last line is JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--postgresql", action="store_true", help="the quick run on PostgreSQL, too")
    parser.add_argument("--sqlite", action="store_true", help="the whole run on SQLite, too")
    given = parser.parse_args()
    size = QUICK if given.quick else WHOLE
    on_postgresql = given.postgresql or not (given.quick or given.sqlite)
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        url = stack.enter_context(_postgresql()) if on_postgresql else "sqlite:///desk.db"
        figures = asyncio.run(measure(Path(folder), url, size))
    print(json.dumps(figures))


@contextlib.contextmanager
def _postgresql() -> Any:
    folder = reachable_folder()
    server = PostgreSQL(folder)
    server.start()
    try:
        yield server.url(server.create())
    finally:
        server.stop()
        remove(folder)


async def measure(folder: Path, database: str, size: Size) -> dict[str, Any]:
    """One run."""
    settings, projects = write_desk(folder, database), boxed_projects(size.gateways)
    codes = await asyncio.to_thread(_found, settings, projects, size)
    say(f"founded {len(projects)} projects; database {settings.database.split(':')[0]}")
    async with process(
        [sys.executable, "-m", "gateway", "desk", str(folder / "desk.yaml")], folder / "desk.log"
    ) as desk:
        url = json.loads(await _line(desk))["url"]
        plan = write_plan(folder, url, projects, codes, size)
        async with process([sys.executable, "-m", "bench.desk_sites", str(plan)], folder / "sites.log") as sites:
            say(f"{json.loads(await _line(sites))['ready']} gateways enrolled")
            storm, times = await _storm(sites, url, size)
            sites.stdin.write(b"stop\n")  # type: ignore[union-attr]
            totals = json.loads(await _line(sites))
        used = {"rss_mb": _peak_mb(desk.pid), "desk_cpu_s": _cpu_s(desk.pid)}
    counted = await asyncio.to_thread(_count, settings, storm["raised"])
    kind = {"database": settings.database.split(":")[0]}
    return _figures(size, storm, totals, times, counted) | used | kind


def write_desk(folder: Path, database: str) -> DeskSettings:
    """A desk file with everything in `folder`."""
    said = {"province_code": PROVINCE_CODE, "database": database, "blobs": "blobs", "key_file": "desk.key.pem"}
    (folder / "desk.yaml").write_text(yaml.safe_dump(said), encoding="utf-8")
    return load_desk(folder / "desk.yaml")


def boxed_projects(count: int) -> list[MadeProject]:
    """So many made-up projects, each with a box that talks."""
    talking = [made for made in made_projects(count * 2) if made.box_id and not made.silent]
    return talking[:count]


def _found(settings: DeskSettings, projects: list[MadeProject], size: Size) -> dict[str, str]:
    desk = open_desk(settings)
    try:
        return found_province(desk, projects, Passwords(), more_reviewers(size.reviewers))
    finally:
        desk.database.close()


def write_plan(folder: Path, url: str, projects: list[MadeProject], codes: dict[str, str], size: Size) -> Path:
    """What the sites' process is told."""
    boxes = [{"box_id": p.box_id, "project_code": p.project_code, "code": codes[p.box_id]} for p in projects]
    load = {
        "heartbeat_s": 10,
        "summary_s": 60,
        "summary_points": 50,
        "storm_alarms": size.alarms,
        "storm_s": size.storm_s,
        "storm_sites": size.storm_sites,
        "connections": 64,
    }
    path = folder / "plan.json"
    path.write_text(json.dumps({"url": url, "boxes": boxes, "load": load}), encoding="utf-8")
    return path


async def _storm(sites: asyncio.subprocess.Process, url: str, size: Size) -> tuple[dict[str, Any], Times]:
    """The storm, with reviewers at work from before its beginning to after its end."""
    times, stop = Times(), asyncio.Event()
    browsers = [await log_in(url, person) for person in more_reviewers(size.reviewers)]
    reviewing = [asyncio.create_task(review(browser, times, stop)) for browser in browsers]
    await asyncio.sleep(CALM_BEFORE_S)
    sites.stdin.write(b"storm\n")  # type: ignore[union-attr]
    storm = json.loads(await _line(sites))
    stop.set()
    await asyncio.gather(*reviewing)
    for browser in browsers:
        await browser.aclose()
    say(f"storm: offered in {storm['offered_s']:.1f} s, all receipted after {storm['drained_s']:.1f} s")
    return storm, times


def _count(settings: DeskSettings, raised: list[str]) -> dict[str, int]:
    """What the desk's own database holds of the storm."""
    desk = open_desk(settings)
    try:
        with desk.database.reading() as db:
            rows = db.execute(select(alarms.c.box_id, alarms.c.alarm_id))
            held = [f"{row.box_id}/{row.alarm_id}" for row in rows]
            transitions = db.scalar(select(func.count()).select_from(alerts)) or 0
    finally:
        desk.database.close()
    return {
        "stored": len(held),
        "lost": len(set(raised) - set(held)),
        "duplicated": len(held) - len(set(held)) + max(0, transitions - len(set(raised))),
    }


def _figures(
    size: Size, storm: dict[str, Any], totals: dict[str, Any], times: Times, counted: dict[str, int]
) -> dict[str, Any]:
    return {
        "gateways": size.gateways,
        "alarms_sent": len(storm["raised"]),
        "alarms_stored": counted["stored"],
        "lost": counted["lost"],
        "duplicated": counted["duplicated"],
        "receipts": len(storm["receipt_ms"]),
        "receipt_ms": _spread(storm["receipt_ms"]),
        "page_ms": _spread(times.page_ms),
        "storm_s": round(storm["offered_s"], 1),
        "drained_s": round(storm["drained_s"], 1),
        "retries": totals["retries"],
        "refused": totals["refused"],
        "reviewers": size.reviewers,
        "verdicts": times.verdicts,
        "pages": len(times.page_ms),
        "pages_failed": times.failed,
    }


def _spread(values: list[float]) -> dict[str, float]:
    return {f"p{q}": round(float(np.percentile(values, q)), 1) for q in (50, 95, 99)} if values else {}


@contextlib.asynccontextmanager
async def process(command: list[str], log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process of our own, ended by its id. Lines may be long: a storm's receipts come in one."""
    with log.open("wb") as errors:
        started = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=errors, limit=1 << 26
        )
    try:
        yield started
    finally:
        if started.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                started.terminate()
        await started.wait()


async def _line(running: asyncio.subprocess.Process) -> bytes:
    assert running.stdout is not None
    line = await asyncio.wait_for(running.stdout.readline(), READY_WITHIN_S + WHOLE.storm_s * 5)
    if not line:
        raise RuntimeError(f"process {running.pid} ended early: look at its log")
    return line


def _peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return round(int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024, 1)


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return round((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), 1)


def say(words: str) -> None:
    """Progress; the figures come last."""
    print(words, flush=True)


if __name__ == "__main__":
    main()
