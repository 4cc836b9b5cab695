"""Home Assistant's MQTT discovery: what the box publishes, as entities that appear by themselves. Pure.

In: the points of one device, the topic prefix of the uplink. Out: a retained message for the device, one for the box.

    <discovery>/device/sitewarden_<project>_<box>_<device>/config     a sensor for each point
    <discovery>/device/sitewarden_<project>_<box>/config              an event entity that hears every alert

This is the device form of discovery (Home Assistant 2024.12 and later). The sensors read the uplink's own messages by
template: a BAD value and a message that is late are `None`, which Home Assistant shows as unknown; a sensor that hears
nothing for the point's `stale_after_s` becomes unavailable. The quality is an attribute.
Source: the MQTT integration's manual, sections "Device discovery payload", "Sensor" and "Event".
"""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Final

import orjson

from contract import __version__
from gateway.model.quantity import Point
from gateway.uplinks.mqtt_messages import OutMessage

ALERT_KINDS: Final = ("raised", "acknowledged", "returned", "handed_over")
_ORIGIN: Final = {"name": "Sitewarden", "sw_version": __version__}
_NOT_IN_AN_ID: Final = re.compile(r"[^a-zA-Z0-9-]")
_NEWEST = "{{% set i = value_json.points.index({name}) %}}"
_VALUE = _NEWEST + "{{{{ none if value_json.late is defined else value_json.v[-1][i] }}}}"
_ATTRIBUTES = (
    _NEWEST + "{{% set q = value_json.q[-1][i] if value_json.q is defined else 0 %}}"
    "{{{{ dict(point={name}, quality=['good', 'suspect', 'bad'][q]) | tojson }}}}"
)
_ALERT = (
    "{% if value_json.transition is defined %}{{ dict(event_type=value_json.transition, severity=value_json.severity, "
    "title_zh=value_json.title_zh, title_en=value_json.title_en, measured=value_json.measured, limit=value_json.limit, "
    "unit=value_json.unit, asset=value_json.asset) | tojson }}{% endif %}"
)


def device_announcement(discovery: str, prefix: str, box: str, device: str, points: Iterable[Point]) -> OutMessage:
    """A sensor for each point of a device. `discovery` and `prefix` are topic prefixes, `box` is unique."""
    topic = f"{prefix}/readings/{device}"
    sensors = {_id(point.point_id): _sensor(topic, point, f"{box}_{point.point_id}") for point in points}
    return _announcement(discovery, f"{box}_{device}", device, sensors)


def box_announcement(discovery: str, prefix: str, box: str) -> OutMessage:
    """One event entity that hears every alert of the box."""
    event = {
        "platform": "event",
        "unique_id": _id(f"sitewarden_{box}_alerts"),
        "name": "报警 Alarms",
        "state_topic": f"{prefix}/alerts/+",
        "event_types": ALERT_KINDS,
        "value_template": _ALERT,
    }
    return _announcement(discovery, box, box, {"alerts": event})


def _sensor(topic: str, point: Point, unique: str) -> dict[str, object]:
    quoted = orjson.dumps(point.point_id).decode()
    sensor = {
        "platform": "sensor",
        "unique_id": _id(f"sitewarden_{unique}"),
        "name": point.title_zh or point.title_en or point.point_id,
        "state_topic": topic,
        "value_template": _VALUE.format(name=quoted),
        "json_attributes_topic": topic,
        "json_attributes_template": _ATTRIBUTES.format(name=quoted),
        "state_class": "measurement",
        "expire_after": max(1, math.ceil(point.stale_after_s)),
    }
    return sensor | ({"unit_of_measurement": point.unit} if point.unit else {})


def _announcement(discovery: str, name: str, title: str, components: Mapping[str, object]) -> OutMessage:
    node = _id(f"sitewarden_{name}")
    said = {
        "device": {"identifiers": [node], "name": title, "manufacturer": "Sitewarden", "sw_version": __version__},
        "origin": _ORIGIN,
        "qos": 1,
        "components": components,
    }
    return OutMessage(f"{discovery}/device/{node}/config", orjson.dumps(said), retain=True)


def _id(text: str) -> str:
    """Home Assistant's ids have letters, digits, `_` and `-`; any other character becomes its code."""
    return _NOT_IN_AN_ID.sub(lambda found: "_" if found[0] == "_" else f"_{ord(found[0]):x}_", text)
