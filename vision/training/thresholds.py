"""Where the detector cuts: `python -m vision.training.thresholds MODEL.onnx --data DIR [--hold SETS] [--folds FILE]`.

In: an exported model. Out: its registry entry with thresholds, and `measured.txt` beside it: the pictures on which it
may be measured, which are those of the sets left out, or half of the part kept back where none was.

A threshold is never chosen on a picture that is reported. Without `--folds` it is chosen on the kept-back part of the
sets trained on. That part shares its origin with the training, and scores fall on pictures of another origin; so with
`--folds` (a file of `sitewarden vision evaluate --folds`) it is chosen on what **other** trainings had left out.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gateway.model.detections import SeenClass
from vision.detector import Detector, open_detector
from vision.evaluation.evaluate import Fold, read_folds
from vision.evaluation.evaluate_sets import LabelledSet, evaluate_set, read_list
from vision.picture.detection_scores import Matches, Sizes, bootstrap, curve
from vision.training.entry import write_entry
from vision.training.pictures import Source, in_sets, read_sources

USABLE = Sizes(from_px=20.0)
# F1 hardly moves around its peak: the middle of where it is this near to it depends less on single boxes.
PLATEAU = 0.01
WITHIN_95 = 2 * 1.96  # a 95 % interval in standard errors, from end to end
UNKNOWN = 0.5
PERSONS_FOUND = 0.9
TO_BEGIN_WITH = dict.fromkeys((seen.name.lower() for seen in SeenClass), 0.4)


def choose(matches: list[Matches]) -> float:
    """The middle of the scores at which F1 cannot be told from its best; `UNKNOWN` where nothing was found.

    That is within one standard error of it (Breiman and others, Classification and Regression Trees, 1984), `PLATEAU`
    at least: with few heads the peak is where chance put it.
    """
    points = curve(matches, USABLE)
    if not points.f1.size or not points.f1.max() > 0:
        return UNKNOWN
    best = int(points.f1.argmax())
    low, high = bootstrap(matches, points.score[best], USABLE).f1
    width = max(PLATEAU, (high - low) / WITHIN_95)
    good = points.score[points.f1 >= points.f1[best] - width]
    return float(np.clip((good.min() + good.max()) / 2, 0.05, 0.95))


def choose_for_recall(matches: list[Matches], recall: float = PERSONS_FOUND) -> float:
    """The highest score at which so many are found; `UNKNOWN` where there is none. For persons: one who is missed has
    no second look and is judged by nobody, a false one has no head and is counted as not judged."""
    points = curve(matches, USABLE)
    enough = points.score[points.recall >= recall]
    return float(np.clip(enough.max(), 0.05, 0.95)) if enough.size else UNKNOWN


def pool(folds: list[Fold], opened: Callable[[Path], Detector] = open_detector) -> dict[SeenClass, list[Matches]]:
    """What each fold's model finds on its pictures, put together."""
    pooled: dict[SeenClass, list[Matches]] = {seen: [] for seen in SeenClass}
    for fold in folds:
        only = read_list(fold.only) if fold.only else None
        result = evaluate_set(opened(fold.model), LabelledSet(fold.name, fold.images, fold.labels, only))
        for seen, matches in result.matches.items():
            pooled[seen].extend(matches)
    return pooled


def write_list(sources: list[Source], path: Path) -> Path:
    """File names, one a line."""
    path.write_text("".join(f"{Path(source.name).name}\n" for source in sources), encoding="utf-8")
    return path


def divide(sources: list[Source], hold: tuple[str, ...]) -> tuple[list[Source], list[Source]]:
    """Pictures to choose thresholds on and pictures to report, none of which the training has seen.

    Sets left out are reported whole. Where none was, the kept-back part is divided into the two.
    """
    kept = kept_back(sources, hold)
    if hold:
        return kept, [source for source in sources if in_sets(source.set_name, hold)]
    return [source for source in kept if not source.reported], [source for source in kept if source.reported]


def kept_back(sources: list[Source], hold: tuple[str, ...]) -> list[Source]:
    """The part of the training sets that was kept back; not of the crowds, which are no sites, nor of fixed cameras,
    whose pictures are alike."""
    kept = (source for source in sources if source.kept_back and not source.fixed_camera)
    return [source for source in kept if not in_sets(source.set_name, (*hold, "scut"))]


def main() -> int:
    """Choose and write; see the module's words."""
    arguments = _parse()
    folder = arguments.model.parent
    photographs = arguments.data[0]
    sources = [source for source in read_sources(*arguments.data) if source.core]
    entry = write_entry(arguments.model, TO_BEGIN_WITH, arguments.version)
    chosen_on, reported = divide(sources, arguments.hold)
    if not chosen_on or not reported:
        raise SystemExit(
            f"{photographs}: too few pictures; no picture was kept back for choosing thresholds or for measuring"
        )
    names = write_list(chosen_on, folder / "kept_back.txt")
    elsewhere = bool(arguments.folds) and not arguments.hold  # nothing of the kept-back part is chosen on
    write_list(chosen_on + reported if elsewhere else reported, folder / "measured.txt")
    own = Fold(name="kept back", model=entry, images=photographs / "images", labels=photographs / "labels", only=names)
    pooled = pool(read_folds(arguments.folds) if arguments.folds else [own])
    thresholds = {
        seen.name.lower(): choose_for_recall(matches) if seen is SeenClass.PERSON else choose(matches)
        for seen, matches in pooled.items()
    }
    write_entry(arguments.model, thresholds, arguments.version)
    print(", ".join(f"{name} {value:.3f}" for name, value in thresholds.items()), file=sys.stderr)
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m vision.training.thresholds", description=__doc__)
    parser.add_argument("model", type=Path, help="the exported ONNX file")
    parser.add_argument(
        "--data", type=Path, required=True, nargs="+", help="photographs, which thresholds are chosen on, then cameras"
    )
    parser.add_argument(
        "--hold", type=lambda text: tuple(filter(None, text.split(","))), default=(), help="sets left out"
    )
    parser.add_argument("--folds", type=Path, help="choose on what these other trainings left out")
    parser.add_argument("--version", default="0.1", help="of the model, into its entry")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
