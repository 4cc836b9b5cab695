"""From where on the detector is blind: F1 of helmets and bare heads against what cameras, light and weather do.

    python -m bench.vision_blind DATA [--model vision/models/site_heads.yaml] [--pictures 40] [--write] [--json]

DATA holds `cctv/` and `helmets/` (images, labels, sources.csv). A sample of both, half and half, of what was kept back
from training, is made worse step by step (`vision.training.degrade`), by day and again as grey pictures under infrared
light. Each is judged by the detector, and looked at by `CameraHealth` for 18 s after it has seen the clean picture for
80 s.

The line is 0.7, or eight tenths of the clean pictures' F1 where that is less. A limit is put where it parts the
pictures of its own kinds of fault best: those of steps under the line from those above it and from the clean ones, of
which at most one in fifty may be refused. Out: F1 by kind and strength, the limits, and for each kind how many pictures
are refused under and above the line. `--write` puts the limits into `vision/health/picture_limits.py`.
"""

import argparse
import json
import math
import random
import re
import sys
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, fields
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.model.detections import SeenClass
from vision.detector import SHIPPED_MODEL, Detector, open_detector
from vision.evaluation.label_file import Labels, parse_labels
from vision.health import picture_limits
from vision.health.camera_health import CameraHealth, HealthSettings
from vision.health.picture_limits import FROM_BELOW, PictureLimits
from vision.picture.detection_scores import Matches, Sizes, iou_matrix, match_image, scores_at
from vision.picture.frame import Frame
from vision.training.degrade import Degradation, degrade
from vision.training.pictures import read_sources

