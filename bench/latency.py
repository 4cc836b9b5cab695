"""Register change -> alert accepted by a regulator on loopback, over many changes at random phases of the poll.

The clock starts before the register is set and stops at the regulator's own acceptance time (after its commit). The
rule has no on-delay, so what is measured is the machine. Beside it: what one fsync costs on this disk.
"""

import argparse
import json
import os
import random
import sqlite3
import struct
import tempfile
import time
from pathlib import Path

import numpy as np
import yaml

from tests.fakes.gateway_process import GatewayProcess
from tests.fakes.libmodbus_server import LibmodbusServer
from tests.fakes.mosquitto import free_port
from tests.fakes.regulator_process import regulator_process

DEADLINE_S = 10.0


def write_site(folder: Path, port: int, regulator: str, web_port: int, poll_ms: int) -> Path:
    """One device, one point, one rule without delays."""
    (folder / "devices").mkdir()
    (folder / "rules").mkdir()
    titles = {"title_zh": "基准", "title_en": "Bench"}
    point = {"key": "p", "function": 3, "address": 0, "type": "float32", **titles}
    table = {"version": 1, "model": "one-float", "driver": "modbus-tcp", "source": "benchmark", "certainty": "PD"}
    rule = {"id": "bench.p", "family": "threshold", "kind": "other", "key": "p", "high": 100, "severity": "P1"}
    sourced = {"limit_source": "product_default", "clause": "benchmark", "certainty": "PD", "reportable": True}
    delays = {"on_delay_s": 0, "off_delay_s": 0}
    site = {
        "version": 1,
        "box": {"id": "bench-box"},
        "site": {"project_code": "BENCH", **titles},
        "storage": {"folder": str(folder / "box")},
        "rule_packs": ["bench"],
        "assets": [{"id": "a", "kind": "other", "serial": "S", **titles}],
        "links": [{"id": "l", "driver": "modbus-tcp", "host": "127.0.0.1", "port": port}],
        "devices": [{"id": "d", "link": "l", "asset": "a", "table": "one-float", "unit_id": 1, "poll_ms": poll_ms}],
        "uplinks": [
            {"name": "regulator", "kind": "regulator", "url": regulator, "enrol_code": {"file": str(folder / "code")}}
        ],
        "web": {"host": "127.0.0.1", "port": web_port},
    }
    (folder / "devices" / "one-float.yaml").write_text(yaml.safe_dump({**table, **titles, "points": [point]}))
    pack = {"version": 1, "pack": "bench", **titles, "rules": [{**rule, **titles, **sourced, **delays}]}
    (folder / "rules" / "bench.yaml").write_text(yaml.safe_dump(pack))
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(site))
    return path


def fsync_ms(folder: Path, count: int = 200) -> tuple[float, float]:
    """Median and 99th percentile of writing 4 KiB and syncing it."""
    times = []
    with (folder / "fsync-probe").open("wb") as file:
        for _ in range(count):
            started = time.perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
            times.append((time.perf_counter() - started) * 1000)
    return round(float(np.percentile(times, 50)), 2), round(float(np.percentile(times, 99)), 2)


class Ledger:
    """Reads what the regulator holds, from its own database."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)

    def accepted_at_ns(self, transition: str, after_ns: int) -> int | None:
        """When the first such transition that was observed after a time was accepted."""
        row = self._db.execute(
            "SELECT accepted_at_ns FROM alerts WHERE transition = ? AND observed_at_ns > ?"
            " ORDER BY observed_at_ns LIMIT 1",
            (transition, after_ns),
        ).fetchone()
        return int(row[0]) if row else None

    def wait_for(self, transition: str, after_ns: int) -> int:
        """The same, waiting for it."""
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            found = self.accepted_at_ns(transition, after_ns)
            if found is not None:
                return found
            time.sleep(0.005)
        raise RuntimeError(f"no {transition} within {DEADLINE_S} s")


def measure(changes: int, poll_ms: int) -> dict[str, object]:
    """One run; the figures as a dictionary."""
    rng = random.Random(1)
    over, under = (struct.unpack(">2H", struct.pack(">f", value)) for value in (150.0, 50.0))
    with tempfile.TemporaryDirectory() as name, LibmodbusServer(1, 10) as server:
        folder = Path(name)
        server.set_registers(0, under)
        with regulator_process(folder, "bench-box", "BENCH") as regulator:
            web_port = free_port()
            site_file = write_site(folder, server.port, regulator.url, web_port, poll_ms)
            with GatewayProcess(site_file, f"http://127.0.0.1:{web_port}"):
                ledger = Ledger(folder / "regulator.db")
                time.sleep(2)
                latency_ms = []
                for _ in range(changes):
                    time.sleep(rng.uniform(0, poll_ms / 1000))
                    changed_ns = time.time_ns()
                    server.set_registers(0, over)
                    latency_ms.append((ledger.wait_for("raised", changed_ns) - changed_ns) / 1e6)
                    back_ns = time.time_ns()
                    server.set_registers(0, under)
                    ledger.wait_for("returned", back_ns)
        median, worst = fsync_ms(folder)
    return {
        "changes": changes,
        "poll_ms": poll_ms,
        "change_to_accepted_ms": {
            "p50": round(float(np.percentile(latency_ms, 50)), 1),
            "p99": round(float(np.percentile(latency_ms, 99)), 1),
            "max": round(max(latency_ms), 1),
        },
        "fsync_ms": {"p50": median, "p99": worst},
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=200)
    parser.add_argument("--poll-ms", type=int, default=100)
    options = parser.parse_args()
    print(json.dumps(measure(options.changes, options.poll_ms), indent=1))
