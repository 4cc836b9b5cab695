"""20 devices x 50 float32 polled as fast as they answer, through rules to durable history and MQTT out.

The gateway has one core; the Modbus server (libmodbus), the broker (Mosquitto) and the counting subscriber have the
other. Counted: values received by the gateway, values that arrived at the subscriber, values in the history afterwards,
polls skipped; CPU time of the gateway process from the operating system.
"""

import argparse
import json
import os
import struct
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import orjson
import yaml

from bench.peers.running import Counter
from gateway.settings import load
from gateway.store.history_reader import HistoryReader
from sitewarden.composition.box import DRIVERS, UPLINKS
from sitewarden.composition.kinds import KINDS
from tests.fakes.gateway_process import GatewayProcess
from tests.fakes.libmodbus_server import LibmodbusServer
from tests.fakes.mosquitto import Mosquitto, free_port

DEVICES = 20
POINTS = 50


@dataclass(frozen=True, slots=True)
class Size:
    """How large the field is. `rules` are threshold rules for each point."""

    devices: int = DEVICES
    points: int = POINTS
    rules: int = 1


def write_site(
    folder: Path, ports: tuple[int, ...], broker_port: int, web_port: int, poll_ms: int, size: Size = Size()
) -> Path:
    """A site of plain float tables with threshold rules for every point."""
    (folder / "devices").mkdir()
    (folder / "rules").mkdir()
    table, rules = _table(size), _rules(size)
    pack = {"version": 1, "pack": "bench", "title_zh": "基准", "title_en": "Bench", "rules": rules}
    asset = {"kind": "other", "title_zh": "设备", "title_en": "Device"}
    site = {
        "version": 1,
        "box": {"id": "bench-box"},
        "site": {"project_code": "BENCH", "title_zh": "基准", "title_en": "Bench"},
        "storage": {"folder": str(folder / "box"), "history": {"max_gib": 10, "max_days": 60, "flush_ms": 500}},
        "rule_packs": ["bench"],
        "assets": [{"id": f"a{i}", "serial": f"S{i}", **asset} for i in range(len(ports))],
        "links": [
            {"id": f"l{i}", "driver": "modbus-tcp", "host": "127.0.0.1", "port": port} for i, port in enumerate(ports)
        ],
        "devices": [
            {
                "id": f"d{i}",
                "link": f"l{i}",
                "asset": f"a{i}",
                "table": "bench-floats",
                "unit_id": 1,
                "poll_ms": poll_ms,
            }
            for i in range(len(ports))
        ],
        "uplinks": [{"name": "out", "kind": "mqtt", "host": "127.0.0.1", "port": broker_port, "topic_prefix": "bench"}],
        "web": {"host": "127.0.0.1", "port": web_port},
    }
    (folder / "devices" / "bench-floats.yaml").write_text(yaml.safe_dump(table, allow_unicode=True))
    (folder / "rules" / "bench.yaml").write_text(yaml.safe_dump(pack, allow_unicode=True))
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(site, allow_unicode=True))
    return path


def _table(size: Size) -> dict[str, object]:
    titles = {"title_zh": "测点", "title_en": "Point"}
    points = [
        {"key": f"p{i}", "function": 3, "address": 2 * i, "type": "float32", **titles} for i in range(size.points)
    ]
    described = {"title_zh": "基准", "title_en": "Bench", "source": "benchmark", "certainty": "PD"}
    return {"version": 1, "model": "bench-floats", "driver": "modbus-tcp", **described, "points": points}


def _rules(size: Size) -> list[dict[str, object]]:
    rule = {"family": "threshold", "kind": "other", "high": 1000, "deadband": 1, "severity": "P2", "reportable": True}
    sourced = {"limit_source": "product_default", "clause": "benchmark", "certainty": "PD"}
    titles = {"title_zh": "超限", "title_en": "Over"}
    return [
        {"id": f"bench.p{i}.r{r}", "key": f"p{i}", **rule, **sourced, **titles}
        for i in range(size.points)
        for r in range(size.rules)
    ]


def values_in(payload: bytes) -> int:
    """How many values one of our MQTT messages carries."""
    body = orjson.loads(payload)
    return len(body["t_ns"]) * len(body["points"])


def measure(seconds: float, poll_ms: int, size: Size = Size()) -> dict[str, object]:
    """One run; the figures as a dictionary."""
    os.sched_setaffinity(0, {1})
    count = size.points
    with (
        tempfile.TemporaryDirectory() as name,
        LibmodbusServer(size.devices, 2 * count) as server,
        Mosquitto() as broker,
    ):
        folder = Path(name)
        words = struct.unpack(f">{2 * count}H", struct.pack(f">{count}f", *(1.5 * i for i in range(count))))
        for device in range(size.devices):
            server.set_registers(0, words, port_index=device)
        subscriber = Counter(broker.port, "bench/readings/#", values_in)
        web_port = free_port()
        site_file = write_site(folder, server.ports, broker.port, web_port, poll_ms, size)
        with GatewayProcess(site_file, f"http://127.0.0.1:{web_port}", core=0) as gateway:
            time.sleep(3)
            before = (gateway.metric("sitewarden_readings"), gateway.cpu_s(), time.monotonic())
            time.sleep(seconds)
            after = (gateway.metric("sitewarden_readings"), gateway.cpu_s(), time.monotonic())
            rss_mb, peak_mb = gateway.rss_mb(), gateway.rss_mb(peak=True)
            skipped = gateway.metric("sitewarden_skipped_polls")
            received_when_stopped = gateway.metric("sitewarden_readings")
        time.sleep(2)
        settings = load(site_file, DRIVERS, UPLINKS, KINDS)
        reader = HistoryReader(folder / "box" / "history.db", settings.points)
        _, in_history = reader.rows()
        reader.close()
        subscriber.close()
        readings, cpu_s, wall_s = (b - a for a, b in zip(before, after, strict=True))
        return {
            "devices": size.devices,
            "points": size.points,
            "rules_a_point": size.rules,
            "poll_ms": poll_ms,
            "seconds": round(wall_s, 1),
            "readings_per_s": round(readings / wall_s),
            "cpu_s_per_million": round(cpu_s / readings * 1e6, 2),
            "cpu_share_of_core": round(cpu_s / wall_s, 2),
            "rss_mb": round(rss_mb),
            "rss_peak_mb": round(peak_mb),
            "received_at_least": int(received_when_stopped),
            "in_history": in_history,
            "arrived_by_mqtt": subscriber.values,
            "mqtt_messages": subscriber.messages,
            "polls_skipped": int(skipped),
        }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--poll-ms", type=int, default=0)
    options = parser.parse_args()
    print(json.dumps(measure(options.seconds, options.poll_ms), indent=1))
