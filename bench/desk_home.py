"""The first page of a province with 500 projects: how long its answer takes, for a province and for a county.

    python -m bench.desk_home                                # 100 answers each, prints one JSON object
    python -m bench.desk_home --database postgresql --looks 300

Twenty cities; each project has a box, two cameras, a crane and their minutes of today; every seventh box is silent;
3,000 alarms wait, 2,000 hazards are open, every tenth of them late. Desk, database and caller share this machine.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, insert

from regulator.base.intake.findings import Finding, FindingKind, open_finding
from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.schema import prepare
from regulator.base.records.tables.coverage import asset_days
from regulator.base.records.tables.hazards import hazards
from regulator.base.records.tables.intake import boxes
from regulator.base.records.tables.project_set import set_memberships
from regulator.base.records.tables.registry import devices, projects, regions
from regulator.base.records.tables.review import review_items
from regulator.base.records.tables.rounds import key_risks
from tests.fakes.desk_database import DAY_NS, START_NS, DeskClock
from tests.fakes.desk_face import DeskFace
from tests.fakes.postgresql import PostgreSQL, reachable_folder, remove

PROJECTS, CITIES, ITEMS, HAZARDS = 500, 20, 3000, 2000
MINUTE_NS = 60_000_000_000
STATES = ("pending", "confirmed", "ordered", "rectifying", "rectifying", "awaiting_recheck", "site_check")
SEVERITIES = ("P2", "P2", "P2", "P1", "P2", "P3")


def main() -> None:
    """Plant, look, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--looks", type=int, default=100)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, opened(asked.database, Path(folder)) as face:
        with face.database.transaction() as db:
            plant(db, face)
        scopes = {"province": Scope(Level.PROVINCE, "99"), "county": Scope(Level.COUNTY, "990103")}
        print(json.dumps({"database": asked.database, "projects": PROJECTS} | {
            f"{name}_ms": measured(face, scope, asked.looks) for name, scope in scopes.items()
        }))  # fmt: skip


@contextmanager
def opened(kind: str, folder: Path) -> Iterator[DeskFace]:
    """A desk on a fresh database of this kind."""
    if kind == "sqlite":
        with DeskFace(folder, DeskClock()) as face:
            yield face
        return
    place = reachable_folder()
    server = PostgreSQL(place)
    server.start()
    try:
        database = DeskDatabase(server.url(server.create()))
        prepare(database)
        with DeskFace(folder, DeskClock(), database=database) as face:
            yield face
        database.close()
    finally:
        server.stop()
        remove(place)


def measured(face: DeskFace, scope: Scope, looks: int) -> dict[str, float]:
    """Milliseconds from asking to the last byte, p50 and p95."""
    client, times = face.client(Duty.REVIEWER, scope), []
    for _ in range(looks):
        began = time.perf_counter()
        answer = client.get("/")
        times.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, answer.text
    return {"p50": round(float(np.percentile(times, 50)), 1), "p95": round(float(np.percentile(times, 95)), 1)}


def plant(db: Connection, face: DeskFace) -> None:
    """The province."""
    now_ns = START_NS
    db.execute(insert(regions), [_region(city) for city in range(CITIES)])
    db.execute(insert(projects), [_project(number) for number in range(PROJECTS)])
    db.execute(insert(boxes), [_box(number, now_ns) for number in range(PROJECTS)])
    db.execute(insert(devices), [row for number in range(PROJECTS) for row in _devices(number)])
    db.execute(insert(asset_days), [row for number in range(PROJECTS) for row in _minutes(number, now_ns)])
    db.execute(insert(set_memberships), [_membership(number) for number in range(PROJECTS)])
    db.execute(insert(review_items), [_item(number, now_ns) for number in range(ITEMS)])
    db.execute(insert(hazards), [_hazard(number, now_ns) for number in range(HAZARDS)])
    db.execute(insert(key_risks), [_risk(number) for number in range(0, PROJECTS, 25)])
    for number in range(0, PROJECTS, 7):
        silent = Finding(FindingKind.SILENT_BOX, f"box-{number}", "失联", "silent", code_of(number))
        open_finding(db, face.desk.ledger, silent, now_ns - DAY_NS)
    for number in range(3, PROJECTS, 90):
        gap = Finding(FindingKind.CHAIN_GAP, f"box-{number}", "缺口", "a gap", code_of(number))
        open_finding(db, face.desk.ledger, gap, now_ns - 2 * DAY_NS)