NS = 1_000_000_000
STRENGTHS = (0.15, 0.3, 0.45, 0.65, 1.0)
INFRARED_STRENGTH = 0.3
LINE, OF_CLEAN = 0.7, 0.8
SIZES = Sizes(20.0)
CLEAN_REFUSED = 0.02
UNSURE = "5"
DAY_KINDS = tuple(Degradation)
NIGHT_KINDS = (
    *(Degradation.NOISE, Degradation.MOTION, Degradation.DEFOCUS, Degradation.HAZE, Degradation.DROPS),
    *(Degradation.COMPRESSION, Degradation.COVER, Degradation.LOW_LIGHT),
)
FAULTS: dict[str, tuple[Degradation, ...]] = {
    "sharpness": (Degradation.MOTION, Degradation.DEFOCUS),
    "sharpness_share": (Degradation.MOTION, Degradation.DEFOCUS),
    "contrast_share": (Degradation.HAZE,),
    "bright": (Degradation.LOW_LIGHT,),
    "noise": (Degradation.NOISE,),
    "flat_gain": (Degradation.COMPRESSION,),
    "dead_share": (Degradation.HALF_GREY,),
    "gone_share": (Degradation.COVER, Degradation.BLOWN_OUT),
    "hurt_share": (Degradation.DROPS,),
}
"""Which faults each limit is found on."""
BOUNDS = {
    **{"hurt_share": (0.16, 0.24), "gone_share": (0.25, 1.0), "dead_share": (0.0, 0.25)},
    **{"bright": (0.0, 60.0), "sharpness": (0.0, 0.1)},
}
"""What single pictures cannot tell. On a clip of a fixed camera people alone hurt 0.13 of the tiles. A lorry that
stands in a quarter of the picture hides nobody in the rest; dirt is told from fewer tiles than a cover. By night most
of a picture is dark, and people under its lamps are seen. A lens that was once sharp is held against itself, so that
only one that never was is left. Lost rows hide what a cover hides, and are named before it."""
SEEING_WEIGHS = 2.0
"""A picture refused though the detector sees is twice as bad as one judged though it is blind: the votes of the rules
catch some of the latter, and nothing the former."""
NEVER = PictureLimits(**{each.name: 0.0 if each.name in FROM_BELOW else math.inf for each in fields(PictureLimits)})
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """A picture, its labels, and boxes (n, 4) that count neither way."""

    file: Path
    labels: Labels
    unsure: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One picture after one fault: what matching left by class, and what health measured."""

    kind: str
    strength: float
    matches: tuple[Matches, Matches]
    figures: dict[str, float]


def sampled(data: Path, count: int, seed: int) -> list[Labelled]:
    """So many pictures with a head from 20 px on, of the fixed cameras and of the photographs in turn. Only pictures
    that were kept back from training: on others a network sees through faults that it has met."""
    kept = [each for each in read_sources(data / "helmets", data / "cctv") if each.kept_back]
    blast = sorted(Path(each.name).name for each in kept if each.set_name == "blast")
    cctv = sorted(Path(each.name).name for each in kept if each.fixed_camera)
    chance = random.Random(seed)
    halves = []
    for folder, names in ((data / "cctv", cctv), (data / "helmets", blast)):
        chance.shuffle(names)
        pictures = (labelled(folder / "images" / name, folder / "labels") for name in names)
        with_heads = (each for each in pictures if _has_heads(each.labels))
        halves.append([next(with_heads) for _ in range(count // 2)])
    return [picture for pair in zip(*halves, strict=True) for picture in pair]


def labelled(file: Path, folder: Path) -> Labelled:
    """Helmets, heads and people; heads too blurred to judge aside."""
    height, width = cv2.imread(str(file)).shape[:2]
    lines = (folder / f"{file.stem}.txt").read_text(encoding="utf-8").splitlines()
    kept = "\n".join(line for line in lines if line.split()[:1] in (["0"], ["1"], ["2"]))
    unsure = "\n".join("0" + line[1:] for line in lines if line.startswith(UNSURE))
    return Labelled(
        file, parse_labels(kept, width, height, file.name), parse_labels(unsure, width, height, file.name).xyxy_px
    )


def _has_heads(labels: Labels) -> bool:
    heads = labels.xyxy_px[labels.class_id < SeenClass.PERSON]
    return bool(SIZES.hold(heads[:, 3] - heads[:, 1]).any())


def judged(pictures: Sequence[Labelled], detector: Detector, infrared: bool) -> list[Judged]:
    """Every picture clean, and after every fault at every strength; the word on progress goes to standard error."""
    found = []
    for number, each in enumerate(pictures):
        clean = np.asarray(cv2.imread(str(each.file)), dtype=np.uint8)
        if infrared:
            clean = degrade(clean, Degradation.INFRARED, INFRARED_STRENGTH, np.random.default_rng((number, 99)))
        primed = CameraHealth(HealthSettings(day=NEVER, infrared=NEVER))
        for second in range(0, 80, 8):
            look(primed, clean, second, number)
        for kind, strength, picture in _worse(clean, NIGHT_KINDS if infrared else DAY_KINDS, number):
            worse = grey(picture) if infrared else picture
            found.append(Judged(kind, strength, _matched(detector, worse, each), _figures(primed, worse, number)))
        print(f"{'infrared' if infrared else 'day'}: {number + 1} of {len(pictures)} pictures", file=sys.stderr)
    return found


def _worse(clean: Pixels, kinds: Sequence[Degradation], number: int) -> Iterator[tuple[str, float, Pixels]]:
    yield "clean", 0.0, clean
    for kind in kinds:
        for strength in STRENGTHS:
            yield kind, strength, degrade(clean, kind, strength, np.random.default_rng((number, DAY_KINDS.index(kind))))


def grey(picture: Pixels) -> Pixels:
    """A camera under infrared light sends no colour of a cloth either."""
    return np.asarray(cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR), dtype=np.uint8)


def _figures(primed: CameraHealth, worse: Pixels, number: int) -> dict[str, float]:
    health = deepcopy(primed)
    for second in range(80, 98, 6):
        figures = look(health, worse, second, number)
    return figures


def look(health: CameraHealth, pixels: Pixels, second: int, number: int) -> dict[str, float]:
    """What health measures at that second."""
    at_ns = second * NS
    return dict(health.look(Frame("bench", second, at_ns, at_ns, True, number, pixels), None, at_ns, at_ns).figures)


def _matched(detector: Detector, pixels: Pixels, picture: Labelled) -> tuple[Matches, Matches]:
    boxes = detector.see([pixels])[0]
    sure = np.ones(len(boxes), dtype=bool)
    if len(picture.unsure) and len(boxes):
        sure = iou_matrix(boxes.xyxy, picture.unsure).max(axis=1) < 0.3
    helmets, heads = (
        match_image(boxes.xyxy[rows], boxes.score[rows], picture.labels.of_class(seen))
        for seen in (SeenClass.HELMET, SeenClass.HEAD)
        for rows in [sure & (boxes.class_id == seen)]
    )
    return helmets, heads


def f1(cells: Sequence[Judged], of_class: int | None = None) -> float:
    """Of helmets (0), of heads (1), or of both together."""
    chosen = (0, 1) if of_class is None else (of_class,)
    return scores_at([cell.matches[each] for cell in cells for each in chosen], 0.0, SIZES).f1


def steps(cells: Sequence[Judged]) -> dict[tuple[str, float], list[Judged]]:
    """By kind and strength."""
    found: dict[tuple[str, float], list[Judged]] = {}
    for cell in cells:
        found.setdefault((cell.kind, cell.strength), []).append(cell)
    return found


def line_of(cells: Sequence[Judged]) -> float:
    """Under which F1 a picture is unusable."""
    return min(LINE, OF_CLEAN * f1(steps(cells)["clean", 0.0]))


def limit_of(figure: str, cells: Sequence[Judged]) -> float:
    """Where a figure parts blind from seeing best (sensitivity and specificity, the latter weighed). Where none of its
    faults makes the detector blind, today's limit by day."""
    line, sign = line_of(cells), -1.0 if figure in FROM_BELOW else 1.0
    blind, seeing, clean = [], [], []
    for (kind, _strength), group in steps(cells).items():
        values = [sign * cell.figures[figure] for cell in group if math.isfinite(cell.figures[figure])]
        if kind == "clean":
            clean += values
        elif kind in FAULTS[figure]:
            (blind if f1(group) < line else seeing).extend(values)
    if not blind:
        return float(getattr(picture_limits.DAY, figure))
    bad, good, well = np.array(blind), np.array(seeing + clean), np.array(clean)
    tried = np.unique(np.concatenate((bad, good)))
    tried = (tried[1:] + tried[:-1]) / 2
    tried = tried[[(well > limit).mean() <= CLEAN_REFUSED for limit in tried]]
    best = sign * max(tried, key=lambda limit: (bad > limit).mean() + SEEING_WEIGHS * (good <= limit).mean())
    low, high = BOUNDS.get(figure, (0.0, math.inf))
    return float(min(max(best, low), high))


