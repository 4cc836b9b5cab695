"""The site behind the browser tests: two described cranes and a pit, each on a Modbus port of its own.

Its rule pack has one limit of each priority, without delays, so that a register decides at once what is on the screen:
an alarm is there as soon as the next poll is judged.
"""

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.fakes.field_site import crane_words
from tests.fakes.loaded_site import IDLE_CRANE, LOADED_CRANE

MOMENT, WIND, TILT = "screen.moment", "screen.wind", "screen.tilt"
WALL, SILENCE = "screen.wall", "screen.silence"
CRANES = ("crane-1", "crane-2")
PIT = "pit-1"
POLL_MS = 50
REGISTERS = 40
IDLE_PIT: Mapping[str, float] = {
    "wall_top_h": 4.5,
    "wall_top_v": -1.25,
    "deep_h": 6.5,
    "water_level_mm": -120.0,
    "strut_force_kn": 850.0,
    "ground_settlement": 3.5,
    "building_settlement": 1.25,
    "column_v": 0.5,
    "building_tilt_permille": 0.25,
    "excavated_m": 6.5,
    "box_temp": 21.5,
}
_LOW_WORD_FIRST = {"strut_force_kn": 10, "ground_settlement": 100, "building_settlement": 100, "column_v": 100}
_SIXTEEN_BIT = {"building_tilt_permille": 1000, "excavated_m": 100, "box_temp": 10}
_SOURCED = {"limit_source": "product_default", "clause": "browser test", "certainty": "PD"}
_AT_ONCE = {"on_delay_s": 0, "off_delay_s": 0, "deadband": 0}


def idle_words(asset: str) -> list[int]:
    """The registers of an asset at rest."""
    return pit_words(IDLE_PIT) if asset == PIT else crane_words(dict(IDLE_CRANE))


def words_of(asset: str, changed: Mapping[str, float]) -> list[int]:
    """The registers of an asset at rest but for `changed`, by the keys of its device table. KeyError for another."""
    idle = IDLE_PIT if asset == PIT else IDLE_CRANE
    if unknown := changed.keys() - idle.keys():
        raise KeyError(f"{asset}: found {sorted(unknown)}, expected some of {sorted(idle)}")
    values = {**idle, **changed}
    return pit_words(values) if asset == PIT else crane_words(values)


def pit_words(values: Mapping[str, float]) -> list[int]:
    """The register image of config/devices/pit-logger-modbus.yaml, built without our own encoder."""
    words = list(struct.unpack(">8H", struct.pack(">4f", *(values[key] for key in list(IDLE_PIT)[:4]))))
    for key, steps in _LOW_WORD_FIRST.items():
        words += reversed(struct.unpack(">2H", struct.pack(">i", round(values[key] * steps))))
    words += [round(values[key] * steps) & 0xFFFF for key, steps in _SIXTEEN_BIT.items()]
    unused, battery_full = [0] * 5, 15 << 8
    return [*words, *unused, battery_full]


def write_site(
    folder: Path, ports: Mapping[str, int], web_port: int, packs: Sequence[str] = ("screen",), **sections: Any
) -> Path:
    """`site.yaml` in `folder`, with the rule pack beside it. `sections` replace or add sections of the file."""
    (folder / "rules").mkdir(exist_ok=True, parents=True)
    pack = {"version": 1, "pack": "screen", **_titles("画面", "Screens"), "rules": _rules()}
    _write(folder / "rules" / "screen.yaml", pack)
    site = {
        "version": 1,
        "box": {"id": "screen-box"},
        "site": {"project_code": "SCREEN-1", **_titles("城北工地", "North site")},
        "storage": {"folder": str(folder / "box"), "reserve_mib": 1, "history": {"flush_ms": 100}},
        "rule_packs": list(packs),
        "assets": [*_cranes(), _pit()],
        "links": [
            {"id": f"{asset}-tcp", "driver": "modbus-tcp", "host": "127.0.0.1", "port": port, "timeout_ms": 500}
            for asset, port in ports.items()
        ],
        "devices": [
            {
                "id": f"{asset}-host",
                "link": f"{asset}-tcp",
                "asset": asset,
                "table": "pit-logger-modbus" if asset == PIT else "crane-host-modbus",
                "unit_id": 1,
                "poll_ms": POLL_MS,
            }
            for asset in ports
        ],
        "web": {"host": "127.0.0.1", "port": web_port, "second_factor_for": []},
        **sections,
    }
    return _write(folder / "site.yaml", site)


def _cranes() -> list[dict[str, Any]]:
    return [
        {
            "id": name,
            "kind": "tower-crane",
            "serial": f"TC-{number}",
            **_titles(f"{number}号塔机", f"Tower crane {number}"),
            "crane": {**LOADED_CRANE, "number": number, "base_x_m": 80.0 * (number - 1)},
        }
        for number, name in enumerate(CRANES, 1)
    ]


def _pit() -> dict[str, Any]:
    control = {"cumulative": 30, "rate_per_day": 3, "clause": "monitoring scheme, page 4"}
    wall_top = {
        "name": "zqs-1",
        "item": "wall_top_horizontal_displacement",
        "structure": "diaphragm_wall",
        "input": "wall_top_h",
        "already_cumulative": True,
        "control": control,
    }
    depth = {"design_depth_m": 12, "excavated_point": "excavated_m"}
    pit = {"safety_grade": 1, "third_party_monitored": True, **depth, "points": [wall_top]}
    return {"id": PIT, "kind": "deep-pit", "serial": "P-1", **_titles("1号基坑", "Deep pit 1"), "pit": pit}


def _rules() -> list[dict[str, Any]]:
    silence = {"id": SILENCE, "family": "silence", "kind": "*", "per": "device", "after_s": 5, "off_delay_s": 0}
    return [
        _limit(MOMENT, "moment_pct", 100, "%", "P1") | _titles("塔机超力矩", "Load moment too high"),
        _limit(WIND, "wind_ms", 20, "m/s", "P2") | _titles("塔机风速过大", "Wind too strong"),
        _limit(TILT, "tilt_deg", 1, "deg", "P3") | _titles("塔机倾角过大", "Mast leans"),
        _limit(WALL, "wall_top_h", 30, "mm", "P1", "deep-pit") | _titles("墙顶水平位移过大", "Wall top moves too far"),
        silence | _SOURCED | {"severity": "P2", "reportable": False} | _titles("设备失联", "Device silent"),
    ]


def _limit(rule: str, key: str, high: float, unit: str, severity: str, kind: str = "tower-crane") -> dict[str, Any]:
    judged = {"id": rule, "family": "threshold", "kind": kind, "key": key, "high": high, "unit": unit}
    return judged | _AT_ONCE | _SOURCED | {"severity": severity, "reportable": severity != "P3"}


def _titles(zh: str, en: str) -> dict[str, str]:
    return {"title_zh": zh, "title_en": en}


def _write(path: Path, content: Mapping[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(dict(content), allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path
