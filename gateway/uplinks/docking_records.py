"""Rows of the outbox as records for a platform: alarms, AI alarms and working cycles.

In: an outbox row and what the platform calls our machines. Out: a `DockingRecord`, or the reason why there is none.
Pure: a picture and a person are given, not got.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from docking.quantities import AI_RULES, CYCLE_FLAGS, CYCLE_NUMBERS, QUANTITIES, WIND_LEVELS, RecordKind
from docking.record import DockingRecord, Value
from gateway.model.alert import OutboxItem
from gateway.uplinks.docking_settings import DockedDevice

CYCLE_ROW = "crane_cycle"
ALARM_ROW = "alarm_transition"
_ALARM_TEXTS = ("alarm_id", "transition", "severity", "rule_id", "title_zh", "title_en", "subject", "asset", "unit")
_ASSET_KINDS = QUANTITIES[RecordKind.ALARM]["asset_kind"].choices


class NotARecordError(Exception):
    """The row is nothing that this platform takes; says why."""


@dataclass(frozen=True, slots=True)
class Photo:
    """The picture of an AI alarm, faces blurred."""

    name: str
    body: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Driver:
    """Who drove, for the send alone."""

    number: str = ""
    name: str = ""
    id_number: str = ""


def kind_of_row(item: OutboxItem, chosen: frozenset[RecordKind]) -> RecordKind:
    """What a row becomes. Raises NotARecordError."""
    if item.kind == CYCLE_ROW and RecordKind.CRANE_CYCLE in chosen:
        return RecordKind.CRANE_CYCLE
    if item.kind == ALARM_ROW:
        rule_id = str(said_in(item).get("rule_id", ""))
        kind = RecordKind.AI_ALARM if rule_id in AI_RULES and RecordKind.AI_ALARM in chosen else RecordKind.ALARM
        if kind in chosen:
            return kind
    raise NotARecordError(f"a row of kind {item.kind} has no record in this map")


def said_in(item: OutboxItem) -> Mapping[str, Any]:
    """The row's body. Raises NotARecordError for what is no JSON object."""
    try:
        told = orjson.loads(item.body)
    except orjson.JSONDecodeError:
        told = None
    if not isinstance(told, dict):
        raise NotARecordError("a row that holds no JSON object")
    return told


def device_values(device: DockedDevice, project_code: str) -> dict[str, Value]:
    """What every record says of its machine; what was not configured is unknown."""
    named = {"device_sn": device.sn, "device_maker": device.maker, "equipment_record_no": device.record_no}
    return {name: text for name, text in (named | {"project_code": project_code}).items() if text}


def alarm_record(item: OutboxItem, device: DockedDevice, project_code: str) -> DockingRecord:
    """One transition of an alarm, as a record for platforms."""
    told = said_in(item)
    at_ns = int(told["observed_at_ns"])
    values: dict[str, Value] = device_values(device, project_code)
    values |= {name: str(told[name]) for name in _ALARM_TEXTS if told.get(name)}
    values |= {name: str(told[name]) for name in ("measured", "limit") if told.get(name) is not None}
    kind = str(told.get("asset_kind", ""))
    values |= {"asset_kind": kind if kind in _ASSET_KINDS else "other", "suspected": bool(told.get("suspected"))}
    hazard = told.get("hazard") or {}
    if hazard.get("code"):
        values["hazard_code"] = str(hazard["code"])
    values |= {"record_id": item.key, "observed_at": at_ns, "raised_at": int(told["raised_at_ns"])}
    return DockingRecord(RecordKind.ALARM, item.key, at_ns, values)


def ai_record(item: OutboxItem, device: DockedDevice, project_code: str, photo: Photo | None) -> DockingRecord:
    """An AI alarm, with its picture when there is one."""
    told = said_in(item)
    at_ns = int(told["raised_at_ns"])
    values: dict[str, Value] = device_values(device, project_code)
    values |= {"record_id": item.key, "observed_at": at_ns, "ai_alarm": AI_RULES[told["rule_id"]]}
    values["zone"] = str(told["subject"])
    if photo is not None:
        digest = hashlib.md5(photo.body, usedforsecurity=False).hexdigest()
        values |= {"photo_name": photo.name, "photo": photo.body, "photo_md5": digest}
    return DockingRecord(RecordKind.AI_ALARM, item.key, at_ns, values)


def cycle_record(item: OutboxItem, device: DockedDevice, project_code: str, driver: Driver) -> DockingRecord:
    """One working cycle of a crane, as a record for platforms."""
    content = said_in(item)["content"]
    start_ns, end_ns = int(content["start_ns"]), int(content["end_ns"])
    values: dict[str, Value] = device_values(device, project_code)
    values |= {"record_id": item.key, "observed_at": end_ns, "started_at": start_ns, "ended_at": end_ns}
    for name, _unit in CYCLE_NUMBERS:
        number = content.get(name)
        if isinstance(number, int | float) and math.isfinite(number):
            values[name] = float(number)
    values |= {name: content[name] for name in CYCLE_FLAGS if isinstance(content.get(name), bool)}
    level = content.get("wind_level")
    if isinstance(level, int) and 0 <= level < len(WIND_LEVELS):
        values["wind_level"] = WIND_LEVELS[level]
    return DockingRecord(RecordKind.CRANE_CYCLE, item.key, end_ns, values | driver_values(driver))


def driver_values(driver: Driver) -> dict[str, Value]:
    """What is known of the driver."""
    known = {"driver_no": driver.number, "driver_name": driver.name, "driver_id_number": driver.id_number}
    return {name: text for name, text in known.items() if text}