def limits_of(cells: Sequence[Judged]) -> PictureLimits:
    """All of one mode, to three figures."""
    return PictureLimits(**{figure: float(f"{limit_of(figure, cells):.3g}") for figure in FAULTS})


def refused(cell: Judged, day: PictureLimits, infrared: PictureLimits) -> bool:
    """Whether any figure is beyond its limit: then `usable` falls."""
    limits = infrared if cell.figures["infrared"] else day
    if cell.figures["burnt_share"] > HealthSettings().burnt_share[0]:
        return True
    for each in fields(limits):
        value, limit = cell.figures[each.name], getattr(limits, each.name)
        if value < limit if each.name in FROM_BELOW else value > limit:
            return True
    return False


def report(cells: Sequence[Judged], *limits: PictureLimits) -> dict[str, object]:
    """F1 and the share refused of every step, and both rates by kind."""
    line, rows, rates = line_of(cells), {}, {}
    for (kind, strength), group in steps(cells).items():
        share = sum(refused(cell, *limits) for cell in group) / len(group)
        row = {"helmet": f1(group, 0), "head": f1(group, 1), "f1": f1(group), "refused": share}
        rows.setdefault(kind, {})[strength] = {name: round(value, 3) for name, value in row.items()}
    for kind, by_strength in rows.items():
        shares = {
            under: [r["refused"] for r in by_strength.values() if (r["f1"] < line) is under] for under in (True, False)
        }
        rates[kind] = {
            "blind_refused": round(float(np.mean(shares[True])), 3) if shares[True] else None,
            "seeing_refused": round(float(np.mean(shares[False])), 3) if shares[False] else None,
        }
    whole: dict[bool, list[bool]] = {True: [], False: []}
    for group in steps(cells).values():
        whole[f1(group) < line] += [refused(cell, *limits) for cell in group]
    total = {("blind" if under else "seeing"): round(float(np.mean(values)), 3) for under, values in whole.items()}
    return {"line": round(line, 3), "steps": rows, "rates": rates, "refused": total}


def print_report(mode: str, told: dict) -> None:
    print(f"{mode}: unusable under F1 {told['line']}; F1 helmet / head / both, and share refused, by strength")
    print(f"  {'':12} " + "   ".join(f"{strength:^24}" for strength in STRENGTHS))
    for kind, by_strength in told["steps"].items():
        words = [
            f"{r['helmet']:.2f} / {r['head']:.2f} / {r['f1']:.2f}  {r['refused']:4.0%}" for r in by_strength.values()
        ]
        print(f"  {kind:12} " + "   ".join(words))
    for kind, rate in told["rates"].items():
        print(f"  {kind:12} refused under the line {rate['blind_refused']}, above it {rate['seeing_refused']}")
    print(f"  all: refused under the line {told['refused']['blind']}, above it {told['refused']['seeing']}")


def as_source(model: str, day: PictureLimits, infrared: PictureLimits) -> str:
    """The table of `vision/health/picture_limits.py`."""
    text = f'MODEL = "{model}"\n'
    for name, limits in (("DAY", day), ("INFRARED", infrared)):
        rows = "".join(f"    {each.name}={getattr(limits, each.name)},\n" for each in fields(limits))
        text += f"{name} = PictureLimits(\n{rows})\n"
    return text


def write(source: str) -> None:
    path = Path(str(picture_limits.__file__))
    kept = re.split(r"^MODEL = ", path.read_text(encoding="utf-8"), maxsplit=1, flags=re.M)[0]
    path.write_text(kept + source, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="from where on the detector is blind, and whether health says so")
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", type=Path, default=SHIPPED_MODEL, help="registry entry (YAML); the shipped one")
    parser.add_argument("--pictures", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="put the limits into vision/health/picture_limits.py")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    detector = open_detector(args.model)
    pictures = sampled(args.data, args.pictures, args.seed)
    cells = {mode: judged(pictures, detector, mode == "infrared") for mode in ("day", "infrared")}
    limits = [limits_of(cells[mode]) for mode in cells]
    told = {mode: report(cells[mode], *limits) for mode in cells}
    for mode in cells:
        print_report(mode, told[mode])
    entry = detector.model.entry
    source = as_source(f"{entry.name} {entry.version}", *limits)
    print(source)
    if args.write:
        write(source)
    if args.json:
        print(json.dumps(told))


if __name__ == "__main__":
    main()
