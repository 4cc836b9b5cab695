"""A LoRaWAN node all the way: what ChirpStack publishes to what the box shows, and who is not known to it.

Mosquitto carries; the gateway is its own process, with the table as it ships and a site file as an operator writes it.
"""

import json
import struct
import urllib.request
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from tests.fakes.gateway_process import ROOT, GatewayProcess
from tests.fakes.mosquitto import Mosquitto, free_port
from tests.fakes.mqtt_peer import publish_all
from tests.fakes.ready_python import READY
from tests.fakes.waiting import wait_until

TITLES = {"title_zh": "测试", "title_en": "Test"}
KEY, STRANGER = "0101010101010101", "24e124136b502217"
TOPIC = "application/17c82e96/device/{}/event/{}"


def write_site(folder: Path, broker_port: int, web_port: int) -> Path:
    """With one rule, without delays: wind force 6."""
    (folder / "rules").mkdir()
    sourced = {"limit_source": "product_default", "clause": "end-to-end test", "certainty": "PD", "reportable": False}
    limit = {"id": "e2e.wind", "family": "threshold", "kind": "weather-mast", "key": "wind", "high": 10.8}
    rule = {**limit, **sourced, **TITLES, "severity": "P2", "on_delay_s": 0, "off_delay_s": 0, "deadband": 0}
    pack = {"version": 1, "pack": "e2e", **TITLES, "rules": [rule]}
    (folder / "rules" / "e2e.yaml").write_text(yaml.safe_dump(pack, allow_unicode=True), encoding="utf-8")
    device = {"id": "mast-1-node", "link": "lora", "asset": "mast-1", "table": "lorawan-wind-tilt-chirpstack"}
    site = {
        "version": 1,
        "box": {"id": "box-1"},
        "site": {"project_code": "P-1", **TITLES},
        "storage": {"folder": str(folder / "box"), "reserve_mib": 1, "history": {"flush_ms": 100}},
        "rule_packs": ["e2e"],
        "assets": [{"id": "mast-1", "kind": "weather-mast", "serial": "1", **TITLES}],
        "links": [{"id": "lora", "driver": "mqtt", "host": "127.0.0.1", "port": broker_port}],
        "devices": [device | {"topic": TOPIC.format("{key}", "up").replace("17c82e96", "+"), "key": KEY}],
        "web": {"host": "127.0.0.1", "port": web_port},
    }
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(site, allow_unicode=True), encoding="utf-8")
    return path


def uplink(key: str, counter: int, wind_m_s: float) -> tuple[str, bytes]:
    golden = ROOT / "tests" / "cases" / "devices" / "lorawan-wind-tilt-chirpstack.golden.yaml"
    message: dict[str, Any] = json.loads(yaml.safe_load(golden.read_text(encoding="utf-8"))["payload"])
    frame = struct.pack(">BHHHhhhB", 0, round(100 * wind_m_s), 1187, 1185, -35, 120, -35, 180)
    message |= {"fCnt": counter, "data": b64encode(frame).decode(), "time": datetime.now(UTC).isoformat()}
    message["deviceInfo"]["devEui"] = key
    return TOPIC.format(key, "up"), json.dumps(message).encode()


def shown(gateway: GatewayProcess) -> dict[str, Any]:
    return {row["point_id"]: row for row in gateway.get("/api/points")["points"]}


def links(gateway: GatewayProcess) -> dict[str, Any]:
    return {row["device"]: row for row in gateway.get("/api/health")["links"]}


def test_a_node_is_shown_and_judged_and_a_stranger_is_shown_too(tmp_path: Path) -> None:
    web_port = free_port()
    with Mosquitto() as broker:
        site = write_site(tmp_path, broker.port, web_port)
        with GatewayProcess(site, f"http://127.0.0.1:{web_port}", python=READY) as gateway:
            broker.wait_for_log("Sending SUBACK to sitewarden-lora")
            publish_all(broker, [uplink(KEY, 1, 11.5), uplink(KEY, 1, 11.5), uplink(STRANGER, 1, 40.0)])
            wait_until(lambda: "link:lora" in links(gateway), "the stranger counted")
            wait_until(lambda: shown(gateway)["mast-1.wind"]["value"] == 11.5, "the node's wind shown")
            wait_until(lambda: gateway.metric("sitewarden_open_alarms") == 1, "the alarm of its wind")
            points, rows = shown(gateway), links(gateway)
            with urllib.request.urlopen(f"{gateway.url}/health", timeout=10) as reply:
                page = reply.read().decode()
            assert gateway.metric("sitewarden_set_aside") == 1
        kept = (tmp_path / "box").rglob("lora.jsonl")
        reasons = [json.loads(line)["reason"] for path in kept for line in path.read_text().splitlines()]
    stranger = f"no device has the key '{STRANGER}' (topic '{TOPIC.format(STRANGER, 'up')}')"
    assert points["mast-1.tilt_y_deg"]["value"] == 1.2
    assert points["mast-1.battery_v"]["value"] == 3.6
    assert (rows["mast-1-node"]["state"], rows["mast-1-node"]["polls"], rows["mast-1-node"]["skipped"]) == ("up", 1, 1)
    assert (rows["link:lora"]["state"], rows["link:lora"]["failures"], rows["link:lora"]["last_error"]) == (
        "up",
        1,
        stranger,
    )
    assert STRANGER in page
    assert reasons == [stranger]
