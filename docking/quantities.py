"""What a record can say: its kinds, and of each kind every quantity with its unit or its choices.

In: nothing. Out: tables that maps are checked against. A map may name nothing else: a platform's field is filled from a
quantity, from other fields (`none_of`), from a constant, or not at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class RecordKind(StrEnum):
    """What a record is about; the word that it carries."""

    CRANE_REALTIME = "crane_realtime"
    CRANE_CYCLE = "crane_cycle"
    AI_ALARM = "ai_alarm"
    ALARM = "alarm"
    HAZARD = "hazard"


class ValueKind(StrEnum):
    """What a quantity's value is: a float, a text, a truth, UTC nanoseconds, one of some words, bytes."""

    NUMBER = "number"
    TEXT = "text"
    FLAG = "flag"
    INSTANT = "instant"
    CHOICE = "choice"
    BYTES = "bytes"


FLAG_CHOICES = ("true", "false")


@dataclass(frozen=True, slots=True)
class Quantity:
    """One thing that a record may say. `choices` of a CHOICE or a FLAG; `personal`: of a person, left out unless the
    map asks for it and the sender's settings permit it."""

    name: str
    kind: ValueKind
    unit: str = ""
    choices: tuple[str, ...] = ()
    personal: bool = False


def _number(name: str, unit: str = "") -> Quantity:
    return Quantity(name, ValueKind.NUMBER, unit)


def _text(name: str) -> Quantity:
    return Quantity(name, ValueKind.TEXT)


def _flag(name: str) -> Quantity:
    return Quantity(name, ValueKind.FLAG, choices=FLAG_CHOICES)


def _choice(name: str, *choices: str) -> Quantity:
    return Quantity(name, ValueKind.CHOICE, choices=choices)


def _instant(name: str) -> Quantity:
    return Quantity(name, ValueKind.INSTANT)


