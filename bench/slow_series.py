"""Hand-read pits replayed: a reading a day for a year at 50 points, and 51 pits of one point for ten days.

    python -m bench.slow_series [--days 365]

Every point creeps at its own pace. The points of a pit are read at one time of the day, as a surveyor's table has them,
or half a minute apart, as somebody walks from one to the next: then every reading has a hole of its own behind it, of
half a minute or of many hours. The national rules judge. Printed: wall time and CPU time of `sitewarden replay` without
its start; on a busy machine the second says more.
"""

import argparse
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import yaml

from gateway.settings import Settings, load
from sitewarden.composition.box import DRIVERS, UPLINKS
from sitewarden.composition.kinds import KINDS
from sitewarden.replay.replay import ReplaySource, replay

START_S = 1_767_225_600
DAY_S = 86_400
MORNING_S = 28_800
AIM_S = 20.0
ITEMS = ("wall_top_horizontal_displacement", "surface_settlement", "building_settlement")


@dataclass(frozen=True, slots=True)
class Shape:
    """So many pits of so many points, read once a day for so many days, one point `apart_s` after the other."""

    pits: int
    points: int
    days: int
    apart_s: int


@dataclass(frozen=True, slots=True)
class Run:
    """What one replay took: wall time and CPU time."""

    shape: Shape
    seconds: float
    cpu_s: float
    readings: int
    transitions: int


SHAPES = (Shape(1, 50, 365, 0), Shape(1, 50, 365, 30), Shape(51, 1, 10, 30))


def hand_read_site(folder: Path, shape: Shape) -> Settings:
    """A site file of these pits, loaded."""
    titles = {"title_zh": "基坑", "title_en": "Pit"}
    assets = []
    for pit in range(shape.pits):
        points = [
            {"name": f"p-{i}", "item": ITEMS[i % len(ITEMS)], "by_hand": True, "already_cumulative": True}
            for i in range(shape.points)
        ]
        described = {"design_depth_m": 12, "safety_grade": 1, "excavated_m": 9.0, "points": points}
        asset = {"id": f"pit-{pit}", "kind": "deep-pit", "serial": f"JK-{pit}", **titles}
        assets.append(asset | {"pit": described})
    site = {
        "version": 1,
        "box": {"id": "pit-box"},
        "site": {"project_code": "P-1", **titles},
        "storage": {"folder": str(folder / "box")},
        "rule_packs": ["national"],
        "assets": assets,
    }
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(site, allow_unicode=True), encoding="utf-8")
    return load(str(path), DRIVERS, UPLINKS, KINDS)


def write_series(path: Path, shape: Shape) -> None:
    """The readings of all points as a long CSV."""
    drawn = np.random.default_rng(25)
    lines = ["time,point,value"]
    for pit in range(shape.pits):
        for i in range(shape.points):
            pace, later_s = drawn.uniform(0.0, 0.15), shape.apart_s * (pit * shape.points + i)
            noise = drawn.normal(0.0, 0.2, shape.days)
            for day in range(shape.days):
                late_s = int(drawn.integers(0, shape.apart_s)) if shape.apart_s else 0
                at_s = START_S + day * DAY_S + MORNING_S + later_s + late_s
                lines.append(f"{at_s},pit-{pit}.p-{i}_hand,{pace * day + noise[day]:.2f}")
    path.write_text("\n".join(lines), encoding="utf-8")


def measure(shape: Shape) -> Run:
    """Write, load, replay."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = hand_read_site(folder, shape)
        write_series(folder / "series.csv", shape)
        began = time.process_time()
        found = replay(settings, ReplaySource(folder / "series.csv"))
        cpu_s = time.process_time() - began
    return Run(shape, found.seconds, cpu_s, found.readings, len(found.transitions))


def report(runs: list[Run]) -> str:
    """The figures, with the aim beside them."""
    lines = ["hand-read pits replayed, one reading a day at each point, national rules"]
    for run in runs:
        apart = f"{run.shape.apart_s} s apart" if run.shape.apart_s else "at one time"
        shape = f"{run.shape.pits:>3} x {run.shape.points:>3} points, {run.shape.days:>3} days, {apart}"
        took = f"s {run.seconds:6.1f}   CPU s {run.cpu_s:6.1f}"
        lines.append(f"  {shape:<40} {run.readings:>6} readings   {took}   aim <= {AIM_S:g}")
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=365)
    days = parser.parse_args().days
    print(report([measure(replace(shape, days=min(days, shape.days))) for shape in SHAPES]))
