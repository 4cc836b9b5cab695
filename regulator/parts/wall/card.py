"""The card of one project on the wall: the facts behind its tile, in a few statements."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from regulator.base.kinds import Category, DeviceKind, Standing
from regulator.base.model.actor import Actor
from regulator.base.records.box_standing import IS_HEARD
from regulator.base.records.scope import require_project
from regulator.base.records.tables.intake import boxes
from regulator.base.records.tables.registry import devices, projects
from regulator.base.records.tables.supervision import risk_latest
from regulator.base.records.tables.wall import wall_tiles
from regulator.parts.registry.coverage.facts import Moment, gather
from regulator.parts.registry.coverage.ladder import Ladder, climb
from regulator.parts.registry.projects.set_membership import member_codes_on
from regulator.parts.wall.stills import seen_cameras
from regulator.parts.wall.tile import Tile, tile_of


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a score is as it is; `share` in points, as text."""

    zh: str
    en: str
    share: str


@dataclass(frozen=True, slots=True)
class CameraOnCard:
    """A camera by the box's name of it; `captured_at_ns` 0: no picture has come."""

    camera_id: str
    name: str
    captured_at_ns: int


@dataclass(frozen=True, slots=True)
class Card:
    """Everything of it. `heard_at_ns` 0: never. `version`: of the risk formula, empty while nobody scored."""

    project_code: str
    name: str
    category: Category
    stage: str
    tile: Tile
    ladder: Ladder
    heard_at_ns: int
    reasons: Sequence[Reason]
    version: str
    cameras: Sequence[CameraOnCard]


def read_card(db: Connection, actor: Actor, project_code: str, set_code: str, moment: Moment) -> Card:
    """Raises RefusedError 404 outside the scope."""
    require_project(db, actor, project_code)
    project = db.execute(select(projects).where(projects.c.project_code == project_code)).one()
    row = db.execute(select(wall_tiles).where(wall_tiles.c.project_code == project_code)).first()
    heard = db.scalars(select(boxes.c.last_seen_ns).where(boxes.c.project_code == project_code, IS_HEARD)).all()
    listed = set(member_codes_on(db, set_code, moment.day, actor.scope))
    facts = gather(db, moment, listed & {project_code}, [project_code])[project_code]
    risk = db.execute(select(risk_latest).where(risk_latest.c.project_code == project_code)).first()
    return Card(
        project_code=project_code,
        name=project.name,
        category=Category.of(project.category),
        stage=project.stage,
        tile=tile_of(row) if row else Tile(),
        ladder=climb(facts),
        heard_at_ns=max(heard, default=0),
        reasons=_reasons(risk.reasons) if risk else (),
        version=risk.version if risk else "",
        cameras=cameras_of(db, project_code),
    )


def cameras_of(db: Connection, project_code: str) -> list[CameraOnCard]:
    """Registered cameras and those of which a picture came, by their name on the box."""
    at = devices.c
    mine = (at.project_code == project_code, at.kind == DeviceKind.CAMERA.value, at.status == Standing.ACTIVE.value)
    named = {row.asset or row.device_code: row.name for row in db.execute(select(devices).where(*mine))}
    seen = seen_cameras(db, project_code)
    found = []
    for each in seen:
        name = named.get(each.camera_id) or named.get(each.asset) or each.camera_id
        found.append(CameraOnCard(each.camera_id, name, each.captured_at_ns))
    shown = {name for each in seen for name in (each.camera_id, each.asset)}
    return found + [CameraOnCard(code, name, 0) for code, name in sorted(named.items()) if code not in shown]


def camera_names(db: Connection, project_code: str) -> dict[str, str]:
    """What cameras are called, by their names on the box and by those of the assets that they are registered as."""
    found = {each.camera_id: each.name for each in cameras_of(db, project_code)}
    return {each.asset: found[each.camera_id] for each in seen_cameras(db, project_code) if each.asset} | found


def _reasons(text: str) -> list[Reason]:
    said: list[Any] = json.loads(text)
    return [Reason(str(each["zh"]), str(each["en"]), str(each["share"])) for each in said[:3]]