def code_of(number: int) -> str:
    """A project's code."""
    return f"P-{number:03}"


def _region(city: int) -> dict[str, Any]:
    return {"code": f"99{city:02}", "name": f"示例{city + 1}市", "level": "city", "parent": "99"}


def _project(number: int) -> dict[str, Any]:
    city = number % CITIES
    place = {"province_code": "99", "city_code": f"99{city:02}", "county_code": f"99{city:02}{number % 5:02}"}
    return {"project_code": code_of(number), "name": f"示例工程 {number}", "status": "running"} | place


def _box(number: int, now_ns: int) -> dict[str, Any]:
    seen_ns = now_ns - DAY_NS if number % 7 == 0 else now_ns - MINUTE_NS
    row: dict[str, Any] = {"box_id": f"box-{number}", "project_code": code_of(number), "verified_sha256": "0" * 64}
    return row | {"last_seen_ns": seen_ns}


def _devices(number: int) -> Iterator[dict[str, Any]]:
    for name, kind in (("cam-1", "camera"), ("cam-2", "camera"), ("tc-1", "tower_crane")):
        known = {"project_code": code_of(number), "device_code": name, "kind": kind, "name": name, "asset": name}
        yield known | {"registered_at_ns": START_NS - 30 * DAY_NS}


def _minutes(number: int, now_ns: int) -> Iterator[dict[str, Any]]:
    for name in ("cam-1", "cam-2", "tc-1"):
        camera = name != "tc-1"
        state = "dark" if camera and number % 11 == 0 else "usable" if camera else ""
        row: dict[str, Any] = {
            "project_code": code_of(number),
            "day": "2026-03-01",
            "box_id": f"box-{number}",
            "asset": name,
        }
        row |= {"minutes": 400, "good_minutes": 0 if camera else 390, "camera": int(camera), "last_state": state}
        yield row | {
            "usable_minutes": 380 if camera else 0,
            "judged_minutes": 360 if camera else 0,
            "last_minute_ns": now_ns - MINUTE_NS,
        }


def _membership(number: int) -> dict[str, Any]:
    row: dict[str, Any] = {"membership_id": f"m-{number}", "set_code": "province", "project_code": code_of(number)}
    return row | {"category": "gov_building", "from_day": "2026-01-01", "added_by": "x"}


def _item(number: int, now_ns: int) -> dict[str, Any]:
    severity = SEVERITIES[number % len(SEVERITIES)]
    raised_ns = now_ns - (number % 600) * MINUTE_NS
    row: dict[str, Any] = {
        "item_id": f"i-{number}",
        "project_code": code_of(number * 13 % PROJECTS),
        "box_id": "b",
        "round": 1,
    }
    row |= {"alarm_id": f"a-{number}", "severity": severity, "rank": int(severity[1]), "stage": "priority"}
    return row | {
        "group_key": "g",
        "raised_at_ns": raised_ns,
        "queued_at_ns": raised_ns,
        "aged_min": raised_ns // MINUTE_NS,
    }


def _hazard(number: int, now_ns: int) -> dict[str, Any]:
    row: dict[str, Any] = {
        "hazard_id": f"h-{number}",
        "project_code": code_of(number * 7 % PROJECTS),
        "channel": "device",
    }
    row |= {
        "kind": "hazard",
        "grade": "major" if number % 40 == 0 else "general",
        "title_zh": "隐患",
        "event_key": f"k-{number}",
    }
    due_ns = now_ns - DAY_NS if number % 10 == 0 else now_ns + (number % 30) * DAY_NS + MINUTE_NS
    return row | {
        "state": STATES[number % len(STATES)],
        "due_at_ns": due_ns,
        "opened_at_ns": now_ns - number * MINUTE_NS,
    }


def _risk(number: int) -> dict[str, Any]:
    row: dict[str, Any] = {"entry_id": f"e-{number}", "level": "project", "code": code_of(number), "ground": "manual"}
    return row | {"from_day": "2026-01-15", "entered_by": "x"}


if __name__ == "__main__":
    main()
