"""One crane, one poll, all that is judged of it: window, rules on what was read, the crane's model, rules on what was
derived, the alarm table.

The site is a described crane of the usual size with papers, at ten hertz, under all rules of the national pack; the
readings are those of a working day (`bench.crane_step`). History and evidence are left out: they are written in batches
by threads of their own. Aim: 150 us a poll (p50).
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from bench.crane_step import PERIOD_NS, START_NS, working_day
from gateway.alarms import AlarmTable
from gateway.line.deriving import Deriving
from gateway.model.reading import Readings
from gateway.parts.crane.model.points import CRANE_INPUTS
from gateway.rules.table import RuleTable
from gateway.rules.window import Window
from gateway.settings import Settings, load
from sitewarden.composition.box import DRIVERS, UPLINKS
from sitewarden.composition.kinds import KINDS

_CHART = [(2.5, 6.0), (20.0, 6.0), (30.0, 3.7), (40.0, 2.6), (50.0, 1.9)]
_CRANE: dict[str, Any] = {
    "load_chart": [{"parts_of_line": 2, "points": [{"radius_m": r, "rated_t": t} for r, t in _CHART]}],
    "jib_m": 52,
    "counter_jib_m": 14,
    "base_x_m": 0,
    "base_y_m": 0,
    "base_z_m": 0,
    "mast_height_m": 60,
    "hook_height_max_m": 58.5,
    "radius_min_m": 2.5,
    "radius_max_m": 50,
}
_NAMED = {"serial": "B-1", "title_zh": "塔机", "title_en": "Crane"}


def site(folder: Path) -> Settings:
    """One crane with its papers."""
    papers = {"registration": {"number": "A-1"}, "climbing_checks": []}
    data = {
        "version": 1,
        "box": {"id": "bench"},
        "site": {"project_code": "BENCH", "title_zh": "测试", "title_en": "Bench"},
        "storage": {"folder": str(folder / "data")},
        "rule_packs": ["national"],
        "assets": [{"id": "crane-1", "kind": "tower-crane", "crane": _CRANE, "papers": papers, **_NAMED}],
        "links": [{"id": "tcp", "driver": "modbus-tcp", "host": "127.0.0.1", "port": 1502}],
        "devices": [{"id": "host-1", "link": "tcp", "asset": "crane-1", "table": "crane-host-modbus", "poll_ms": 100}],
    }
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    return load(path, DRIVERS, UPLINKS, KINDS)


def measure(steps: int) -> dict[str, object]:
    """CPU times of whole steps in microseconds: what other processes take of the core does not count."""
    with tempfile.TemporaryDirectory() as folder:
        settings = site(Path(folder))
    points = settings.points
    index = np.array([i for i, point in enumerate(points.points) if point.device == "host-1"], dtype=np.int32)
    column = [
        CRANE_INPUTS.index(points[int(i)].quantity) if points[int(i)].quantity in CRANE_INPUTS else -1 for i in index
    ]
    window, rules = Window(points, 0), RuleTable(settings.rules)
    alarms = AlarmTable("bench", settings.rules, settings.alarms.bounds)
    deriving = Deriving(settings.plan.models(), points)
    good = np.zeros(len(index), dtype=np.uint8)
    times_us, changes = [], 0
    for n, row in enumerate(working_day(steps)):
        now_ns = START_NS + n * PERIOD_NS
        value = np.nan_to_num(np.array([row[i] if i >= 0 else 0.0 for i in column]))
        readings = Readings("host-1", index, value, good, now_ns, now_ns)
        started = time.thread_time_ns()
        window.remember(readings, now_ns)
        changes += len(list(alarms.step(rules.on_readings(readings))))
        for derived in deriving.on_readings(readings, window, now_ns):
            window.remember(derived, now_ns)
            changes += len(list(alarms.step(rules.on_readings(derived))))
        times_us.append((time.thread_time_ns() - started) / 1000)
    return {
        "steps": steps,
        "points": len(points),
        "rules": len(settings.rules),
        "alarm_changes": changes,
        "p50_us": round(float(np.percentile(times_us, 50)), 1),
        "p99_us": round(float(np.percentile(times_us, 99)), 1),
        "max_us": round(max(times_us), 1),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=20_000)
    print(json.dumps(measure(parser.parse_args().steps), indent=1))