_COMMON = (
    _text("record_id"),
    _text("project_code"),
    _text("device_sn"),
    _text("device_maker"),
    _text("equipment_record_no"),
    _instant("observed_at"),
)
_DRIVER = tuple(
    Quantity(name, ValueKind.TEXT, personal=True) for name in ("driver_no", "driver_name", "driver_id_number")
)
CRANE_FAULTS = ("weight_error", "wind_error", "range_error", "height_error", "angle_error", "tilt_error", "id_error")
CRANE_ALARMS = (
    "moment_alarm",
    "wind_alarm",
    "height_alarm",
    "radius_in_alarm",
    "radius_out_alarm",
    "slew_right_alarm",
    "slew_left_alarm",
    "tilt_alarm",
    "forbidden_entry_alarm",
    "no_lift_alarm",
    "multi_crane_alarm",
)
_REALTIME = (
    _number("load_t", "t"),
    _number("rated_t", "t"),
    _number("moment_pct", "%"),
    _number("radius_m", "m"),
    _number("hook_m", "m"),
    _number("crane_h_m", "m"),
    _number("slew_deg", "deg"),
    _number("wind_ms", "m/s"),
    _number("beaufort"),
    _number("tilt_deg", "deg"),
    _number("multiple"),
    _flag("motor"),
    _choice("work_status", "run", "climbing"),
    *map(_flag, CRANE_FAULTS),
    *map(_flag, CRANE_ALARMS),
)
CYCLE_NUMBERS = (
    ("load_t", "t"),
    ("max_moment_radius_m", "m"),
    ("max_moment_rated_t", "t"),
    ("max_moment_pct", "%"),
    ("max_moment_t_m", "t·m"),
    ("max_wind_ms", "m/s"),
    ("height_change_m", "m"),
    ("start_slew_deg", "deg"),
    ("end_slew_deg", "deg"),
    ("start_radius_m", "m"),
    ("end_radius_m", "m"),
    ("start_hook_m", "m"),
    ("end_hook_m", "m"),
    ("start_luff_deg", "deg"),
    ("end_luff_deg", "deg"),
)
CYCLE_FLAGS = (
    "radius_out_alarm",
    "radius_in_alarm",
    "height_alarm",
    "slew_right_alarm",
    "slew_left_alarm",
    "moment_alarm",
    "moment_prealarm",
    "tilt_alarm",
    "environment_alarm",
    "multi_crane_alarm",
    "wind_prealarm",
)
WIND_LEVELS = ("normal", "alarm", "prealarm")
"""In the order of the docking practice's codes 0, 1, 2 (standards reference 6.3, V1)."""
_CYCLE = (
    _instant("started_at"),
    _instant("ended_at"),
    *(_number(name, unit) for name, unit in CYCLE_NUMBERS),
    _choice("wind_level", *WIND_LEVELS),
    *map(_flag, CYCLE_FLAGS),
)
_AI_ALARM = (
    _choice("ai_alarm", "intrusion", "helmet"),
    _text("zone"),
    _text("photo_name"),
    Quantity("photo", ValueKind.BYTES),
    _text("photo_md5"),
)
_ALARM = (
    _text("alarm_id"),
    _choice("transition", "raised", "acknowledged", "returned", "handed_over"),
    _choice("severity", "P1", "P2", "P3", "log"),
    _text("rule_id"),
    _text("title_zh"),
    _text("title_en"),
    _text("subject"),
    _text("asset"),
    _choice("asset_kind", "tower-crane", "deep-pit", "camera-post", "weather-mast", "other"),
    _text("measured"),
    _text("limit"),
    _text("unit"),
    _flag("suspected"),
    _text("hazard_code"),
    _instant("raised_at"),
)
HAZARD_EVENTS = (
    "opened",
    "confirm",
    "reject",
    "withdraw",
    "grade_up",
    "decide_regrade",
    "order",
    "stop_work",
    "supervise",
    "submit",
    "send_back",
    "record_refusal",
    "hand_over",
    "resume_rectification",
    "overdue",
    "close",
    "resume_work",
    "reopen",
)
"""What is told of a hazard at a regulator's desk, by the desk's own words."""
_HAZARD = (
    _choice("event", *HAZARD_EVENTS),
    _choice(
        "state",
        "pending",
        "site_check",
        "rejected",
        "confirmed",
        "ordered",
        "rectifying",
        "awaiting_recheck",
        "closed",
        "refused_by_site",
    ),
    _choice("verdict", "suspected", "confirmed", "rejected"),
    _choice("kind", "hazard", "non_fatal_accident", "dangerous_situation"),
    _choice("grade", "general", "major"),
    _choice("source", "crane", "pit", "vision", "manual", "report"),
    _choice("severity", "P1", "P2", "P3", "log"),
    *map(_text, ("hazard_number", "title_zh", "title_en", "place", "rule_id", "major_code", "edition")),
    *map(_text, ("standard_ref", "certainty")),
    *map(_text, ("measured", "limit", "unit", "limit_source")),
    *map(_instant, ("first_seen", "event_at", "confirmed_at", "stopped_at", "due_at", "closed_at")),
)
"""The names of standards reference 3.3 and 9A (PD), and what the desk knows besides. `standard_ref` is the clause that
the alarm's rule names, `certainty` how surely it was read there, `major_code` the article that a person confirmed or a
rule suspects: none of them is made up here."""


AI_RULES: Mapping[str, str] = {"vision.bare_head": "helmet", "vision.person_at_edge": "intrusion"}
"""Which of a box's rules are which AI alarm. That a person at an open edge is an intrusion: product design (PD)."""


def _table(*quantities: Quantity) -> Mapping[str, Quantity]:
    return {quantity.name: quantity for quantity in quantities}


QUANTITIES: Mapping[RecordKind, Mapping[str, Quantity]] = {
    RecordKind.CRANE_REALTIME: _table(*_COMMON, *_DRIVER, *_REALTIME),
    RecordKind.CRANE_CYCLE: _table(*_COMMON, *_DRIVER, *_CYCLE),
    RecordKind.AI_ALARM: _table(*_COMMON, *_AI_ALARM),
    RecordKind.ALARM: _table(*_COMMON, *_ALARM),
    RecordKind.HAZARD: _table(*_COMMON, *_HAZARD),
}
"""Every quantity of every kind. What `severity` and `transition` mean is the contract's (docs/contract.md)."""
