"""How well a model sees: `python -m vision.training.measure MODEL.yaml --data DIR --sets blast`.

In: a registry's entry and labelled pictures. Out: one JSON object: per class and head size precision, recall, F1 and AP50 at
the entry's thresholds with 95 % intervals over pictures. With `--choose`, thresholds are chosen instead: those of the best
F1 on the part of the training sets that was kept back, so never on a picture that is reported. The detector that runs is
the shipped one (`vision.detector`), the figures are those of `vision.detection_scores`.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from gateway.model.detections import SeenClass
from vision.detection_scores import (
    ALL_SIZES,
    Matches,
    Sizes,
    average_precision,
    best_threshold,
    bootstrap,
    match_image,
    scores_at,
)
from vision.detector import Detector, open_detector
from vision.training.pictures import Source, in_sets, load, read_sources

# Candidates are kept down to here: the area under a curve needs its tail.
LOWEST_SCORE = 0.01
USABLE = Sizes(from_px=20.0)
BUCKETS = {
    "all": ALL_SIZES,
    "20 px and over": USABLE,
    "under 20 px": Sizes(to_px=20.0),
    "20 to 32 px": Sizes(20.0, 32.0),
    "32 to 64 px": Sizes(32.0, 64.0),
    "64 px and over": Sizes(from_px=64.0),
}
ByClass = dict[SeenClass, list[Matches]]


def match(detector: Detector, folder: Path, sources: list[Source]) -> ByClass:
    """What the detector finds in each picture against its labels."""
    lowest = np.full(len(SeenClass), LOWEST_SCORE, dtype=np.float32)
    found: ByClass = {seen: [] for seen in SeenClass}
    for source in sources:
        picture = load(folder, source)
        (boxes,) = detector.read(detector.infer([picture.pixels]), lowest)
        for seen, matches in found.items():
            chosen = boxes.class_id == seen
            labelled = picture.boxes[picture.boxes[:, 0] == seen, 1:]
            matches.append(match_image(boxes.xyxy[chosen], boxes.score[chosen], labelled))
    return found


def figures(matches: list[Matches], threshold: float, sizes: Sizes, rounds: int = 1000) -> dict[str, object]:
    """The figures of one class and size range."""
    scores = scores_at(matches, threshold, sizes)
    interval = bootstrap(matches, threshold, sizes, rounds)
    return {
        "precision": _rounded(scores.precision),
        "recall": _rounded(scores.recall),
        "f1": _rounded(scores.f1),
        "f1_interval": [_rounded(side) for side in interval.f1],
        "ap50": _rounded(average_precision(matches, sizes)),
        "n": scores.n,
    }


def choose_thresholds(found: ByClass) -> dict[str, float]:
    """The score of the best F1 for each class, on heads large enough to be judged."""
    return {seen.name.lower(): round(best_threshold(matches, USABLE), 3) for seen, matches in found.items()}


def report(found: ByClass, thresholds: dict[str, float]) -> dict[str, object]:
    """Figures of every class in every size range."""
    return {
        seen.name.lower(): {
            "threshold": thresholds[seen.name.lower()],
            **{name: figures(matches, thresholds[seen.name.lower()], sizes) for name, sizes in BUCKETS.items()},
        }
        for seen, matches in found.items()
    }


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 4)


def main() -> int:
    """Measure; see the module's words."""
    parser = argparse.ArgumentParser(prog="python -m vision.training.measure", description=__doc__)
    parser.add_argument("model", type=Path, help="the registry's entry (YAML)")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", type=lambda text: tuple(text.split(",")), default=(), help="measure on these sets")
    parser.add_argument("--choose", action="store_true", help="choose thresholds on what --hold leaves, kept-back part")
    parser.add_argument("--hold", type=lambda text: tuple(filter(None, text.split(","))), default=())
    arguments = parser.parse_args()
    detector = open_detector(arguments.model)
    sources = [source for source in read_sources(arguments.data) if source.core]
    if arguments.choose:
        kept = [each for each in sources if each.kept_back and not in_sets(each.set_name, (*arguments.hold, "scut"))]
        found = match(detector, arguments.data, kept)
        thresholds = choose_thresholds(found)
    else:
        found = match(detector, arguments.data, [each for each in sources if in_sets(each.set_name, arguments.sets)])
        thresholds = {seen.name.lower(): float(detector.thresholds[seen]) for seen in SeenClass}
    print(json.dumps({"pictures": len(found[SeenClass.HEAD]), "classes": report(found, thresholds)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
