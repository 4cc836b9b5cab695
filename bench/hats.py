"""Heads under something that is no helmet, and bald ones: how many of them the shipped detector calls helmet.

    python -m bench.hats DATA [--model vision/models/site_heads.yaml] [--margin 0] [--json]

DATA holds `helmets/` (images, labels, sources.csv). The heads are those of `bench/hats.csv`: picture, box and kind,
found by eye among the bare heads that the publishers labelled; no picture is part of the project. Kinds: `cap` (with a
peak, of cloth or a uniform), `brim` (straw hat or another with a brim all round), `knitted`, `cloth` (hood, scarf,
turban, towel) and `bald`. Each whole picture is judged as on a site. A head is called what boxes of an overlap over
`SAME_HEAD` say: helmet (also where a bare head's box lies there too), bare, or neither: not told, and never a vote.

`unseen` are the heads of pictures that the shipped network was not trained on; others of the same origins were.
`--margin` tries another `helmet_margin` than the entry's.
"""

import argparse
import csv
import json
import sys
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2

from gateway.model.detections import SeenClass
from regulator.parts.review.statistics import wilson
from vision.detector import SHIPPED_MODEL, Detector, open_detector
from vision.detector.boxes import Boxes
from vision.evaluation.picture_file import decode_picture, read_body
from vision.picture.detection_scores import iou_matrix
from vision.training.pictures import read_sources

TABLE = Path(__file__).with_suffix(".csv")
KINDS = ("cap", "brim", "knitted", "cloth", "bald")
SAME_HEAD = 0.35


@dataclass(frozen=True, slots=True)
class Hat:
    """One head of the table; `box_xyxy_px` in the picture as published."""

    picture: str
    kind: str
    box_xyxy_px: tuple[float, ...]


def read_table(path: Path = TABLE) -> list[Hat]:
    """The heads by kind and picture. Raises ValueError for a kind that is none, and a box without height."""
    hats = []
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            box = tuple(float(row[side]) for side in ("x0_px", "y0_px", "x1_px", "y1_px"))
            if row["kind"] not in KINDS or box[2] <= box[0] or box[3] <= box[1]:
                raise ValueError(f"{path}: {row}: one of {', '.join(KINDS)} and a box expected")
            hats.append(Hat(row["picture"], row["kind"], box))
    return hats


def called(seen: Boxes, hat: Hat) -> str:
    """What the detector says of one head: `helmet`, `bare` or `not_told`."""
    there = iou_matrix(seen.xyxy, [hat.box_xyxy_px])[:, 0] > SAME_HEAD
    if (there & (seen.class_id == SeenClass.HELMET)).any():
        return "helmet"
    return "bare" if (there & (seen.class_id == SeenClass.HEAD)).any() else "not_told"


def shares(answers: Counter[str]) -> dict[str, Any]:
    """Counts, and the share called helmet with its 95 % interval (Wilson)."""
    share = wilson(answers["helmet"], answers.total())
    return {
        "n": answers.total(),
        **{answer: answers[answer] for answer in ("helmet", "bare", "not_told")},
        "called_helmet": round(share.value, 3),
        "interval": [round(share.low, 3), round(share.high, 3)],
    }


def measure(data: Path, detector: Detector, hats: list[Hat]) -> dict[str, Any]:
    """Answers by kind, of all heads and of those in pictures that training had not seen. Names what is not there."""
    sources = {Path(source.name).name: source for source in read_sources(data / "helmets")}
    of_all: dict[str, Counter[str]] = {kind: Counter() for kind in ("all", *KINDS)}
    unseen: dict[str, Counter[str]] = {kind: Counter() for kind in ("all", *KINDS)}
    for picture in sorted({hat.picture for hat in hats}):
        if picture not in sources:
            print(f"{picture}: not in {data / 'helmets'}, left out", file=sys.stderr)
            continue
        source = sources[picture]
        [seen] = detector.see([decode_picture(read_body(source.folder / source.name), picture)])
        for hat in hats:
            if hat.picture == picture:
                for told in (of_all, unseen) if source.kept_back or not source.core else (of_all,):
                    for kind in ("all", hat.kind):
                        told[kind][called(seen, hat)] += 1
    return {
        "all": {kind: shares(told) for kind, told in of_all.items() if told},
        "unseen": {kind: shares(told) for kind, told in unseen.items() if told},
    }


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.hats", description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", type=Path, default=SHIPPED_MODEL)
    parser.add_argument("--margin", type=float, help="instead of the entry's helmet_margin")
    parser.add_argument("--json", action="store_true", help="one line of JSON alone")
    args = parser.parse_args(argv)
    cv2.setNumThreads(1)
    detector = open_detector(args.model)
    if args.margin is not None:
        entry = detector.model.entry.model_copy(update={"helmet_margin": args.margin})
        detector.model = replace(detector.model, entry=entry)
    figures = measure(args.data, detector, read_table())
    if not args.json:
        for which in ("all", "unseen"):
            for kind, row in figures[which].items():
                low, high = row["interval"]
                print(
                    f"{which:7}{kind:8} {row['n']:4}  helmet {row['helmet']:3}  bare {row['bare']:3}  "
                    f"not told {row['not_told']:3}  called helmet {row['called_helmet']:.0%} ({low:.0%} to {high:.0%})"
                )
    print(json.dumps({"model": detector.model.version, "margin": detector.model.entry.helmet_margin, **figures}))
    return 0 if figures["all"] else 2


if __name__ == "__main__":
    sys.exit(main())
