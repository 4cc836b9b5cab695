"""Statistics and a month's report of 500 projects: rolled up, made, shown again, and set as PDF.

    python -m bench.reports                         # prints one JSON object
    python -m bench.reports --alarms 150 --looks 100

March 2026 of 500 projects in twenty cities: each has a box, two cameras, three other assets with every minute, so many
alarms a day, an open hazard, and a place in the set that it has not reached the end of. `cpu` figures are processor
time of this process, which other work on the machine does not lengthen. Desk, database (SQLite) and caller share it.
"""

import argparse
import io
import json
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from pypdf import PdfReader
from sqlalchemy import insert, select

from regulator.base.model.actor import SYSTEM, Duty, Level, Scope
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.schema import prepare
from regulator.base.records.tables.coverage import asset_days, coverage_days
from regulator.base.records.tables.hazards import hazards
from regulator.base.records.tables.intake import alarms, alerts, boxes
from regulator.base.records.tables.registry import projects, regions
from regulator.base.records.tables.reports import reports
from regulator.parts.reports.paper import paper_of
from regulator.parts.reports.periods import month_of
from regulator.parts.reports.regions import ReportRegion
from regulator.parts.reports.report_html import report_html
from regulator.parts.reports.report_office import ReportOffice
from regulator.parts.reports.report_pdf import report_pdf
from regulator.parts.reports.statistics.gathering import statistics_of
from regulator.parts.reports.statistics.making import span_of
from regulator.parts.reports.statistics.roll_up import run_roll_up
from regulator.parts.reports.statistics.selection import Selection
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import DeskFace
from tests.fakes.statistics_month import FIRST, LAST, at

PROJECTS, CITIES = 500, 20
ASSETS = ("cam-1", "cam-2", "crane-1", "pit", "site")
PROVINCE = Scope(Level.PROVINCE, "")
STEPS = ("listed", "box", "heartbeat", "cameras", "picture", "works", "data")


