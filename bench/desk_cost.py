"""What one project costs the desk in a day: `python -m bench.desk_cost [--rounds N]`.

A real desk on a PostgreSQL of its own hears one kind of message at a time from 20 boxes, over HTTP. Measured for each
kind: processor time of desk and database, rows, bytes on the disk, bytes of write-ahead log. `project_day` multiplies
that by what a gateway sends in a day (`DAY`), and by nothing else; `projects` multiplies a project's day by many: that
is arithmetic, not a measurement. Last line: one JSON object. Reviewers' pages are `make bench-desk`'s business.
"""

import argparse
import asyncio
import json
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from bench import desk
from bench.desk_processes import READY_WITHIN_S, Process, family_cpu_s, line_of, postgresql, replica, server_cpu_s
from bench.desk_wire import GatewayLink
from regulator.twins.box import BoxTwin
from regulator.twins.picture import drawn_picture
from regulator.twins.province import made_alarms
from tests.fakes.postgresql import PostgreSQL

BOXES = 20
TOGETHER = 4
SETTLE_S = 10.0
IDLE_S = 10.0
"""The desk's jobs run at its start, and go on: what they cost in `IDLE_S` seconds without any message is taken off."""
DAY = {"heartbeat": 8_640, "mailbox_poll": 3_456, "minute_summary": 2 * 1_440, "alarm": 55}
"""A gateway's day: a heartbeat every 10 s, a long poll of 25 s, a minute of 50 points of each of two assets, and
55 alarms, which is ten million a year from 500 sites. An alarm is raised (record, transition, in 8 of 11 a picture)."""
PROVINCES = (500, 5_000, 20_000, 100_000)
MINUTE_NS = 60_000_000_000
Doing = Callable[[BoxTwin, int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Meter:
    """What has been spent so far."""

    at_s: float
    desk_cpu_s: float
    database_cpu_s: float
    rows: int
    bytes: int
    wal_bytes: int

    def since(self, before: "Meter", count: int, idle: "dict[str, float] | None" = None) -> dict[str, float]:
        """For one of `count` messages, or seconds; `idle`: what a second costs without any, to be taken off."""
        spent_s = self.at_s - before.at_s if idle else 0.0
        desk_s = self.desk_cpu_s - before.desk_cpu_s - spent_s * (idle or {}).get("desk_cpu_ms", 0.0) / 1000
        database_s = self.database_cpu_s - before.database_cpu_s
        database_s -= spent_s * (idle or {}).get("database_cpu_ms", 0.0) / 1000
        return {
            "desk_cpu_ms": round(desk_s / count * 1000, 3),
            "database_cpu_ms": round(database_s / count * 1000, 3),
            "rows": round((self.rows - before.rows) / count, 2),
            "bytes": round((self.bytes - before.bytes) / count),
            "wal_bytes": round((self.wal_bytes - before.wal_bytes) / count),
        }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=25, help="messages of each kind from each box")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder, postgresql() as server:
        kinds = asyncio.run(_measured(Path(folder), server, rounds))
    day = project_day(kinds)
    many = {str(count): scaled(day, count) for count in PROVINCES}
    print(json.dumps({"machine": desk.load_now(), "each": kinds, "project_day": day, "projects": many}))


def project_day(kinds: dict[str, dict[str, float]]) -> dict[str, float]:
    """A project's day: each kind's cost times how often it comes."""
    names = kinds["heartbeat"]
    return {name: round(sum(kinds[kind][name] * count for kind, count in DAY.items()), 1) for name in names}


def scaled(day: dict[str, float], projects: int) -> dict[str, float]:
    """Arithmetic: cores that are busy on average, GB a day, rows a second, WAL MB/s."""
    seconds = 86_400
    return {
        "desk_cores": round(day["desk_cpu_ms"] * projects / 1000 / seconds, 2),
        "database_cores": round(day["database_cpu_ms"] * projects / 1000 / seconds, 2),
        "rows_per_s": round(day["rows"] * projects / seconds, 1),
        "gb_per_day": round(day["bytes"] * projects / 1e9, 2),
        "wal_mb_per_s": round(day["wal_bytes"] * projects / 1e6 / seconds, 2),
    }


async def _measured(folder: Path, server: PostgreSQL, rounds: int) -> dict[str, dict[str, float]]:
    settings, projects = desk.write_desk(folder, server.url(server.create())), desk.boxed_projects(BOXES)
    codes = await asyncio.to_thread(desk.found, settings, projects, 0)
    name = settings.database.rpartition("/")[2]
    async with replica(folder / "desk.yaml", folder / "desk.log") as running:
        url = json.loads(await line_of(running, READY_WITHIN_S))["url"]
        twins = [_twin(project.box_id, project.project_code, url) for project in projects]
        await asyncio.gather(*(twin.enrol(codes[twin.box_id]) for twin in twins))
        for seed in range(rounds):
            drawn_picture(seed)
        await asyncio.sleep(SETTLE_S)
        before = _meter(running, server, name)
        await asyncio.sleep(IDLE_S)
        idle = _meter(running, server, name).since(before, round(IDLE_S))
        costs = {}
        for kind, doing in _doings().items():
            for number in range(3):
                await asyncio.gather(*(doing(twin, -1 - number) for twin in twins))
            before = _meter(running, server, name)
            gate = asyncio.Semaphore(TOGETHER)
            await asyncio.gather(*(_rounds(twin, doing, rounds, gate) for twin in twins))
            costs[kind] = _meter(running, server, name).since(before, rounds * len(twins), idle)
            desk.say(f"{kind}: {costs[kind]}")
    return costs | {"idle_second": idle}


def _twin(box_id: str, project_code: str, url: str) -> BoxTwin:
    link: Any = GatewayLink([url])
    return BoxTwin(box_id, project_code, link, time.time_ns, time.perf_counter)


async def _rounds(twin: BoxTwin, doing: Doing, rounds: int, gate: asyncio.Semaphore) -> None:
    for number in range(rounds):
        async with gate:
            await doing(twin, number)


def _doings() -> dict[str, Doing]:
    alarms = made_alarms(5)

    async def heartbeat(twin: BoxTwin, _number: int) -> None:
        await twin.heartbeat()

    async def mailbox_poll(twin: BoxTwin, _number: int) -> None:
        await twin._send("/v1/mailbox", "mailbox_poll", f"poll-{uuid.uuid4().hex}", {"wait_s": 0, "limit": 10})

    async def minute_summary(twin: BoxTwin, number: int) -> None:
        twin.minute("pit-1", 50, time.time_ns() // MINUTE_NS * MINUTE_NS - (number + 10) * MINUTE_NS)
        assert await twin.deliver()

    async def alarm(twin: BoxTwin, number: int) -> None:
        twin.alarm(next(alarms), abs(number))
        assert await twin.deliver()

    return {"heartbeat": heartbeat, "mailbox_poll": mailbox_poll, "minute_summary": minute_summary, "alarm": alarm}


def _meter(running: Process, server: PostgreSQL, name: str) -> Meter:
    with psycopg.connect(server.plain_url(name), autocommit=True) as db:
        db.execute("VACUUM")
        tables = [row[0] for row in db.execute("SELECT relname FROM pg_stat_user_tables").fetchall()]
        counts = [db.execute(f'SELECT count(*) FROM "{table}"').fetchone() for table in tables]
        size = db.execute("SELECT pg_database_size(current_database())").fetchone()
        wal = db.execute("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')").fetchone()
    assert size is not None
    assert wal is not None
    rows = sum(int(count[0]) for count in counts if count)
    return Meter(time.perf_counter(), family_cpu_s(running.pid), server_cpu_s(server), rows, int(size[0]), int(wal[0]))


if __name__ == "__main__":
    main()
