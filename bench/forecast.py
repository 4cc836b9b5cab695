"""What the early warning of a pit costs: one reading at each of 500 points, in ms of CPU, and how often it speaks.

The usual pit moves steadily with a few points accelerating; the worst has every point failing at once.
"""

import argparse
import json
import time

import numpy as np

from gateway.parts.pit.forecast.forecast import Forecaster
from tests.fakes.creep import Creep, Disturbance, Floats, measured_mm, times_d

DAY_NS = 86_400_000_000_000
POINTS = 500
SPACING_H = 6.0
NOISE_MM = 0.15


def measure(accelerating: int, readings: int = 10) -> dict[str, object]:
    """The median CPU time of one reading at every point, when so many of them accelerate."""
    rng = np.random.default_rng(20_261)
    series = [_series(rng, failing=i < accelerating) for i in range(POINTS)]
    forecasters = [_fed(t_d[:-readings], x_mm[:-readings]) for t_d, x_mm in series]
    took_ms, spoken = [], 0
    for k in range(-readings, 0):
        began = time.process_time()
        said = [f.add(_ns(t[k]), float(x[k]), 30.0) for f, (t, x) in zip(forecasters, series, strict=True)]
        took_ms.append((time.process_time() - began) * 1e3)
        spoken = sum(np.isfinite(forecast.failure_high_h) for forecast in said)
    return {
        "points": POINTS,
        "accelerating": accelerating,
        "spoke": int(spoken),
        "all_points_cpu_ms": round(float(np.median(took_ms)), 1),
        "state_bytes_a_point": len(json.dumps(forecasters[-1].saved())),
    }


def _series(rng: np.random.Generator, *, failing: bool) -> tuple[Floats, Floats]:
    creep = Creep(2.0, rng.uniform(0.4, 1.2), 20.0, 15.0)
    disturbance = Disturbance(noise_mm=NOISE_MM)
    t_d = times_d(34.0, SPACING_H, disturbance, rng)
    true_mm = creep.displacement_mm(t_d) if failing else creep.v0_mm_d * t_d
    return t_d, measured_mm(t_d, true_mm, disturbance, rng)


def _fed(t_d: Floats, x_mm: Floats) -> Forecaster:
    forecaster = Forecaster()
    for t, x in zip(t_d, x_mm, strict=True):
        forecaster.add(_ns(t), float(x))
    return forecaster


def _ns(t_d: float) -> int:
    return 20_000 * DAY_NS + int(t_d * DAY_NS)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accelerating", type=int, nargs="*", default=[0, 10, POINTS])
    for number in parser.parse_args().accelerating:
        print(json.dumps(measure(number)))
