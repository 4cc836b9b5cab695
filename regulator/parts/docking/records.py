"""A row of the outbox as a record. Pure: a picture is given, not got."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from docking.quantities import AI_RULES, QUANTITIES, RecordKind
from docking.record import DockingRecord, Value
from regulator.base.settings import DockingSettings

_TEXTS = ("alarm_id", "transition", "severity", "rule_id", "title_zh", "title_en", "subject", "asset", "unit")
_ASSET_KINDS = QUANTITIES[RecordKind.ALARM]["asset_kind"].choices


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """What the lane needs of a row."""

    platform: str
    key: str
    kind: RecordKind
    project_code: str
    box_id: str
    alarm_id: str
    body: str
    attempts: int
    queued_at_ns: int


def record_of_row(row: WaitingRow, settings: DockingSettings, photo: bytes | None) -> DockingRecord:
    """The record, under the platform's names of project and device where the settings have them."""
    told = json.loads(row.body)
    if row.kind is RecordKind.HAZARD:
        return _hazard(row, settings, told)
    values: dict[str, Value] = {"project_code": settings.projects.get(row.project_code, row.project_code)}
    device = settings.devices.get(f"{row.box_id}/{told['asset']}")
    if device:
        values["device_sn"] = device
    values |= _alarm(told) if row.kind is RecordKind.ALARM else _ai_alarm(told, photo)
    values |= {"record_id": row.key, "observed_at": int(told["observed_at_ns"])}
    return DockingRecord(row.kind, row.key, int(told["observed_at_ns"]), values)


def _hazard(row: WaitingRow, settings: DockingSettings, told: Mapping[str, Any]) -> DockingRecord:
    values: dict[str, Value] = {name: told[name] for name in QUANTITIES[RecordKind.HAZARD] if name in told}
    values |= {"project_code": settings.projects.get(row.project_code, row.project_code), "record_id": row.key}
    device = settings.devices.get(f"{row.box_id}/{told.get('asset', '')}")
    if device:
        values["device_sn"] = device
    seen_ns = int(told["first_seen"])
    return DockingRecord(row.kind, row.key, seen_ns, values | {"observed_at": seen_ns})


def _alarm(told: Mapping[str, Any]) -> dict[str, Value]:
    values: dict[str, Value] = {name: str(told[name]) for name in _TEXTS if told.get(name)}
    values |= {name: str(told[name]) for name in ("measured", "limit") if told.get(name) is not None}
    kind = str(told["asset_kind"])
    values |= {"asset_kind": kind if kind in _ASSET_KINDS else "other", "suspected": bool(told["suspected"])}
    hazard = told.get("hazard") or {}
    if hazard.get("code"):
        values["hazard_code"] = str(hazard["code"])
    return values | {"raised_at": int(told["raised_at_ns"])}


def _ai_alarm(told: Mapping[str, Any], photo: bytes | None) -> dict[str, Value]:
    values: dict[str, Value] = {"ai_alarm": AI_RULES[told["rule_id"]], "zone": str(told["subject"])}
    if photo is not None:
        digest = hashlib.md5(photo, usedforsecurity=False).hexdigest()
        values |= {"photo": photo, "photo_md5": digest, "photo_name": f"{digest[:16]}.jpg"}
    return values
