"""The demonstration's regulator: a review desk with a province of its own, one live site and simulated boxes beside it.

    python -m sitewarden.demo.desk --folder F --port P --sites N     writes desk.yaml, desk.db, twins.json; then it is
    done `sitewarden desk desk.yaml`, `python -m regulator.twins --plan twins.json`     own processes, started by the
    demo

In: a folder, in which `enrol-code` lies (the live box's one-time code), and how many sites. Out: on stdout JSON lines:
first what it is doing (`progress`), at the end the file, the plan and who may log in. Everybody is made up.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from argon2 import PasswordHasher
from sqlalchemy import select

from regulator.base.accounts.passwords import Passwords
from regulator.base.act import Act
from regulator.base.desk import Desk
from regulator.base.intake.codes import HOUR_NS, MOST_HOURS, Issued, keep_codes
from regulator.base.kinds import DeviceKind, Standing
from regulator.base.model.actor import CONSOLE, SYSTEM, Actor, Duty, Level, Scope
from regulator.base.records.tables.registry import dangerous_works, devices
from regulator.parts.registry.projects.device_office import Device, add_device, end_device, watch_work
from regulator.running import open_desk
from regulator.twins.box import KeptBox
from regulator.twins.founding import KEEPERS, MadePerson, codes_for, found, made_people
from regulator.twins.past import PastClock, PastPlan, began_ns, live_the_past
from regulator.twins.plan import write_plan
from regulator.twins.province import PROVINCE_CODE, made_projects
from sitewarden.commands.desk import load_desk
from sitewarden.demo.run import LIVE_BOX, LIVE_CAMERA, LIVE_PROJECT, Say

LIVE_DEVICES = (
    Device(LIVE_PROJECT, LIVE_CAMERA, DeviceKind.CAMERA, "1号塔机处3层北侧临边摄像机", asset=LIVE_CAMERA),
    Device(LIVE_PROJECT, "crane-1", DeviceKind.TOWER_CRANE, "1号塔机", serial="SIM-TC-1", asset="crane-1"),
    Device(LIVE_PROJECT, "crane-2", DeviceKind.TOWER_CRANE, "2号塔机", serial="SIM-TC-2", asset="crane-2"),
    Device(LIVE_PROJECT, "crane-3", DeviceKind.TOWER_CRANE, "3号塔机", serial="SIM-TC-3", asset="crane-3"),
    Device(LIVE_PROJECT, "pit-1", DeviceKind.DEEP_PIT, "1号基坑", serial="SIM-PIT-1", asset="pit-1"),
)
"""What `config/sites/afternoon.yaml` describes, under the names that its box uses."""

SPOT_CHECKERS = tuple(
    MadePerson(login, name, Scope(Level.PROVINCE, PROVINCE_CODE), frozenset({Duty.INSPECTOR}))
    for login, name in (("choucha1", "抽查员甲"), ("choucha2", "抽查员乙"))
)
"""A random draw sends two of the body's own inspectors to every target."""

BEHIND_THE_BOX = 5
"""Founding gives way to the box, which starts beside it: the site page is to be there first."""

PRINTED_PASSWORDS = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1)
"""The terminal shows these passwords: a costly hash would only make everybody wait."""

REASON = "示范工地按监控主机登记 the demonstration site as its box describes it"


@dataclass(frozen=True, slots=True)
class DemoSize:
    """How many sites, the live one among them, and how many days of a made-up past."""

    sites: int
    days: int = 0


@dataclass(frozen=True, slots=True)
class DemoDesk:
    """A founded desk: its file, the plan of the simulated boxes (None: no boxes), and who may log in."""

    file: Path
    plan: Path | None
    people: tuple[MadePerson, ...]


