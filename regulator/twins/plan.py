"""Which boxes a province has, as a file between the process that founds it and the one that plays them.

In: projects, their codes, the boxes as their past left them. Out: JSON, and the plan read back.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from contract.keyfile import write_durably
from regulator.twins.box import KeptBox
from regulator.twins.province import MadeProject


@dataclass(frozen=True, slots=True)
class Planned:
    """One box. `kept` None: it enrols with `code`. `ailment`: of its first camera. `devices`: assets that it has."""

    box_id: str
    project_code: str
    code: str
    silent: bool
    ailment: str = ""
    devices: tuple[str, ...] = ()
    kept: KeptBox | None = None


def write_plan(
    path: Path, projects: Sequence[MadeProject], codes: Mapping[str, str], kept: Mapping[str, KeptBox]
) -> int:
    """Write it, for its owner alone: it holds the keys of made-up boxes. How many boxes there are."""
    known = [made for made in projects if made.box_id in {*codes, *kept}]
    boxes = [_planned(made, codes.get(made.box_id, ""), kept.get(made.box_id)) for made in known]
    write_durably(path, json.dumps([asdict(box) for box in boxes]).encode())
    return len(boxes)


def read_plan(path: Path) -> list[Planned]:
    """The plan of alarms, read back as it was written."""
    rows = json.loads(path.read_bytes())
    return [
        Planned(**row | {"devices": tuple(row.get("devices", ())), "kept": KeptBox(**kept) if kept else None})
        for row in rows
        for kept in (row.get("kept"),)
    ]


def _planned(made: MadeProject, code: str, kept: KeptBox | None) -> Planned:
    connected = made.trouble != "unconnected"
    ailment = made.trouble if connected else ""
    devices = made.devices if connected else made.devices[1:]
    return Planned(made.box_id, made.project_code, code, made.silent, ailment, devices, kept)
