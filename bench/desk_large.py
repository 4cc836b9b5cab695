"""The desk's pages with a year of 500 sites behind them: `python -m bench.desk_large [--stored N] [--folder DIR]`.

Fills a PostgreSQL of its own (`bench.desk_fill`), rolls the year up as a desk does every day, starts the real desk on
it, logs in as a province's person and asks for every main page again and again, one at a time. `--folder` keeps the
filled cluster there, and uses it when it is there already: filling ten million alarms takes long and about 25 GB.
PostgreSQL is given 1 GB of shared buffers; all else is its default. Prints one JSON object; page times in milliseconds,
from asking to the last byte.
"""

import argparse
import asyncio
import contextlib
import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import func, select

from bench import desk
from bench.desk_fill import fill
from bench.desk_processes import READY_WITHIN_S, line_of, peak_mb, replica
from bench.desk_reviewers import log_in
from regulator.base.accounts.passwords import Passwords
from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.tables.intake import alarms
from regulator.base.records.tables.review import review_items
from regulator.base.settings import DeskSettings
from regulator.parts.reports.statistics.roll_up import run_roll_up
from regulator.running import open_desk
from regulator.twins.founding import MadePerson, found_province
from regulator.twins.province import PROVINCE_CODE
from tests.fakes.postgresql import PostgreSQL, reachable_folder, remove

LOOKS = 20
SETTLE_S = 60.0
"""The desk's own jobs run once at its start, over all that is stored; pages are asked for after that."""
PROJECTS = 500
DATABASE = "large"
PERSON = MadePerson("quansheng", "全省", Scope(Level.PROVINCE, PROVINCE_CODE), frozenset({Duty.REVIEWER, Duty.AUDITOR}))
PAGES = (
    "/",
    "/wall",
    "/api/wall/tiles",
    "/review",
    "/review/queue",
    "/review/items/{item}/facts",
    "/review/judged",
    "/hazards",
    "/hazards/{hazard}",
    "/supervision",
    "/projects",
    "/projects/{project}",
    "/coverage",
    "/rounds",
    "/set",
    "/risk",
    "/findings",
    "/documents",
    "/statistics",
    "/reports",
    "/fleet",
    "/audit",
)


def main() -> None:
    """Fill when needed, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stored", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--looks", type=int, default=LOOKS, help="how often each page is asked for")
    parser.add_argument("--fill-only", action="store_true")
    given = parser.parse_args()
    print(json.dumps(measure_stored(given.stored, given.folder, 0 if given.fill_only else given.looks)))


def measure_stored(count: int, folder: Path | None = None, looks: int = LOOKS) -> dict[str, Any]:
    """Pages with `count` alarms stored."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(_server(folder))
        work = server.folder / "desk"
        if not work.exists():
            work.mkdir()
            said = _filled(server, work, count)
            (work / "filled.json").write_text(json.dumps(said), encoding="utf-8")
        said = json.loads((work / "filled.json").read_text(encoding="utf-8"))
        settings = desk.write_desk(work, server.url(DATABASE))
        return said | (asyncio.run(_measured(work, settings, looks)) if looks else {})


@contextlib.contextmanager
def _server(folder: Path | None) -> Iterator[PostgreSQL]:
    """A cluster: one that is kept in `folder`, or one that goes away with all its files."""
    place = folder or reachable_folder()
    place.mkdir(mode=0o755, parents=True, exist_ok=True)
    server = PostgreSQL(place)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        if folder is None:
            remove(place)


def _filled(server: PostgreSQL, work: Path, count: int) -> dict[str, Any]:
    began, projects = time.perf_counter(), desk.boxed_projects(PROJECTS)
    free_gb = shutil.disk_usage(work).free / 1e9
    if free_gb < count * 3e-6 + 2:
        raise SystemExit(f"{work}: {free_gb:.0f} GB free, about {count * 3e-6 + 2:.0f} GB are needed")
    with psycopg.connect(server.plain_url("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {DATABASE}")
        for setting in ("shared_buffers = '1GB'", "max_wal_size = '8GB'", "fsync = off"):
            admin.execute(f"ALTER SYSTEM SET {setting}")
    _again(server)
    settings = desk.write_desk(work, server.url(DATABASE))
    opened = open_desk(settings)
    try:
        found_province(opened, projects, Passwords(), (PERSON,))
        rows = fill(opened.database, projects, count, desk.say)
        roll_up_all(opened.database)
    finally:
        opened.database.close()
    with psycopg.connect(server.plain_url(DATABASE), autocommit=True) as admin:
        size = admin.execute("SELECT pg_database_size(current_database())").fetchone()
        admin.execute("CHECKPOINT")
        admin.execute("ALTER SYSTEM RESET fsync")
    _again(server)
    assert size is not None
    return {"stored": rows, "database_gb": round(size[0] / 1e9, 1), "fill_s": round(time.perf_counter() - began)}


def roll_up_all(database: DeskDatabase) -> None:
    """A desk of a year has rolled its alarms up day by day; a fresh fill has not."""
    began, made = time.perf_counter(), 0
    while some := run_roll_up(database, time.time_ns(), most=20_000):
        made += some
        desk.say(f"{made} days of projects rolled up after {time.perf_counter() - began:.0f} s")


def _again(server: PostgreSQL) -> None:
    """An orderly stop and a start: some settings are read then only."""
    server.stop()
    server.start()


async def _measured(work: Path, settings: DeskSettings, looks: int) -> dict[str, Any]:
    names = await asyncio.to_thread(_names, settings)
    with tempfile.TemporaryDirectory() as logs:
        async with replica(work / "desk.yaml", Path(logs) / "desk.log") as running:
            url = json.loads(await line_of(running, READY_WITHIN_S))["url"]
            await asyncio.sleep(SETTLE_S)
            browser = await log_in([url], PERSON)
            times: dict[str, list[float]] = {page: [] for page in PAGES}
            sizes, failed = {}, {}
            for page in [page for _ in range(looks) for page in PAGES]:
                began = time.perf_counter()
                answer = await browser.get(page.format(**names))
                times[page].append((time.perf_counter() - began) * 1000)
                sizes[page] = len(answer.content)
                if answer.status_code != 200:
                    failed[page] = answer.status_code
            await browser.aclose()
            rss_mb = peak_mb(running.pid)
    every = [ms for page, some in times.items() if page not in failed for ms in some]
    return {
        "page_ms": desk.spread(every),
        "pages": {page: desk.spread(some) | {"bytes": sizes[page]} for page, some in times.items()},
        "pages_failed": failed,
        "slow": sorted(p for p, some in times.items() if desk.spread(some)["p95"] >= 150),
        "rss_mb": rss_mb,
        "machine": desk.load_now(),
    }


def _names(settings: DeskSettings) -> dict[str, str]:
    """The busiest project, an open item and a hazard of it."""
    opened = open_desk(settings)
    try:
        with opened.database.reading() as db:
            project = desk.boxed_projects(1)[0].project_code
            item = db.scalar(select(review_items.c.item_id).where(review_items.c.state == "open").limit(1))
            hazard = db.exec_driver_sql("SELECT hazard_id FROM hazards WHERE state = 'rectifying' LIMIT 1").scalar()
            assert db.scalar(select(func.count()).select_from(select(alarms.c.alarm_id).limit(1).subquery()))
    finally:
        opened.database.close()
    return {"project": project, "item": str(item), "hazard": str(hazard)}


if __name__ == "__main__":
    main()
