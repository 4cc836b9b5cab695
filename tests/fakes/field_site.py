"""A site folder for end-to-end tests: a crane over Modbus, a mast over MQTT, and the uplinks that a test asks for."""

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

FLOAT_KEYS = ("load_t", "rated_t", "moment_pct", "radius_m", "hook_m", "crane_h_m", "slew_deg", "wind_ms")
WORD_KEYS = ("multiple", "motor", "work_status")
CRANE_RULE = "e2e.moment.alarm"
TITLES = {"title_zh": "测试", "title_en": "Test"}


def crane_words(values: dict[str, float]) -> list[int]:
    """The register image of config/devices/crane-host-modbus.yaml, built without our own encoder."""
    words = list(struct.unpack(">16H", struct.pack(">8f", *(values[key] for key in FLOAT_KEYS))))
    words.append(round(values["tilt_deg"] * 100) & 0xFFFF)
    faults_flags_and_driver = [0, 0, 0, 0]
    return words + [int(values[key]) for key in WORD_KEYS] + faults_flags_and_driver


def write_site(
    folder: Path,
    *,
    crane_port: int,
    broker_port: int,
    web_port: int,
    uplinks: Sequence[dict[str, Any]],
    poll_ms: int = 50,
    storage: Path | None = None,
    reserve_mib: int = 1,
) -> Path:
    """`site.yaml` in `folder`, with a rule pack of its own: one reportable limit without delays, silence after 10 s."""
    (folder / "rules").mkdir(exist_ok=True)
    sourced = {"limit_source": "product_default", "clause": "end-to-end test", "certainty": "PD", "reportable": True}
    limit = {"id": CRANE_RULE, "family": "threshold", "kind": "tower-crane", "key": "moment_pct", "high": 100}
    delays = {"on_delay_s": 0, "off_delay_s": 0, "deadband": 0}
    silence = {"id": "e2e.silence", "family": "silence", "kind": "*", "after_s": 10, "severity": "P2"}
    rules = [{**limit, **delays, **sourced, **TITLES, "severity": "P1"}, {**silence, **sourced, **TITLES}]
    (folder / "rules" / "e2e.yaml").write_text(yaml.safe_dump({"version": 1, "pack": "e2e", **TITLES, "rules": rules}))
    site = {
        "version": 1,
        "box": {"id": "e2e-box"},
        "site": {"project_code": "E2E-1", **TITLES},
        "storage": {"folder": str(storage or folder / "box"), "reserve_mib": reserve_mib, "history": {"flush_ms": 100}},
        "rule_packs": ["e2e"],
        "assets": [
            {"id": "crane-1", "kind": "tower-crane", "serial": "TC-1", **TITLES},
            {"id": "mast-1", "kind": "weather-mast", "serial": "WM-1", **TITLES},
        ],
        "links": [
            {"id": "crane-tcp", "driver": "modbus-tcp", "host": "127.0.0.1", "port": crane_port, "timeout_ms": 1000},
            {"id": "broker", "driver": "mqtt", "host": "127.0.0.1", "port": broker_port, "protocol": "5"},
        ],
        "devices": [
            {
                "id": "crane-1-host",
                "link": "crane-tcp",
                "asset": "crane-1",
                "table": "crane-host-modbus",
                "unit_id": 1,
                "poll_ms": poll_ms,
            },
            {
                "id": "mast-1-logger",
                "link": "broker",
                "asset": "mast-1",
                "table": "weather-mast-mqtt",
                "topic": "site/E2E-1/mast-1/realtime",
            },
        ],
        "uplinks": list(uplinks),
        "web": {"host": "127.0.0.1", "port": web_port},
    }
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(site, allow_unicode=True))
    return path
