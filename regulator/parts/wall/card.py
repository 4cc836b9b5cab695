"""The card of one project on the wall: the facts behind its tile, in a few statements."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from regulator.base.cameras import CameraOnCard, cameras_of
from regulator.base.coverage.facts import Moment, gather
from regulator.base.coverage.ladder import Ladder, climb
from regulator.base.coverage.set_membership import member_codes_on
from regulator.base.kinds import Category
from regulator.base.model.actor import Actor
from regulator.base.records.box_standing import IS_HEARD
from regulator.base.records.scope import require_project
from regulator.base.records.tables.intake import boxes
from regulator.base.records.tables.registry import projects
from regulator.base.records.tables.supervision import risk_latest
from regulator.base.records.tables.wall import wall_tiles
from regulator.parts.wall.tile import Tile, tile_of


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a score is as it is; `share` in points, as text."""

    zh: str
    en: str
    share: str


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


def _reasons(text: str) -> list[Reason]:
    said: list[Any] = json.loads(text)
    return [Reason(str(each["zh"]), str(each["en"]), str(each["share"])) for each in said[:3]]
