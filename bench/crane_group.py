"""16 tower cranes, every pair of their parts, now and 20 s ahead, ten times a second: what it costs of one core.

No wires: readings go straight into the group's model, as the gateway's window hands them over. CPU time is that of the
thread, from the operating system; wall time is beside it, because a shared machine makes others wait.
"""

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gateway.parts.crane.group.group import CraneGroupDerivation
from gateway.parts.crane.group.members import CraneGroupParameters, GroupMember
from gateway.parts.crane.model.geometry import CraneGeometry

CRANES = 16
AIM_PCT = 5.0
START_NS = 1_760_000_000_000_000_000


@dataclass(frozen=True, slots=True)
class Yard:
    """Cranes in a square of 4 by 4. `rise_m`: how much higher the masts of neighbours are; `deg_s`: fastest slewing."""

    title: str
    spacing_m: float
    rise_m: float
    deg_s: float
    silent: int = 0


YARDS = (
    Yard("as built: 4 m steps, all slewing", 45.0, 4.0, 4.2),
    Yard("all of one height, all slewing", 45.0, 0.0, 4.2),
    Yard("crowded: 25 m apart, one height", 25.0, 0.0, 4.2),
    Yard("as built, standing still", 45.0, 4.0, 0.0),
    Yard("as built, three silent", 45.0, 4.0, 4.2, silent=3),
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=600, help="steps of 0.1 s a yard")
    steps = parser.parse_args().steps
    print(f"machine: {os.cpu_count()} cores, Python {platform.python_version()}, numpy {np.__version__}")
    print(report(steps))


def report(steps: int) -> str:
    """What all yards cost, as lines."""
    lines = [
        f"{CRANES} cranes, {CRANES * (CRANES - 1) // 2} pairs of cranes x 24 of parts, 20 s ahead, 10 Hz",
        f"  {'yard':<36} CPU ms a step: mean  median     p99   wall p99   % of one core   aim <= {AIM_PCT:.0f}",
    ]
    for yard in YARDS:
        run = measure(yard, steps)
        lines.append(
            f"  {yard.title:<36} {run['mean_ms']:>19.2f} {run['median_ms']:>7.2f} {run['p99_ms']:>7.2f}"
            f" {run['wall_p99_ms']:>10.2f} {run['core_pct']:>15.2f}"
        )
    return "\n".join(lines)


def measure(yard: Yard, steps: int) -> dict[str, float]:
    """Step one yard; the first three seconds, in which speeds are not known, do not count."""
    group, readings = _group(yard)
    cpu_ms, wall_ms = [], []
    for k in range(steps + 30):
        now_ns = START_NS + k * 100_000_000
        value = readings(k / 10)
        at_ns = np.full(value.size, now_ns, dtype=np.int64)
        cpu, wall = time.thread_time(), time.perf_counter()
        group.step(value, at_ns, now_ns)
        if k >= 30:
            cpu_ms.append((time.thread_time() - cpu) * 1e3)
            wall_ms.append((time.perf_counter() - wall) * 1e3)
    mean_ms = statistics.fmean(cpu_ms)
    return {
        "mean_ms": mean_ms,
        "median_ms": statistics.median(cpu_ms),
        "p99_ms": float(np.percentile(cpu_ms, 99)),
        "wall_p99_ms": float(np.percentile(wall_ms, 99)),
        "core_pct": mean_ms / 100 * 100,
    }


def _group(yard: Yard) -> tuple[CraneGroupDerivation, Callable[[float], np.ndarray]]:
    """The model, and what its inputs say at a time: slews, trolleys and hooks that go to and fro."""
    rng = np.random.default_rng(7)
    place = [(i % 4 * yard.spacing_m, i // 4 * yard.spacing_m) for i in range(CRANES)]
    mast_m = np.array([40.0 + yard.rise_m * ((i + i // 4) % 4) for i in range(CRANES)])
    shapes = [CraneGeometry(i, *place[i], 0.0, mast_m[i], 60.0, 14.0, hook_gap_m=2.0) for i in range(CRANES)]
    members = [GroupMember(f"crane-{i}", shape) for i, shape in enumerate(shapes)]
    slew, turn = rng.uniform(0, 360, CRANES), rng.choice([-1.0, 1.0], CRANES) * rng.uniform(0.5, 1.0, CRANES)
    phase = rng.uniform(0, 2 * np.pi, CRANES)
    moving = float(yard.deg_s > 0)

    def readings(t_s: float) -> np.ndarray:
        swing = np.sin(phase + moving * t_s / 25)
        rows = np.stack(
            [
                np.round(slew + turn * yard.deg_s * t_s, 1) % 360,
                np.round(32 + 25 * swing, 2),
                np.round(20 + 15 * swing, 2),
                mast_m,
                np.where(swing > 0, 2.0, 0.0),
                np.ones(CRANES),
                np.zeros(CRANES),
            ]
        )
        rows[:, : yard.silent] = np.nan
        return rows.T.ravel()

    return CraneGroupDerivation("bench", members, CraneGroupParameters()), readings


if __name__ == "__main__":
    main()
