"""Benchmark of the edge check over rendered camera-days.

    python -m bench.edges run --generator 2 --camera-days 3 --json     straight from the generator, no files
    python -m bench.edges run --generator 2 --seed 3000 --log FILE     a line of counts for each quarter of an hour
    python -m bench.edges events --seed 5200 --cameras 6 --by night    only around what goes missing, each from a start
    python -m bench.edges sum FILE ...                                 those lines added, of one or several runs
    python -m bench.edges render --generator 2 --days 1 --out DIR      for `sitewarden vision evaluate-edges DIR`

A camera-day is one camera (one seed) over 86,400 seconds. `--every N` looks at each Nth second only; the camera-days
are simulated time then, and the confirmation (at least 10 frames) takes correspondingly longer.
"""

import argparse
import importlib
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from bench.edge_runs import append, summed
from gateway.model.survey import Survey
from vision.edges.scoring import MissingSection, Tally, summary
from vision.edges.watch import EdgeWatch
from vision.picture.frame import Frame

SECOND = 1_000_000_000
HOUR = 3600
QUARTER = 900
GENERATORS = {1: "bench.edge_scenes", 2: "bench.edge_scenes_second"}
DAYLIGHT = (6.5, 18.0)
"""Hours that `events` counts as day."""
FIRST_SEED = {1: 0, 2: 1000}


class Scene(Protocol):
    """What a generator offers: one camera over one day."""

    seed: int
    survey: Survey
    reference: np.ndarray
    night_reference: np.ndarray
    events: tuple[Any, ...]

    def frame_at(self, second: float) -> tuple[np.ndarray, np.ndarray]:
        """Picture (h, w, 3) uint8 BGR and person boxes (n, 4)."""
        ...


class Smoothed:
    """A scene as a camera shows it that averages its noise away: each picture is mixed into those before it, and
    blurred a little. What moves leaves a trace for seconds."""

    PART, BLUR_PX, APART_S = 0.3, 0.8, 30.0

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._mean: np.ndarray | None = None
        self._second = -math.inf
        self.seed, self.survey, self.events = scene.seed, scene.survey, scene.events
        self.reference, self.night_reference = (
            np.clip(self._soft(image) + 0.5, 0, 255).astype(np.uint8)
            for image in (scene.reference, scene.night_reference)
        )

    def _soft(self, image: np.ndarray) -> np.ndarray:
        return np.asarray(cv2.GaussianBlur(image.astype(np.float32), (0, 0), self.BLUR_PX))

    def frame_at(self, second: float) -> tuple[np.ndarray, np.ndarray]:
        """The picture that such a camera sends, and person boxes; begun anew after a pause."""
        image, persons = self._scene.frame_at(second)
        soft = self._soft(image)
        anew = self._mean is None or not 0 < second - self._second < self.APART_S
        self._mean = soft if anew or self._mean is None else self._mean + self.PART * (soft - self._mean)
        self._second = second
        return np.clip(self._mean + 0.5, 0, 255).astype(np.uint8), persons


def scenes(generator: int, days: float, seed: int | None, smoothing: bool = False) -> Iterator[tuple[Scene, int]]:
    """Cameras, and how many seconds of each are asked for."""
    module = importlib.import_module(GENERATORS[generator])
    made = (lambda number: Smoothed(module.Scene(number))) if smoothing else module.Scene
    first = FIRST_SEED[generator] if seed is None else seed
    left, number = days * 86_400, first
    while left > 0:
        yield made(number), int(min(left, 86_400))
        left, number = left - 86_400, number + 1


def truth_of(scene: Scene) -> tuple[MissingSection, ...]:
    """What the generator took away."""
    return tuple(
        MissingSection(one.edge_id, one.from_m, one.to_m, one.from_s, one.to_s, one.what, one.counts)
        for one in scene.events
    )


@dataclass(slots=True)
class Run:
    """One camera being judged. `spent_s` is CPU time of the check alone."""

    scene: Scene
    tally: Tally
    watch: EdgeWatch
    spent_s: float = 0.0

    def judge(self, seconds: range) -> None:
        """Judge these seconds; they follow on those before."""
        for second in seconds:
            image, persons = self.scene.frame_at(second)
            now = second * SECOND
            begun = time.process_time()
            findings = self.watch.step(Frame("cam", second, now, now, True, 1, image), persons, True, now)
            self.spent_s += time.process_time() - begun
            self.tally.take(second, findings, self.watch.sections(now))

    @property
    def ms_per_frame(self) -> float:
        """CPU of a judged frame."""
        return self.spent_s / max(self.tally.frames, 1) * 1000


def watch_of(scene: Scene, by_night: bool) -> EdgeWatch:
    """The check of one camera, `by_night` with the reference by night beside that by day."""
    return EdgeWatch(scene.survey, scene.reference, night_image=scene.night_reference if by_night else None)


def run(
    scene: Scene, seconds: int, every: int, start: int, keep: Callable[[Run, int], None], by_night: bool = False
) -> Run:
    """One camera. `keep` is called after each simulated quarter of an hour with the second that was reached."""
    camera = Run(scene, Tally(truth_of(scene)), watch_of(scene, by_night))
    end = start + seconds
    for first in range(start, end, QUARTER):
        last = min(first + QUARTER, end)
        camera.judge(range(first, last, every))
        keep(camera, last)
    return camera


