"""One crane's model, one poll: how long a step takes, with the rules left out.

A working crane at 10 Hz with every instrument that a model reads: it lifts, slews, trolleys and sets down, in a gusting
wind. The clock runs around `step` alone. Aim: well under 70 us (p50), so that model and rules together stay below
150 us.
"""

import argparse
import json
import math
import random
import time

import numpy as np

from gateway.model.derivation import Values
from gateway.parts.crane.model.crane import CraneDerivation
from gateway.parts.crane.model.description import CraneDescription
from gateway.parts.crane.model.load_chart import LoadChart, LoadCurve
from gateway.parts.crane.model.points import CRANE_INPUTS

START_NS = 1_800_000_000_000_000_000
PERIOD_NS = 100_000_000
_ABSENT = {"tilt_deg", "travel_m", "no_lift_zone", "forbidden_zone", "line_margin_m"}


def crane() -> CraneDescription:
    """A flat-top crane of the usual size."""
    two = LoadCurve(2, (2.5, 20.0, 30.0, 40.0, 50.0), (6.0, 6.0, 3.7, 2.6, 1.9))
    four = LoadCurve(4, (2.5, 12.0, 20.0, 30.0, 40.0, 50.0), (12.0, 12.0, 6.6, 3.9, 2.6, 1.8))
    return CraneDescription(
        asset="crane-1",
        number=0,
        chart=LoadChart((two, four)),
        jib_m=52.0,
        counter_jib_m=14.0,
        base_x_m=0.0,
        base_y_m=0.0,
        base_z_m=0.0,
        mast_height_m=60.0,
        hook_height_max_m=58.5,
        radius_min_m=2.5,
        radius_max_m=50.0,
        slew_left_deg=-540.0,
        slew_right_deg=540.0,
    )


def working_day(steps: int, seed: int = 7) -> list[Values]:
    """Inputs (steps, n): a cycle every two minutes, wind about 6 m/s."""
    noise = random.Random(seed)
    rows = []
    for i in range(steps):
        t_s = i * PERIOD_NS / 1e9
        part = t_s % 120.0
        loaded = 20.0 < part < 90.0
        radius_m = 25.0 + 15.0 * math.sin(t_s / 40.0)
        load_t = (2.0 if loaded else 0.02) + noise.gauss(0.0, 0.01)
        slew_deg = (40.0 * math.sin(t_s / 60.0)) % 360.0
        known = {
            "load_t": load_t,
            "rated_t": 3.0,
            "moment_pct": 100.0 * load_t / 3.0,
            "radius_m": radius_m + noise.gauss(0.0, 0.005),
            "hook_m": 30.0 + 20.0 * math.sin(t_s / 30.0),
            "crane_h_m": 60.0,
            "slew_deg": slew_deg,
            "wind_ms": max(0.0, 6.0 + noise.gauss(0.0, 1.0)),
            "tilt_x_deg": 0.1 + noise.gauss(0.0, 0.01),
            "tilt_y_deg": 0.05 + noise.gauss(0.0, 0.01),
            "multiple": 2.0,
            "motor": float(loaded),
            "driver_no": 12.0,
        }
        row = [math.nan if key in _ABSENT else known.get(key, 0.0) for key in CRANE_INPUTS]
        rows.append(np.array(row))
    return rows


def measure(steps: int) -> dict[str, float]:
    """Step times in microseconds."""
    described = crane()
    points = {key: f"crane-1.{key}" for key in CRANE_INPUTS if key not in _ABSENT}
    model = CraneDerivation(described, points)
    times_us = []
    cycles = 0
    for i, row in enumerate(working_day(steps)):
        now_ns = START_NS + i * PERIOD_NS
        observed = np.full(len(row), now_ns, dtype=np.int64)
        started = time.perf_counter_ns()
        model.step(row, observed, now_ns)
        times_us.append((time.perf_counter_ns() - started) / 1000)
        cycles += len(model.take_events())
    state_bytes = len(json.dumps(model.saved()))
    return {
        "steps": steps,
        "derived": len(model.outputs),
        "events": cycles,
        "state_bytes": state_bytes,
        "p50_us": round(float(np.percentile(times_us, 50)), 1),
        "p99_us": round(float(np.percentile(times_us, 99)), 1),
        "max_us": round(max(times_us), 1),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=20_000)
    print(json.dumps(measure(parser.parse_args().steps), indent=1))