def main() -> None:
    """Plant, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alarms", type=int, default=15, help="of each project and day")
    parser.add_argument("--looks", type=int, default=60)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = DeskDatabase(f"sqlite:///{Path(folder) / 'desk.db'}")
        prepare(database)
        plant(database, asked.alarms)
        print(json.dumps(measured(database, Path(folder), asked.looks) | {"alarms": PROJECTS * 31 * asked.alarms}))
        database.close()


def measured(database: DeskDatabase, folder: Path, looks: int) -> dict[str, object]:
    """All of it."""
    now_ns = at(4, 2)
    rolled, roll_cpu_s, roll_s = timed(lambda: rolled_up(database, now_ns))
    _, made_cpu_s, made_s = timed(lambda: statistics(database))
    with DeskFace(folder, DeskClock(now_ns), database=database) as face:
        office = ReportOffice(face.desk)
        region = ReportRegion(Level.PROVINCE, "", "测试省")
        report, gather_cpu_s, gather_s = timed(lambda: office.draft(region, month_of(FIRST), SYSTEM, now_ns))
        assert report is not None
        paper = paper_of(office_body(database, report.number), report.digest)
        pdf, pdf_cpu_s, pdf_s = timed(lambda: report_pdf(paper))
        html, _, html_s = timed(lambda: report_html(paper))
        client = face.client(Duty.VIEWER)
        path = "/statistics?period=last_month"
        client.get(path).raise_for_status()
        times = [timed(lambda: client.get(path).raise_for_status())[2] for _ in range(looks)]
        cities = [f"{path}&region={city:04}" for city in range(1, 6)]
        filtered = [timed(lambda city=city: client.get(city).raise_for_status())[2] for city in cities]
    return {
        "projects": PROJECTS,
        "project_days": rolled,
        "roll_up_cpu_ms_each": round(1000 * roll_cpu_s / rolled, 2),
        "roll_up_s": round(roll_s, 1),
        "statistics_cpu_ms": round(1000 * made_cpu_s),
        "statistics_ms": round(1000 * made_s),
        "page_warm_p95_ms": round(1000 * float(np.quantile(times, 0.95)), 1),
        "page_city_first_ms": round(1000 * float(np.median(filtered)), 1),
        "report_gather_cpu_s": round(gather_cpu_s, 2),
        "report_gather_s": round(gather_s, 2),
        "pdf_rows": sum(len(grid.rows) for section in paper.sections for grid in section.grids),
        "pdf_pages": len(PdfReader(io.BytesIO(pdf)).pages),
        "pdf_kb": len(pdf) // 1024,
        "pdf_cpu_s": round(pdf_cpu_s, 2),
        "pdf_s": round(pdf_s, 2),
        "html_kb": len(html) // 1024,
        "html_s": round(html_s, 2),
    }


def timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """Its result, processor seconds and seconds."""
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    found = work()
    return found, time.process_time() - cpu_s, time.perf_counter() - wall_s


def rolled_up(database: DeskDatabase, now_ns: int) -> int:
    """Until nothing is left; how many days of projects."""
    made = 0
    while step := run_roll_up(database, now_ns):
        made += step
    return made


def statistics(database: DeskDatabase) -> object:
    """Of all projects and the whole month, made from the roll-up."""
    selection = Selection(PROVINCE)
    with database.reading() as db:
        return statistics_of(db, selection, span_of(db, selection, FIRST, LAST))


def office_body(database: DeskDatabase, number: str) -> str:
    """The kept body of a report."""
    with database.reading() as db:
        return str(db.scalar(select(reports.c.body).where(reports.c.number == number)))


def plant(database: DeskDatabase, a_day: int) -> None:
    """The province and its month."""
    chance = random.Random(1)
    names = [f"p{number:03}" for number in range(PROJECTS)]
    with database.transaction() as db:
        cities = [{"code": f"{city + 1:04}", "name": f"市{city + 1}", "level": "city"} for city in range(CITIES)]
        db.execute(insert(regions), cities)
        db.execute(insert(projects), [_project(place, name) for place, name in enumerate(names)])
        box = {"verified_sha256": "", "verified_seq": 1, "enrolled_at_ns": at(2, 1)}
        db.execute(insert(boxes), [box | {"box_id": f"b-{name}", "project_code": name} for name in names])
        db.execute(insert(hazards), [_hazard(name) for name in names])
        db.execute(insert(coverage_days), [_coverage(name) for name in names])
    for day in range(1, 32):
        rows = [row for name in names for row in _alarms(name, day, a_day, chance)]
        with database.transaction() as db:
            db.execute(insert(asset_days), [_minutes(name, day, asset) for name in names for asset in ASSETS])
            db.execute(insert(alarms), [alarm for alarm, _ in rows])
            db.execute(insert(alerts), [alert for _, alert in rows])


def _project(place: int, name: str) -> dict[str, Any]:
    city = f"{place % CITIES + 1:04}"
    return {"project_code": name, "name": f"测试工程 {name}", "city_code": city, "county_code": f"{city}{place % 5:02}"}


def _minutes(name: str, day: int, asset: str) -> dict[str, Any]:
    place = {"project_code": name, "day": f"2026-03-{day:02}", "box_id": f"b-{name}", "asset": asset}
    return place | {
        "minutes": 1440,
        "camera": int(asset.startswith("cam")),
        "usable_minutes": 1400,
        "judged_minutes": 1300,
    }


def _hazard(name: str) -> dict[str, Any]:
    said = {"hazard_id": f"h-{name}", "number": f"YH-{name}-2026-1", "project_code": name, "channel": "device"}
    said |= {"kind": "hazard", "grade": "general", "state": "ordered", "title_zh": "临边防护缺失", "event_key": name}
    return said | {"opened_at_ns": at(3, 2), "observed_at_ns": at(3, 2), "confirmed_at_ns": at(3, 2, 1)}


def _coverage(name: str) -> dict[str, Any]:
    steps = [{"rung": rung, "footing": "yes" if place < 3 else "no", "zh": "摄像机 2 台离线", "en": "2 cameras offline"}
             for place, rung in enumerate(STEPS)]  # fmt: skip
    return {"day": "2026-03-31", "project_code": name, "member": 1, "reached": "heartbeat", "steps": json.dumps(steps)}


def _alarms(name: str, day: int, count: int, chance: random.Random) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    found = []
    for number in range(count):
        raised_ns = at(3, day) + chance.randrange(86_400) * 1_000_000_000
        same = {"box_id": f"b-{name}", "alarm_id": f"{name}-{day}-{number}", "project_code": name}
        same |= {"rule_id": f"r{chance.randrange(8)}", "subject": f"s{chance.randrange(4)}"}
        same |= {"severity": chance.choices(("P1", "P2", "P3"), (5, 15, 80))[0]}
        same |= {"accepted_at_ns": raised_ns + chance.randrange(50, 3000) * 1_000_000}
        ended = {
            "raised_at_ns": raised_ns,
            "acknowledged_at_ns": raised_ns + chance.randrange(5, 900) * 1_000_000_000,
            "returned_at_ns": raised_ns + chance.randrange(5, 4000) * 1_000_000_000,
        }
        told = {"key": f"{name}-{day}-{number}:raised", "transition": "raised", "observed_at_ns": raised_ns}
        found.append((same | ended, same | told))
    return found


if __name__ == "__main__":
    main()
