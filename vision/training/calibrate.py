"""Makes scores say how often a box is right: `python -m vision.training.calibrate ENTRY.yaml --folds FILE`.

In: a registry's entry, and labelled pictures that its network was not trained on: `--images` and `--labels` (and
`--only`), or a file of folds as `sitewarden vision evaluate --folds` takes it. Out: the same entry with the knots of
each class under `calibration` and its thresholds in the new scores, so that the same boxes are seen as before; figures
before and after on standard error. A calibration that the entry had is taken out first. A class with too few boxes
keeps the network's scores, and that is said.

Fit on other pictures than those that are reported, as with thresholds.
"""

import argparse
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from gateway.model.detections import SeenClass
from vision.detector import Detector, open_detector
from vision.detector.calibrated import mapped, raw_thresholds
from vision.detector.registry import Knot, read_entry, thresholds_by_code
from vision.evaluation.calibration import TooFewBoxesError, fit_knots, reliability, scored_boxes
from vision.evaluation.evaluate import Fold, read_folds
from vision.picture.detection_scores import Matches, Sizes
from vision.training.thresholds import USABLE, pool

Knots = dict[SeenClass, tuple[Knot, ...]]


def fitted(pooled: Mapping[SeenClass, list[Matches]]) -> Knots:
    """Knots of every class that has boxes enough; says of each how far scores are off before and after."""
    knots: Knots = {}
    for code, matches in pooled.items():
        score, right = scored_boxes(matches, Sizes() if code is SeenClass.PERSON else USABLE)
        try:
            found = knots[code] = fit_knots(score, right)
        except TooFewBoxesError as error:
            print(f"{code.name.lower()}: scores stay as they are: {error}", file=sys.stderr)
            continue
        before, after = reliability(score, right), reliability(mapped(score, found).astype(np.float64), right)
        told = f"calibration error {before.ece:.3f} of {before.n} boxes before, {after.ece:.3f} of {after.n} after"
        print(f"{code.name.lower()}: {told}, on the pictures it was fitted on", file=sys.stderr)
    return knots


def open_raw(entry: Path) -> Detector:
    """The detector with the network's own scores, whatever calibration its entry has."""
    detector = open_detector(entry)
    known = detector.model.entry
    detector.thresholds = raw_thresholds(detector.thresholds, known.calibration)
    detector.model = replace(detector.model, entry=known.model_copy(update={"calibration": {}}))
    return detector


def without_calibration(entry: Path) -> dict[str, Any]:
    """The entry as written, in the network's own scores."""
    known, said = read_entry(entry), yaml.safe_load(entry.read_text(encoding="utf-8"))
    raw = raw_thresholds(thresholds_by_code(known.thresholds), known.calibration)
    said.pop("calibration", None)
    return dict(said) | {"thresholds": {code.name.lower(): round(float(raw[code]), 3) for code in known.thresholds}}


def with_calibration(said: Mapping[str, Any], knots: Knots) -> dict[str, Any]:
    """An entry in the network's own scores, with knots and with thresholds that keep the same boxes."""
    own = {SeenClass[name.upper()]: score for name, score in said["thresholds"].items()}
    thresholds = {
        code.name.lower(): round(float(np.interp(score, *np.array(knots[code]).T)), 5) if code in knots else score
        for code, score in own.items()
    }
    plain = {code.name.lower(): [list(knot) for knot in each] for code, each in knots.items()}
    return dict(said) | {"thresholds": thresholds, "calibration": plain}


def write(entry: Path, said: Mapping[str, Any]) -> None:
    """The entry as YAML."""
    entry.write_text(yaml.safe_dump(dict(said), sort_keys=False, default_flow_style=None), encoding="utf-8")


def main(told: list[str] | None = None) -> int:
    """Fit and write; see the module's words."""
    arguments = _parse(told)
    raw = without_calibration(arguments.entry)
    own = {"model": arguments.entry, "images": arguments.images, "labels": arguments.labels, "only": arguments.only}
    folds = read_folds(arguments.folds) if arguments.folds else [Fold(name="own", **own)]
    knots = fitted(pool(folds, open_raw))
    if not knots:
        print(f"sitewarden: {arguments.entry}: nothing was fitted, nothing was written", file=sys.stderr)
        return 1
    write(arguments.entry, with_calibration(raw, knots))
    print(f"{arguments.entry}: {read_entry(arguments.entry).label}", file=sys.stderr)
    return 0


def _parse(told: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m vision.training.calibrate", description=__doc__)
    parser.add_argument("entry", type=Path, help="the registry's entry, which is written anew")
    parser.add_argument("--images", type=Path)
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--only", type=Path, help="file that lists the pictures to use, such as kept_back.txt")
    parser.add_argument("--folds", type=Path, help="fit on what these other trainings left out")
    arguments = parser.parse_args(told)
    if bool(arguments.folds) == bool(arguments.images and arguments.labels):
        parser.error("--images and --labels expected, or --folds")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
