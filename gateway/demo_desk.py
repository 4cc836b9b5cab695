"""The demonstration's regulator: a review desk with a province of its own, one live site and simulated boxes beside it.

    found_desk(folder) --> desk.yaml, desk.db, enrol-code, twins.json     before anything runs
    `sitewarden desk desk.yaml`, `python -m regulator.twins --plan twins.json`     own processes, started by the demo

In: a folder and how many sites. Out: what the demo starts and says. Everybody who logs in is made up.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from contract.keyfile import write_durably
from gateway.desk_arguments import load_desk
from regulator.accounts.passwords import Passwords
from regulator.running import open_desk
from regulator.twins.founding import MadePerson, found_province, made_people
from regulator.twins.province import PROVINCE_CODE, MadeProject, made_projects

LIVE_PROJECT, LIVE_BOX = "DEMO-0001", "demo-box"
"""The site that `config/sites/afternoon.yaml` describes."""


@dataclass(frozen=True, slots=True)
class DemoDesk:
    """A founded desk: its file, the plan of the simulated boxes (None: no boxes), and who may log in."""

    file: Path
    plan: Path | None
    people: tuple[MadePerson, ...]


def found_desk(folder: Path, port: int, sites: int) -> DemoDesk:
    """Write and fill everything below `folder`; some seconds for 500 sites. `sites` counts the live one."""
    file = folder / "desk.yaml"
    settings = {
        "name_zh": "示范省监管审查台",
        "name_en": "Demonstration review desk",
        "province_code": PROVINCE_CODE,
        "database": "sqlite:///desk.db",
        "blobs": "desk-blobs",
        "key_file": "desk.key.pem",
        "port": port,
    }
    file.write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
    projects = made_projects(max(sites, 1), live=(LIVE_PROJECT, LIVE_BOX))
    desk = open_desk(load_desk(file))
    try:
        codes = found_province(desk, projects, Passwords())
    finally:
        desk.database.close()
    write_durably(folder / "enrol-code", codes.pop(LIVE_BOX).encode())
    return DemoDesk(file, _plan(folder, projects, codes), made_people(projects[0]))


def _plan(folder: Path, projects: Sequence[MadeProject], codes: dict[str, str]) -> Path | None:
    boxes = [
        {"box_id": made.box_id, "project_code": made.project_code, "code": codes[made.box_id], "silent": made.silent}
        for made in projects
        if made.box_id in codes
    ]
    if not boxes:
        return None
    path = folder / "twins.json"
    write_durably(path, json.dumps(boxes).encode())
    return path


def people_text(people: Sequence[MadePerson]) -> str:
    """Who may log in, a line each."""
    return "\n".join(f"    {person.login:<10} {person.password:<24} {person.name}" for person in people)