def events(cameras: Iterator[tuple[Scene, int]], by: str, before_s: int, watch_s: int, by_night: bool) -> Iterator[Run]:
    """A camera of its own for each section that must be found and goes in those hours: started `before_s` before, and
    judged for `watch_s` from then on or until it is mended."""
    for scene, _ in cameras:
        for section in truth_of(scene):
            lit = DAYLIGHT[0] * HOUR <= section.from_s < DAYLIGHT[1] * HOUR
            if not section.asked or section.from_s < before_s or by == ("night" if lit else "day"):
                continue
            camera = Run(scene, Tally((section,)), watch_of(scene, by_night))
            camera.judge(range(int(section.from_s) - before_s, int(min(section.to_s, section.from_s + watch_s))))
            yield camera


def tell(tally: Tally) -> None:
    """Print what became of each section, and the false ones."""
    for one in tally.chased:
        print(f"  {one.section} delay {one.delay_s} unknown {one.unknown} ok {one.said_ok} of {one.frames}", flush=True)
    for false in tally.false:
        print(f"  false {false}", flush=True)


def render(scene: Scene, seconds: int, every: int, folder: Path, by_night: bool) -> None:
    """One camera into a folder that `vision evaluate-edges` reads."""
    (folder / "frames").mkdir(parents=True, exist_ok=True)
    (folder / "survey.json").write_text(json.dumps(scene.survey.document(), ensure_ascii=False))
    cv2.imwrite(str(folder / "reference.png"), scene.reference)
    if by_night:
        cv2.imwrite(str(folder / "night.png"), scene.night_reference)
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
    parser.add_argument("what", choices=("run", "events", "render", "sum"))
    parser.add_argument("files", type=Path, nargs="*", help="of `sum`: what `run --log` wrote")
    parser.add_argument("--generator", type=int, choices=tuple(GENERATORS), default=2)
    parser.add_argument("--camera-days", "--days", type=float, default=3.0)
    parser.add_argument("--every", type=int, default=1, help="look at every Nth second only")
    parser.add_argument("--seed", type=int, help="of the first camera")
    parser.add_argument("--from-hour", type=float, default=0.0, help="of the day; for parts of a day")
    parser.add_argument("--log", type=Path, help="add a line of counts for each simulated quarter of an hour")
    parser.add_argument("--night-reference", action="store_true", help="the camera has a reference by night as well")
    parser.add_argument("--smoothing", action="store_true", help="the camera averages its noise away")
    parser.add_argument("--cameras", type=int, default=6, help="of `events`: one seed after the other")
    parser.add_argument("--by", choices=("night", "day", "both"), default="both", help="of `events`: when it goes")
    parser.add_argument("--before-s", type=int, default=180, help="of `events`: how long the camera has run")
    parser.add_argument("--watch-s", type=int, default=180, help="of `events`: how long each is watched")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--json", action="store_true", help="only the last line")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    if options.what == "sum":
        print(json.dumps(summed(options.files), ensure_ascii=False))
    elif options.what == "events":
        print(json.dumps(_all_events(options), ensure_ascii=False))
    elif options.what == "render":
        if options.out is None:
            parser.error("render needs --out DIR")
        for number, (scene, seconds) in enumerate(
            scenes(options.generator, options.camera_days, options.seed, options.smoothing)
        ):
            render(scene, seconds, options.every, options.out / f"camera-{number + 1}", options.night_reference)
    else:
        print(json.dumps(_run_all(options), ensure_ascii=False))


def _all_events(options: argparse.Namespace) -> dict[str, Any]:
    seed = FIRST_SEED[options.generator] if options.seed is None else options.seed
    ran = []
    cameras = scenes(options.generator, options.cameras, seed, options.smoothing)
    for camera in events(cameras, options.by, options.before_s, options.watch_s, options.night_reference):
        ran.append(camera)
        if not options.json:
            print(f"seed {camera.scene.seed}", end="", flush=True)
            tell(camera.tally)
    said = summary([camera.tally for camera in ran], 1)
    return said | {
        "generator": options.generator,
        "night_reference": options.night_reference,
        "smoothing": options.smoothing,
        "seeds": [seed, seed + options.cameras - 1],
        "by": options.by,
    }


def _run_all(options: argparse.Namespace) -> dict[str, Any]:
    ran = []
    start = int(options.from_hour * HOUR)
    for scene, seconds in scenes(options.generator, options.camera_days, options.seed, options.smoothing):

        def keep(camera: Run, reached: int) -> None:
            about = {"generator": options.generator, "seed": camera.scene.seed, "every_s": options.every}
            about |= {"from_s": start, "to_s": reached, "ms_per_judged_frame": round(camera.ms_per_frame, 2)}
            if options.log is not None:
                append(options.log, about, camera.tally)

        ran.append(run(scene, seconds, options.every, start, keep, options.night_reference))
        if not options.json:
            tell(ran[-1].tally)
    said = summary([camera.tally for camera in ran], options.every)
    said |= {"generator": options.generator, "from_hour": options.from_hour}
    said |= {"night_reference": options.night_reference, "smoothing": options.smoothing}
    return said | {"ms_per_judged_frame": round(float(np.mean([camera.ms_per_frame for camera in ran])), 2)}


if __name__ == "__main__":
    main()
