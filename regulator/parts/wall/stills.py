"""The newest small picture of each camera: taken from boxes, shown within the scope, never queued and never evidence.

Faces were blurred on site. A box may have `MOST_CAMERAS` of them here; what comes above that is thrown away.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects import postgresql, sqlite

from contract.messages import CameraStill
from contract.signing import base64_bytes
from regulator.base.model.actor import Actor
from regulator.base.model.heard import Heard
from regulator.base.records.scope import require_project
from regulator.base.records.tables.wall import wall_stills

MOST_CAMERAS: Final = 64
AHEAD_NS: Final = 3_600_000_000_000
"""A picture further ahead of the desk's clock would never be replaced: that box's clock is wrong."""


@dataclass(frozen=True, slots=True)
class Still:
    """A picture as it is shown."""

    camera_id: str
    sha256: str
    media_type: str
    captured_at_ns: int
    body: bytes


def take_still(db: Connection, heard: Heard, now_ns: int) -> None:
    """A taker of `camera_still`. An older picture never takes the place of a newer one."""
    said = heard.body
    assert isinstance(said, CameraStill)
    at = wall_stills.c
    if said.captured_at_ns > now_ns + AHEAD_NS:
        return
    mine = (at.project_code == heard.project_code) & (at.camera_id == said.camera_id)
    held = db.scalar(select(func.count()).where(at.project_code == heard.project_code)) or 0
    if held >= MOST_CAMERAS and db.scalar(select(at.camera_id).where(mine)) is None:
        return
    dialect = postgresql if db.dialect.name == "postgresql" else sqlite
    values = {
        "box_id": heard.box_id,
        "asset": said.asset,
        "sha256": said.sha256,
        "media_type": said.media_type,
        "width_px": said.width_px,
        "height_px": said.height_px,
        "captured_at_ns": said.captured_at_ns,
        "received_at_ns": now_ns,
        "body": base64_bytes(said.data_base64, "body.data_base64"),
    }
    key = {"project_code": heard.project_code, "camera_id": said.camera_id}
    added = dialect.insert(wall_stills).values(**key, **values)
    older = at.captured_at_ns <= added.excluded.captured_at_ns
    db.execute(added.on_conflict_do_update(index_elements=list(key), set_=values, where=older))


def newest_still(db: Connection, actor: Actor, project_code: str, camera_id: str = "") -> Still | None:
    """The newest picture of the project, or of one camera of it. Raises RefusedError 404 outside the scope."""
    require_project(db, actor, project_code)
    at = wall_stills.c
    found = select(wall_stills).where(at.project_code == project_code)
    if camera_id:
        found = found.where(at.camera_id == camera_id)
    row = db.execute(found.order_by(at.captured_at_ns.desc(), at.camera_id).limit(1)).first()
    return Still(row.camera_id, row.sha256, row.media_type, row.captured_at_ns, bytes(row.body)) if row else None
