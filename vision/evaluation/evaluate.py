"""`sitewarden vision evaluate`: how good a detector is on labelled pictures, as one line of JSON.

In: arguments. Out: figures on standard output (`--json`: the last line is one JSON object), progress and faults on
standard error. Exit status: 0 all pictures counted, 1 some were kept out (they are named), 2 nothing could be
evaluated. What the figures mean is in `vision.picture.detection_scores` and docs/vision.md.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from gateway.model.detections import SeenClass
from vision.detector import SHIPPED_MODEL, Backend, ModelError, Tiling, open_detector
from vision.evaluation.evaluate_report import ReportOptions, pooled_report, report_lines, set_report
from vision.evaluation.evaluate_sets import DataError, LabelledSet, SetResult, evaluate_set, read_list

Thresholds = dict[SeenClass, float]


class Fold(BaseModel):
    """One entry of a folds file: a model and the pictures that it was not trained on. Paths are relative to the file;
    `only` lists file names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    model: Path
    images: Path
    labels: Path
    only: Path | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """One model on one set."""

    model: Path
    chosen: LabelledSet


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that this command takes."""
    parser.add_argument("--images", type=Path, help="folder of pictures")
    parser.add_argument("--labels", type=Path, help="folder of YOLO text labels: 0 helmet, 1 head, 2 person (optional)")
    parser.add_argument("--only", type=Path, help="file that lists the pictures to use, one name a line")
    parser.add_argument("--model", type=Path, default=SHIPPED_MODEL, help="registry entry (YAML); the shipped one")
    parser.add_argument("--folds", type=Path, help="JSON list of {name, model, images, labels, only?}: pooled")
    parser.add_argument(
        "--threshold", type=_thresholds, default={}, help="instead of the entry's: 0.4 or helmet=0.4,head=0.3"
    )
    parser.add_argument("--tiles", type=_tiling, help="columns x rows beside the full view, for example 2x2")
    parser.add_argument("--min-head-px", type=float, default=0.0, help="smaller helmets and heads are ignore regions")
    parser.add_argument("--backend", default="onnxruntime", choices=[str(backend) for backend in Backend])
    parser.add_argument("--threads", type=int, default=1, help="of the inference; times are reported for one")
    parser.add_argument("--bootstrap", type=int, default=1000, help="rounds of the 95 %% interval; 0: none")
    parser.add_argument("--seed", type=int, default=1, help="of the bootstrap")
    parser.add_argument("--errors", action="store_true", help="kinds of errors in words, with counts; no picture")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")


def run(args: argparse.Namespace) -> int:
    """Evaluate, print, and say by the exit status whether every picture counted."""
    try:
        results = [_evaluate(job, args) for job in _jobs(args)]
    except (DataError, ModelError) as error:
        print(f"sitewarden: {error}", file=sys.stderr)
        return 2
    if not any(result.names for result in results):
        for result in results:
            for _file, reason in result.skipped:
                print(f"sitewarden: kept out: {reason}", file=sys.stderr)
        print("sitewarden: no picture could be evaluated", file=sys.stderr)
        return 2
    figures = _figures(results, args)
    print("\n".join(report_lines(figures)), file=sys.stderr if args.json else sys.stdout)
    if args.json:
        print(json.dumps(figures, ensure_ascii=False))
    return 1 if any(result.skipped for result in results) else 0


def read_folds(path: Path) -> list[Fold]:
    """The entries of a folds file, paths resolved. Raises DataError that names what is wrong."""
    try:
        folds = TypeAdapter(list[Fold]).validate_python(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise DataError(f"{path}: " + "; ".join(faults)) from error
    except ValueError as error:
        raise DataError(f"{path}: no JSON: {error}") from error
    if not folds:
        raise DataError(f"{path}: at least one fold expected")
    base = path.resolve().parent
    return [
        Fold(
            name=fold.name,
            model=base / fold.model,
            images=base / fold.images,
            labels=base / fold.labels,
            only=base / fold.only if fold.only else None,
        )
        for fold in folds
    ]


def _jobs(args: argparse.Namespace) -> list[Job]:
    if args.folds:
        if args.images or args.labels or args.only:
            raise DataError("--folds names the pictures itself: neither --images nor --labels nor --only beside it")
        return [_job(fold) for fold in read_folds(args.folds)]
    if not (args.images and args.labels):
        raise DataError("--images and --labels expected, or --folds")
    only = read_list(args.only) if args.only else None
    return [Job(args.model, LabelledSet(args.images.name, args.images, args.labels, only))]


def _job(fold: Fold) -> Job:
    only = read_list(fold.only) if fold.only else None
    return Job(fold.model, LabelledSet(fold.name, fold.images, fold.labels, only))


def _evaluate(job: Job, args: argparse.Namespace) -> SetResult:
    detector = open_detector(job.model, args.backend, args.threads, args.threshold)
    errors_from_px = args.min_head_px if args.errors else None
    return evaluate_set(detector, job.chosen, args.tiles, lambda text: print(text, file=sys.stderr), errors_from_px)


def _figures(results: list[SetResult], args: argparse.Namespace) -> dict[str, Any]:
    options = ReportOptions(args.min_head_px, args.bootstrap, args.seed, args.errors)
    tiles = f"{args.tiles.columns}x{args.tiles.rows}" if args.tiles else None
    common = {"threads": args.threads, "tiles": tiles, "bootstrap": args.bootstrap}
    if not args.folds:
        return {**common, **set_report(results[0], options)}
    return {
        **common,
        **pooled_report(results, options),
        "folds": [set_report(result, options) for result in results],
    }


def _thresholds(text: str) -> Thresholds:
    """`0.4` for every class, or `helmet=0.4,head=0.3`."""
    try:
        if "=" not in text:
            found = dict.fromkeys(SeenClass, float(text))
        else:
            pairs = (part.split("=", 1) for part in text.split(","))
            found = {SeenClass[name.strip().upper()]: float(value) for name, value in pairs}
    except (ValueError, KeyError) as error:
        raise argparse.ArgumentTypeError(f"0.4 or helmet=0.4,head=0.3 expected, found {text!r}") from error
    if not all(0.0 < value < 1.0 for value in found.values()):
        raise argparse.ArgumentTypeError(f"scores between 0 and 1 expected, found {text!r}")
    return found


def _tiling(text: str) -> Tiling:
    """`2x2`, columns first."""
    try:
        columns, rows = (int(part) for part in text.lower().split("x"))
        return Tiling(columns, rows)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"columns x rows (2x2) expected, found {text!r}: {error}") from error
