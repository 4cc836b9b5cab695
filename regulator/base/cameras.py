"""Cameras of a project by name, and the small pictures of alarms, for every part that shows them."""

import base64
import json
from dataclasses import dataclass

from sqlalchemy import Connection, select

from regulator.base.kinds import DeviceKind, Standing
from regulator.base.records.tables.intake import alarm_media, items
from regulator.base.records.tables.registry import devices
from regulator.base.records.tables.wall import wall_stills


@dataclass(frozen=True, slots=True)
class CameraOnCard:
    """A camera by the box's name of it; `captured_at_ns` 0: no picture has come."""

    camera_id: str
    name: str
    captured_at_ns: int


@dataclass(frozen=True, slots=True)
class Seen:
    """A camera of which a picture has come. `asset`: what it is registered as, if that is another name."""

    camera_id: str
    asset: str
    captured_at_ns: int


def seen_cameras(db: Connection, project_code: str) -> list[Seen]:
    """Of a project, by name."""
    at = wall_stills.c
    mine = select(at.camera_id, at.asset, at.captured_at_ns).where(at.project_code == project_code)
    return [Seen(row.camera_id, row.asset, row.captured_at_ns) for row in db.execute(mine.order_by(at.camera_id))]


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


def thumbnail_of(db: Connection, box_id: str, alarm_id: str) -> tuple[bytes, str] | None:
    """The newest thumbnail's bytes and type; they travel in the message itself."""
    at = alarm_media.c
    of_alarm = (at.box_id == box_id) & (at.alarm_id == alarm_id) & (at.kind == "thumbnail")
    query = select(items.c.body).join(alarm_media, (at.box_id == items.c.box_id) & (at.item_key == items.c.key))
    body = db.scalar(query.where(of_alarm).order_by(at.started_at_ns.desc()).limit(1))
    if body is None:
        return None
    said = json.loads(body)
    return base64.b64decode(said["data_base64"]), str(said["media_type"])
