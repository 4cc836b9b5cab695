"""Benchmark of the edge check over rendered camera-days.

    python -m bench.edges run --generator 2 --camera-days 3 --json     straight from the generator, no files
    python -m bench.edges render --generator 2 --days 1 --out DIR      for `sitewarden vision evaluate-edges DIR`

A camera-day is one camera (one seed) over 86,400 seconds. `--every N` looks at each Nth second only; the camera-days
are simulated time then, and the confirmation (at least 10 frames) takes correspondingly longer.
"""

import argparse
import importlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from gateway.model.survey import Survey
from vision.edges.scoring import MissingSection, Tally, summary
from vision.edges.watch import EdgeWatch
from vision.frame import Frame

SECOND = 1_000_000_000
GENERATORS = {1: "bench.edge_scenes", 2: "bench.edge_scenes_second"}
FIRST_SEED = {1: 0, 2: 1000}


class Scene(Protocol):
    """What a generator offers: one camera over one day."""

    survey: Survey
    reference: np.ndarray
    events: tuple[Any, ...]

    def frame_at(self, second: float) -> tuple[np.ndarray, np.ndarray]:
        """Picture (h, w, 3) uint8 BGR and person boxes (n, 4)."""
        ...


def scenes(generator: int, days: float, seed: int | None) -> Iterator[tuple[Scene, int]]:
    """Cameras, and how many seconds of each are asked for."""
    module = importlib.import_module(GENERATORS[generator])
    first = FIRST_SEED[generator] if seed is None else seed
    left, number = days * 86_400, first
    while left > 0:
        yield module.Scene(number), int(min(left, 86_400))
        left, number = left - 86_400, number + 1


def truth_of(scene: Scene) -> tuple[MissingSection, ...]:
    """What the generator took away."""
    return tuple(
        MissingSection(one.edge_id, one.from_m, one.to_m, one.from_s, one.to_s, one.what, one.counts)
        for one in scene.events
    )


def run(scene: Scene, seconds: int, every: int, tell: bool = False, start: int = 0) -> tuple[Tally, float]:
    """One camera: its tally, and the mean time of a judged frame (ms of CPU)."""
    watch, tally, spent, frames = EdgeWatch(scene.survey, scene.reference), Tally(truth_of(scene)), 0.0, 0
    for second in range(start, start + seconds, every):
        image, persons = scene.frame_at(second)
        now = second * SECOND
        begun = time.process_time()
        findings = watch.step(Frame("cam", second, now, now, True, 1, image), persons, True, now)
        spent += time.process_time() - begun
        frames += 1
        tally.take(second, findings, watch.sections(now))
    if tell:
        for one in tally.chased:
            print(f"  {one.section} delay {one.delay_s} unknown {one.unknown}/{one.frames}", flush=True)
        for one in tally.false:
            print(f"  false {one}", flush=True)
    return tally, spent / max(frames, 1) * 1000


def render(scene: Scene, seconds: int, every: int, folder: Path) -> None:
    """One camera into a folder that `vision evaluate-edges` reads."""
    (folder / "frames").mkdir(parents=True, exist_ok=True)
    (folder / "survey.json").write_text(json.dumps(scene.survey.document(), ensure_ascii=False))
    cv2.imwrite(str(folder / "reference.png"), scene.reference)
    persons: dict[str, Any] = {}
    for second in range(0, seconds, every):
        image, boxes = scene.frame_at(second)
        cv2.imwrite(str(folder / "frames" / f"{second:06d}.jpg"), image, [cv2.IMWRITE_JPEG_QUALITY, 85])
        if len(boxes):
            persons[f"{second:06d}"] = np.round(boxes, 1).tolist()
    (folder / "persons.json").write_text(json.dumps(persons))
    truth = [
        {
            "edge_id": one.edge_id,
            "from_m": one.from_m,
            "to_m": one.to_m,
            "from_s": one.from_s,
            "to_s": one.to_s,
            "what": one.what,
            "counts": one.counts,
        }
        for one in truth_of(scene)
    ]
    (folder / "truth.json").write_text(json.dumps({"every_s": every, "missing": truth}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("run", "render"))
    parser.add_argument("--generator", type=int, choices=tuple(GENERATORS), default=2)
    parser.add_argument("--camera-days", "--days", type=float, default=3.0)
    parser.add_argument("--every", type=int, default=1, help="look at every Nth second only")
    parser.add_argument("--seed", type=int, help="of the first camera")
    parser.add_argument("--from-hour", type=float, default=0.0, help="of the day; for parts of a day")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--json", action="store_true", help="only the last line")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    if options.what == "render":
        if options.out is None:
            parser.error("render needs --out DIR")
        for number, (scene, seconds) in enumerate(scenes(options.generator, options.camera_days, options.seed)):
            render(scene, seconds, options.every, options.out / f"camera-{number + 1}")
        return
    tallies, spent = [], []
    for scene, seconds in scenes(options.generator, options.camera_days, options.seed):
        tally, ms = run(scene, seconds, options.every, not options.json, int(options.from_hour * 3600))
        tallies.append(tally)
        spent.append(ms)
    said = summary(tallies, options.every)
    said |= {
        "generator": options.generator,
        "from_hour": options.from_hour,
        "ms_per_judged_frame": round(float(np.mean(spent)), 2),
    }
    print(json.dumps(said, ensure_ascii=False))


if __name__ == "__main__":
    main()