def found_desk(
    folder: Path, port: int, size: DemoSize, docking: dict[str, Any] | None = None, say: Say = lambda _text: None
) -> DemoDesk:
    """Write and fill everything below `folder`. `docking`: an entry of the desk's file."""
    file = folder / "desk.yaml"
    settings: dict[str, Any] = {
        "name_zh": "示范省监管审查台（演示数据）",
        "name_en": "Demonstration review desk (made-up data)",
        "province_code": PROVINCE_CODE,
        "database": "sqlite:///desk.db",
        "blobs": "desk-blobs",
        "key_file": "desk.key.pem",
        "port": port,
        "second_factor_for": [],
        "docking": [] if docking is None else [docking],
    }
    file.write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
    projects = made_projects(max(size.sites, 1), live=(LIVE_PROJECT, LIVE_BOX))
    now_ns = time.time_ns()
    clock = PastClock(began_ns(now_ns, size.days) if size.days else now_ns)
    desk = open_desk(load_desk(file), clock)
    _write_without_waiting(desk)
    try:
        say(f"登记项目、人员 registering {len(projects)} projects and their people")
        founded = found(desk, projects, Passwords(PRINTED_PASSWORDS), SPOT_CHECKERS)
        made_up = [project for project in projects if project.box_id != LIVE_BOX]
        codes, kept = dict[str, str](), dict[str, KeptBox]()
        if size.days:
            say(f"补写 {size.days} 天的示范记录 writing {size.days} days of made-up records")
            past = live_the_past(desk, clock, projects, founded, now_ns, PastPlan(size.days), LIVE_BOX)
            kept = asyncio.run(past).boxes
        else:
            codes = codes_for(desk, made_up)
        _admit_live_site(desk, (folder / "enrol-code").read_text(encoding="utf-8"))
        for entry in settings["docking"]:
            entry["devices"] = _device_codes(desk, {each.project_code: each.box_id for each in projects})
    finally:
        desk.database.close()
    file.write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
    plan = folder / "twins.json"
    boxes = write_plan(plan, projects, codes, kept)
    return DemoDesk(file, plan if boxes else None, (*made_people(projects[0]), *SPOT_CHECKERS, *KEEPERS))


def _write_without_waiting(desk: Desk) -> None:
    """Founding does not wait for the disk: one that was broken off is thrown away. The serving desk does wait."""
    connection = desk.database.engine.raw_connection()
    connection.cursor().execute("PRAGMA synchronous=OFF")
    connection.close()


def _admit_live_site(desk: Desk, code: str) -> None:
    """The live box's code; its devices under the names that the box uses, so that the desk finds them; the camera
    watches the works that run."""
    keeper = Actor(SYSTEM.user_id, SYSTEM.name, Scope(Level.PROVINCE, PROVINCE_CODE), frozenset({Duty.ADMINISTRATOR}))
    wanted = {device.device_code: device for device in LIVE_DEVICES}
    now_ns = desk.now_ns()
    live = Issued(LIVE_PROJECT, LIVE_BOX, code, now_ns + MOST_HOURS * HOUR_NS)
    with desk.database.transaction() as db:
        keep_codes(db, desk.ledger, [live], CONSOLE, now_ns)
        act = Act(db, desk.ledger, keeper, desk.now_ns(), REASON)
        at, work = devices.c, dangerous_works.c
        mine = (at.project_code == LIVE_PROJECT, at.status == Standing.ACTIVE.value)
        standing = {row.device_code: row.asset for row in db.execute(select(at.device_code, at.asset).where(*mine))}
        for device_code, asset in standing.items():
            if device_code not in wanted or wanted[device_code].asset != asset:
                end_device(act, LIVE_PROJECT, device_code)
        for device_code, device in wanted.items():
            if device_code not in standing:
                add_device(act, device)
        for work_code in db.scalars(select(work.work_code).where(work.project_code == LIVE_PROJECT)).all():
            watch_work(act, LIVE_PROJECT, work_code, LIVE_CAMERA, watches=True)


def _device_codes(desk: Desk, boxes: dict[str, str]) -> dict[str, str]:
    """What the platform above calls the registered devices, by box and asset."""
    at = devices.c
    connected = select(at.project_code, at.device_code, at.asset).where(
        at.status == Standing.ACTIVE.value, at.asset != ""
    )
    with desk.database.reading() as db:
        found = db.execute(connected).all()
    return {
        f"{boxes[row.project_code]}/{row.asset}": f"{row.project_code}-{row.device_code}"
        for row in found
        if boxes[row.project_code]
    }


def _person(made: MadePerson) -> dict[str, object]:
    duties = sorted(duty.value for duty in made.duties)
    said = {"login": made.login, "password": made.password, "name": made.name}
    return said | {"scope": made.scope.level.value, "duties": duties}


def _print(**said: object) -> None:
    print(json.dumps(said, ensure_ascii=False), flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Found it, print the outcome, end."""
    parser = argparse.ArgumentParser(
        prog="python -m sitewarden.demo.desk", description="Found the demonstration's desk."
    )
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--sites", type=int, required=True)
    parser.add_argument("--days", type=int, default=0)
    parser.add_argument("--docking", help="an entry of the desk's file, JSON")
    args = parser.parse_args(arguments)
    os.nice(BEHIND_THE_BOX)
    docking = json.loads(args.docking) if args.docking else None
    desk = found_desk(
        args.folder, args.port, DemoSize(args.sites, args.days), docking, lambda text: _print(progress=text)
    )
    plan = str(desk.plan) if desk.plan else None
    _print(ready=True, file=str(desk.file), plan=plan, people=[_person(each) for each in desk.people])
    return 0


if __name__ == "__main__":
    sys.exit(main())
