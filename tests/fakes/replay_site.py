"""A small site in a folder, for replays: a crane with two devices, limits with delays, a flat line and silences."""

from pathlib import Path
from typing import Any

import yaml

from gateway.settings import Settings
from tests.unit.gateway.settings.kinds import load_site

TITLES = {"title_zh": "测试", "title_en": "Test"}
_SOURCED = {"limit_source": "national_code", "clause": "GB 1, 2.3", "certainty": "M-H", "reportable": True, **TITLES}
_ABOUT = {"version": 1, "source": "test", "certainty": "PD", **TITLES}


def register(key: str, address: int, **more: Any) -> dict[str, Any]:
    """One point of a register table, as YAML would give it."""
    return {"key": key, "function": 3, "address": address, "type": "float32", **TITLES, **more}


TABLES = {
    "host": [
        register("moment_pct", 0, unit="%", min=0, max=200, stale_after_s=5),
        register("wind_ms", 2, unit="m/s", min=0, max=60, stale_after_s=5),
    ],
    "tilt": [register("tilt_deg", 0, unit="deg", min=-10, max=10, stale_after_s=20)],
}
RULES: list[dict[str, Any]] = [
    {"id": "moment.alarm", "family": "threshold", "key": "moment_pct", "high": 100, "severity": "P1"}
    | {"on_delay_s": 1, "off_delay_s": 2, "deadband": 5},
    {"id": "wind.alarm", "family": "threshold", "key": "wind_ms", "high": 12, "severity": "P2"}
    | {"on_delay_s": 0, "off_delay_s": 5, "deadband": 1},
    {"id": "tilt.flat", "family": "flat_line", "key": "tilt_deg", "for_s": 60, "tolerance": 0.01, "severity": "P3"}
    | {"gap_s": 20, "off_delay_s": 0},
    {"id": "silent", "family": "silence", "after_s": 10, "severity": "P2", "off_delay_s": 3},
]


def replay_site(
    folder: Path, rules: list[dict[str, Any]] | None = None, tables: dict[str, list[dict[str, Any]]] | None = None
) -> Settings:
    """Write the site file with its tables and pack, and load it."""
    tables = tables or TABLES
    wanted = [{"kind": "*" if "key" not in rule else "tower-crane", **_SOURCED, **rule} for rule in rules or RULES]
    files: dict[str, Any] = {"rules/replay": {"version": 1, "pack": "replay", **TITLES, "rules": wanted}}
    for name, points in tables.items():
        files[f"devices/{name}"] = {**_ABOUT, "model": name, "driver": "modbus-tcp", "points": points}
    link = {"id": "tcp", "driver": "modbus-tcp", "host": "127.0.0.1"}
    devices = [{"id": f"crane-1-{name}", "link": "tcp", "asset": "crane-1", "table": name} for name in tables]
    files["site"] = {
        "version": 1,
        "box": {"id": "box-1"},
        "site": {"project_code": "P-1", **TITLES},
        "storage": {"folder": str(folder / "data")},
        "rule_packs": ["replay"],
        "assets": [{"id": "crane-1", "kind": "tower-crane", "serial": "1", **TITLES}],
        "links": [link],
        "devices": devices,
    }
    for name, content in files.items():
        path = folder / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return load_site(folder / "site.yaml")
